"""Step 2, reading: the scheduled events of a Discord server, which only its own bot can fetch and hand on.

Shape: discord/discord-api-docs, `docs/resources/guild-scheduled-event.mdx`.
"""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import ZoneInfo

from scrapers.draft import Reading, Status, Window
from scrapers.locations import first_url, read_venue
from scrapers.sites.items import Item, items_of
from scrapers.sites.told import Here, Told, reading_of

_STATUSES: dict[str, Status] = {"4": "cancelled"}
_FREQUENCIES: Final = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY")
_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_EXTERNAL = "3"  # held outside of Discord


def read_discord(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return a server's scheduled events, or None if this is no list of them."""
    events = [event for event in items_of(document) if event.has("guild_id", "scheduled_start_time", "name")]
    if not events:
        return None
    return reading_of(map(_told, events), Here(url, window, zone), kind="discord")


def _told(event: Item) -> Told:
    is_outside = event.text("entity_type") == _EXTERNAL
    place = event.text("entity_metadata.location") if is_outside else ""
    link = f"https://discord.com/events/{event.text('guild_id')}/{event.text('id')}"
    venue = read_venue(place)
    return Told(
        uid=f"{event.text('id')}@discord.com",
        title=event.text("name"),
        start=event.text("scheduled_start_time"),
        end=event.text("scheduled_end_time"),
        status=_STATUSES.get(event.text("status"), "confirmed"),
        is_online=not is_outside,
        url=link,
        online_url=(first_url(place) or "") if is_outside else link,
        venue=venue,
        description=event.markup("description"),
        recurrence=_recurrence(event.item("recurrence_rule")),
    )


def _recurrence(rule: Item) -> tuple[str, ...]:
    frequency = rule.number("frequency")
    if frequency is None or not 0 <= frequency < len(_FREQUENCIES):
        return ()
    days = [_DAYS[int(day)] for day in _numbers(rule.value("by_weekday")) if 0 <= day < 7]
    days += [
        f"{int(each.number('n') or 0)}{_DAYS[int(each.number('day') or 0)]}"
        for each in rule.items("by_n_weekday")
        if 0 <= (each.number("day") or 0) < 7
    ]
    parts = {
        "FREQ": _FREQUENCIES[int(frequency)],
        "INTERVAL": rule.text("interval"),
        "BYDAY": ",".join(days),
        "BYMONTH": ",".join(map(str, _numbers(rule.value("by_month")))),
        "BYMONTHDAY": ",".join(map(str, _numbers(rule.value("by_month_day")))),
        "COUNT": rule.text("count"),
        "UNTIL": _basic(rule.text("end")),
    }
    return ("RRULE:" + ";".join(f"{name}={value}" for name, value in parts.items() if value),)


def _numbers(values: Any) -> list[int]:
    return [value for value in values if type(value) is int] if isinstance(values, list) else []


def _basic(text: str) -> str:
    digits = "".join(char for char in text[:19] if char not in "-:")
    return f"{digits}Z" if len(digits) == len("20261203T190000") else ""
