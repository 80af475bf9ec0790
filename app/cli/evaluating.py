"""`evaluate`: how good the recommender is, beside its baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli import printing
from app.cli.failing import Failed


def evaluate(
    data: Annotated[Path, typer.Option(help="Folder with the data to measure on.")] = Path("../shared/adjacency"),
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure adjacency, events, tagging, purpose and merging against their baselines."""
    if not data.is_dir():
        raise Failed(f"{data}: no such folder; --data names the one with the survey and group files")
    from app.events.measure_merging import measure_merging
    from recommender.evaluate import evaluate as measure

    results = [*measure(data), *measure_merging(data)]
    if as_json:
        printing.as_json(result.as_json() for result in results)
        return
    printing.table(
        ("part", "setting", "model", "measure", "value", "95 % interval", "n"),
        [
            (
                one.part,
                one.setting,
                one.model,
                one.measure,
                f"{one.value:.3f}",
                f"{one.low:.3f} … {one.high:.3f}",
                one.n,
            )
            for one in results
        ],
    )
