"""Small drawings of how often something happened: a year of meetings, weeks of events and failures. SVG without a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WEEK, HEIGHT = 5, 22  # of a year's strip, in units


def year_strip(weeks: Sequence[int], told: str) -> Markup:
    """Return a bar for each week of a year, the oldest first; `told` says the same in words."""
    most = max((*weeks, 1))
    bars = "".join(
        f'<rect class="{"met" if count else "idle"}" x="{place * WEEK}" y="{HEIGHT - high:g}" width="{WEEK - 1}" height="{high:g}"/>'
        for place, count in enumerate(weeks)
        for high in [round(6 + (HEIGHT - 6) * count / most, 1) if count else 2.0]
    )
    return Markup(  # noqa: S704 (numbers, and a text that went through escape)
        f'<svg class="strip" viewBox="0 0 {len(weeks) * WEEK} {HEIGHT}" role="img" aria-label="{escape(told)}"'
        f' preserveAspectRatio="none">{bars}</svg>'
    )


@dataclass(frozen=True, slots=True)
class Series:
    """What one row of a chart counts."""

    name: str  # the class that colours it
    label: str
    counts: Sequence[int]


WIDTH, LEFT, RIGHT = 720.0, 6.0, 8.0
ROW, HEAD, FOOT = 66.0, 24.0, 22.0  # heights of a row, of its words in it, and of the days below all


def chart(days: Sequence[str], series: Sequence[Series], told: str, number: Callable[[int], str] = str) -> Markup:
    """Return a row of bars for each series over the same days, each on its own scale with its largest number written.

    On one scale a handful of failures would vanish below thousands of events. `told` says the same in words, and
    `number` writes a number as its reader does.
    """
    step = (WIDTH - LEFT - RIGHT) / max(len(days), 1)
    height = len(series) * ROW + FOOT
    parts = [part for place, one in enumerate(series) for part in _row(one, place * ROW, step, number)]
    for place in sorted({0, len(days) // 2, len(days) - 1} if days else set()):
        anchor = "start" if place == 0 else "end" if place == len(days) - 1 else "middle"
        x = LEFT + step * (place + {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor])
        parts.append(_words(x, height - 4, days[place], anchor))
    return Markup(  # noqa: S704 (numbers, and texts that went through escape)
        f'<svg class="chart" viewBox="0 0 {WIDTH:g} {height:g}" role="img" aria-label="{escape(told)}">{"".join(parts)}</svg>'
    )


def _row(one: Series, top: float, step: float, number: Callable[[int], str]) -> list[str]:
    most = max(one.counts, default=0)
    floor = top + ROW - 4
    bars = [
        f'<rect class="bar {one.name}" x="{LEFT + place * step + 1:.1f}" y="{floor - high:.1f}" width="{step - 2:.1f}"'
        f' height="{high:.1f}"/>'
        for place, count in enumerate(one.counts)
        if count
        for high in [max(2.0, (ROW - HEAD - 4) * count / most)]
    ]
    return [
        _words(LEFT, top + 18, one.label, "start"),
        *([_words(WIDTH - RIGHT, top + 18, number(most), "end")] if most else []),
        f'<line class="axis" x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{floor:.1f}" y2="{floor:.1f}"/>',
        *bars,
    ]


def _words(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text class="tick-words" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
