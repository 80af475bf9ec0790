"""How many weekly mails a core writes, and signs, and that people cost no memory: 100 at a time, from the database on.

Slates are made ahead of mails and so are the communities they introduce: what choosing those takes stands on a line of
its own. Beside it EmailMessage over the same parts, and dkimpy's own RSA over the same mail.
"""

from __future__ import annotations

import asyncio
import tempfile
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from itertools import islice
from pathlib import Path
from typing import Any

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import insert
from sqlmodel import SQLModel, col, select

from app.db import Database, migrate
from app.mail import introductions
from app.mail.digest import Claim
from app.mail.digest_sending import BATCH, Outgoing, write_to
from app.mail.dkim import load_signer
from app.mail.message import Message, build
from app.models import (
    Community,
    CommunityTopic,
    Digest,
    Event,
    Expertise,
    Feedback,
    Person,
    ShownPick,
    Subscription,
)
from app.picking.slates import iso_week
from app.settings import Settings
from benchmarks.measure import Row, seconds, table
from recommender.catalogue import load_catalogue

NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
PEOPLE = 20_000
EVENTS = 2_000  # to come, and as many past
COMMUNITIES = 600
PICKS = 7
MONTHS = timedelta(weeks=13)  # for so long they have been mailed
MUNICH, ELSEWHERE = (48.14, 11.58, "Munich"), (41.9, 12.5, "Rome")
LAID = 10_000  # rows stored at once
SOME = 200  # people a measurement writes to
READ = 1_000  # people written to where memory is watched
WORDS = "You know JavaScript. One step from it lies typography: the craft of setting text so that people read it."
PICK: dict[str, Any] = {
    "topics": ["typography"],
    "path": ["JavaScript", "Typography"],
    "reach": "one-step",
    "score": 0.3,
    "reason": WORDS,
    "evidence": ["Of 72 meetup groups about JavaScript, 7 % are also about typography."],
    "distance_km": 3.2,
}


async def lay(database: Database, number: int) -> None:
    """Store people whose mail is due: what they know and said, three months of mails, and a slate of seven each."""
    async with database.writing() as session:
        connection = await session.connection()
        for table_, laid in (
            (Community, _communities()),
            (CommunityTopic, _about()),
            (Event, _events()),
            (Person, _people(number)),
            (Expertise, _known(number)),
            (Subscription, _wishes(number)),
            (Feedback, _said(number)),
            (Digest, _mailed(number)),
            (ShownPick, _shown(number)),
        ):
            while some := list(islice(laid, LAID)):
                await connection.execute(insert(table_), some)


def _row(one: SQLModel) -> dict[str, Any]:
    return one.model_dump(exclude={"id"})


def _communities() -> Iterator[dict[str, Any]]:
    """Yield groups near, groups elsewhere and chats, a third each."""
    group = _row(Community(key="", name="", description=WORDS, activity={"words": "every Tuesday"}, updated_at=NOW))
    for n in range(1, COMMUNITIES + 1):
        lat, lon, city = (MUNICH, ELSEWHERE, (None, None, None))[n % 3]
        where = {"lat": lat, "lon": lon, "city": city, "is_online": lat is None}
        yield group | where | {"id": n, "key": f"community{n}", "name": f"Circle {n}", "url": f"https://{n}.example/"}


def _about() -> Iterator[dict[str, Any]]:
    topics = load_catalogue().topics
    for n in range(1, COMMUNITIES + 1):
        for place in range(2):
            slug = topics[(n * 37 + place * 501) % len(topics)].slug
            yield {"community_id": n, "topic": slug, "weight": 0.9 - place / 2}


