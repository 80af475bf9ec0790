"""Pages as people publish them, each with what should be read of it.

A case is two files in data/pages: NAME.html and NAME.json. The page counts as fetched from https://pages.example/NAME.
"""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from scrapers import Unreadable, Window, as_json, from_json, read_here
from scrapers.json_repair import Repaired, repaired
from scrapers.microformats import microformat_items
from scrapers.times import When, parse_when

PAGES = sorted((Path(__file__).parent / "data" / "pages").glob("*.html"))
WINDOW = Window(datetime(2026, 11, 25, tzinfo=UTC), datetime(2027, 11, 25, tzinfo=UTC))
MARKUP = frozenset({"jsonld", "microdata", "rdfa", "microformats"})  # the others know whose page they read
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_gives_its_events(page: Path):
    reading = read_here(
        page.read_bytes(),
        url=f"https://pages.example/{page.stem}",
        content_type="text/html",
        window=WINDOW,
        zone=BERLIN,
    )
    assert {
        "kind": reading.kind,
        "name": reading.name,
        "listed": reading.listed,
        "problems": [[problem.code, problem.subject] for problem in reading.problems],
        "events": [as_json(draft) for draft in reading.events],
    } == json.loads(page.with_suffix(".json").read_text())


def test_page_without_markup_is_unreadable():
    with pytest.raises(Unreadable) as caught:
        read_here(b"<!doctype html><h1>Concert on 1 December 2026</h1>", url="https://a.example/", window=WINDOW)
    assert caught.value.code == "no_events"
    assert "JSON-LD" in caught.value.message


def test_page_with_only_broken_scripts_says_so():
    with pytest.raises(Unreadable) as caught:
        read_here(
            b'<script type="application/ld+json">{"@type": "Event", oops</script>',
            url="https://a.example/",
            window=WINDOW,
        )
    assert "1 broken JSON-LD script" in caught.value.message


def test_events_nested_without_end_are_read_to_a_depth():
    page = "<div class=h-event><b class=p-name>A</b><time class=dt-start datetime=2026-12-01>d</time>" * 900
    reading = read_here(page.encode(), url="https://a.example/", window=WINDOW)
    assert [draft.title for draft in reading.events] == ["A"]


@pytest.mark.parametrize(
    ("script", "documents"),
    [
        ('{"a": "http://x.example/ // no comment", "b": "/* nor this */"}', [{"a": "http://x.example/ // no comment", "b": "/* nor this */"}]),
        (r'{"a": "\\", "b": "\u00e9\q\'\"", }', [{"a": "\\", "b": "éq'\""}]),
        ("[1, 2,\n // last\n]", [[1, 2]]),
        ('{"a": ",]"} {"b": ",}"}', [{"a": ",]"}, {"b": ",}"}]),
        ('\ufeff{"a": 1}', [{"a": 1}]),
        ("", []),
        ("<!-- A comment. -->\n{}", [{}]),
        ('<!-- {"a": 1} -->', [{"a": 1}]),
        ('{"name": "The "Best" Show", "a": "so "good""}', [{"name": 'The "Best" Show', "a": 'so "good"'}]),
        ('{"name": "She said \\"yes\\", "no" and "so"", "a": {"b": "c"},}', [{"name": 'She said "yes", "no" and "so"', "a": {"b": "c"}}]),
        ("""{'@type': 'Event', 'name': 'Pete\\'s "Bar"', "a": "it's", 'url': 'https://a.example'}""", [{"@type": "Event", "name": 'Pete\'s "Bar"', "a": "it's", "url": "https://a.example"}]),
    ],
)  # fmt: skip
def test_repair_leaves_strings_alone(script: str, documents: list[object]):
    assert repaired(script) == Repaired(documents)


@pytest.mark.parametrize(
    "script",
    [
        """{'@type': 'Event', 'name': 'Pete's Bar'}""",
        '{"name": "A" "startDate": "2026-12-01", "b": "c"}',  # a comma is missing
        '{"name": "cut in the mid',
        '{"name": ',
        '{"a": 1]',
        "[[[[[[1",
        '{"name": "A", "text": "one\n"two"\nthree", oops}',
    ],
)  # fmt: skip
def test_repair_gives_up_where_more_than_one_meaning_is_left(script: str):
    with pytest.raises(ValueError, match="line"):
        repaired(script)


def test_script_that_breaks_off_is_read_and_says_so():
    script = '{"@graph": [{"@type": "Event", "name": "A", "startDate": "2026-12-01", "location": {"name": "B"}'
    whole = '{"@type": "Event", "name": "C", "startDate": "2026-12-02"}'
    page = "".join(f'<script type="application/ld+json">{each}</script>' for each in (script, whole))
    reading = read_here(page.encode(), url="https://a.example/", window=WINDOW)
    assert [draft.title for draft in reading.events] == ["A", "C"]
    assert [(problem.code, problem.subject) for problem in reading.problems] == [("truncated", "script 1")]


