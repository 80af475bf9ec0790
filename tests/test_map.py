"""The map as a picture, held to what a designer would look for: nothing overlaps, nothing leaves its frame."""

from __future__ import annotations

import dataclasses
import math
import re
from html import unescape
from itertools import combinations
from pathlib import Path

import pytest
from pace import within
from selectolax.lexbor import LexborHTMLParser

from app.web.labels import Box, lines_of, text_width
from app.web.map import NARROW, WIDE, Dot, Known, Size, dot_radius, draw, is_lit
from recommender.catalogue import load_catalogue
from recommender.reach import REACHES, Reach

STYLE = (Path(__file__).parent.parent / "app" / "web" / "static" / "style.css").read_text("utf-8")
UX = Known("ux-design", "UX design")
JS = Known("javascript", "JavaScript")
BANDS: tuple[Reach, ...] = REACHES


def dot(name: str, known: Known = UX, *, reach: Reach = "one-step", events: int = 1, is_picked: bool = False) -> Dot:
    return Dot(name.lower().replace(" ", "-"), name, known.slug, reach, events, f"#topic-{name}", is_picked)


def a_map(number: int, known: tuple[Known, ...], *, seed: int = 0) -> tuple[Dot, ...]:
    """Return dots with names of the catalogue, dealt out to what is known and to the bands."""
    topics = load_catalogue().topics
    step = len(topics) // number
    return tuple(
        Dot(
            topics[seed + place * step].slug,
            topics[seed + place * step].label,
            known[place % len(known)].slug,
            BANDS[(place * 7 + seed) % 4],
            (place * 5 + seed) % 7,
        )
        for place in range(number)
    )


class Drawing:
    """A map read back from its SVG."""

    def __init__(self, known: tuple[Known, ...], dots: tuple[Dot, ...], reach: Reach, size: Size) -> None:
        self.svg = str(draw(known, dots, reach, size))
        self.tree = LexborHTMLParser(self.svg)
        self.size = size
        self.names = [self._box(text) for text in self.tree.css("text.name")]
        self.knows = [self._box(text) for text in self.tree.css("text.knows")]
        self.dots = [
            Box.around(
                float(one.attributes["cx"] or 0), float(one.attributes["cy"] or 0), float(one.attributes["r"] or 0)
            )
            for one in self.tree.css("circle.dot, circle.speck")
        ]

    def words(self, selector: str) -> list[str]:
        return [" ".join(part.text() for part in text.css("tspan")) for text in self.tree.css(selector)]

    @staticmethod
    def _box(text) -> Box:
        font, anchor = float(text.attributes["font-size"]), text.attributes["text-anchor"]
        is_bold = text.attributes["class"] != "name"
        lines = text.css("tspan")
        width = max(text_width(line.text(), font, is_bold=is_bold) for line in lines)
        x = float(lines[0].attributes["x"])
        left = {"start": x, "end": x - width, "middle": x - width / 2}[anchor]
        return Box(
            left,
            float(lines[0].attributes["y"]) - 0.8 * font,
            left + width,
            float(lines[-1].attributes["y"]) + 0.2 * font,
        )


KNOWN = {
    "one": (JS,),
    "two": (JS, UX),
    "three": (JS, UX, Known("react", "React")),
    "long": (Known("geo", "Geographic information systems"), Known("lib", "Libraries and library work")),
    "sixty": tuple(Known(topic.slug, topic.label) for topic in load_catalogue().topics[:60]),
}


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("reach", REACHES)
@pytest.mark.parametrize("known", KNOWN)
def test_labels_and_dots_never_overlap_nor_leave_the_picture(known: str, reach: Reach, size: Size) -> None:
    for seed in range(4):
        drawn = Drawing(KNOWN[known], a_map(28, KNOWN[known], seed=seed), reach, size)
        assert drawn.names
        for one, other in combinations(drawn.names, 2):
            assert not one.overlaps(other)
        for name in drawn.names:
            assert name.distance_from_origin() > size.core
            assert not any(name.overlaps(mark) for mark in drawn.dots)
            assert -size.width / 2 <= name.left
            assert name.right <= size.width / 2
            assert -size.height / 2 <= name.top
            assert name.bottom <= size.height / 2
        for one, other in combinations(drawn.dots, 2):
            assert not one.overlaps(other)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("known", KNOWN)
def test_names_of_what_is_known_stay_inside_the_disc(known: str, size: Size) -> None:
    drawn = Drawing(KNOWN[known], a_map(20, KNOWN[known]), "one-step", size)
    assert drawn.knows
    for box in drawn.knows:
        assert box.farthest_from_origin() < size.core
    for one, other in combinations(drawn.knows, 2):
        assert not one.overlaps(other)


def test_many_known_topics_are_counted_in_the_disc() -> None:
    drawn = Drawing(KNOWN["sixty"], a_map(20, KNOWN["sixty"]), "one-step", WIDE)
    assert drawn.words("text.knows")[-1] == "and 56 more"
    assert len(drawn.words("text.knows")) == 5


def test_every_dot_drawn_carries_its_name() -> None:
    dots = a_map(24, KNOWN["two"])
    drawn = Drawing(KNOWN["two"], dots, "one-step", WIDE)
    assert len(drawn.names) == len(drawn.dots) >= 20


