"""Write what `adjacent evaluate --json` measured as a page with tables and plots.

`adjacent evaluate --json > results.json; python -m benchmarks.quality results.json` writes docs/recommender-figures.md and
the plots beside it: one row a model, a dot for the value and a line for its 95 % interval.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from math import isnan
from pathlib import Path
from typing import NamedTuple

ROW, LABELS, WIDTH, MARGIN = 22, 310, 760, 34  # pixels
TICKS = 5


class Figure(NamedTuple):
    part: str
    setting: str
    model: str
    measure: str
    value: float
    low: float
    high: float
    n: int


# The plots: file, what it shows, part and measure. Each setting is a block of rows.
PLOTS = (
    ("adjacency", "Adjacency: nDCG@10 of what people want next", "adjacency", "nDCG@10"),
    ("years", "Weights of 2019 for people of 2024: nDCG@10", "adjacency, another year", "nDCG@10"),
    ("city", "Groups of a real city, outside the main category: nDCG@10", "groups of a real city", "nDCG@10"),
    ("slates", "Slates of seven: share in domains where nothing is known", "slates", "share in new domains"),
    ("exploring", "Eight weeks of slates: share of wishes found", "exploring", "share of wishes found"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("results", type=Path, help="what `adjacent evaluate --json` printed")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    asked = parser.parse_args()
    figures = [Figure(**one) for one in json.loads(asked.results.read_text("utf-8"))]
    for name, title, part, measure in PLOTS:
        shown = [one for one in figures if one.part == part and one.measure == measure]
        if shown:
            (asked.out / f"recommender-{name}.svg").write_text(plot(title, shown), "utf-8")
    (asked.out / "recommender-figures.md").write_text(page(figures), "utf-8")


def page(figures: Iterable[Figure]) -> str:
    """Return tables, one a part and setting: a row a model, a column a measure."""
    head = (
        "# Figures of the recommender\n\nMade by `adjacent evaluate --json > results.json; python -m benchmarks.quality "
        "results.json`. In brackets 95 % intervals by bootstrap over people, groups or texts; the formulas and their "
        "sources stand in `recommender/metrics.py`, what was set aside in `recommender/learn/held_out.py`."
    )
    sections = [head]
    blocks: dict[tuple[str, str], list[Figure]] = {}  # models may be measured one after another in several settings
    for one in figures:
        blocks.setdefault((one.part, one.setting), []).append(one)
    for (part, setting), rows in blocks.items():
        measures = list(dict.fromkeys(one.measure for one in rows))
        models = list(dict.fromkeys(one.model for one in rows))
        cells = {(one.model, one.measure): one for one in rows}
        lines = [
            f"## {part}: {setting}\n",
            f"| model | {' | '.join(measures)} |",
            f"|---|{'---|' * len(measures)}",
            *(f"| {model} | {' | '.join(told(cells.get((model, one))) for one in measures)} |" for model in models),
            f"\nn = {max(one.n for one in rows):,}",
        ]
        sections.append("\n".join(lines))
    return "\n\n".join(sections) + "\n"


def told(figure: Figure | None) -> str:
    if figure is None or isnan(figure.value):  # F1 of a purpose that nobody has
        return ""
    interval = f" [{figure.low:.3f}, {figure.high:.3f}]" if figure.low < figure.high else ""
    return f"{figure.value:.3f}{interval}"


def plot(title: str, figures: Sequence[Figure]) -> str:
    """Return an SVG in which colours follow the reader's scheme, light or dark."""
    low, high = min(one.low for one in figures), max(one.high for one in figures)
    room = (high - low) * 0.06 or 0.01
    low, high = max(0.0, low - room), high + room

    def x(value: float) -> float:
        return LABELS + (value - low) / (high - low) * (WIDTH - LABELS - 20)

    blocks = [(setting, list(group)) for setting, group in groupby(figures, key=lambda one: one.setting)]
    height = MARGIN * 2 + ROW * (len(figures) + len(blocks))
    marks, y = [], float(MARGIN + ROW)
    for setting, rows in blocks:
        marks.append(f'<text class="setting" x="8" y="{y:.0f}">{escape(setting)}</text>')
        y += ROW
        for one in rows:
            marks.append(f'<text x="{LABELS - 10}" y="{y:.0f}" text-anchor="end">{escape(one.model)}</text>')
            marks.append(
                f'<line class="interval" x1="{x(one.low):.1f}" x2="{x(one.high):.1f}" y1="{y - 4:.0f}" y2="{y - 4:.0f}"/>'
            )
            marks.append(f'<circle cx="{x(one.value):.1f}" cy="{y - 4:.0f}" r="4"><title>{told(one)}</title></circle>')
            y += ROW
    scale = []
    for tick in range(TICKS + 1):
        value = low + (high - low) * tick / TICKS
        scale.append(
            f'<line class="tick" x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{MARGIN}" y2="{height - MARGIN}"/>'
        )
        scale.append(f'<text x="{x(value):.1f}" y="{height - MARGIN + 16}" text-anchor="middle">{value:.2f}</text>')
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">
<style>
text {{ font: 12px system-ui, sans-serif; fill: #222 }} .title {{ font-size: 14px; font-weight: 600 }}
.setting {{ font-weight: 600 }} .tick {{ stroke: #8884 }} .interval {{ stroke: #2563eb; stroke-width: 2 }} circle {{ fill: #2563eb }}
@media (prefers-color-scheme: dark) {{ text {{ fill: #ddd }} .interval {{ stroke: #7aa2f7 }} circle {{ fill: #7aa2f7 }} }}
</style>
<text class="title" x="8" y="18">{escape(title)}</text>
{chr(10).join(scale + marks)}
</svg>
"""


if __name__ == "__main__":
    main()
