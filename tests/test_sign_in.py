"""Signing in by mail: one answer for every address, a link and a code that work once, and guests who keep everything."""

from __future__ import annotations

import asyncio
import email
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.policy import default
from pathlib import Path
from typing import Any

import icalendar
import pytest
from service import BASE_URL, MUNICH, NOW, Service, draft, serving, settings_in
from sqlmodel import select

from app.account import signing
from app.account.signing import ATTEMPTS, BadAddress, normal_address
from app.api.shapes import sign_in as shapes
from app.api.sign_in import ASKED_AN_HOUR
from app.db import Database
from app.models import Person, SignIn, Token
from app.people import tokens

pytest_plugins = ("databases",)

ME = "/api/v1/me"
ASK, CONFIRM = "/api/v1/sign-in", "/api/v1/sign-in/confirm"
ADA = "ada@example.org"


@dataclass(frozen=True)
class Mail:
    to: str
    text: str

    @property
    def code(self) -> str:
        return re.findall(r"^ +(\d{6})$", self.text, re.MULTILINE)[0]

    @property
    def link(self) -> str:
        return re.findall(r"^(http\S+/sign-in/\S+)$", self.text, re.MULTILINE)[0]

    @property
    def secret(self) -> str:
        return self.link.rpartition("/")[2]


def mails(service: Service) -> list[Mail]:
    """Return what stands in the outbox, in the order it was sent."""
    paths = sorted((service.settings.data / "outbox").glob("*.eml"))
    read = [email.message_from_bytes(path.read_bytes(), policy=default) for path in paths]
    return [Mail(str(one["To"]), one.get_body(("plain",)).get_content()) for one in read]  # type: ignore[union-attr]


async def ask(service: Service, address: str = ADA, **headers: str) -> Mail:
    answer = await service.client.post(ASK, json={"email": address}, headers=headers)
    assert (answer.status_code, answer.json()) == (202, {"data": {"expires_in": 900}})
    return mails(service)[-1]


async def confirm(service: Service, headers: dict[str, str] | None = None, **sent: str) -> dict[str, Any]:
    answer = await service.client.post(CONFIRM, json=sent, headers=headers)
    assert answer.status_code == 200, answer.text
    shapes.SignedInAnswer.model_validate(answer.json())
    return answer.json()["data"]


async def signed_in(service: Service, address: str = ADA, headers: dict[str, str] | None = None) -> dict[str, str]:
    """Sign somebody in, with these headers of a guest, and return the headers that are theirs from then on."""
    mail = await ask(service, address)
    told = await confirm(service, headers, email=address, code=mail.code)
    return {"Authorization": f"Bearer {told['token']}"}


async def profile(service: Service, me: dict[str, str]) -> dict[str, Any]:
    answer = await service.client.get(ME, headers=me)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_every_address_gets_the_same_answer_and_a_mail(service: Service) -> None:
    await signed_in(service)
    answers = [await service.client.post(ASK, json={"email": address}) for address in (ADA, "nobody@example.org")]
    assert len({(one.status_code, one.content) for one in answers}) == 1
    assert {name: answers[0].headers[name] for name in answers[0].headers if name != "x-request-id"} == {
        name: answers[1].headers[name] for name in answers[1].headers if name != "x-request-id"
    }
    assert [mail.to for mail in mails(service)] == [ADA, ADA, "nobody@example.org"]
    async with service.database.reading() as session:
        assert [one.email for one in await session.exec(select(Person))] == [ADA]  # asking makes nobody


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (" Ada@Example.ORG ", "ada@example.org"),
        ("a.b+c@sub.example.org", "a.b+c@sub.example.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),  # not strasse.example, which is somebody else's
    ],
)
def test_addresses_have_one_spelling(given: str, kept: str) -> None:
    assert normal_address(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@localhost",
        "a b@example.org",
        "ada@exa mple.org",
        "ada@example.org\r\nBcc: b@example.org",
        "Ada <ada@example.org>",
        "ada@example.org, b@example.org",
        ".ada@example.org",
        "ada@-example.org",
        "x" * 65 + "@example.org",
        "ada@" + "a." * 130 + "org",
    ],
)
async def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(BadAddress):
        normal_address(given)


async def test_code_signs_in_once(service: Service) -> None:
    mail = await ask(service)
    told = await confirm(service, email="ADA@example.org", code=f"{mail.code[:3]} {mail.code[3:]}")
    me = {"Authorization": f"Bearer {told['token']}"}
    assert (await profile(service, me))["email"] == ADA
    assert told["id"] == (await profile(service, me))["id"]
    assert 29 <= (datetime.fromisoformat(told["expires_at"]) - datetime.now(UTC)).days <= 30
    again = await service.client.post(CONFIRM, json={"email": ADA, "code": mail.code})
    assert (again.status_code, again.json()["type"]) == (403, "/problems/sign-in-failed")
    link = await service.client.post(CONFIRM, json={"token": mail.secret})
    assert link.status_code == 403  # either of both, not one after the other


