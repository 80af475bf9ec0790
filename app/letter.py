"""Step 7 for mail, what one says: a person's facts as lines, links and hours on their own clock. Pure.

The sentences stand in the templates (`templates/mail/weekly.*`); here is decided what is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.lists import format_list

from app.calendar_feed import is_off
from app.content_lines import clean, instant, link
from app.letter_facts import Changed, Facts, Said
from app.mail_links import Links
from app.mail_templates import compose
from app.mailer import Message
from app.models import Event, Subscription
from app.queries import Listed
from app.slates import Shown
from recommender.reach import Reach

LONGEST_TITLE = 120  # characters
LONGEST_REASON = 300
LONGEST_SUBJECT = 54  # of the title in it: phones show about 40, the rest is for others
MOST_EVIDENCE = 2
MOST_CHANGED = 5
MOST_REFUSED = 3
MOST_KNOWN = 3  # of which a headline speaks; more are "what you know"
NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven")
NEAR_KM = 0.5  # nearer is here
LONG = timedelta(hours=20)  # an event that lasts longer ends on a day, not at an hour
REACH_WORDS: Mapping[Reach, str] = {
    "next-door": "next door",
    "one-step": "one step",
    "two-steps": "two steps",
    "far": "far out",
}
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class When:
    """The hours of an event: on the clock that counts, and on the other one where they differ."""

    weekday: str  # "Tue"
    day: int
    month: str  # "Dec"
    hours: str  # "Tue 1 Dec, 18:30–20:30"
    there: str  # "12:30 in New York"; "" where the clocks agree


@dataclass(frozen=True, slots=True)
class Item:
    """One pick as it is told."""

    title: str
    language: str | None  # BCP 47, of the title
    page: str
    path: tuple[str, str]
    distance_words: str
    when: When
    facts: tuple[str, ...]  # where, how far, price, language
    by: str | None
    status: str | None
    reason: str
    evidence: tuple[str, ...]
    calendar: str
    google: str
    outlook: str
    say: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says."""

    subject: str
    preview: str
    items: tuple[Item, ...]
    changed: tuple[dict[str, str], ...]
    refused: tuple[str, ...]
    hidden: tuple[str, ...]
    moved: tuple[str, str] | None  # reach before and after
    skipped: tuple[str, ...]  # days
    community: dict[str, str] | None
    known: str  # what the picks lead out of: "JavaScript and React"
    number: str  # of items: "Seven"
    is_first: bool
    unsubscribe: str
    event_ids: tuple[int, ...]


def write(facts: Facts, *, links: Links) -> Letter:
    """Return what a person is told; they have at least one pick."""
    zone = ZoneInfo(facts.person.zone)
    reads = facts.person.language or "en"
    items = tuple(_item(shown, facts.person.key, zone, reads, links) for shown in facts.picks)
    changed = tuple(_changed(one, zone, links) for one in facts.changed[:MOST_CHANGED])
    return Letter(
        subject=_subject(items, facts.changed),
        preview=_preview(items),
        items=items,
        changed=changed,
        refused=tuple(one_line(event.title, LONGEST_TITLE) for event in facts.said.refused[:MOST_REFUSED]),
        hidden=facts.said.hidden[:MOST_REFUSED],
        moved=_moved(facts.said),
        skipped=tuple(_day(day) for day in facts.skipped),
        community=_community(facts, zone),
        known=_known(items),
        number=NUMBERS[len(items)],
        is_first=facts.is_first,
        unsubscribe=links.unsubscribe(facts.person.key),
        event_ids=tuple(shown.listed.event.id or 0 for shown in facts.picks),
    )


def message_for(
    letter: Letter,
    facts: Facts,
    subscription: Subscription,
    *,
    week: str,
    sender: str,
    bounces_to: str | None,
    links: Links,
) -> Message:
    """Return the mail; its Message-ID is the same whenever it is made for this person and week."""
    host = sender.rpartition("@")[2].rstrip(">")
    mark = links.mark(facts.person.key, week)
    text, html = compose(
        "weekly",
        letter=letter,
        subject=letter.subject,
        preview=letter.preview,
        width="column",
        rhythm=subscription.rhythm,
        base_url=links.base_url,
        email=facts.person.email or "",
    )
    return Message(
        to=facts.person.email or "",
        subject=letter.subject,
        text=text,
        html=html,
        sender=sender,
        return_path=_with_mark(bounces_to, mark) if bounces_to else None,
        headers={
            "Message-ID": f"<digest.{week}.{mark}@{host}>",
            "List-ID": f"Adjacent weekly <weekly.{host}>",
            "List-Unsubscribe": f"<{letter.unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Precedence": "bulk",
        },
    )


