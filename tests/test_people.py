"""What is kept about people: exported whole, deleted without a trace, and looked after from the command line."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from service import MUNICH, NOW, Service, draft, lay_database
from sqlmodel import SQLModel, select
from test_sign_in import ask, mails, signed_in
from typer.testing import CliRunner

from app.cli.commands import cli
from app.models import (
    Audit,
    Community,
    Digest,
    Event,
    Hidden,
    Person,
    Proposal,
    ShownCommunity,
    Subscription,
    Takeaway,
)
from app.picking import slates

ME = "/api/v1/me"
ADA = "ada.lovelace@example.org"


async def a_life(service: Service) -> dict[str, str]:
    """Let somebody leave something in every table that can hold something of them; return their headers."""
    ids = await service.store(
        draft("chess", venue=MUNICH), draft("ux", venue=MUNICH), topics={"ux": {"ux-design": 0.9}}
    )
    me = await signed_in(service, ADA)
    client = service.client
    sent = {"know": {"JavaScript": 4, "React": 4}, "near": "Munich"}
    assert (await client.put(f"{ME}/expertise", json=sent, headers=me)).status_code == 200
    for kind in ("picks", "saved"):
        assert (await client.post(f"{ME}/feeds", json={"name": kind, "kind": kind}, headers=me)).status_code == 201
    said = {"event": ids["chess"], "kind": "going", "note": "With Bob"}
    assert (await client.post(f"{ME}/feedback", json=said, headers=me)).status_code == 200
    made = await client.post(f"{ME}/tokens", json={"label": "My page", "scopes": ["read"]}, headers=me)
    assert made.status_code == 201
    await ask(service, ADA)
    async with service.database.writing() as session:
        person = (await session.exec(select(Person).where(Person.email == ADA))).one()
        assert person.id is not None
        session.add(Proposal(url="https://page.example/", person_id=person.id, proposed_at=NOW))
        session.add(Digest(person_id=person.id, week="2026-W49", state="sent", changed_at=NOW))
        session.add(Hidden(person_id=person.id, kind="topic", subject="knitting", hidden_at=NOW))
        circle = Community(key="circle", name="Circle", updated_at=NOW)
        session.add(circle)
        await session.flush()
        met = {"person_id": person.id, "community_id": circle.id, "week": "2026-W49", "profile_version": 1}
        session.add(ShownCommunity(**met, shown_at=NOW))
        event = (await session.exec(select(Event).where(Event.key == ids["chess"]))).one()
        session.add(Takeaway(person_id=person.id, event_id=event.id or 0, learned="The Sicilian"))
    return me


def tables_about_people() -> set[str]:
    """Return the tables whose rows belong to somebody, directly or through another table."""
    owned = {"person"}
    while True:
        more = {
            table.name
            for table in SQLModel.metadata.sorted_tables
            if any(key.column.table.name in owned for key in table.foreign_keys)
        }
        if more <= owned:
            return owned
        owned |= more


# Where the export tells of each table; one that is missing here fails the test below.
TOLD = {
    "person": "person",
    "expertise": "person",
    "feedback": "feedback",
    "shownpick": "picks",
    "showncommunity": "introductions",
    "feed": "feeds",
    "feedentry": "feeds",
    "token": "tokens",
    "signin": "sign_ins",
    "proposal": "proposals",
    "digest": "digests",
    "hidden": "hidden",
    "takeaway": "takeaways",
    "subscription": "subscription",
}


async def test_export_tells_of_every_table_that_holds_something_of_a_person(service: Service) -> None:
    me = await a_life(service)
    assert tables_about_people() == set(TOLD)
    held = (await service.client.get(f"{ME}/export", headers=me)).json()["data"]
    assert set(held) == set(TOLD.values())
    assert all(held.values())
    columns = {column.name for column in Person.__table__.columns} - {"id", "key"}  # type: ignore[attr-defined]
    assert columns <= set(held["person"])
    assert held["person"]["expertise"] == [{"topic": "javascript", "level": 4}, {"topic": "react", "level": 4}]
    assert [(one["kind"], one["note"]) for one in held["feedback"]] == [("going", "With Bob")]
    assert {one["name"]: bool(one["entries"]) for one in held["feeds"]} == {"picks": True, "saved": False}
    assert held["picks"][0]["week"] == slates.iso_week(NOW)
    assert sorted(one["kind"] for one in held["tokens"]) == ["api", "feed", "feed", "session"]
    assert held["proposals"] == [{"url": "https://page.example/", "state": "proposed", "proposed_at": NOW.isoformat()}]
    assert me["Authorization"].removeprefix("Bearer ")[:12] not in json.dumps(held)


@pytest.mark.sqlite
async def test_deletion_leaves_no_row_no_mail_and_after_a_vacuum_no_byte(service: Service) -> None:
    me = await a_life(service)
    await signed_in(service, "bob@example.org")
    database = service.settings.data / "adjacent.sqlite3"
    assert (await service.client.delete(ME, headers=me)).status_code == 204
    assert (await service.client.get(ME, headers=me)).status_code == 401
    await service.app.state.uses.write(service.database)
    async with service.database.engine.connect() as connection:
        for name in sorted(tables_about_people() - {"token", "person", "subscription"}):
            rows = await connection.execute(SQLModel.metadata.tables[name].select())
            assert list(rows) == [], name
        assert len(list(await connection.execute(select(Subscription.person_id)))) == 1  # Bob's
    assert [mail.to for mail in mails(service)] == ["bob@example.org"]
    await service.database.close()
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    left = b"".join(path.read_bytes() for path in database.parent.rglob("*") if path.is_file())
    for trace in (b"lovelace", b"With Bob", b"My page", b"Sicilian"):
        assert trace not in left
    assert b"bob@example.org" in left


def run(folder: Path, *words: str, status: int = 0) -> str:
    result = CliRunner(env={"ADJACENT_DATA": str(folder), "ADJACENT_BASE_URL": "https://a.test"}).invoke(cli, words)
    assert result.exit_code == status, result.output
    return result.stdout


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    await lay_database(tmp_path)
    return tmp_path


def as_json(text: str) -> Any:
    return json.loads(text)


def test_people_are_added_linked_shown_exported_and_deleted_on_the_command_line(folder: Path) -> None:
    key = run(folder, "people", "add", " Ada@Example.org ").strip()
    run(folder, "people", "add", "ada@example.org", status=1)
    run(folder, "people", "add", "nonsense", status=2)
    assert as_json(run(folder, "people", "list", "--json")) == [
        {"id": key, "email": "ada@example.org", "place": None, "know": []}
    ]
    for name in (key, "ada@example.org", "ADA@example.org"):
        assert as_json(run(folder, "people", "show", name, "--json"))[0]["id"] == key
    assert as_json(run(folder, "people", "export", key))["person"]["email"] == "ada@example.org"
    assert run(folder, "people", "link", "ada@example.org").startswith("https://a.test/sign-in/adj_l_")
    run(folder, "people", "link", "bob@example.org", status=1)
    run(folder, "people", "delete", "ada@example.org")
    assert as_json(run(folder, "people", "list", "--json")) == []


def test_operator_tokens_are_made_listed_and_revoked_on_the_command_line(folder: Path) -> None:
    secret = run(folder, "tokens", "create", "operator", "--label", "laptop").strip()
    assert secret.startswith("adj_o_")
    (listed,) = as_json(run(folder, "tokens", "list", "--json"))
    assert (listed["kind"], listed["label"], listed["revoked_at"]) == ("operator", "laptop", None)
    assert secret not in run(folder, "tokens", "list")
    run(folder, "tokens", "revoke", "%" * 12, status=1)
    run(folder, "tokens", "revoke", listed["id"])
    run(folder, "tokens", "revoke", secret)
    assert as_json(run(folder, "tokens", "list", "--json"))[0]["revoked_at"] is not None
    run(folder, "tokens", "create", "session", status=2)


@pytest.mark.sqlite  # the command opens the database of its own environment
async def test_printed_link_signs_a_person_in_once_and_is_written_down(service: Service) -> None:
    async def link(*words: str) -> str:
        # Another process, as far as the service can tell: it opens the database for itself.
        printed = await asyncio.to_thread(run, service.settings.data, "people", "link", *words)
        return printed.strip().removeprefix("https://a.test")

    await signed_in(service, ADA)
    path = await link(ADA)
    assert (await service.client.get(path)).status_code == 200
    assert (await service.client.post(path)).headers["location"] == "/"
    assert (await service.client.get(ME)).json()["data"]["email"] == ADA
    assert (await service.client.get("/api/v1/audit")).status_code == 403
    assert (await service.client.post(path)).status_code == 410
    assert (await service.client.post(await link(ADA, "--operator"))).headers["location"] == "/ops"
    assert (await service.client.get(ME)).json()["data"]["email"] == ADA
    told = (await service.client.get("/api/v1/audit")).json()["data"]
    assert [(one["action"], one["token"]) for one in told] == [("person.link-operator", None), ("person.link", None)]
    async with service.database.reading() as session:
        assert ADA not in {one.subject for one in await session.exec(select(Audit))}


@pytest.mark.sqlite  # the command opens the database of its own environment
async def test_printed_link_leads_to_where_the_service_was_started(service: Service) -> None:
    await signed_in(service, ADA)
    environment = {"ADJACENT_DATA": str(service.settings.data), "ADJACENT_BASE_URL": ""}
    printed = await asyncio.to_thread(CliRunner(env=environment).invoke, cli, ["people", "link", ADA])
    assert printed.stdout.startswith(f"{service.settings.base_url}/sign-in/adj_l_")
