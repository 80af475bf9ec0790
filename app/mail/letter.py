"""Step 7 for mail, what one says: a person's facts as sentences, links and hours, in their language, on their clock. Pure.

The templates (`templates/weekly.*`) arrange what is said here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.calendars.calendar_feed import is_off
from app.mail.introductions import where_to_join
from app.mail.letter_facts import Facts
from app.mail.letter_items import LONGEST_REASON, LONGEST_TITLE, Item, item_of, one_line, page_of
from app.mail.mail_links import Links
from app.mail.mail_templates import compose
from app.mail.message import Message
from app.mail.since_last_mail import Changed, Said
from app.models import Event
from app.words.event_words import where_words
from app.words.reach_words import REACH_WORDS
from app.words.retelling import retold
from app.words.topic_words import topic_words
from app.words.when import day_words, when_for
from app.words.wording import Wording, mark, wording_for

LONGEST_SUBJECT = 54  # of the title in it: phones show about 40, the rest is for others
MOST_CHANGED = 5
MOST_REFUSED = 3
MOST_KNOWN = 3  # of which a headline speaks; more are "what you know"
NUMBERS = (mark("Two"), mark("Three"), mark("Four"), mark("Five"), mark("Six"), mark("Seven"))
RHYTHM_WORDS: Mapping[str, str] = {
    "weekly": mark("You get this mail once a week, as you asked."),
    "fortnightly": mark("You get this mail every two weeks, as you asked."),
    "monthly": mark("You get this mail once a month, as you asked."),
    "worthwhile": mark("You get this mail when something is really worth it, as you asked."),
}
CHANGE_WORDS: Mapping[str, str] = {
    "cancelled": mark("Cancelled:"),
    "postponed": mark("Postponed:"),
    "moved": mark("New time:"),
    "place": mark("New place:"),
    "changed": mark("Changed:"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence around a title that leads somewhere."""

    before: str
    title: str
    after: str
    page: str


