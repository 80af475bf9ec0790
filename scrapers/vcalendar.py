"""Step 2, calendars: what vCalendar 1.0 (versit, 1996) writes in another way than iCalendar: rules and the home zone."""

from __future__ import annotations

import re
from datetime import date
from zoneinfo import ZoneInfo

from scrapers.content_lines import Component
from scrapers.recurrence import RejectedRule
from scrapers.vtimezone import read_zone

USUAL_COUNT = 2  # of a rule that says neither how often nor until when
_ANY_YEAR = 1996  # for a zone without summer time: that of the standard
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_HEAD = re.compile(r"(D|W|MP|MD|YM|YD)(\d{1,5})", re.ASCII)
_COUNT = re.compile(r"#(\d{1,9})", re.ASCII)
_END = re.compile(r"\d{8}(?:T\d{6}Z?)?", re.ASCII)
_WEEK = re.compile(r"([1-5])([+-])", re.ASCII)
_NUMBER = re.compile(r"(\d{1,3})([+-]?)", re.ASCII)
_LAST_DAY = "LD"
_FREQUENCIES = {"D": "DAILY", "W": "WEEKLY", "MP": "MONTHLY", "MD": "MONTHLY", "YM": "YEARLY", "YD": "YEARLY"}
_LISTS = {"MD": "BYMONTHDAY", "YM": "BYMONTH", "YD": "BYYEARDAY"}
_STAMP = r"(?:19|20)\d{6}T\d{6}Z?"
_SUMMER = re.compile(rf"TRUE;([^;]*);({_STAMP});({_STAMP})(?:;.*)?", re.ASCII | re.IGNORECASE)


def as_rrule(text: str, start: date) -> str:
    """Return a rule such as `W1 MO WE #4` in the words of RFC 5545, and any other text as it is.

    Raises RejectedRule for a rule that no single one of RFC 5545 can tell: with times of day, or with one inside it.
    """
    head, *tokens = text.upper().split() or [""]
    read = _HEAD.fullmatch(head)
    if read is None:
        return text
    kind, interval = read.groups()
    ending, when = [], []
    for token in tokens:
        if count := _COUNT.fullmatch(token):  # counted are events, although one example of the standard counts weeks
            ending += [f"COUNT={int(count[1])}"] if int(count[1]) else [""]
        elif _END.fullmatch(token):
            ending.append(f"UNTIL={token}")
        else:
            when.append(token)
    days = _days(kind, when, start)
    ending = ending or [f"COUNT={USUAL_COUNT}"]
    return ";".join(filter(None, [f"FREQ={_FREQUENCIES[kind]}", f"INTERVAL={int(interval)}", days, *ending]))


def _days(kind: str, tokens: list[str], start: date) -> str:
    if kind == "MP":
        return f"BYDAY={','.join(_weekdays_of_month(tokens or _week_of(start)))}"
    if not tokens:
        return ""
    if kind == "W" and all(token in _WEEKDAYS for token in tokens):
        return f"BYDAY={','.join(tokens)}"
    if kind in _LISTS:
        return f"{_LISTS[kind]}={','.join(map(_number, tokens))}"
    raise _not_read(next(token for token in tokens if kind != "W" or token not in _WEEKDAYS))


def _week_of(start: date) -> list[str]:
    return [f"{(start.day - 1) // 7 + 1}+", _WEEKDAYS[start.weekday()]]


def _weekdays_of_month(tokens: list[str]) -> list[str]:
    """Return `1+ 1- FR 2+ MO TU` as ["1FR", "-1FR", "2MO", "2TU"]: weeks stand before the weekdays they count for."""
    found: list[str] = []
    weeks: list[str] = []
    previous = ""
    for token in tokens:
        if week := _WEEK.fullmatch(token):
            weeks = [*(weeks if previous not in _WEEKDAYS else []), f"{week[2].strip('+')}{week[1]}"]
        elif token in _WEEKDAYS and weeks:
            found += [f"{week}{token}" for week in weeks]
        else:
            raise _not_read(token)
        previous = token
    if previous not in _WEEKDAYS:
        raise RejectedRule("a week of the month without a weekday")
    return found


def _number(text: str) -> str:
    if text == _LAST_DAY:
        return "-1"
    read = _NUMBER.fullmatch(text)
    if read is None:
        raise _not_read(text)
    return f"{read[2].strip('+')}{read[1]}"


def _not_read(token: str) -> RejectedRule:
    return RejectedRule(f"{token[:20]!r} is not read in a rule of vCalendar 1.0")


def home_zone(offset: str, daylight: list[str], preferred: ZoneInfo) -> ZoneInfo | None:
    """Return the zone that TZ and DAYLIGHT lines describe: `-05` and `TRUE;-04;19960407T020000;19961027T020000;EST;EDT`.

    It is `preferred` where that shows the same times; None where nobody lives by them, and where no DAYLIGHT line says
    whether there is a summer time.
    """
    summers = [found.groups() for text in daylight if (found := _SUMMER.fullmatch(text))]
    if not summers and "FALSE" not in map(str.upper, daylight):
        return None
    parts = [_observance("STANDARD", "19000101T000000", offset, offset)]
    for summer, begin, end in summers:
        parts += [_observance("DAYLIGHT", begin, offset, summer), _observance("STANDARD", end, summer, offset)]
    zone = read_zone(Component("VTIMEZONE", inside=parts))
    return zone.likely_zone((preferred,), int(summers[0][1][:4]) if summers else _ANY_YEAR) if zone else None


def _observance(name: str, start: str, before: str, since: str) -> Component:
    return Component(name, f"\nDTSTART:{start}\nTZOFFSETFROM:{before}\nTZOFFSETTO:{since}")
