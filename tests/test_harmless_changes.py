"""What a change of bytes that means nothing leaves as it was: folding, line ends, order, capitals, encodings."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from selectolax.lexbor import LexborHTMLParser

from scrapers import Unreadable, Window, read_here
from scrapers.content_lines import decode as calendar_text

DATA = Path(__file__).parent / "data"
EVER = Window(datetime(1950, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
BERLIN = ZoneInfo("Europe/Berlin")
SCRIPT = re.compile(r"(<script[^>]*ld\+json[^>]*>)(.*?)(</script>)", re.DOTALL | re.IGNORECASE)
NO_MARKUP = re.compile(r"<script.*?</script>|<style.*?</style>|<!--.*?-->|<svg.*?</svg>", re.DOTALL | re.IGNORECASE)
TAG = re.compile(r"</?[a-zA-Z](?:[^<>\"']|\"[^\"]*\"|'[^']*')*>")
NAME_OR_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'|=\s*[^\s\"'>]+|([A-Za-z][\w:-]*)")
CHARSET = re.compile(r"<meta[^>]{0,300}charset[^>]*>", re.IGNORECASE)

Lines = Sequence[str]
Told = Counter[object] | str


def told(body: bytes, content_type: str | None = None) -> Told:
    """Return what is read of a body, or why nothing is; how an event without a uid is called may change."""
    try:
        reading = read_here(body, url="https://a.example/a", content_type=content_type, window=EVER, zone=BERLIN)
    except Unreadable as error:
        return error.code
    return Counter(replace(draft, uid="", warnings=()) for draft in reading.events)


# Calendars, as unfolded lines


def joined(lines: Lines, end: str = "\r\n") -> bytes:
    return "".join(line + end for line in lines).encode()


def folded(lines: Lines) -> bytes:
    return joined([line[:20] + "".join(f"\r\n\t{part}" for part in _parts(line[20:])) for line in lines])


def _parts(text: str) -> Iterator[str]:
    return (text[start : start + 19] for start in range(0, len(text), 19))


def in_small_letters(lines: Lines) -> bytes:
    return joined([_small(line) for line in lines])


def _small(line: str) -> str:
    if re.match(r"(BEGIN|END):", line, re.IGNORECASE):
        return line.lower()
    name = re.match(r"[A-Za-z-]+(?=[:;])", line)
    return line if name is None else name[0].lower() + line[name.end() :]


def with_properties_turned_round(lines: Lines) -> bytes:
    turned: list[str] = []
    waiting: list[str] = []
    inside = ""
    for line in lines:
        marked = re.match(r"(BEGIN|END):\s*(\w+)", line, re.IGNORECASE)
        if marked is None and inside == "VEVENT":
            waiting.append(line)
            continue
        if marked is not None:
            # Values of one name keep their order: of two SUMMARYs the first counts.
            turned += sorted(waiting, key=lambda line: re.split("[:;]", line.upper())[0], reverse=True)
            waiting, inside = [], marked[2].upper() if marked[1].upper() == "BEGIN" else ""
        turned.append(line)
    return joined([*turned, *waiting])


def with_blank_lines(lines: Lines) -> bytes:
    return joined(["", *(part for line in lines for part in (line, ""))])


CALENDAR_CHANGES: list[Callable[[Lines], bytes]] = [
    folded,
    in_small_letters,
    with_properties_turned_round,
    with_blank_lines,
    lambda lines: joined(lines, "\n"),
    lambda lines: joined(lines, "\r"),
    lambda lines: b"\xef\xbb\xbf" + joined(lines),
    lambda lines: b"\xff\xfe" + joined(lines).decode().encode("utf-16-le"),
    lambda lines: b"\xfe\xff" + joined(lines).decode().encode("utf-16-be"),
]


def changed_calendars(paths: Sequence[Path]) -> Iterator[tuple[str, int]]:
    """Yield the calendars of which a change makes something else, and which change."""
    for path in paths:
        text = calendar_text(path.read_bytes()).lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        lines = [line for line in re.sub(r"\n[ \t]", "", text).split("\n") if line]
        before = told(joined(lines))
        for number, change in enumerate(CALENDAR_CHANGES):
            if told(change(lines)) != before:
                yield path.name, number


def test_calendars_read_the_same_however_they_are_written() -> None:
    assert list(changed_calendars(sorted((DATA / "ical").glob("*.ics")))) == []


@pytest.mark.long
@pytest.mark.shared
def test_captured_calendars_read_the_same_however_they_are_written(shared: Path) -> None:
    paths = sorted((shared / "corpus" / "ics").glob("*.ics"))
    assert list(changed_calendars([path for path in paths if path.stat().st_size < 100_000])) == []


# Pages


def in_capitals(text: str) -> bytes:
    return _in_markup(
        text, lambda tag: NAME_OR_VALUE.sub(lambda found: found[0].upper() if found[1] else found[0], tag)
    )


def in_single_quotes(text: str) -> bytes:
    return _in_markup(text, lambda tag: re.sub(r"=\s*\"([^\"'<>]*)\"", r"='\1'", tag))


def _in_markup(text: str, change: Callable[[str], str]) -> bytes:
    done, pieces = 0, []
    for kept in NO_MARKUP.finditer(text):
        pieces += [TAG.sub(lambda tag: change(tag[0]), text[done : kept.start()]), kept[0]]
        done = kept.end()
    return "".join([*pieces, TAG.sub(lambda tag: change(tag[0]), text[done:])]).encode("utf-8", "surrogatepass")


def with_scripts_turned_round(text: str) -> bytes:
    scripts = [script[0] for script in SCRIPT.finditer(text)]
    return SCRIPT.sub(lambda _: scripts.pop(), text).encode("utf-8", "surrogatepass")


def with_names_turned_round(text: str) -> bytes:
    return _with_documents(text, _turned_round)


def _turned_round(value: object) -> object:
    if isinstance(value, dict):
        return {name: _turned_round(value[name]) for name in reversed(value)}
    return [_turned_round(one) for one in value] if isinstance(value, list) else value


def with_prefixes(text: str) -> bytes:
    return _with_documents(text, _prefixed)


def _prefixed(value: object) -> object:
    if isinstance(value, dict):
        return {
            name if name[:1] == "@" or ":" in name else f"schema:{name}": _prefixed(one) for name, one in value.items()
        }
    return [_prefixed(one) for one in value] if isinstance(value, list) else value


def _with_documents(text: str, change: Callable[[object], object]) -> bytes:
    def changed(script: re.Match[str]) -> str:
        try:
            document = json.loads(script[2], strict=False)
        except ValueError:  # repairing is not what is tried here
            return script[0]
        written = json.dumps(change(document), indent=1).replace("</", "<\\/")
        return f"{script[1]}\n{written}{script[3]}"

    return SCRIPT.sub(changed, text).encode("utf-8", "surrogatepass")


PAGE_CHANGES: list[tuple[Callable[[str], bytes], str]] = [
    (in_capitals, "text/html"),
    (in_single_quotes, "text/html"),
    (with_scripts_turned_round, "text/html"),
    (with_names_turned_round, "text/html"),
    (with_prefixes, "text/html"),
    (lambda text: (LexborHTMLParser(text).html or "").encode("utf-8", "surrogatepass"), "text/html"),
    (lambda text: b"\xff\xfe" + text.encode("utf-16-le", "surrogatepass"), "text/html"),
    (lambda text: text.encode("utf-16-be", "surrogatepass"), "text/html; charset=utf-16be"),
]


def changed_pages(paths: Sequence[Path]) -> Iterator[tuple[str, int]]:
    for path in paths:
        text = path.read_text("utf-8", "replace")
        if "<" not in text[:40]:
            continue
        before = told(text.encode(), "text/html")
        for number, (change, content_type) in enumerate(PAGE_CHANGES):
            if told(change(text), content_type) != before:
                yield path.name, number
        for number, encoding in enumerate(("windows-1252", "shift_jis", "koi8-r")):
            kept = CHARSET.sub("", text).encode(encoding, "ignore")  # without the letters it has not
            before = told(kept.decode(encoding).encode(), "text/html")
            if told(kept, f"text/html; charset={encoding}") != before:
                yield path.name, len(PAGE_CHANGES) + number


def test_pages_read_the_same_however_they_are_written() -> None:
    assert list(changed_pages(sorted((DATA / "pages").glob("*.html")))) == []


@pytest.mark.long
@pytest.mark.shared
def test_captured_pages_read_the_same_however_they_are_written(shared: Path) -> None:
    paths = sorted((shared / "corpus" / "html").glob("*.html"))
    assert list(changed_pages([path for path in paths if path.stat().st_size < 200_000])) == []