NAMES = (
    "@type @id @graph @value name url startDate endDate duration location address geo latitude longitude offers price"
)
NAMES += " organizer performer eventStatus eventAttendanceMode eventSchedule byDay repeatFrequency subEvent superEvent"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["Event", "Place", "2026-12-01", "2026-12-01T18:00Z", "P1W", "19:00", "http://[", "javascript:x", "#a"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES.split()), inner, max_size=6),
    max_leaves=25,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(NAMES.split()), VALUES))
@settings(max_examples=80, deadline=None)
def test_values_of_any_shape_never_break_the_reader(properties: dict[str, object]):
    document = json.dumps({"name": "A", "startDate": "2026-12-01", **properties, "@type": "Event"})
    page = f'<script type="application/ld+json">{document}</script>'
    reading = read_here(page.encode("utf-8", "surrogatepass"), url="https://a.example/", window=WINDOW, zone=BERLIN)
    assert reading.listed or reading.problems
    assert all(from_json(as_json(draft)) == draft for draft in reading.events)


@pytest.mark.shared
def test_microformats_are_read_as_their_own_test_suite_expects(shared: Path):
    compared, read_wrong = 0, {}
    for path in sorted((shared / "corpus" / "expected").glob("*.mf2.json")):
        expected = [item["properties"] for item in json.loads(path.read_text())["items"] if "h-event" in item["type"]]
        if not expected or "__includes__" in path.name:  # including is no part of microformats2
            continue
        page = (shared / "corpus" / "html" / path.name.removesuffix(".mf2.json")).read_text()
        wanted = [(told["name"], _moments(told["start"])) for told in expected]
        found = [(node["name"], _moments(node["startDate"])) for node in microformat_items(LexborHTMLParser(page))]
        compared += len(expected)
        if found != wanted:
            read_wrong[path.name] = (found, wanted)
    assert compared > 0
    assert read_wrong == {}


def _moments(texts: list[str]) -> list[When | None]:
    return [parse_when(text, zone=BERLIN) for text in texts]


@pytest.mark.shared
def test_captured_pages_give_the_events_they_mark_up(shared: Path):
    """Against extruct, which reads the same syntaxes with other code; a title counts once a page and day."""
    expected = json.loads((shared / "corpus" / "reference" / "html.json").read_text())
    wanted, missed = 0, []
    for name, reference in expected.items():
        told = {
            (" ".join(html.unescape(_first(event.get("name"))).split()).casefold(), when.at.date())
            for events in reference["events"].values()
            if events != "error"
            for event in events
            if (when := parse_when(_first(event.get("startDate") or event.get("start")), zone=BERLIN))
        }
        found = _found(shared / "corpus" / "html" / name)
        days = {day for _, day in found}
        titles = {title[:20] for title, _ in found}
        wanted += len(told)
        # An event without a name takes that of its place or performer; its day has to do.
        missed += [
            (name, *event) for event in told if (event[0][:20] not in titles if event[0] else event[1] not in days)
        ]
    assert wanted > 200
    assert len(missed) <= wanted * 0.01, missed


def _first(value: object) -> str:
    """Return what counts of extruct's values: text, or the first of a list."""
    return str(value[0] if isinstance(value, list) and value else value or "")


def _found(path: Path, kinds: frozenset[str] | None = None) -> set[tuple[str, date]]:
    ever = Window(datetime(1500, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
    try:
        reading = read_here(
            path.read_bytes(), url="https://a.example/", content_type="text/html", window=ever, zone=BERLIN
        )
    except Unreadable:
        return set()
    if kinds and reading.kind not in kinds:
        return set()
    return {(draft.title.casefold(), draft.starts_at.date()) for draft in reading.events}


@pytest.mark.shared
def test_captured_pages_without_markup_give_no_event(shared: Path):
    expected = json.loads((shared / "corpus" / "reference" / "html.json").read_text())
    rows = (line.split("\t") for line in (shared / "corpus" / "index.tsv").read_text().splitlines())
    bare = [
        row[0] for row in rows if row[0].startswith("html/") and re.search("markup=none|no-event|no-markup", row[6])
    ]
    invented = {
        name: found
        for name in bare
        # Three pages that the index calls bare mark up their events in the vocabulary before schema.org.
        if all(events in ([], "error") for events in expected[name.removeprefix("html/")]["events"].values())
        and (found := _found(shared / "corpus" / name, MARKUP))
    }
    assert len(bare) > 300
    assert invented == {}
