"""Small drawings of how often something happened: a year of meetings, weeks of events and failures. SVG without a script."""

from __future__ import annotations

from collections.abc import Sequence
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
    """What one line of a chart counts."""

    name: str  # the class that colours it
    label: str
    counts: Sequence[int]


def chart(days: Sequence[str], series: Sequence[Series], told: str) -> Markup:
    """Return lines over days, all from zero, with the largest number written; `told` says the same in words."""
    width, height, left, bottom = 720.0, 160.0, 44.0, 22.0
    most = max((max(one.counts, default=0) for one in series), default=0) or 1
    step = (width - left - 8) / max(len(days) - 1, 1)

    def y(count: float) -> float:
        return 8 + (height - bottom - 8) * (1 - count / most)

    parts = [
        f'<line class="axis" x1="{left}" x2="{width}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
        f'<text class="tick-words" x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value}</text>'
        for value in sorted({0, most})
    ]
    for place in sorted({0, len(days) // 2, len(days) - 1} if days else set()):
        anchor = "start" if place == 0 else "end" if place == len(days) - 1 else "middle"
        parts.append(
            f'<text class="tick-words" x="{left + place * step:.1f}" y="{height - 4}" text-anchor="{anchor}">'
            f"{escape(days[place])}</text>"
        )
    for one in series:
        points = " ".join(f"{left + place * step:.1f},{y(count):.1f}" for place, count in enumerate(one.counts))
        parts.append(f'<polyline class="line {one.name}" points="{points}"/>')
        parts += [
            f'<circle class="point {one.name}" cx="{left + place * step:.1f}" cy="{y(count):.1f}" r="2.5"/>'
            for place, count in enumerate(one.counts)
            if count
        ]
    return Markup(  # noqa: S704 (numbers, and texts that went through escape)
        f'<svg class="chart" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(told)}">{"".join(parts)}</svg>'
    )
