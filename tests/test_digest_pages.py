"""Where the links of mails lead: a GET shows a button, a POST acts, an undo undoes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from readers import add_reader, event, pick, show
from service import NOW, Service, serving
from shown import press
from sqlmodel import select

from app.account import address_change
from app.mail import outbox
from app.mail.digest_sending import links_of, send_due
from app.models import EventTopic, Feedback, Person, Subscription, Takeaway

BROWSER = {"Accept": "text/html"}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with serving(tmp_path, ADJACENT_MAIL_RATE="10000") as service:
        yield service


async def a_reader(service: Service) -> Person:
    async with service.database.writing() as session:
        return await add_reader(session, slate=[(event(2), pick())])


async def the_wish(service: Service) -> Subscription:
    async with service.database.reading() as session:
        return (await session.exec(select(Subscription))).one()


def path_of(address: str) -> str:
    return address.removeprefix("http://adjacent.test")


async def test_one_click_ends_the_mail_without_cookies_and_again(service: Service) -> None:
    leave = path_of(links_of(service.settings).unsubscribe((await a_reader(service)).key))
    looked = await service.client.get(leave)
    assert (looked.status_code, "Stop the mail" in looked.text) == (200, True)
    assert (await the_wish(service)).ended_at is None  # scanners follow links
    for form in (
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},  # multipart/form-data, RFC 8058 §3.1
    ):
        answer = await service.client.post(leave, **form)  # type: ignore[arg-type]
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        assert "You get no further mail" in answer.text
    wish = await the_wish(service)
    assert (wish.end_reason, wish.next_at) == ("unsubscribed", None)


async def test_leaving_is_undone_on_the_page(service: Service) -> None:
    leave = path_of(links_of(service.settings).unsubscribe((await a_reader(service)).key))
    await service.client.post(leave)
    assert "It comes again" in (await service.client.post(leave, data={"do": "undo"})).text
    wish = await the_wish(service)
    assert (wish.ended_at, wish.end_reason, wish.rhythm) == (None, None, "weekly")
    assert wish.next_at is not None


async def test_the_page_offers_less_and_a_break(service: Service) -> None:
    leave = path_of(links_of(service.settings).unsubscribe((await a_reader(service)).key))
    await service.client.post(leave, data={"do": "rhythm monthly"})
    assert (await the_wish(service)).rhythm == "monthly"
    await service.client.post(leave, data={"do": "pause 4"})
    wish = await the_wish(service)
    assert wish.paused_until is not None
    assert wish.next_at is not None
    assert wish.next_at > wish.paused_until > datetime.now(UTC) + timedelta(days=27)
    assert "End the break" in (await service.client.get(leave)).text
    await service.client.post(leave, data={"do": "resume"})
    assert (await the_wish(service)).paused_until is None


@pytest.mark.parametrize("cut", [1, 5, 30])
async def test_a_link_that_was_made_up_or_cut_off_does_nothing(service: Service, cut: int) -> None:
    leave = path_of(links_of(service.settings).unsubscribe((await a_reader(service)).key))[:-cut]
    assert (await service.client.get(leave, headers=BROWSER)).status_code == 410
    assert (await service.client.post(leave, headers=BROWSER)).status_code == 410
    assert (await the_wish(service)).ended_at is None


async def test_a_mails_links_say_something_of_a_pick_and_take_it_back(service: Service) -> None:
    person = await a_reader(service)
    address = path_of(links_of(service.settings).say(person.key, "event2"))
    looked = await service.client.get(f"{address}?kind=going")
    assert re.findall(r'<button class="main" name="kind" value="(\w+)">([^<]+)', looked.text) == [
        ("going", "I am going")
    ]
    async with service.database.reading() as session:
        assert list(await session.exec(select(Feedback))) == []
    said = await service.client.post(address, data={"kind": "going"})
    assert "is marked as going" in said.text
    async with service.database.reading() as session:
        assert [row.kind for row in await session.exec(select(Feedback))] == ["going"]
    back = await service.client.post(address, data={"kind": "going", "undo": "1"})
    assert "no longer marked as going" in back.text
    async with service.database.reading() as session:
        assert list(await session.exec(select(Feedback))) == []


async def test_a_link_is_for_one_person_and_one_event(service: Service) -> None:
    person = await a_reader(service)
    async with service.database.writing() as session:
        session.add(event(5))
    links = links_of(service.settings)
    elsewhere = path_of(links.say(person.key, "event2")).replace("event2", "event5")
    assert (await service.client.get(elsewhere)).status_code == 410
    unsubscribing = links.unsubscribe(person.key).rpartition("/")[2]
    assert (await service.client.get(f"/m/event2/{unsubscribing}")).status_code == 410


async def test_every_link_of_a_mail_leads_somewhere(service: Service) -> None:
    await a_reader(service)
    await send_due(service.database, service.settings, now=NOW, clock=NOW)
    (file,) = (service.settings.data / "outbox").glob("*.eml")
    name = file.name
    headers = await service.operator()
    listed = await service.client.get("/ops/mails", headers=headers)
    assert f"/ops/mails/{name}" in listed.text
    shown = await service.client.get(f"/ops/mails/{name}", headers=headers)
    assert "Evening 2" in shown.text
    looks = await service.client.get(f"/ops/mails/{name}/looks", headers=headers)
    assert "sandbox" in looks.headers["Content-Security-Policy"]
    own = set(re.findall(r'href="http://adjacent\.test([^"]*)"', looks.text))
    assert len(own) >= 7
    for path in own - {"/me"}:  # which asks to sign in first
        assert (await service.client.get(path.replace("&amp;", "&") or "/")).status_code == 200, path


async def test_the_outbox_is_for_operators_and_gives_no_other_file(service: Service) -> None:
    headers = await service.operator()
    assert (await service.client.get("/ops/mails")).status_code == 401
    assert "None so far" in (await service.client.get("/ops/mails", headers=headers)).text
    for name in ("adjacent.sqlite3", "..%2Fmail.key", "20261201T120000000000-00000000.eml"):
        assert (await service.client.get(f"/ops/mails/{name}", headers=headers)).status_code == 404


async def test_an_address_changes_when_its_own_mail_says_yes(service: Service) -> None:
    person = await a_reader(service)
    async with service.database.writing() as session:
        asked = await address_change.ask(session, person, "new@example.org")
    assert asked is not None
    looked = await service.client.get(f"/confirm/{asked.secret}")
    assert "new@example.org" in looked.text
    assert "Thank you" in (await service.client.post(f"/confirm/{asked.secret}")).text
    assert (await service.client.post(f"/confirm/{asked.secret}")).status_code == 410  # used up
    async with service.database.reading() as session:
        assert (await session.get_one(Person, person.id)).email == "new@example.org"


async def test_an_address_that_is_anothers_stays_theirs(service: Service) -> None:
    person = await a_reader(service)
    async with service.database.writing() as session:
        await add_reader(session, "bea")
        asked = await address_change.ask(session, person, "bea@example.org")
    assert asked is not None
    answer = await service.client.post(f"/confirm/{asked.secret}")
    assert (answer.status_code, "somebody's already" in answer.text) == (409, True)
    async with service.database.reading() as session:
        assert (await session.get_one(Person, person.id)).email == "ada@example.org"


async def test_a_mail_asks_once_what_was_brought_back_and_its_link_takes_it_down(service: Service) -> None:
    async with service.database.writing() as session:
        person = await add_reader(session, slate=[(event(2), pick()), (event(3), pick("Bread baking"))])
        over = event(-2, title="Setting type by hand")
        session.add(over)
        await session.flush()
        session.add(EventTopic(event_id=over.id or 0, topic="typography", weight=0.9))
        for kind in ("going", "attended"):
            session.add(Feedback(person_id=1, event_id=over.id or 0, kind=kind, given_at=NOW - timedelta(days=1)))
    send = links_of(service.settings)
    assert dict(await send_due(service.database, service.settings, now=NOW, clock=NOW)) == {"sent": 1}
    later = NOW + timedelta(days=7)
    async with service.database.writing() as session:
        await show(session, person, [(event(12), pick())], now=later)
    assert dict(await send_due(service.database, service.settings, now=later, clock=later)) == {"sent": 1}
    second, first = (mail.get_body(("plain",)) for mail in mails_of(service))
    asked = path_of(send.learned(person.key, over.key))
    assert [asked in str(one and one.get_content()) for one in (first, second)] == [True, False]
    looked = await service.client.get(asked)
    assert (looked.status_code, "What did you learn?" in looked.text, "Typography" in looked.text) == (200, True, True)
    told = {"learned": "Kerning", "to_tell": "Eve", "again": "yes", "topic": "Typography"}
    kept = await service.client.post(asked, data=told)
    assert "Your map grows: you now know a little of Typography." in kept.text
    again = await service.client.get(asked)
    assert ("Kerning" in again.text, "You wrote it down already." in again.text) == (False, True)  # a mail is passed on
    await service.client.post(asked, data={"learned": "somebody else's words"})
    async with service.database.reading() as session:
        row = (await session.exec(select(Takeaway))).one()
        assert (row.learned, row.to_tell, row.would_go_again, row.topic) == ("Kerning", "Eve", True, "typography")
    assert (await service.client.get(asked.replace("adj_m_", "adj_m_0"))).status_code == 410


def mails_of(service: Service) -> list[EmailMessage]:
    """Return the mails of the outbox, the newest first."""
    folder = service.settings.data / "outbox"
    found = [outbox.read(one.name, folder) for one in outbox.newest(folder, 9)]
    return [mail for mail in found if mail is not None]


async def test_whoever_takes_it_up_again_after_a_bounce_is_asked_whether_the_address_is_theirs(
    service: Service,
) -> None:
    await press(service, "/start", know=["JavaScript"])
    async with service.database.writing() as session:
        (person,) = await session.exec(select(Person))
        person.email = "ada@example.org"
        session.add(Subscription(person_id=person.id or 0, ended_at=NOW, end_reason="bounced"))
    page = await press(service, "/me/mail", rhythm="weekly", weekday="2", hour="8")
    assert "Confirm your address by the link in the mail" in page.one("#mail")
    (kept,) = outbox.newest(service.settings.data / "outbox", 2)
    assert (kept.to, kept.subject) == ("ada@example.org", "Is this your address?")
    assert (await the_wish(service)).confirmed_at is None
