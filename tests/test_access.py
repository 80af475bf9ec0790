"""Who may do what: every route for strangers, guests, tokens of each scope and operators; other sites' pages; proxies."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from service import BASE_URL, MUNICH, NOW, Service, draft, serving, settings_in
from sqlmodel import select

from app.api.doors import PRIVATE
from app.api.limits import client_behind
from app.api.shapes import tokens as shapes
from app.api.sign_in import CONFIRMED_AN_HOUR
from app.models import Person, Proposal, Token
from app.people import people, tokens
from app.settings import BadSetting

ME = "/api/v1/me"
ROLES = ("nobody", "guest", "read", "write", "feeds", "operator")
SOURCE, PROPOSAL = 1, 1
NO_ID = "0123456789ab"  # of the right form, and nobody's

# Method, path, body, and what each of ROLES is answered. 404: allowed to ask, but the thing is not theirs.
ROUTES: list[tuple[str, str, Any, str]] = [
    ("POST", "/api/v1/recommendations", {"know": ["React"]}, "200 200 200 200 200 200"),
    ("POST", "/api/v1/recommendations/communities", {"know": ["React"]}, "200 200 200 200 200 200"),
    ("POST", ME, None, "201 201 201 201 201 201"),
    ("GET", ME, None, "401 200 200 403 403 403"),
    ("PATCH", ME, {"days": 7}, "401 200 403 200 403 403"),
    ("DELETE", ME, None, "401 204 403 403 403 403"),
    ("GET", f"{ME}/expertise", None, "401 200 200 403 403 403"),
    ("PUT", f"{ME}/expertise", {"know": ["React"]}, "401 200 403 200 403 403"),
    ("GET", f"{ME}/recommendations", None, "401 200 200 403 403 403"),
    ("GET", f"{ME}/recommendations/{NO_ID}", None, "401 404 404 403 403 403"),
    ("GET", f"{ME}/map", None, "401 200 200 403 403 403"),
    ("GET", f"{ME}/communities", None, "401 200 200 403 403 403"),
    ("GET", f"{ME}/export", None, "401 200 200 403 403 403"),
    ("GET", f"{ME}/feedback", None, "401 200 200 403 403 403"),
    ("POST", f"{ME}/feedback", {"event": "{event}", "kind": "saved"}, "401 200 403 200 403 403"),
    ("DELETE", f"{ME}/feedback", {"event": "{event}", "kind": "going"}, "401 404 403 404 403 403"),
    ("GET", f"{ME}/hidden", None, "401 200 200 403 403 403"),
    ("POST", f"{ME}/hidden", {"kind": "topic", "subject": "chess"}, "401 200 403 200 403 403"),
    ("DELETE", f"{ME}/hidden", {"kind": "topic", "subject": "chess"}, "401 404 403 404 403 403"),
    ("GET", f"{ME}/digest", None, "401 200 200 403 403 403"),
    ("PATCH", f"{ME}/digest", {"rhythm": "off"}, "401 200 403 200 403 403"),
    ("GET", f"{ME}/takeaways", None, "401 200 200 403 403 403"),
    ("PUT", f"{ME}/takeaways/99", {"learned": "x"}, "401 404 403 404 403 403"),
    ("DELETE", f"{ME}/takeaways/99", None, "401 404 403 404 403 403"),
    ("POST", "/api/v1/proposals", {"kind": "event"}, "401 403 403 403 403 422"),
    ("GET", f"{ME}/feeds", None, "401 200 200 403 403 403"),
    ("POST", f"{ME}/feeds", {"name": "Mine"}, "401 201 403 403 201 403"),
    ("POST", f"{ME}/feeds/{NO_ID}/rotate", None, "401 404 403 403 404 403"),
    ("DELETE", f"{ME}/feeds/{NO_ID}", None, "401 404 403 403 404 403"),
    ("GET", f"{ME}/tokens", None, "401 200 200 403 403 403"),
    ("POST", f"{ME}/tokens", {"label": "x", "scopes": ["read"]}, "401 201 403 403 403 403"),
    ("DELETE", f"{ME}/tokens/{NO_ID}", None, "401 404 403 403 403 403"),
    ("POST", "/api/v1/sign-in", {"email": "ada@example.org"}, "202 202 202 202 202 202"),
    ("POST", "/api/v1/sign-in/confirm", {"token": "adj_l_nonsense"}, "403 403 403 403 403 403"),
    ("POST", "/api/v1/sign-out", None, "401 409 409 409 409 409"),
    ("POST", "/api/v1/sources", {"url": "https://calendar.example/a.ics"}, "401 403 403 403 403 200"),
    ("POST", f"/api/v1/sources/{SOURCE}/collect", None, "401 403 403 403 403 502"),
    ("DELETE", "/api/v1/sources/99", None, "401 403 403 403 403 404"),
    ("POST", "/api/v1/events/import", {"url": "http://127.0.0.1:1/"}, "401 403 403 403 403 502"),
    ("GET", "/api/v1/proposals", None, "401 403 403 403 403 200"),
    ("POST", "/api/v1/proposals/99/accept", None, "401 403 403 403 403 404"),
    ("POST", f"/api/v1/proposals/{PROPOSAL}/refuse", None, "401 403 403 403 403 200"),
    ("GET", "/api/v1/audit", None, "401 403 403 403 403 200"),
]


async def headers_of(service: Service, role: str) -> dict[str, str]:
    """Return the headers of a fresh somebody in this role."""
    if role == "nobody":
        return {}
    if role == "operator":
        return await service.operator()
    if role == "guest":
        return await service.guest()
    async with service.database.writing() as session:
        person = await people.make_person(session)
        secret = await tokens.issue(session, "api", person_id=person.id, scopes=[role])
    return {"Authorization": f"Bearer {secret}"}


@pytest.mark.parametrize("role", ROLES)
async def test_every_route_answers_each_role_as_the_table_says(service: Service, role: str) -> None:
    event = (await service.store(draft("a", venue=MUNICH)))["a"]
    async with service.database.writing() as session:
        session.add(Proposal(url="https://page.example/", proposed_at=NOW))
    told = {}
    for method, path, body, _ in ROUTES:
        filled = {**body, "event": event} if body and "event" in body else body
        answer = await service.client.request(method, path, json=filled, headers=await headers_of(service, role))
        told[method, path] = answer.status_code
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
        if answer.status_code == 401:
            assert answer.headers["www-authenticate"].startswith("Bearer ")
    place = ROLES.index(role)
    assert told == {(method, path): int(statuses.split()[place]) for method, path, _, statuses in ROUTES}


async def test_whatever_is_not_in_the_table_is_a_read_open_to_all(service: Service) -> None:
    event = (await service.store(draft("a", venue=MUNICH)))["a"]
    told = {(method, path.replace(NO_ID, "{id}")) for method, path, _, _ in ROUTES}
    listed = {
        (method, path.replace("/1/", "/{id}/").replace("/99", "/{event}" if "takeaways" in path else "/{id}"))
        for method, path in told
    }
    document = (await service.client.get("/openapi.json")).json()
    others = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if (method.upper(), path) not in listed
    }
    assert {method for method, _ in others} == {"GET"}
    operator = await service.operator()
    for _, path in sorted(others):
        address = path.replace("{id}", event if "events" in path else "1").replace("{slug}", "react")
        stranger = await service.client.get(address)
        known = await service.client.get(address, headers=operator)
        assert (path, stranger.status_code) == (path, known.status_code)
        assert stranger.status_code in (200, 404), path


async def test_missing_scope_is_named(service: Service) -> None:
    answer = await service.client.patch(ME, json={"days": 7}, headers=await headers_of(service, "read"))
    assert answer.json()["type"] == "/problems/insufficient-scope"
    assert answer.headers["www-authenticate"] == 'Bearer realm="adjacent", error="insufficient_scope", scope="write"'


async def test_token_is_made_with_its_scopes_shown_once_and_ended(service: Service) -> None:
    me = await service.guest()
    sent = {"label": "My page", "scopes": ["feeds", "read"], "days": 30}
    made = await service.client.post(f"{ME}/tokens", json=sent, headers=me)
    shapes.NewTokenAnswer.model_validate(made.json())
    data = made.json()["data"]
    secret = data.pop("token")
    assert (data["scopes"], data["label"], data["last_used_at"]) == (["read", "feeds"], "My page", None)
    mine = {"Authorization": f"Bearer {secret}"}
    assert (await service.client.get(ME, headers=mine)).status_code == 200
    assert (await service.client.patch(ME, json={"days": 7}, headers=mine)).status_code == 403
    listed = await service.client.get(f"{ME}/tokens", headers=me)
    shapes.TokenList.model_validate(listed.json())
    assert [one["label"] for one in listed.json()["data"]] == ["guest", "My page"]
    assert listed.json()["data"][1] == data
    # A token never makes a mightier one, and another person's is none.
    assert (await service.client.post(f"{ME}/tokens", json=sent, headers=mine)).status_code == 403
    address = f"{ME}/tokens/{data['id']}"
    assert (await service.client.delete(address, headers=await service.guest())).status_code == 404
    assert (await service.client.delete(address, headers=me)).status_code == 204
    revoked, none = await service.client.get(ME, headers=mine), await service.client.get(ME)
    assert (revoked.status_code, revoked.headers["www-authenticate"]) == (
        401,
        'Bearer realm="adjacent", error="invalid_token"',
    )
    assert revoked.json()["detail"] == f"this token is unknown, revoked or too old; {none.json()['detail']}"
    assert none.headers["www-authenticate"] == 'Bearer realm="adjacent"'
    assert (await service.client.delete(address, headers=me)).status_code == 404


@pytest.mark.parametrize(
    "sent", [{"scopes": ["read"]}, {"label": "x", "scopes": []}, {"label": "x", "scopes": ["all"]}]
)
async def test_token_without_label_or_with_unknown_scopes_is_refused(service: Service, sent: dict[str, Any]) -> None:
    assert (await service.client.post(f"{ME}/tokens", json=sent, headers=await service.guest())).status_code == 422


async def test_use_of_tokens_is_kept_to_the_day_and_no_read_writes_it(service: Service) -> None:
    me = await service.guest()

    async def used_at() -> list[datetime | None]:
        async with service.database.reading() as session:
            return list(await session.exec(select(Token.used_at).where(Token.kind == "api")))

    for _ in range(3):
        await service.client.get(ME, headers=me)
    assert await used_at() == [None]
    await service.app.state.uses.write(service.database)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    assert await used_at() == [today]


async def test_cookie_of_a_token_that_is_no_session_opens_nothing(service: Service) -> None:
    secret = (await service.guest())["Authorization"].removeprefix("Bearer ")
    service.client.cookies.set("adjacent", secret)
    assert (await service.client.get(ME)).status_code == 401


async def a_session(service: Service) -> None:
    """Let the client carry somebody's session as a cookie."""
    async with service.database.writing() as session:
        person = await people.make_person(session, "ada@example.org")
        secret = await tokens.issue(session, "session", person_id=person.id)
    service.client.cookies.set("adjacent", secret)


