"""How well merging tells one event from two: precision and recall on labelled pairs, against simpler rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from app.events import merge
from app.events.merging_pairs import Pair, pairs
from app.events.telling import located
from app.events.twins import km_between
from recommender.metrics import Result, result
from scrapers import EventDraft

Rule = Callable[[EventDraft, EventDraft], bool]
NEEDED = ("nashville_events.csv.gz", "nashville_groups.csv.gz", "tech_conferences.csv.gz")


def measure_merging(folder: Path) -> list[Result]:
    """Return precision and recall on the half of groups and conferences that no rule was made on."""
    if not all((folder / name).is_file() for name in NEEDED):
        return []
    labelled = pairs(folder, "test")
    return [
        *_measure(labelled, "Adjacent", _adjacent),
        *_measure(labelled, "one start and title", _one_title),
        *_measure(labelled, "one address", _one_address),
    ]


def _measure(labelled: Sequence[Pair], model: str, rule: Rule) -> list[Result]:
    truth = np.array([pair.is_one for pair in labelled], dtype=np.float64)
    found = np.array([rule(pair.a, pair.b) for pair in labelled], dtype=np.float64)
    setting = "copies and rivals"
    return [
        # Of what was joined, the share that is one; of what is one, the share that was joined.
        result("merging", setting, model, "precision", np.where(found > 0, truth, np.nan)),
        result("merging", setting, model, "recall", np.where(truth > 0, found, np.nan)),
    ]


def _adjacent(a: EventDraft, b: EventDraft) -> bool:
    apart = km_between(located(a.venue), located(b.venue))
    return merge.same_event(a, b, apart_km=apart) is not None


def _one_title(a: EventDraft, b: EventDraft) -> bool:
    return a.starts_at == b.starts_at and a.title.casefold() == b.title.casefold()


def _one_address(a: EventDraft, b: EventDraft) -> bool:
    return a.starts_at == b.starts_at and a.url is not None and a.url == b.url