@pytest.mark.parametrize(
    ("reach", "lit"),
    [
        ("next-door", {"next-door"}),
        ("one-step", {"next-door", "one-step"}),
        ("two-steps", {"next-door", "one-step", "two-steps"}),
        ("far", set(REACHES)),
    ],
)
def test_ring_reaches_as_far_as_the_dial_and_lights_what_lies_in_it(reach: Reach, lit: set[str]) -> None:
    dots = tuple(dot(band, reach=band) for band in BANDS)
    drawn = Drawing((UX,), dots, reach, WIDE)
    ring = drawn.tree.css_first("circle.ring")
    assert ring is not None
    middle, width = float(ring.attributes["r"] or 0), float(ring.attributes["stroke-width"] or 0)
    assert middle - width / 2 == pytest.approx(WIDE.band("next-door")[0], abs=0.1)
    assert middle + width / 2 == pytest.approx(WIDE.band(reach)[1], abs=0.1)
    assert set(drawn.words("text.name.lit")) == lit
    for one, mark in zip(drawn.words("text.name"), drawn.dots, strict=True):
        away = math.hypot((mark.left + mark.right) / 2, (mark.top + mark.bottom) / 2)
        assert (away < middle + width / 2) == (one in lit)


def test_topics_without_events_are_specks_and_a_pick_is_lit_wherever_it_lies() -> None:
    assert not is_lit(dot("Choir", events=0, is_picked=True), "far")
    assert not is_lit(dot("Choir", reach="far"), "one-step")
    assert is_lit(dot("Choir", reach="far", is_picked=True), "one-step")
    drawn = Drawing((UX,), (dot("Choir", events=0), dot("Law", reach="far", is_picked=True)), "next-door", WIDE)
    assert drawn.words("text.name.lit") == ["Law"]
    assert len(drawn.tree.css("circle.speck")) == 1
    assert len(drawn.tree.css("path")) == 1  # nothing leads to where nothing is on


def test_area_of_a_dot_grows_with_the_number_of_events() -> None:
    sizes = [dot_radius(events) for events in (0, 1, 4, 9, 10_000)]
    assert sizes == sorted(sizes)
    assert dot_radius(4) - 3.0 == pytest.approx(2 * (dot_radius(1) - 3.0))
    assert sizes[-1] == 14.0


def test_same_facts_give_the_same_picture_and_others_move_nothing_else() -> None:
    dots = a_map(20, KNOWN["two"])
    draw.cache_clear()
    first = draw(KNOWN["two"], dots, "one-step", WIDE)
    draw.cache_clear()
    assert draw(KNOWN["two"], dots, "one-step", WIDE) == first


def test_map_of_nothing_is_a_disc() -> None:
    drawn = Drawing((UX,), (), "one-step", WIDE)
    assert drawn.words("text") == ["UX design"]
    assert drawn.tree.css_first("circle.core") is not None


def test_names_are_text_and_never_markup() -> None:
    evil = '</text></svg><script>alert("&\'1")</script>'
    svg = str(draw((Known("x", evil),), (Dot("y", evil, "x", "one-step", 1, f"#{evil}"),), "one-step", WIDE))
    assert "<script" not in svg
    assert svg.count("</svg>") == 1
    assert evil in unescape(svg)


def test_map_is_hidden_from_screen_readers_and_from_the_tab_key() -> None:
    choir = dataclasses.replace(dot("Choir"), told="Choir: 1 event")
    tree = LexborHTMLParser(str(draw((UX,), (choir,), "one-step", WIDE)))
    svg = tree.css_first("svg")
    assert svg is not None
    assert svg.attributes["aria-hidden"] == "true"
    assert [link.attributes["tabindex"] for link in tree.css("a")] == ["-1"]
    assert [title.text() for title in tree.css("title")] == ["Choir: 1 event"]


def test_long_names_break_near_their_middle_and_end_in_an_ellipsis() -> None:
    assert lines_of("Choir") == (("Choir",),)
    assert lines_of("Data science") == (("Data science",), ("Data", "science"))
    assert lines_of("Libraries and library work") == (("Libraries and", "library work"),)
    assert lines_of("x" * 300) == (("x" * 23 + "…",),)


def test_map_is_drawn_in_milliseconds() -> None:
    dots = a_map(28, KNOWN["three"])
    draw.cache_clear()
    with within(0.1):
        draw(KNOWN["three"], dots, "one-step", WIDE)


def colours(scheme: str) -> dict[str, str]:
    """Return the custom properties of the stylesheet as one scheme sees them."""
    place = ("light", "dark").index(scheme)
    pairs = dict(re.findall(r"--(\w[\w-]*): light-dark\((#\w{6}, #\w{6})\)", STYLE))
    plain = dict(re.findall(r"--(\w[\w-]*): (#\w{6});", STYLE))
    return {name: pair.split(", ")[place] for name, pair in pairs.items()} | plain


def contrast(one: str, other: str) -> float:
    """Return the ratio of WCAG 2.2, "contrast ratio"."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        ("ink", "paper", 4.5),
        ("ink", "card", 4.5),
        ("ink", "ring", 4.5),
        ("soft", "paper", 4.5),
        ("soft", "card", 4.5),
        ("soft", "ring", 4.5),  # names of far topics may stand on the ring
        ("on-core", "core", 4.5),
        ("accent", "card", 4.5),
        ("link", "card", 4.5),
        ("link", "paper", 4.5),
        ("alarm", "card", 4.5),
        ("alarm", "paper", 4.5),
        ("accent", "paper", 3.0),  # from here on: dots, lines and borders (WCAG 1.4.11)
        ("accent", "ring", 3.0),
        ("edge", "paper", 3.0),
        ("edge", "card", 3.0),
        ("edge", "ring", 2.5),  # a dot outside the ring may stick into it
        ("core", "paper", 2.5),
        ("core", "card", 2.5),  # bars and lines
        ("alarm", "card", 3.0),
    ],
)
def test_colours_contrast(front: str, back: str, least: float, scheme: str) -> None:
    known = colours(scheme)
    assert contrast(known[front], known[back]) >= least
