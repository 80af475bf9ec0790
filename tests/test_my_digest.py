"""/me/digest: asked for by whoever is signed in, and never sent before an address was confirmed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from service import Service
from test_sign_in import mails, signed_in

from app.models import Person, Subscription

DIGEST = "/api/v1/me/digest"


async def shown(service: Service, headers: dict[str, str], **wish: Any) -> dict[str, Any]:
    """Return what /me/digest says, after a change where there is one."""
    client = service.client
    answer = await (client.patch(DIGEST, json=wish, headers=headers) if wish else client.get(DIGEST, headers=headers))
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def test_nobody_gets_mails_who_did_not_ask(service: Service) -> None:
    me = await signed_in(service)
    told = await shown(service, me)
    assert (told["state"], told["rhythm"], told["next_at"], told["email"]) == ("off", "off", None, "ada@example.org")


async def test_whoever_signed_in_by_mail_asks_once_and_chooses_day_and_hour(service: Service) -> None:
    me = await signed_in(service)
    await service.client.patch("/api/v1/me", json={"zone": "Europe/Berlin"}, headers=me)
    told = await shown(service, me, rhythm="weekly", weekday=5, hour=18)
    assert (told["state"], told["weekday"], told["hour"], told["zone"]) == ("on", 5, 18, "Europe/Berlin")
    assert re.fullmatch(r"\S+T18:00:00\+0[12]:00", told["next_at"])
    assert (await shown(service, me, rhythm="fortnightly"))["weekday"] == 5  # what is not sent stays
    assert (await shown(service, me, rhythm="off"))["next_at"] is None
    assert len(mails(service)) == 1  # the sign-in's own: no other question is asked


async def test_a_break_moves_the_next_mail_and_ends(service: Service) -> None:
    me = await signed_in(service)
    soon = (await shown(service, me, rhythm="weekly"))["next_at"]
    paused = await shown(service, me, pause_weeks=4)
    assert (paused["state"], paused["next_at"] > paused["paused_until"] > soon) == ("paused", True)
    again = await shown(service, me, pause_weeks=0)
    assert (again["state"], again["next_at"]) == ("on", soon)


async def test_a_guests_wish_holds_from_signing_in(service: Service) -> None:
    guest = await service.guest()
    assert (await shown(service, guest, rhythm="monthly"))["state"] == "no-address"
    me = await signed_in(service, headers=guest)
    told = await shown(service, me)
    assert (told["state"], told["rhythm"]) == ("on", "monthly")
    assert told["next_at"] is not None


async def test_a_guests_wish_is_carried_over_to_who_they_are(service: Service) -> None:
    await signed_in(service)
    guest = await service.guest()
    await shown(service, guest, rhythm="weekly", hour=20)
    me = await signed_in(service, headers=guest)
    told = await shown(service, me)
    assert (told["state"], told["rhythm"], told["hour"]) == ("on", "weekly", 20)


async def test_an_address_an_operator_entered_is_asked_before_it_is_written_to(service: Service) -> None:
    from app.account import signing
    from app.people import tokens

    async with service.database.writing() as session:
        person = Person(
            key="b" * 16,
            email="bea@example.org",
            created_at=service.settings.now(),
            reach_chosen_at=service.settings.now(),
        )
        session.add(person)
        await session.flush()
        used = await tokens.consume(session, await signing.link_for(session, person), "sign_in")
        assert used is not None
        entered = await signing.enter(session, used, None, now=service.settings.now())
    me = {"Authorization": f"Bearer {entered.secret}"}
    assert (await shown(service, me, rhythm="weekly"))["state"] == "unconfirmed"
    (mail,) = mails(service)
    link = re.search(r"http://adjacent\.test(/confirm/\S+)", mail.text)
    assert (mail.to, link is not None) == ("bea@example.org", True)
    assert link is not None
    assert (await service.client.post(link[1])).status_code == 200
    assert (await shown(service, me))["state"] == "on"


async def test_another_address_counts_once_it_said_yes(service: Service) -> None:
    me = await signed_in(service)
    assert (await shown(service, me, email="Ada@Elsewhere.example"))["email"] == "ada@example.org"
    mail = mails(service)[-1]
    link = re.search(r"http://adjacent\.test(/confirm/\S+)", mail.text)
    assert (mail.to, link is not None) == ("ada@elsewhere.example", True)
    assert link is not None
    await service.client.post(link[1])
    assert (await shown(service, me))["email"] == "ada@elsewhere.example"


async def test_addresses_are_not_asked_again_and_again(service: Service) -> None:
    me = await signed_in(service)
    for _ in range(9):
        await shown(service, me, email="new@example.org")
    assert len([mail for mail in mails(service) if mail.to == "new@example.org"]) == 5


@pytest.mark.parametrize(
    "wish",
    [
        {"rhythm": "hourly"},
        {"weekday": 0},
        {"weekday": 8},
        {"hour": 24},
        {"hour": "8"},
        {"pause_weeks": 27},
        {"email": "nobody"},
        {"zone": "UTC"},
    ],
)
async def test_what_makes_no_sense_is_refused(service: Service, wish: dict[str, Any]) -> None:
    me = await service.guest()
    assert (await service.client.patch(DIGEST, json=wish, headers=me)).status_code == 422


async def test_a_guest_signs_in_to_have_an_address(service: Service) -> None:
    me = await service.guest()
    answer = await service.client.patch(DIGEST, json={"email": "new@example.org"}, headers=me)
    assert answer.status_code == 409
    async with service.database.reading() as session:
        assert await session.get(Subscription, 1) is None