def _events() -> Iterator[dict[str, Any]]:
    """Yield evenings to come and, as many, past ones."""
    evening = Event(
        key="",
        title="",
        starts_at=NOW,
        zone="Europe/Berlin",
        mode="in_person",
        venue_name="Hall",
        address="Hof 3",
        city="Munich",
        description=WORDS * 20,
        created_at=NOW,
        updated_at=NOW,
    )
    for n in range(1, 2 * EVENTS + 1):
        days = 1 + n % 20 if n <= EVENTS else -1 - n % 80
        starts_at = NOW + timedelta(days=days, hours=n % 12)
        yield _row(evening) | {
            "id": n,
            "key": f"event{n}",
            "title": f"Letters, signs and streets: an evening about the city's words, number {n}",
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(hours=2),
            "community_id": n % COMMUNITIES + 1,
            "series_key": f"series{n % (EVENTS // 4)}" if n > EVENTS else None,
        }


def _people(number: int) -> Iterator[dict[str, Any]]:
    lat, lon, _ = MUNICH
    person = _row(
        Person(key="", zone="America/New_York", lat=lat, lon=lon, created_at=NOW - MONTHS, reach_chosen_at=NOW - MONTHS)
    )
    for n in range(1, number + 1):
        yield person | {"id": n, "key": f"{n:016x}", "email": f"reader{n}@example.org"}


def _known(number: int) -> Iterator[dict[str, Any]]:
    """Yield three topics a person, hardly two people the same."""
    topics = load_catalogue().topics
    for n in range(1, number + 1):
        for slug in {topics[(n * step) % len(topics)].slug for step in (1, 7, 101)}:
            yield {"person_id": n, "topic": slug, "level": 1 + n % 5}


def _wishes(number: int) -> Iterator[dict[str, Any]]:
    wish = _row(Subscription(person_id=0, confirmed_at=NOW - MONTHS, next_at=NOW))
    return (wish | {"person_id": n} for n in range(1, number + 1))


def _said(number: int) -> Iterator[dict[str, Any]]:
    """Yield a going and a refusal each, since the last mail."""
    for n in range(1, number + 1):
        for kind, event_id in (("going", (n * 31 + 3) % EVENTS + 1), ("too_far", EVENTS + n % EVENTS + 1)):
            said = Feedback(person_id=n, event_id=event_id, kind=kind, given_at=NOW - timedelta(days=2))
            yield _row(said)


