"""Step 6 for communities, which of them: those that were seen to live first, some of them always a step or more outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from recommender.candidate import Choice
from recommender.event_table import EventTable
from recommender.ranking import Person, choose
from recommender.reach import REACHES, Reach

UNSEEN = 1 / 3  # share of the choices for which only their own word speaks, where enough others live
OUTSIDE = 3  # that live and lie a step or more outside; a wider reach is asked for those that are missing

Best = Callable[[Reach], Sequence[Choice]]


def choose_communities(
    person: Person,
    table: EventTable,
    *,
    now: datetime,
    limit: int,
    joinable: NDArray[np.bool_],
    is_seen: NDArray[np.bool_],
    distance_km: NDArray[np.floating],
) -> list[Choice]:
    """Return at most `limit` communities of a table: those that were seen to live, then those nobody has looked at.

    `joinable` marks those the person could take part in, `is_seen` those that met or answered, both (n_communities,).
    """

    def best(among: NDArray[np.bool_], reach: Reach, most: int) -> list[Choice]:
        if not among.any():
            return []
        asking = replace(person, reach=reach)
        return choose(asking, table, now=now, limit=most, feasible=among, distance_km=distance_km)

    unseen = best(joinable & ~is_seen, person.reach, limit)
    most = limit - min(len(unseen), int(UNSEEN * limit))
    seen = _with_others(person, lambda reach: best(joinable & is_seen, reach, most), most)
    told = {choice.topic for choice in seen}
    return [*seen, *sorted(unseen, key=lambda choice: choice.topic in told)][:limit]


def _with_others(person: Person, best: Best, most: int) -> list[Choice]:
    """Return the best ones, those next door giving way where fewer than OUTSIDE lie further out."""
    chosen = list(best(person.reach))
    for reach in REACHES[REACHES.index(person.reach) + 1 :] if person.known else ():
        near = [choice for choice in chosen if choice.reach == "next-door"]
        missing = min(OUTSIDE, most) - (len(chosen) - len(near))
        if missing <= 0:
            break
        ids, topics = {choice.candidate.id for choice in chosen}, {choice.topic for choice in chosen}
        others = [
            choice
            for choice in best(reach)
            if choice.candidate.id not in ids and choice.topic not in topics and choice.reach != "next-door"
        ][:missing]
        too_many = max(0, len(chosen) + len(others) - most)
        giving_way = {choice.candidate.id for choice in near[len(near) - too_many :]}
        chosen = [*(choice for choice in chosen if choice.candidate.id not in giving_way), *others]
    return chosen
