"""The quality benchmark: every part of the recommender against its baselines, on people and texts it never saw."""

from __future__ import annotations

from pathlib import Path

from recommender.evaluate_cadence import measure_cadence
from recommender.evaluate_texts import measure_texts
from recommender.learn.measure_adjacency import measure_groups, measure_self_tags, measure_unasked, measure_wishes
from recommender.metrics import Result

PARTS = (measure_wishes, measure_unasked, measure_self_tags, measure_groups, measure_texts, measure_cadence)


def evaluate(folder: Path) -> list[Result]:
    """Measure all parts on a folder of data."""
    return [result for part in PARTS for result in part(folder)]