async def test_signing_in_again_leads_to_the_same_person(service: Service) -> None:
    one, other = await signed_in(service), await signed_in(service)
    assert one != other
    assert await profile(service, one) == await profile(service, other)


async def test_link_is_left_alone_by_looks_and_works_once(service: Service) -> None:
    mail = await ask(service)
    assert mail.link.startswith(f"{BASE_URL}/sign-in/adj_l_")
    for _ in range(3):
        shown = await service.client.get(mail.link)
        assert (shown.status_code, "<button" in shown.text) == (200, True)
    assert (await service.client.head(mail.link)).status_code == 200
    entered = await service.client.post(mail.link, headers={"Sec-Fetch-Site": "same-origin"})
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Max-Age=2592000"} <= set(cookie.split("; "))
    assert (await profile(service, {}))["email"] == ADA  # by the cookie
    service.client.cookies.clear()
    assert (await service.client.post(mail.link)).status_code == 410
    assert (await service.client.get(mail.link)).status_code == 410


async def test_cookie_is_bound_to_the_host_where_there_is_tls(tmp_path: Path) -> None:
    async with serving(tmp_path, ADJACENT_BASE_URL="https://adjacent.test") as service:
        mail = await ask(service)
        entered = await service.client.post(f"/sign-in/{mail.secret}")
    assert entered.headers["set-cookie"].startswith("__Host-adjacent=adj_s_")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(entered.headers["set-cookie"].split("; "))
    assert "Domain" not in entered.headers["set-cookie"]


async def test_page_of_another_site_signs_nobody_in(service: Service) -> None:
    mail = await ask(service)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        forged = await service.client.post(mail.link, headers=headers)
        assert (forged.status_code, forged.json()["type"]) == (403, "/problems/cross-site")
        assert "set-cookie" not in forged.headers
    await confirm(service, token=mail.secret)


async def test_page_of_another_site_lets_its_reader_sign_in_with_a_code(service: Service) -> None:
    other = {"Origin": "https://front.example", "Sec-Fetch-Site": "cross-site"}
    mail = await ask(service, **other)
    sent = {"email": ADA, "code": mail.code}
    entered = await service.client.post(CONFIRM, json=sent, headers=other)
    assert (entered.status_code, entered.headers["access-control-allow-origin"]) == (200, "*")
    assert "set-cookie" not in entered.headers  # it is the page's to keep
    mine = await service.client.get(ME, headers={**other, "Authorization": f"Bearer {entered.json()['data']['token']}"})
    assert mine.json()["data"]["email"] == ADA


async def test_five_wrong_codes_kill_the_code_but_not_the_link(service: Service) -> None:
    mail = await ask(service)
    wrong = f"{(int(mail.code) + 1) % 1_000_000:06}"
    for code in (*[wrong] * ATTEMPTS, mail.code):
        assert (await service.client.post(CONFIRM, json={"email": ADA, "code": code})).status_code == 403
    await confirm(service, token=mail.secret)


async def test_wrong_code_for_one_address_is_none_for_another(service: Service) -> None:
    mail = await ask(service)
    stranger = await service.client.post(CONFIRM, json={"email": "bob@example.org", "code": mail.code})
    assert stranger.status_code == 403
    await confirm(service, email=ADA, code=mail.code)


async def test_link_and_code_are_too_old_after_a_quarter_of_an_hour(service: Service) -> None:
    mail = await ask(service)
    async with service.database.writing() as session:
        token = (await session.exec(select(Token).where(Token.label == "mail"))).one()
        assert token.expires_at is not None
        assert timedelta(minutes=14) < token.expires_at - datetime.now(UTC) <= timedelta(minutes=15)
        token.expires_at = datetime.now(UTC)
    for sent in ({"email": ADA, "code": mail.code}, {"token": mail.secret}):
        assert (await service.client.post(CONFIRM, json=sent)).status_code == 403
    assert (await service.client.get(mail.link)).status_code == 410


async def test_one_address_is_not_flooded_and_nobody_is_told(service: Service) -> None:
    for _ in range(signing.AN_HOUR + 3):
        await ask(service)
    assert len(mails(service)) == signing.AN_HOUR
    await ask(service, "bob@example.org")
    assert mails(service)[-1].to == "bob@example.org"


