"""Step 2, reading: communities as people write them down: one TOML file a community, alone or in an archive of many.

The format is described in docs/communities.md. What is wrong with a file is told with its line and a remedy, and costs
that file alone. TOML, since it is in the standard library, has dates of its own, and knows no aliases to explode.
"""

from __future__ import annotations

import io
import re
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from scrapers.community_form import CommunityFile, Meeting
from scrapers.draft import CommunityDraft, Link, Organizer, Problem, Reading, Unreadable, Window
from scrapers.sites.told import Here, Told, reading_of, venue_of

KIND = "community"
MOST_FILES = 2_000  # of one archive
LARGEST_FILE = 64 * 1024  # bytes
FOLDER = "communities"  # where a repository of other things keeps them

_SIGN = re.compile(r"(?:[ \t\r]*(?:#[^\n]*)?\n)*[ \t]*(?:name|kind)[ \t]*=[ \t]*[\"']")
_KEY = re.compile(r"^[ \t]*(?:\[+[ \t]*([\w.]+)[ \t]*\]+|([\w-]+)[ \t]*=)", re.MULTILINE)
_BROKEN_AT = re.compile(r"\(at line (\d+), column \d+\)|at end of document")


EXAMPLES = {
    "country": 'write two capital letters, such as "DE" (ISO 3166)',
    "language": 'write its code, such as "en" or "pt-BR" (BCP 47)',
}


def looks_like_community(text: str) -> bool:
    return _SIGN.match(text) is not None


def looks_like_archive(body: bytes) -> bool:
    return body[:4] == b"PK\x03\x04"


def read_community(text: str, *, url: str, window: Window, zone: ZoneInfo) -> Reading:
    """Return one community and when it meets; raises Unreadable, with the line of what is wrong."""
    reading, problems = _read(text, PurePosixPath(url).name or url, url=url, window=window, zone=zone)
    if reading is None:
        told = problems[0]
        raise Unreadable(told.code, f"{told.subject}: {told.message}")
    return reading


def read_archive(body: bytes, *, url: str, window: Window, zone: ZoneInfo) -> Reading:
    """Return the communities of a repository's zip archive; files that are none of them are passed over.

    Raises Unreadable where there is no community at all.
    """
    readings: list[Reading] = []
    problems: list[Problem] = []
    keys: set[str] = set()
    for path, text in _files(body, problems):
        reading, told = _read(text, path, url=url, window=window, zone=zone)
        problems += told
        if reading is None:
            continue
        if (key := reading.communities[0].key) in keys:
            problems.append(
                Problem("double_name", path, f"another file is called {key}.toml, too; rename one; left out")
            )
            continue
        keys.add(key)
        readings.append(reading)
    if not readings and not problems:
        raise Unreadable("no_communities", "the archive holds no community file (docs/communities.md)")
    return Reading(
        events=tuple(sorted((each for one in readings for each in one.events), key=lambda draft: draft.starts_at)),
        problems=(*problems, *(each for one in readings for each in one.problems)),
        series=tuple(each for one in readings for each in one.series),
        kind=KIND,
        last_start=max((one.last_start for one in readings if one.last_start), default=None),
        listed=sum(one.listed for one in readings),
        communities=tuple(each for one in readings for each in one.communities),
    )


