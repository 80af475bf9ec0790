"""How well groups of one real city are guessed from where its people go already.

For members with groups in two categories or more: shown are the groups of their main category (most groups, then most
visits, then the first by name), truth are their other groups, candidates all groups outside the main category. 2,006 test
members as in earlier work on this city; settings were chosen on 2,006 others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.co_attendance import fit_co_attendance
from recommender.embedding import load_embedder
from recommender.learn import baselines, sources
from recommender.metrics import Result, ndcg, recall, result

TEST_MEMBERS = 2006
SEED = 0
BANNED = -1e9


@dataclass(frozen=True)
class City:
    names: tuple[str, ...]  # of groups
    category: NDArray[np.intp]  # (n_groups,)
    visits: NDArray[np.float32]  # (n_members, n_groups) how often they went

    def main_category(self) -> NDArray[np.intp]:
        """Return each member's, (n_members,)."""
        member = (self.category[:, None] == np.arange(self.category.max() + 1)).astype(np.float32)
        groups, visits = (self.visits > 0) @ member, self.visits @ member
        return np.asarray((groups * (visits.max() + 1) + visits).argmax(axis=1))


def read_city(folder: Path) -> City:
    groups = {row["group_id"]: row for row in sources.rows(folder / "nashville_groups.csv.gz")}
    place = {group: position for position, group in enumerate(groups)}
    visits: dict[str, dict[int, float]] = defaultdict(dict)
    for row in sources.rows(folder / "nashville_edges.csv.gz"):
        if row["group_id"] in place:
            visits[row["m"]][place[row["group_id"]]] = float(row["weight"])
    table = np.zeros((len(visits), len(groups)), np.float32)
    for number, member in enumerate(sorted(visits)):
        table[number, list(visits[member])] = list(visits[member].values())
    categories = sorted({row["category_name"] for row in groups.values()})
    category = np.array([categories.index(row["category_name"]) for row in groups.values()])
    return City(tuple(row["group_name"] for row in groups.values()), category, table)


def measure_city(folder: Path) -> Iterator[Result]:
    """Guess groups outside the category somebody mostly goes to."""
    city = read_city(folder)
    main = city.main_category()
    in_main = city.category[None] == main[:, None]  # (n_members, n_groups)
    goes = (city.visits > 0).astype(np.float32)
    wide = np.flatnonzero((goes * ~in_main).any(axis=1))
    np.random.default_rng(SEED).shuffle(wide)
    test = wide[:TEST_MEMBERS]
    train = np.setdiff1d(np.arange(len(goes)), test)
    known, truth = goes[test] * in_main[test], (goes[test] * ~in_main[test]).astype(np.float64)
    count = goes[train].sum(axis=0)
    by_category = np.stack([goes[train][main[train] == one].sum(axis=0) for one in range(main.max() + 1)])
    keys = [str(number) for number in range(len(city.names))]
    together = fit_co_attendance(
        ([keys[group] for group in np.flatnonzero(row)] for row in goes[train]),
        dict(zip(keys, map(str, city.category), strict=True)),
    )
    models = {
        "popularity": np.broadcast_to(count, truth.shape),
        "popularity in the main category": by_category[main[test]] + 1e-4 * count,
        "co-occurrence": baselines.co_occurrence(goes[train], known),
        "item-kNN": baselines.item_knn(goes[train], known),
        "EASE": baselines.ease(goes[train], known),
        "PageRank on shared members": baselines.page_rank(_shared(goes[train]), known),
        "co-attendance": together.chances([np.flatnonzero(row).tolist() for row in known]),
    }
    embedder = load_embedder()
    if embedder is not None:
        vectors = embedder.embed(list(city.names))
        models["sentence embeddings"] = baselines.nearest(vectors @ vectors.T, known)
    for model, scores in models.items():
        free = np.where(in_main[test], BANNED, scores)
        yield result("groups of a real city", "outside the main category", model, "nDCG@10", ndcg(free, truth, 10))
        yield result("groups of a real city", "outside the main category", model, "R@10", recall(free, truth, 10))


def _shared(goes: NDArray[np.float32]) -> NDArray[np.float32]:
    both = goes.T @ goes
    np.fill_diagonal(both, 0)
    return np.asarray(both)
