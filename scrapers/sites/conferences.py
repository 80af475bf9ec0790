"""Step 2, reading: lists of conferences as JSON, as confs.tech and developers.events publish them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from scrapers.draft import EventDraft, Mode, Problem, Reading, Venue, Window
from scrapers.listing import listing, stable_hash
from scrapers.text import clean_url, one_line

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}")


def read_conferences(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the conferences of such a list, or None if this is none."""
    if not isinstance(document, list) or not any(_is_conference(item) for item in document):
        return None
    drafts, problems = [], []
    categories = _topic_of(url)
    for position, item in enumerate(document, start=1):
        subject = (one_line(str(item.get("name", ""))) if isinstance(item, dict) else "") or f"item {position}"
        days = _days(item) if isinstance(item, dict) else None
        if days is None:
            problems.append(Problem("no_start", subject, "it has no date, or one that is no date; left out"))
        elif not _text(item, "name"):
            problems.append(Problem("no_title", subject, "it has no name; left out"))
        else:
            drafts.append(_draft(item, days, categories=categories, url=url, zone=zone))
    return listing(drafts, kind="conferences", window=window, problems=problems)


def _is_conference(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and "name" in item
        and ("url" in item or "hyperlink" in item)
        and "@type" not in item
        and _days(item) is not None
    )


def _draft(
    item: Mapping[str, Any], days: tuple[date, date], *, categories: tuple[str, ...], url: str, zone: ZoneInfo
) -> EventDraft:
    first, last = days
    name = _text(item, "name")
    link = clean_url(_text(item, "url") or _text(item, "hyperlink"), url)
    venue = _venue(item)
    return EventDraft(
        uid=f"{link}@{first.isoformat()}" if link else stable_hash(name, first.isoformat()),
        title=name,
        starts_at=datetime.combine(first, time(), zone),
        ends_at=datetime.combine(last + timedelta(days=1), time(), zone),  # their last day is part of it
        zone=zone.key,
        all_day=True,
        status="cancelled" if _text(item, "status") in ("cancelled", "canceled") else "confirmed",
        mode=_mode(item, venue),
        url=link,
        venue=venue,
        categories=tuple(dict.fromkeys(filter(None, (*categories, *_topics(item))))),
        language=_language(item),
        source=url,
    )


def _days(item: Mapping[str, Any]) -> tuple[date, date] | None:
    """Return the first and last day: ISO dates (confs.tech) or milliseconds since 1970 (developers.events)."""
    if isinstance(item.get("date"), list):
        days = [_day_of_epoch(value) for value in item["date"][:2]]
    else:
        days = [_day_of_text(item.get("startDate")), _day_of_text(item.get("endDate"))]
    first = days[0] if days else None
    if first is None:
        return None
    last = days[1] if len(days) > 1 else None
    return first, max(first, last or first)


def _day_of_text(value: Any) -> date | None:
    if not isinstance(value, str):
        return None
    try:
        return _in_range(date.fromisoformat(value))
    except ValueError:
        return None


def _day_of_epoch(value: Any) -> date | None:
    if not isinstance(value, (int, float)) or not 0 <= value < 2**42:  # until 2109; NaN fails, too
        return None
    return datetime.fromtimestamp(value / 1000, UTC).date()


def _in_range(day: date) -> date | None:
    return day if 1 < day.year < 9999 else None  # room for the zone and for the day after


def _venue(item: Mapping[str, Any]) -> Venue | None:
    city, country = _text(item, "city"), _text(item, "country")
    if city.casefold() == "online":
        return None
    if not city and not country:
        place = _text(item, "location")
        return Venue(name=place) if place and place.casefold() != "online" else None
    return Venue(city=city or None, country=country or None)


def _mode(item: Mapping[str, Any], venue: Venue | None) -> Mode:
    told = f"{_text(item, 'city')} {_text(item, 'location')}".casefold()  # "Paris (France) & Online"
    if item.get("online") is True or "online" in told:
        return "hybrid" if venue else "online"
    return "in_person" if venue else "unknown"


def _topics(item: Mapping[str, Any]) -> list[str]:
    """Return what it says it is about: words, or pairs of key and value (developers.events' tags)."""
    told = item.get("topics") or item.get("tags")
    if not isinstance(told, list):
        return []
    words = (topic.get("value") if isinstance(topic, dict) else topic for topic in told)
    return [one_line(word) for word in words if isinstance(word, str)]


def _language(item: Mapping[str, Any]) -> str | None:
    first = _text(item, "locales").split(",")[0].strip()
    return first.lower() if _LANGUAGE.fullmatch(first) else None


def _topic_of(url: str) -> tuple[str, ...]:
    """Return the topic that the file is named after ("…/2018/javascript.json"), if it is named after one."""
    name = unquote(PurePosixPath(urlsplit(url).path).stem)
    return (one_line(name),) if re.fullmatch(r"[a-z][a-z0-9+#.-]{0,30}", name) and name not in _NO_TOPICS else ()


_NO_TOPICS = frozenset({"all", "all-events", "conferences", "confs", "data", "events", "general", "index"})


def _text(item: Mapping[str, Any], key: str) -> str:
    value = item.get(key)
    return one_line(value) if isinstance(value, str) else ""
