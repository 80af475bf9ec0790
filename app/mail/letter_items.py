"""Step 7 for mail, one pick as a mail tells it: what to decide by, and what to press. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.calendars.calendar_offers import offers
from app.mail.mail_links import Links
from app.models import Event
from app.picking.slates import Shown
from app.words.event_words import distance_words, is_foreign, language_words, price_words, status_words, where_words
from app.words.reach_words import REACH_WORDS
from app.words.retelling import all_retold, retold
from app.words.topic_words import topic_words
from app.words.when import When, when_for
from app.words.wording import Wording
from scrapers.text import clean_text

LONGEST_TITLE = 120  # characters
LONGEST_NAME = 40  # of a title in what only screen readers say: seven times a pick
LONGEST_REASON = 300
MOST_EVIDENCE = 2
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Item:
    """One pick as it is told."""

    title: str
    name: str  # the title, shorter
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

    @property
    def is_led_to(self) -> bool:
        """Whether something known leads to it; people who said nothing yet get picks of which nothing does."""
        return self.path[0] != self.path[1]


def item_of(shown: Shown, person_key: str, zone: ZoneInfo, wording: Wording, links: Links) -> Item:
    event, pick = shown.listed.event, shown.pick
    page = page_of(event, links)
    offered = offers(event, page)
    path = (topic_words(pick["path"][0], wording), topic_words(pick["path"][-1], wording))
    is_led_to = path[0] != path[1]
    reach = REACH_WORDS.get(pick["reach"]) if is_led_to else None
    evidence = pick["evidence"][:MOST_EVIDENCE] if is_led_to else ()
    return Item(
        title=one_line(event.title, LONGEST_TITLE),
        name=one_line(event.title, LONGEST_NAME),
        language=event.language,
        page=page,
        path=path,
        distance_words=wording.text(reach) if reach else "",
        when=when_for(event, zone, wording),
        facts=_facts(event, pick.get("distance_km"), wording),
        by=one_line(shown.listed.held_by, LONGEST_TITLE) if shown.listed.held_by else None,
        status=status_words(event, wording),
        reason=one_line(retold(pick["reason"], wording), LONGEST_REASON),
        evidence=tuple(one_line(line, LONGEST_REASON) for line in all_retold(evidence, wording)),
        calendar=f"{links.base_url}/api/v1/events/{event.key}.ics?entry=true",
        google=offered.google,
        outlook=offered.outlook,
        say=links.say(person_key, event.key),
    )


def page_of(event: Event, links: Links) -> str:
    return f"{links.base_url}/e/{event.key}"


def _facts(event: Event, away_km: float | None, wording: Wording) -> tuple[str, ...]:
    told = (
        where_words(event, wording),
        distance_words(event, away_km, wording),
        price_words(event, wording),
        language_words(event.language or "", wording) if is_foreign(event, wording) else None,
    )
    return tuple(one_line(fact, LONGEST_TITLE) for fact in told if fact)


def one_line(text: str, longest: int) -> str:
    """Return a stranger's words on one line, without what could turn the rest around, cut between words."""
    # Most words are on one line already; asking so first spares them two passes.
    is_plain = text.isprintable() and "  " not in text
    line = text.strip() if is_plain else _SPACE.sub(" ", clean_text(text)).strip()
    if len(line) <= longest:
        return line
    cut = line[: longest - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut[longest // 2 :] else cut).rstrip(" ,;:–-") + "…"