def _mailed(number: int) -> Iterator[dict[str, Any]]:
    weeks = [NOW - timedelta(weeks=back) for back in range(1, MONTHS // timedelta(weeks=1))]
    for n in range(1, number + 1):
        for at in weeks:
            ids = [EVENTS + (n * 31 + at.day * 13 + place) % EVENTS + 1 for place in range(PICKS)]
            sent = Digest(person_id=n, week=iso_week(at), state="sent", changed_at=at, event_ids=ids)
            yield sent.model_dump()


def _shown(number: int) -> Iterator[dict[str, Any]]:
    shown = _row(
        ShownPick(person_id=0, week=iso_week(NOW), event_id=0, rank=0, pick=PICK, profile_version=0, shown_at=NOW)
    )
    for n in range(1, number + 1):
        for rank in range(PICKS):
            told = {"event_id": (n * 31 + rank * 7) % EVENTS + 1, "pick": PICK | {"path": ["JavaScript", f"{rank}"]}}
            yield shown | told | {"person_id": n, "rank": rank}


def claims(first: int, number: int) -> list[Claim]:
    return [Claim(person, iso_week(NOW), 0, NOW) for person in range(first, first + number)]


async def introduce(database: Database, first: int, number: int, *, is_kept: bool = False) -> None:
    """Choose whom `number` people are introduced to."""
    async with database.writing() as session:
        people = await session.exec(select(Person).where(col(Person.id).between(first, first + number - 1)))
        chosen = await introductions.choose(session, list(people), now=NOW)
        if is_kept:
            await introductions.keep(session, chosen)


async def write(database: Database, settings: Settings, first: int, number: int) -> Outgoing:
    """Write to `number` people, a batch at a time as `send_due` does; return the last mail."""
    last: Outgoing | str | None = None
    for start in range(first, first + number, BATCH):
        wanted = claims(start, BATCH)
        written = await write_to(database, settings, wanted, now=NOW, clock=NOW)
        assert len(written) == BATCH
        last = written[wanted[-1]]
    assert isinstance(last, Outgoing)
    return last


def standard(message: Message) -> bytes:
    """Return the same mail as the standard library builds it."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = message.sender, message.to, message.subject
    for name, value in message.headers.items():
        mail[name] = value
    mail.set_content(message.text, cte="quoted-printable")
    mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    return mail.as_bytes()


def rows(people: int = PEOPLE) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        yield from _rows(Path(folder), people)


def _rows(folder: Path, people: int) -> Iterator[Row]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = folder / "dkim.pem"
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    plain = Settings.from_environment(
        {
            "ADJACENT_DATA": str(folder),
            "ADJACENT_BASE_URL": "https://adjacent.example",
            "ADJACENT_MAIL_FROM": "A <a@a.example>",
        }
    )
    signing = replace(plain, dkim_key=pem)
    with asyncio.Runner() as runner:
        database = Database(plain.database_url)
        runner.run(migrate(database))
        runner.run(lay(database, people))
        (chosen,) = seconds(lambda: runner.run(introduce(database, 1, SOME)))
        for first in range(1, READ + 1, SOME):
            runner.run(introduce(database, first, SOME, is_kept=True))
        last = runner.run(write(database, plain, 1, BATCH))  # templates are inlined once
        unsigned, signed = seconds(
            lambda: runner.run(write(database, plain, 1, SOME)), lambda: runner.run(write(database, signing, 1, SOME))
        )
        few, many = (_peak(runner, database, plain, number) for number in (SOME, READ))
        runner.run(database.close())
    size = f"{len(last.built.content) / 1000:.0f} KB, {PICKS} picks"
    yield Row(f"weekly mails written, from the database on: {size}", f"{SOME / unsigned:,.0f} mails/s a core")
    yield Row(
        "the same, signed (RSA, 2,048 bits)",
        f"{SOME / signed:,.0f} mails/s a core",
        f"unsigned {SOME / unsigned:,.0f}",
        f"{unsigned / signed:.0%}",
    )
    yield Row(f"communities chosen ahead, of {COMMUNITIES} for each", f"{SOME / chosen:,.0f} people/s a core")
    yield Row(
        f"memory at its highest while {READ:,} of {people:,} people are written to",
        f"{many / 1e6:.1f} MB",
        f"{SOME:,} people {few / 1e6:.1f} MB",
        f"{many / few:.2f}×",
    )
    yield from _parts(last, pem)


def _peak(runner: asyncio.Runner, database: Database, settings: Settings, people: int) -> int:
    tracemalloc.start()
    runner.run(write(database, settings, 1, people))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def _parts(last: Outgoing, pem: Path) -> Iterator[Row]:
    text, html = "Words — and more. \n" * 200, "<p>Words — and more.</p>\n" * 1000
    message = Message("a@example.org", "A subject", text, html, "A <a@a.example>", {"List-ID": "A <a.example>"})
    times = range(30)
    own, library = seconds(lambda: [build(message, now=NOW) for _ in times], lambda: [standard(message) for _ in times])
    yield Row(
        "one message built, text and HTML",
        f"{own / len(times) * 1000:.2f} ms",
        f"EmailMessage {library / len(times) * 1000:.2f} ms",
        f"{library / own:.1f}×",
    )
    signer = load_signer(pem, selector="s", domain="a.example")
    mail, private = last.built.content, pem.read_bytes()
    own, library = seconds(
        lambda: [signer.signed(mail, at=NOW) for _ in times],
        lambda: [dkim.sign(mail, b"s", b"a.example", private) for _ in times],
    )
    yield Row(
        "one mail signed",
        f"{own / len(times) * 1000:.2f} ms",
        f"dkimpy {library / len(times) * 1000:.2f} ms",
        f"{library / own:.1f}×",
    )


if __name__ == "__main__":
    print(table(rows()))