OURS: tuple[dict[str, str], ...] = (
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": BASE_URL},
    {},  # no browser
)
OTHERS = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": BASE_URL},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
)


async def test_cookie_is_taken_for_writes_of_our_own_pages_only(service: Service) -> None:
    await a_session(service)
    for headers in (*OURS, *OTHERS):
        changed = await service.client.patch(ME, json={"days": 7}, headers=headers)
        assert (headers, changed.status_code) == (headers, 200 if headers in OURS else 403)
        assert changed.headers["content-type"].endswith("json")
        assert (await service.client.get(ME, headers=headers)).status_code == 200


async def test_other_sites_may_read_what_is_public_and_never_with_credentials(service: Service) -> None:
    await a_session(service)
    headers = {"Origin": "https://front.example"}
    for path in ("/api/v1/events", "/api/v1/topics", "/api/v1/sources", "/api/v1/sources/1", "/openapi.json"):
        answer = await service.client.get(path, headers=headers)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
    for path in (ME, f"{ME}/tokens", "/api/v1/proposals", "/api/v1/audit"):
        assert path.startswith(PRIVATE)
        answer = await service.client.get(path, headers=headers)
        assert "access-control-allow-origin" not in answer.headers
        asked = {**headers, "Access-Control-Request-Method": "DELETE"}
        preflight = await service.client.options(path, headers=asked)
        assert "access-control-allow-origin" not in preflight.headers
    forged = await service.client.post(
        "/api/v1/events/import", json={"url": "https://a.example/"}, headers={**headers, "Sec-Fetch-Site": "cross-site"}
    )
    assert forged.json()["type"] == "/problems/cross-site"


