"""The last step of learning: write what was learned, small and the same to the byte for the same input."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.adjacency import SurveyModel
from recommender.catalogue import Catalogue
from recommender.learn.counts import PairCounts

KEPT_LIFTS = 128  # targets a topic that keep their own lift; the others share that of their pair of domains


def write_adjacency(
    path: Path,
    *,
    catalogue: Catalogue,
    survey: SurveyModel,
    base: NDArray[np.float64],
    lifts: NDArray[np.float32],
    hold_line: tuple[float, float, float],
    counts: Mapping[str, PairCounts],
) -> None:
    domain_lifts, targets, steps, step = compressed(lifts, catalogue)
    arrays: dict[str, NDArray[np.generic]] = {
        "slugs": text([topic.slug for topic in catalogue.topics]),
        "domains": text(list(catalogue.domains)),
        "survey_topics": survey.topics.astype(np.uint16),
        "wishes": survey.wishes.astype(np.float16),
        "holdings": survey.holdings.astype(np.float16),
        "base": base.astype(np.float32),
        "domain_lifts": domain_lifts.astype(np.float16),
        "lift_targets": targets.astype(np.uint16),
        "lift_steps": steps,
        "lift_step": np.float32(step).reshape(1),
        "hold_line": np.array(hold_line),
    }
    for kind, one in counts.items():
        arrays[f"{kind}_source"] = one.source.astype(np.uint16)
        arrays[f"{kind}_target"] = one.target.astype(np.uint16)
        arrays[f"{kind}_n"] = one.n.astype(np.uint16)
        arrays[f"{kind}_some"] = one.some.astype(np.uint16)
        arrays[f"{kind}_base"] = one.base.astype(np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def compressed(
    lifts: NDArray[np.float32], catalogue: Catalogue
) -> tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.int8], float]:
    """Return mean lifts of domain pairs, and for each topic the targets that differ most, in steps from that mean."""
    order = {slug: position for position, slug in enumerate(catalogue.domains)}
    domain = np.array([order[topic.domain] for topic in catalogue.topics])
    member = (domain[:, None] == np.arange(len(order))).astype(np.float32)
    size = np.maximum(member.sum(axis=0), 1)
    means = (member.T @ lifts @ member) / np.outer(size, size)
    means = means.astype(np.float16).astype(np.float32)
    rest = lifts - means[np.ix_(domain, domain)]
    np.fill_diagonal(rest, 0)
    kept = min(KEPT_LIFTS, len(lifts))
    targets = np.sort(np.argsort(-np.abs(rest), axis=1, kind="stable")[:, :kept], axis=1)
    values = np.take_along_axis(rest, targets, axis=1)
    step = float(np.abs(values).max() / 127) or 1.0
    return means, targets, np.rint(values / step).astype(np.int8), step


def text(lines: list[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(lines).encode(), np.uint8)