async def test_silent_mail_server_changes_no_answer(tmp_path: Path) -> None:
    async with serving(tmp_path, ADJACENT_SMTP_URL="smtp://127.0.0.1:1") as service:
        answer = await service.client.post(ASK, json={"email": ADA})
    assert (answer.status_code, answer.json()) == (202, {"data": {"expires_in": 900}})


async def test_one_client_may_not_ask_for_ever(service: Service) -> None:
    answers = [
        await service.client.post(ASK, json={"email": f"p{number}@example.org"}) for number in range(ASKED_AN_HOUR + 1)
    ]
    assert [one.status_code for one in answers] == [202] * ASKED_AN_HOUR + [429]
    assert int(answers[-1].headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "sent", [{}, {"email": ADA}, {"code": "123456"}, {"email": ADA, "code": "123456", "token": "x"}, {"token": 5}]
)
async def test_confirming_takes_a_code_or_a_link(service: Service, sent: dict[str, Any]) -> None:
    assert (await service.client.post(CONFIRM, json=sent)).status_code == 422


async def test_of_many_who_use_a_link_or_its_code_one_gets_in(database: Database, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    async with database.writing() as session:
        asked = await signing.ask(session, ADA, settings)
        other = await signing.ask(session, ADA, settings)
    assert asked is not None
    assert other is not None

    async def use(number: int) -> bool:
        async with database.writing() as session:
            if number % 3 == 0:
                used = await signing.use_code(session, ADA, asked.code, settings)
            else:
                used = await signing.use_link(session, (asked if number % 3 == 1 else other).link_secret)
            if used is None:
                return False
            await signing.enter(session, used, None, now=NOW)
            return True

    assert sum(await asyncio.gather(*(use(number) for number in range(12)))) == 1
    async with database.reading() as session:
        assert [one.email for one in await session.exec(select(Person))] == [ADA]
        assert [one.kind for one in await session.exec(select(Token))] == ["session"]
        assert list(await session.exec(select(SignIn))) == []


async def test_guest_becomes_the_person_and_keeps_everything(service: Service) -> None:
    ids = await service.store(draft("chess", "An evening of chess", venue=MUNICH), topics={"chess": {"chess": 0.9}})
    guest = await service.guest(know={"JavaScript": 4}, near="Munich", within_km=20)
    feed = (await service.client.post(f"{ME}/feeds", json={"name": "Mine", "kind": "saved"}, headers=guest)).json()
    await service.client.post(f"{ME}/feedback", json={"event": ids["chess"], "kind": "going"}, headers=guest)
    before = await profile(service, guest)
    me = await signed_in(service, headers=guest)
    assert await profile(service, me) == before | {"email": ADA}
    assert (await service.client.get(f"{ME}/feeds", headers=me)).json()["meta"]["count"] == 1
    assert b"An evening of chess" in (await service.client.get(feed["data"]["url"])).content
    # Whoever knew the guest's token knew a guest.
    assert (await service.client.get(ME, headers=guest)).status_code == 401


async def test_guest_of_somebody_known_is_joined_with_them(database_url: str, tmp_path: Path) -> None:
    async with serving(tmp_path, ADJACENT_DATABASE_URL=database_url) as service:
        await join_guest_and_person(service)


async def join_guest_and_person(service: Service) -> None:
    ids = await service.store(
        draft("chess", "Chess", venue=MUNICH), draft("clay", "Clay", venue=MUNICH), draft("ink", "Ink", venue=MUNICH)
    )
    me = await signed_in(service)
    sent = {"know": {"JavaScript": 2, "React": 5}, "reach": "far", "days": 10}
    await service.client.put(f"{ME}/expertise", json=sent, headers=me)
    guest = await service.guest(know={"JavaScript": 4, "Cooking": 1}, near="Munich", within_km=20, reach="next-door")

    async def say(who: dict[str, str], event: str, kind: str, note: str | None) -> None:
        said = {"event": ids[event], "kind": kind, "note": note}
        assert (await service.client.post(f"{ME}/feedback", json=said, headers=who)).status_code == 200

    await say(me, "chess", "going", None)
    await say(guest, "chess", "going", "With Bob")
    await say(me, "clay", "attended", "Mine")
    await say(guest, "clay", "attended", "The guest's")
    await say(guest, "ink", "saved", None)
    for who in (me, guest):
        made = await service.client.post(f"{ME}/feeds", json={"name": "Saved", "kind": "saved"}, headers=who)
        address = made.json()["data"]["url"]
    mail = await ask(service)
    told = await confirm(service, guest, token=mail.secret)
    assert told["merged"]
    joined = {"Authorization": f"Bearer {told['token']}"}
    mine = await profile(service, joined)
    assert {one["label"]: one["level"] for one in mine["know"]} == {"JavaScript": 4, "React": 5, "Cooking": 1}
    assert (mine["near"], mine["within_km"], mine["zone"]) == ("Munich, DE", 20, "Europe/Berlin")
    assert (mine["chosen_reach"], mine["days"], mine["email"]) == ("far", 10, ADA)
    held = (await service.client.get(f"{ME}/export", headers=joined)).json()["data"]
    assert {(one["title"], one["kind"], one["note"]) for one in held["feedback"]} == {
        ("Chess", "going", "With Bob"),
        ("Clay", "attended", "Mine"),
        ("Ink", "saved", None),
    }
    assert len(held["feeds"]) == 2
    calendar = icalendar.Calendar.from_ical((await service.client.get(address)).content)
    assert {str(event["summary"]) for event in calendar.walk("VEVENT")} == {"Chess", "Ink"}
    assert await profile(service, me) == mine  # another device stays signed in
    assert (await service.client.get(ME, headers=guest)).status_code == 401
    async with service.database.reading() as session:
        assert len(list(await session.exec(select(Person)))) == 1


async def test_place_of_the_person_counts_before_the_guests(service: Service) -> None:
    me = await signed_in(service)
    await service.client.patch(ME, json={"near": "Hamburg", "within_km": 5}, headers=me)
    guest = await service.guest(know=["Cooking"], near="Munich")
    mine = await profile(service, await signed_in(service, headers=guest))
    assert (mine["near"], mine["within_km"]) == ("Hamburg, DE", 5)


async def test_somebody_signed_in_is_never_joined_with_another(service: Service) -> None:
    ada = await signed_in(service)
    bob = await signed_in(service, "bob@example.org", headers=ada)
    assert (await profile(service, bob))["email"] == "bob@example.org"
    assert (await service.client.get(ME, headers=ada)).status_code == 401  # the session that was shown has ended
    async with service.database.reading() as session:
        assert {one.email for one in await session.exec(select(Person))} == {ADA, "bob@example.org"}


async def test_asking_with_a_guests_token_joins_nobody(service: Service) -> None:
    """Whoever asks for a mail to somebody else must not slip a guest of theirs, with its calendars, into that person."""
    guest = await service.guest(know=["Cooking"])
    mail = await ask(service, ADA, **guest)
    told = await confirm(service, token=mail.secret)
    assert (await profile(service, {"Authorization": f"Bearer {told['token']}"}))["know"] == []
    assert (await profile(service, guest))["email"] is None


async def test_operator_link_makes_no_person_and_keeps_who_signed_in_before(service: Service) -> None:
    link = service.announced[-1].removeprefix("Sign in as operator: ")
    secret = link.rpartition("/")[2]
    me = await signed_in(service)
    told = await confirm(service, me, token=secret)
    both = {"Authorization": f"Bearer {told['token']}"}
    assert (await profile(service, both))["email"] == ADA
    assert (await service.client.get("/api/v1/audit", headers=both)).status_code == 200
    async with service.database.writing() as session:
        bare = await tokens.issue(session, "sign_in", scopes=["operator"])
    told = await confirm(service, token=bare)
    assert told["id"] is None
    assert (await service.client.get(ME, headers={"Authorization": f"Bearer {told['token']}"})).status_code == 403


async def test_signing_out_ends_the_session(service: Service) -> None:
    me = await signed_in(service)
    assert (await service.client.post("/api/v1/sign-out", headers=me)).status_code == 204
    assert (await service.client.get(ME, headers=me)).status_code == 401
    assert (await service.client.post("/api/v1/sign-out", headers=me)).status_code == 401
    guest = await service.guest()
    assert (await service.client.post("/api/v1/sign-out", headers=guest)).status_code == 409
    assert (await service.client.get(ME, headers=guest)).status_code == 200


async def test_browser_signs_in_by_code(service: Service) -> None:
    asked = await service.client.post("/sign-in", data={"email": "Ada@example.org"})
    assert (asked.status_code, "six-digit code" in asked.text) == (200, True)
    mail = mails(service)[-1]
    wrong = await service.client.post("/sign-in/code", data={"email": ADA, "code": "000000"})
    assert (wrong.status_code, "The code is wrong" in wrong.text) == (403, True)
    entered = await service.client.post("/sign-in/code", data={"email": ADA, "code": mail.code})
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert (await profile(service, {}))["email"] == ADA
    refused = await service.client.post("/sign-in", data={"email": "nonsense"})
    assert refused.status_code == 422