PROXIES = settings_in(Path(), ADJACENT_TRUSTED_PROXIES="10.0.0.0/8, 192.0.2.7, fd00::/8").trusted_proxies


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.1", [], "198.51.100.1"),
        ("198.51.100.1", ["203.0.113.9"], "198.51.100.1"),  # claimed by a stranger
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),  # what stands further left was sent along
        ("10.0.0.1", ["203.0.113.9, 192.0.2.7"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9", "10.2.3.4"], "203.0.113.9"),
        ("10.0.0.1", ["10.2.3.4"], "10.2.3.4"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9, nonsense"], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("fd00::1", ["203.0.113.9"], "203.0.113.9"),
    ],
)
def test_client_is_the_last_address_before_trusted_proxies(peer: str, forwarded: list[str], client: str) -> None:
    assert client_behind(peer, forwarded, PROXIES) == ip_address(client)


def test_peer_without_an_address_is_nobody() -> None:
    assert client_behind("", ["203.0.113.9"], PROXIES) is None


def test_bad_proxies_are_named() -> None:
    with pytest.raises(BadSetting, match="ADJACENT_TRUSTED_PROXIES"):
        settings_in(Path(), ADJACENT_TRUSTED_PROXIES="10.0.0.1/8")


async def test_clients_behind_a_trusted_proxy_are_limited_apart(tmp_path: Path) -> None:
    async with serving(tmp_path, ADJACENT_TRUSTED_PROXIES="127.0.0.1") as service:

        async def ask(forwarded: str) -> int:
            headers = {"X-Forwarded-For": forwarded}
            answer = await service.client.post("/api/v1/sign-in/confirm", json={"token": "x"}, headers=headers)
            return answer.status_code

        drain(service, "203.0.113.9")
        assert [await ask("203.0.113.9"), await ask("203.0.113.9")] == [403, 429]
        assert await ask("1.2.3.4, 203.0.113.9") == 429
        assert await ask("203.0.113.10") == 403
        drain(service, "2001:db8::/64")
        assert [await ask(f"2001:db8::{number}") for number in (1, 2)] == [403, 429]  # one network, one customer


def drain(service: Service, client: str) -> None:
    """Leave one attempt at confirming to an address."""
    clock = time.monotonic()
    for _ in range(CONFIRMED_AN_HOUR - 1):
        service.app.state.limiter.take(client, "sign-in confirm", an_hour=CONFIRMED_AN_HOUR, clock=clock)


async def test_deleting_oneself_takes_a_token_for_everything(service: Service) -> None:
    await a_session(service)
    assert (await service.client.delete(ME)).status_code == 204
    async with service.database.reading() as session:
        assert list(await session.exec(select(Person))) == []