@dataclass(frozen=True, slots=True)
class Introduction:
    name: str
    address: str
    sentence: str
    about: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says."""

    subject: str
    preview: str
    headline: str
    lead: str
    skipped: str  # that there were weeks without a mail, or ""
    items: tuple[Item, ...]
    changed_heading: str
    changed: tuple[Line, ...]
    question: Line | None  # about an evening that is over
    community: Introduction | None
    said: tuple[str, ...]  # what feedback changed
    foot: str
    unsubscribe: str
    event_ids: tuple[int, ...]
    asked_event_id: int | None


def write(facts: Facts, *, rhythm: str, links: Links) -> Letter:
    """Return what a person is told; they have at least one pick."""
    zone, wording = ZoneInfo(facts.person.zone), wording_for(facts.person.language)
    items = tuple(item_of(shown, facts.person.key, zone, wording, links) for shown in facts.picks)
    asked = facts.question
    return Letter(
        subject=_subject(items, facts.changed, wording),
        preview=_preview(items),
        headline=_headline(items, wording),
        lead=_lead(items, wording),
        skipped=_skipped(facts, wording),
        items=items,
        changed_heading=_changed_heading(facts.changed, wording),
        changed=tuple(_changed(one, zone, wording, links) for one in facts.changed[:MOST_CHANGED]),
        question=_question(asked, facts.person.key, wording, links) if asked is not None else None,
        community=_community(facts, zone, wording),
        said=_said(facts.said, wording),
        foot=_foot(rhythm, wording, is_first=facts.is_first),
        unsubscribe=links.unsubscribe(facts.person.key),
        event_ids=tuple(shown.listed.event.id or 0 for shown in facts.picks),
        asked_event_id=asked.id if asked is not None else None,
    )


def message_for(
    letter: Letter, facts: Facts, *, week: str, sender: str, bounces_to: str | None, links: Links
) -> Message:
    """Return the mail; its Message-ID is the same whenever it is made for this person and week."""
    wording = wording_for(facts.person.language)
    host = sender.rpartition("@")[2].rstrip(">")
    mark_ = links.mark(facts.person.key, week)
    text, html = compose(
        "weekly",
        wording,
        letter=letter,
        subject=letter.subject,
        preview=letter.preview,
        width="column",
        base_url=links.base_url,
    )
    return Message(
        to=facts.person.email or "",
        subject=letter.subject,
        text=text,
        html=html,
        sender=sender,
        return_path=_with_mark(bounces_to, mark_) if bounces_to else None,
        headers={
            "Message-ID": f"<digest.{week}.{mark_}@{host}>",
            "List-ID": f"Adjacent weekly <weekly.{host}>",
            "List-Unsubscribe": f"<{letter.unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Precedence": "bulk",
            "Content-Language": wording.language,
        },
    )


def _with_mark(address: str, mark_: str) -> str:
    local, _, host = address.rpartition("@")
    return f"{local}+{mark_}@{host}"


def _headline(items: Sequence[Item], wording: Wording) -> str:
    if not any(item.is_led_to for item in items):
        return wording.text("Evenings to begin with")
    number = "" if len(items) == 1 else wording.text(NUMBERS[len(items) - 2])
    known = list(dict.fromkeys(item.path[0] for item in items if item.is_led_to))
    if 0 < len(known) <= MOST_KNOWN:
        told = wording.listed(known)
        return wording.plural(
            "One way out of {known}", "{words} ways out of {known}", len(items), words=number, known=told
        )
    return wording.plural("One way out of what you know", "{words} ways out of what you know", len(items), words=number)


def _lead(items: Sequence[Item], wording: Wording) -> str:
    if not any(item.is_led_to for item in items):
        return wording.text("Picked without knowing you. Tell us what you know, and the next ones lie next door to it.")
    return wording.plural(
        "It leads next door, to people who do something else. One press tells us what to pick next.",
        "Each leads next door, to people who do something else. Best first; one press tells us what to pick next.",
        len(items),
    )


def _skipped(facts: Facts, wording: Wording) -> str:
    if not facts.skipped:
        return ""
    days = wording.listed([day_words(day, wording) for day in facts.skipped])
    return wording.text("No mail came on {days}: nothing then was worth an evening of yours.", days=days)


def _subject(items: Sequence[Item], changed: Sequence[Changed], wording: Wording) -> str:
    off = next((one.event for one in changed if is_off(one.event)), None)
    if off is not None:
        title = one_line(off.title, LONGEST_SUBJECT)
        return wording.text("Cancelled: {title} · and {number} for this week", title=title, number=len(items))
    first, more = one_line(items[0].title, LONGEST_SUBJECT), len(items) - 1
    return (
        wording.plural("{title}, and {number} more", "{title}, and {number} more", more, title=first) if more else first
    )


def _preview(items: Sequence[Item]) -> str:
    paths = dict.fromkeys(item.path[1] for item in items)
    return f"{', '.join(paths)} · {items[0].when.hours}" + (f" · {items[0].facts[0]}" if items[0].facts else "")


def _foot(rhythm: str, wording: Wording, *, is_first: bool) -> str:
    return " ".join(
        (
            wording.text(RHYTHM_WORDS.get(rhythm, RHYTHM_WORDS["worthwhile"])),
            *((wording.text("This is the first one."),) if is_first else ()),
            wording.text("There is none when nothing is worth your evening. No pixel tells us whether you open it."),
        )
    )


def _changed_heading(changed: Sequence[Changed], wording: Wording) -> str:
    if all(one.is_going for one in changed):
        return wording.text("You are going, and something changed")
    return wording.text("Something changed in your calendar")


def _changed(changed: Changed, zone: ZoneInfo, wording: Wording, links: Links) -> Line:
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
    when, where = when_for(event, zone, wording).hours, where_words(event, wording)
    if kind == "place":
        place = one_line(where, LONGEST_TITLE) if where else wording.text("somewhere else")
        after = wording.text(", now {place}, {when}", place=place, when=when)
    elif kind in ("moved", "changed"):
        after = wording.text(", now {when}", when=when)
    else:
        after = f" ({when})"
    return Line(wording.text(CHANGE_WORDS[kind]), one_line(event.title, LONGEST_TITLE), after, page_of(event, links))


def _question(event: Event, person_key: str, wording: Wording, links: Links) -> Line:
    day = day_words(event.starts_at.astimezone(ZoneInfo(event.zone)), wording)
    return Line(
        f"{day}:",
        one_line(event.title, LONGEST_TITLE),
        wording.text("What did you learn, whom do you want to tell, would you go again? A line is enough."),
        links.learned(person_key, event.key),
    )


def _community(facts: Facts, zone: ZoneInfo, wording: Wording) -> Introduction | None:
    if facts.community is None:
        return None
    active = facts.community.active
    community, coming = active.community, active.next_event
    address = where_to_join(community)
    if address is None:
        return None
    where = wording.text("online") if community.is_online else one_line(community.city or "", LONGEST_TITLE)
    told = [one_line(retold(facts.community.reason, wording), LONGEST_REASON)]
    if active.cadence:
        told.append(wording.text("Meets {cadence}.", cadence=retold(active.cadence, wording)))
    if coming is not None:
        next_ = f"{one_line(coming.title, LONGEST_TITLE)}, {when_for(coming, zone, wording).hours}"
        told.append(wording.text("Next: {event}.", event=next_))
    return Introduction(
        name=" · ".join(part for part in (one_line(community.name, LONGEST_TITLE), where) if part),
        address=address,
        sentence=" ".join(told),
        about=one_line(community.description, LONGEST_REASON),
    )


def _said(said: Said, wording: Wording) -> tuple[str, ...]:
    before, after = (wording.text(REACH_WORDS[reach]) for reach in (said.reach_before, said.reach_after))
    moved = mark("Distance from what you know: now {after}, before {reach}.")
    refused = mark("“{title}” will not be picked for you again, nor other dates of it.")
    return (
        *((wording.text(moved, after=after, reach=before),) if before != after else ()),
        *(wording.text(refused, title=one_line(event.title, LONGEST_TITLE)) for event in said.refused[:MOST_REFUSED]),
        *(
            wording.text("Nothing more about {topic}.", topic=topic_words(name, wording))
            for name in said.hidden[:MOST_REFUSED]
        ),
    )
