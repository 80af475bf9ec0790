"""The last step of learning: write what was learned, small and the same to the byte for the same input."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue
from recommender.learn.bases import Bases
from recommender.learn.cold import Lifts
from recommender.learn.counts import PairCounts
from recommender.survey_model import SurveyModel

KEPT_LIFTS = 128  # targets a topic that keep a fine lift of their own


def write_adjacency(
    path: Path,
    *,
    catalogue: Catalogue,
    survey: SurveyModel,
    bases: Bases,
    lifts: Lifts,
    hold_line: tuple[float, float, float],
    counts: Mapping[str, PairCounts],
    domains_together: NDArray[np.int64],
) -> None:
    targets, steps, step = compressed(lifts.fine)
    arrays: dict[str, NDArray[np.generic]] = {
        "slugs": text([topic.slug for topic in catalogue.topics]),
        "domains": text(list(catalogue.domains)),
        "survey_topics": survey.topics.astype(np.uint16),
        "worlds": survey.worlds.astype(np.float16),
        "wishes": survey.wishes.astype(np.float16),
        "prior": survey.prior.astype(np.float32),
        "moves": survey.moves.astype(np.float16),
        "holdings": survey.holdings.astype(np.float16),
        "base_people": bases.general.astype(np.float32),
        "base_developers": bases.developers.astype(np.float32),
        "broad_lifts": lifts.broad.astype(np.float16),
        "lift_targets": targets.astype(np.uint16),
        "lift_steps": steps,
        "lift_step": np.float32(step).reshape(1),
        "hold_line": np.array(hold_line),
        "domains_together": domains_together.astype(np.uint16),
    }
    for kind, one in counts.items():
        arrays[f"{kind}_source"] = one.source.astype(np.uint16)
        arrays[f"{kind}_target"] = one.target.astype(np.uint16)
        arrays[f"{kind}_n"] = one.n.astype(np.uint16)
        arrays[f"{kind}_some"] = one.some.astype(np.uint16)
        arrays[f"{kind}_base"] = one.base.astype(np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def compressed(lifts: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.int8], float]:
    """Return for each topic the targets with the largest lifts, those lifts in steps, and the size of a step."""
    kept = min(KEPT_LIFTS, len(lifts))
    targets = np.sort(np.argsort(-np.abs(lifts), axis=1, kind="stable")[:, :kept], axis=1)
    values = np.take_along_axis(lifts, targets, axis=1)
    step = float(np.abs(values).max() / 127) or 1.0
    return targets, np.rint(values / step).astype(np.int8), step


def text(lines: list[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(lines).encode(), np.uint8)