def _with_mark(address: str, mark: str) -> str:
    local, _, host = address.rpartition("@")
    return f"{local}+{mark}@{host}"


def one_line(text: str, longest: int) -> str:
    """Return a stranger's words on one line, without what could turn the rest around, cut between words."""
    line = _SPACE.sub(" ", clean(text)).strip()
    if len(line) <= longest:
        return line
    cut = line[: longest - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut[longest // 2 :] else cut).rstrip(" ,;:–-") + "…"


def _known(items: Sequence[Item]) -> str:
    known = list(dict.fromkeys(item.path[0] for item in items if item.path[0] != item.path[1]))
    return format_list(known, locale="en") if 0 < len(known) <= MOST_KNOWN else ""


def _subject(items: Sequence[Item], changed: Sequence[Changed]) -> str:
    off = next((one.event for one in changed if is_off(one.event)), None)
    more = len(items) if off else len(items) - 1
    first = f"Cancelled: {one_line(off.title, LONGEST_SUBJECT)}" if off else one_line(items[0].title, LONGEST_SUBJECT)
    return first if not more else f"{first}, and {more} more" if not off else f"{first} · and {more} for this week"


def _preview(items: Sequence[Item]) -> str:
    paths = dict.fromkeys(item.path[1] for item in items)
    return f"{', '.join(paths)} · {items[0].when.hours}" + (f" · {items[0].facts[0]}" if items[0].facts else "")


def _item(shown: Shown, person_key: str, zone: ZoneInfo, reads: str, links: Links) -> Item:
    event, pick = shown.listed.event, shown.pick
    page = f"{links.base_url}/e/{event.key}"
    title = one_line(event.title, LONGEST_TITLE)
    told = _quoted(event, title, page)
    return Item(
        title=title,
        language=event.language,
        page=page,
        path=(pick["path"][0], pick["path"][-1]),
        distance_words=REACH_WORDS.get(pick["reach"], ""),
        when=when(event, zone),
        facts=_facts(event, pick.get("distance_km"), reads),
        by=_by(shown.listed),
        status={"tentative": "not certain yet", "rescheduled": "new date", "moved_online": "moved online"}.get(
            event.status
        ),
        reason=one_line(pick["reason"], LONGEST_REASON),
        evidence=tuple(one_line(line, LONGEST_REASON) for line in pick["evidence"][:MOST_EVIDENCE]),
        calendar=f"{links.base_url}/api/v1/events/{event.key}.ics",
        google=_google(event, told),
        outlook=_outlook(event, told),
        say=links.say(person_key, event.key),
    )


def when(event: Event, reader: ZoneInfo) -> When:
    """Return an event's hours. Where one goes the clock on the wall counts, online one's own."""
    there = ZoneInfo(event.zone)
    if event.all_day:
        start = event.starts_at.astimezone(there)
        last = (event.ends_at.astimezone(there) - timedelta.resolution) if event.ends_at else start
        span = f"{_day(start)} – {_day(last)}" if last.date() > start.date() else _day(start)
        return When(f"{start:%a}", start.day, f"{start:%b}", f"{span}, all day", "")
    first, other = (reader, there) if event.mode == "online" else (there, reader)
    start, elsewhere = event.starts_at.astimezone(first), event.starts_at.astimezone(other)
    differ = start.utcoffset() != elsewhere.utcoffset()
    name = "your time" if first is there else f"in {_city(event.zone)}"
    hour = f"{elsewhere:%H:%M}" if elsewhere.date() == start.date() else f"{_day(elsewhere)}, {elsewhere:%H:%M}"
    return When(
        f"{start:%a}",
        start.day,
        f"{start:%b}",
        f"{_day(start)}, {start:%H:%M}{_until(event, start, first)}",
        f"{hour} {name}" if differ else "",
    )


def _until(event: Event, start: datetime, zone: ZoneInfo) -> str:
    if event.ends_at is None or event.ends_at <= event.starts_at:
        return ""
    end = event.ends_at.astimezone(zone)
    return f"–{end:%H:%M}" if end - start < LONG else f" – {_day(end)}, {end:%H:%M}"


def _day(moment: date) -> str:
    return f"{moment:%a} {moment.day} {moment:%b}"


def _city(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")


def _facts(event: Event, distance_km: float | None, reads: str) -> tuple[str, ...]:
    place = ", ".join(dict.fromkeys(part for part in (event.venue_name, event.city) if part))
    where = "online" if event.mode == "online" else f"{place} and online" if place and event.mode == "hybrid" else place
    # The middle of the town stands in for events that tell no venue; how far that is means nothing.
    is_placed = event.venue_name is not None or event.address is not None
    away = f"{distance_km:.0f} km" if is_placed and distance_km is not None and distance_km >= NEAR_KM else ""
    price = "free" if event.is_free else event.price or ""
    return tuple(one_line(fact, LONGEST_TITLE) for fact in (where, away, price, _language(event, reads)) if fact)


def _language(event: Event, reads: str) -> str:
    code = (event.language or "").split("-")[0].lower()
    if not code or code == reads.split("-", maxsplit=1)[0]:
        return ""
    try:
        name = Locale.parse("en").languages.get(code)
    except (UnknownLocaleError, ValueError):
        return ""
    return f"in {name}" if name else ""


def _by(listed: Listed) -> str | None:
    name = listed.community.name if listed.community else listed.event.organizer_name
    return one_line(name, LONGEST_TITLE) if name else None


def _moved(said: Said) -> tuple[str, str] | None:
    before, after = said.reach_before, said.reach_after
    return None if before == after else (REACH_WORDS[before], REACH_WORDS[after])


def _changed(changed: Changed, zone: ZoneInfo, links: Links) -> dict[str, str]:
    event = changed.event
    kind = (
        "cancelled"
        if is_off(event)
        else "postponed"
        if event.status == "postponed"
        else "moved"
        if {"starts_at", "zone"} & set(changed.before)
        else "place"
        if {"venue_name", "address", "city", "mode"} & set(changed.before)
        else "changed"
    )
    return {
        "kind": kind,
        "title": one_line(event.title, LONGEST_TITLE),
        "page": f"{links.base_url}/e/{event.key}",
        "when": when(event, zone).hours,
        "where": ", ".join(_facts(event, None, "")[:1]),
    }


def _community(facts: Facts, zone: ZoneInfo) -> dict[str, str] | None:
    if facts.community is None:
        return None
    active = facts.community.active
    community, coming = active.community, active.next_event
    address = link(community.join or community.url)
    if address is None:
        return None
    return {
        "name": one_line(community.name, LONGEST_TITLE),
        "topic": facts.community.topic,
        "about": one_line(community.description, LONGEST_REASON),
        "cadence": active.cadence or "",
        "next": f"{one_line(coming.title, LONGEST_TITLE)}, {when(coming, zone).hours}" if coming else "",
        "city": community.city or "",
        "address": address,
    }


@dataclass(frozen=True, slots=True)
class _Quoted:
    """What calendars on the web are told of an event, as it stands in an address."""

    title: str
    page: str
    place: str


def _quoted(event: Event, title: str, page: str) -> _Quoted:
    return _Quoted(quote_plus(title), quote_plus(page), quote_plus(_place(event)))


def _google(event: Event, told: _Quoted) -> str:
    """Return the address that offers an event to Google Calendar (undocumented, in wide use; locked by a test)."""
    dates = (
        "%2F".join(f"{day:%Y%m%d}" for day in _days(event))
        if event.all_day
        else f"{instant(event.starts_at)}%2F{instant(_end(event))}"
    )
    asked = f"action=TEMPLATE&text={told.title}&dates={dates}&details={told.page}"
    return f"https://calendar.google.com/calendar/render?{asked}" + (f"&location={told.place}" if told.place else "")


def _outlook(event: Event, told: _Quoted) -> str:
    """Return the address that offers an event to Outlook on the web (as undocumented)."""
    if event.all_day:
        first, last = _days(event)
        dates = f"startdt={first:%Y-%m-%d}&enddt={last:%Y-%m-%d}&allday=true"
    else:
        dates = f"startdt={_utc(event.starts_at)}&enddt={_utc(_end(event))}"
    asked = f"path=%2Fcalendar%2Faction%2Fcompose&rru=addevent&subject={told.title}&{dates}&body={told.page}"
    return f"https://outlook.live.com/calendar/0/action/compose?{asked}" + (
        f"&location={told.place}" if told.place else ""
    )


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H%%3A%M%%3A%SZ}"


def _end(event: Event) -> datetime:
    """Return an end: calendars want one, and an hour is what they suppose themselves."""
    is_told = event.ends_at is not None and event.ends_at > event.starts_at
    return event.ends_at if is_told and event.ends_at else event.starts_at + timedelta(hours=1)


def _days(event: Event) -> tuple[datetime, datetime]:
    """Return the first day of an event and the one after its last."""
    zone = ZoneInfo(event.zone)
    first = event.starts_at.astimezone(zone)
    last = (_end(event).astimezone(zone) - timedelta.resolution) if event.ends_at else first
    return first, last + timedelta(days=1)


def _place(event: Event) -> str:
    if event.mode == "online":
        return link(event.online_url) or ""
    return one_line(
        ", ".join(dict.fromkeys(part for part in (event.venue_name, event.address, event.city) if part)), 120
    )