def _files(body: bytes, problems: list[Problem]) -> Iterator[tuple[str, str]]:
    """Yield paths and texts of the files that may be communities."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise Unreadable("broken_archive", f"the archive cannot be opened: {error}") from error
    listed = [entry for entry in archive.infolist() if entry.filename.endswith(".toml") and not entry.is_dir()]
    in_folder = [entry for entry in listed if FOLDER in PurePosixPath(entry.filename).parts[:-1]]
    candidates = in_folder or listed
    if len(candidates) > MOST_FILES:
        problems.append(
            Problem("truncated", FOLDER, f"{len(candidates):,} files; only the first {MOST_FILES:,} are read")
        )
    for entry in candidates[:MOST_FILES]:
        path = "/".join(PurePosixPath(entry.filename).parts[-2:])
        try:
            with archive.open(entry) as file:
                content = file.read(LARGEST_FILE + 1)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
            problems.append(Problem("broken_archive", path, f"the file cannot be unpacked: {error}; left out"))
            continue
        if len(content) > LARGEST_FILE:
            problems.append(Problem("too_large", path, f"more than {LARGEST_FILE // 1024} KB; left out"))
            continue
        text = content.decode("utf-8", "replace").removeprefix("\ufeff")
        if in_folder or looks_like_community(text):
            yield path, text


def _read(
    text: str, path: str, *, url: str, window: Window, zone: ZoneInfo
) -> tuple[Reading | None, tuple[Problem, ...]]:
    """Return what a file tells, or what is wrong with it."""
    try:
        told = CommunityFile.model_validate(tomllib.loads(text.removeprefix("\ufeff")))
    except tomllib.TOMLDecodeError as error:
        return None, (_broken(text, path, error),)
    except RecursionError:
        return None, (Problem("broken_toml", path, "nested too deeply to be a community file; left out"),)
    except ValidationError as error:
        wrong = (_wrong(text, path, *_place_and_remedy(each)) for each in error.errors(include_url=False))
        return None, tuple(dict.fromkeys(wrong))
    return reading_of_file(told, path, url=url, window=window, zone=zone), ()


def reading_of_file(told: CommunityFile, path: str, *, url: str, window: Window, zone: ZoneInfo) -> Reading:
    """Return what a file tells; its name is the identity of the community and of its dates."""
    community = _community(told, path)
    here = Here(url, window, zone)
    meetings = (_told(told, meeting, community, number) for number, meeting in enumerate(told.meets))
    reading = reading_of(meetings, here, kind=KIND, name=told.name)
    return replace(
        reading,
        organizer=Organizer(told.name, told.url),
        description=told.about or None,
        communities=(community,),
    )


def _broken(text: str, path: str, error: tomllib.TOMLDecodeError) -> Problem:
    found = _BROKEN_AT.search(str(error))
    line = int(found[1]) if found and found[1] else text.count("\n") + 1
    why = _BROKEN_AT.sub("", str(error)).strip()
    return Problem("broken_toml", f"{path}:{line}", f"{why}; texts stand in double quotes, dates without any; left out")


def _place_and_remedy(error: object) -> tuple[tuple[str | int, ...], str]:
    assert isinstance(error, dict)
    place, kind, message = error["loc"], error["type"], str(error["msg"]).removeprefix("Value error, ")
    name = next((str(part) for part in reversed(place) if isinstance(part, str) and part.islower()), "")
    if kind == "missing":
        return place, f"{name!r} is missing: add it"
    if kind == "extra_forbidden":
        return place, f"{name!r} is not known here: see docs/communities.md for what is"
    if name in ("date", "datetime"):  # the two things that `first` may be
        return place[:-1], f"{place[-2]!r}: write a local time or a day without quotation marks, 2026-01-07T20:00:00"
    if name in EXAMPLES and kind == "string_pattern_mismatch":
        return place, f"{name!r}: {EXAMPLES[name]}"
    if kind == "list_type":
        return place, f"{name!r}: write " + ("[[meets]]" if name == "meets" else 'a list, ["one", "another"]')
    if kind == "too_short":
        return place, f"{name!r} is empty: write at least one"
    if kind in ("too_long", "string_too_long"):
        return place, f"{name!r} is too long: at most {error['ctx']['max_length']}"
    return place, f"{name!r}: {message.replace('Input should', 'it should', 1)}"


def _wrong(text: str, path: str, place: tuple[str | int, ...], remedy: str) -> Problem:
    return Problem("bad_community", f"{path}:{_line(text, place)}", f"{remedy}; left out")


def _line(text: str, place: tuple[str | int, ...]) -> int:
    """Return the line of a key such as ("meets", 1, "zone"): of the key itself, or of the table it is missing in."""
    table, number = (str(place[0]), place[1]) if len(place) > 1 and isinstance(place[1], int) else ("", 0)
    assert isinstance(number, int)
    key = str(next((part for part in reversed(place) if isinstance(part, str) and part.islower()), ""))
    inside, seen, line = not table, -1, 1
    for found in _KEY.finditer(text):
        at = text.count("\n", 0, found.end()) + 1
        if found[1] is not None:
            if not table and found[1] == key:
                return at
            seen += found[1] == table
            inside = found[1] == table and seen == number
            line = at if inside else line
        elif (inside and found[2] == key) or (not inside and found[2] == table):
            return at
    return line


def _community(told: CommunityFile, path: str) -> CommunityDraft:
    return CommunityDraft(
        key=PurePosixPath(path).stem,
        name=told.name,
        kind=told.kind,
        url=told.url,
        description=told.about,
        topics=tuple(dict.fromkeys(told.topics)),
        city=told.city,
        country=told.country,
        lat=told.lat,
        lon=told.lon,
        is_online=told.online,
        language=told.language,
        channel=told.channel,
        join_steps=tuple(told.join),
        links=tuple(Link(link.label, link.url) for link in told.links),
        code_of_conduct=told.code_of_conduct,
        cost=told.cost,
        openness=told.openness,
        purpose=told.purpose,
        rhythm=next((meeting.rhythm for meeting in told.meets if meeting.rhythm), None),
        seen_in=told.seen_in,
    )


def _told(told: CommunityFile, meeting: Meeting, community: CommunityDraft, number: int) -> Told:
    is_day = not isinstance(meeting.first, datetime)
    first = meeting.first.isoformat()
    about = [meeting.about or told.about, *([f"Channel: {told.channel}"] if told.channel else [])]
    lines = [f"RRULE:{meeting.rhythm}"] if meeting.rhythm else []
    if meeting.rhythm and meeting.except_:
        lines.append("EXDATE;VALUE=DATE:" + ",".join(f"{day:%Y%m%d}" for day in meeting.except_))
    return Told(
        uid=f"{community.key}/{number}",
        title=meeting.title or told.name,
        start=first,
        length=timedelta(minutes=meeting.minutes) if meeting.minutes else None,
        zone=meeting.zone,
        is_all_day=is_day,
        is_online=told.online or meeting.online is not None,
        url=told.url,
        online_url=meeting.online or (told.url if told.online else ""),
        organizer=Organizer(told.name, told.url),
        venue=None
        if told.online
        else venue_of(
            meeting.venue or "",
            meeting.address or "",
            city=told.city or "",
            country=told.country or "",
            lat=told.lat,
            lon=told.lon,
        ),
        categories=community.topics,
        language=told.language,
        price=meeting.price or told.cost or "",
        description="\n\n".join(about),
        recurrence=tuple(lines),
    )
