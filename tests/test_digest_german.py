"""A German reader's mails: HTML and text, subject and preview, what is around them; strangers' words stay as they are."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from readers import add_reader, community, community_pick, event, pick
from service import Service, serving, settings_in
from test_digest_letter import facts, words
from test_digest_rules import taken, whole

from app.account.address_change import Asked as AskedToConfirm
from app.account.address_change import mail_for as confirming_mail
from app.account.signing import Asked, mail_for
from app.community.communities import Active
from app.mail import outbox
from app.mail.digest_sending import links_of
from app.mail.letter_facts import Facts
from app.models import Person
from app.words.wording import wording_of

DE = wording_of("de")
ENGLISH = re.compile(r"\b(the|you|your|this|what|with|and|is|are|of|for|going|more)\b", re.IGNORECASE)


def german(told: Facts) -> Facts:
    told.person.language = "de"
    return told


def test_all_that_adjacent_says_in_a_mail_is_german(tmp_path: Path) -> None:
    circle = community("Type Circle", city="München", activity={"words": "every Tuesday"}, description="Schrift.")
    told = replace(
        whole(),
        question=event(-3, title="Setzen von Hand"),
        community=community_pick(Active(circle, (), event(9, title="Setzen"), 1)),
    )
    german(told)
    for shown in told.picks:
        shown.listed.event.title = f"Abend {shown.listed.event.key}"
    for one in told.changed:
        one.event.title = "Termin"
    mail = taken(tmp_path, told)
    html = re.sub(r"<style.*?</style>|<[^>]*>", " ", mail.part("html"), flags=re.DOTALL)
    for part in (html, mail.part("plain"), str(mail.mail["Subject"])):
        assert not ENGLISH.findall(re.sub(r"https?://\S+", "", part)), part
    assert (mail.mail["Content-Language"], '<html lang="de"' in mail.part("html")) == ("de", True)


def test_subject_preview_hours_and_reasons_are_told_in_german(tmp_path: Path) -> None:
    told = german(facts((event(2), pick()), (event(3, is_free=True), pick("Baking")), zone="America/New_York"))
    mail = taken(tmp_path, told)
    text = words(mail.part("plain"))
    assert mail.mail["Subject"] == "Evening 2 und 1 weitere"
    assert text.startswith("Zwei Wege aus JavaScript hinaus ----")
    assert "Do., 3. Dez., 19:00–21:00 Uhr (13:00 Uhr bei dir)" in text
    assert "Studio, Munich · 3 km · kostenlos" in text
    assert "Von 100 Meetup-Gruppen zu" in text
    assert "Titel und Beschreibungen stehen so da, wie ihre Veranstalter sie schrieben." in text
    assert "Beenden, pausieren oder seltener bekommen:" in text


def test_mails_one_waits_for_are_german_where_the_reader_is(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    for mail in (
        mail_for(Asked("ada@example.org", "adj_l_x", "012345"), settings, DE),
        confirming_mail(AskedToConfirm("ada@example.org", "adj_c_x"), settings, DE),
    ):
        html = re.sub(r"<style.*?</style>|<[^>]*>", " ", mail.html, flags=re.DOTALL)
        assert not ENGLISH.findall(f"{mail.subject} {html} {mail.text}"), mail.text
        assert max(map(len, mail.text.splitlines())) < 78


async def test_whoever_signs_in_with_a_german_browser_gets_german_mails(tmp_path: Path) -> None:
    browser = {"Accept": "text/html", "Accept-Language": "de-AT,de;q=0.9"}
    async with serving(tmp_path) as service:
        await service.client.post("/sign-in", data={"email": "ada@example.org"}, headers=browser)
        ((subject, text),) = mails(service)
        assert subject == "Bei Adjacent anmelden"
        link = re.search(r"/sign-in/\S+", text)
        assert link is not None
        await service.client.post(link[0], headers=browser)
        async with service.database.reading() as session:
            person = await session.get_one(Person, 1)
        assert (person.email, person.language) == ("ada@example.org", "de")


async def test_front_ends_ask_by_header_and_change_it_in_the_wish(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        me = await service.guest(know={"JavaScript": 4})
        asked = {"Accept-Language": "de", **me}
        await service.client.post("/api/v1/sign-in", json={"email": "ada@example.org"}, headers=asked)
        assert mails(service)[0][0] == "Bei Adjacent anmelden"
        changed = await service.client.patch("/api/v1/me/digest", json={"language": "de"}, headers=me)
        assert changed.json()["data"]["language"] == "de"
        refused = await service.client.patch("/api/v1/me/digest", json={"language": "tlh"}, headers=me)
        assert refused.status_code == 422


async def test_pages_behind_a_mails_links_speak_as_the_mail_did(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        async with service.database.writing() as session:
            person = await add_reader(session, slate=[(event(2), pick())], person={"language": "de"})
        links = links_of(service.settings)
        browser = {"Accept": "text/html", "Accept-Language": "en"}
        addresses = (
            links.unsubscribe(person.key),
            links.say(person.key, "event2"),
            links.learned(person.key, "event2"),
        )
        shown = [await service.client.get(address, headers=browser) for address in addresses]
        assert [(one.status_code, one.headers["Content-Language"]) for one in shown] == [(200, "de")] * 3
        left = await service.client.post(addresses[0], headers=browser)
        assert "Du bekommst keine weitere Mail" in left.text


def mails(service: Service) -> list[tuple[str, str]]:
    """Return subject and text of the mails in the outbox, the newest first."""
    folder = service.settings.data / "outbox"
    found = [outbox.read(one.name, folder) for one in outbox.newest(folder, 9)]
    texts = [(mail, mail.get_body(("plain",))) for mail in found if mail is not None]
    return [(str(mail["Subject"]), str(text.get_content())) for mail, text in texts if text is not None]
