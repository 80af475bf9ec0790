"""Which occupation group the domains of the catalogue belong to, and how people move between these groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue

# The 22 major occupation groups of the Current Population Survey, in its order, by the fields and domains whose people
# mostly work there. Fields that are no line of work (culture, mind) are left out: for them no move is known.
GROUPS: tuple[tuple[str, ...], ...] = (
    ("business", "leadership"),  # management
    ("finance",),  # business and financial operations
    ("technology", "data"),  # computer and mathematical
    ("engineering", "built-environment", "robotics-making", "embedded"),  # architecture and engineering
    ("science",),  # life, physical and social science
    ("civic", "mental-health-and-support"),  # community and social service
    ("law",),
    ("education",),
    ("arts", "design", "media-and-communications"),
    ("health",),  # healthcare practitioners
    ("nursing-and-care",),  # healthcare support
    ("safety-and-emergency",),  # protective service
    ("food",),
    (),  # cleaning and maintenance
    ("sports",),  # personal care, which counts fitness instructors and guides
    ("sales-and-negotiation", "commerce-and-services"),
    ("workplace-it",),  # office and administrative
    ("nature",),  # farming, fishing and forestry
    ("building-trades",),  # construction
    ("making-and-repair",),  # installation and repair
    ("crafts", "manufacturing-and-industry"),  # production
    ("logistics-and-transport",),  # transportation
)
STAYING = 1.5  # log lift between domains of the same group: the table of moves says nothing of moves inside one


def occupation_groups(catalogue: Catalogue) -> NDArray[np.intp]:
    """Return (n_domains,): the number of each domain's occupation group, -1 where it has none."""
    by_name = {name: number for number, names in enumerate(GROUPS) for name in names}
    fields = {topic.domain: topic.field for topic in catalogue.topics}
    return np.array([by_name.get(slug, by_name.get(fields[slug], -1)) for slug in catalogue.domains])


def log_moves(moves: NDArray[np.float64], catalogue: Catalogue) -> NDArray[np.float32]:
    """Return (n_domains, n_domains): log lift of moving from one domain's line of work to another's, 0 if unknown."""
    leaving = moves.copy()
    np.fill_diagonal(leaving, 0)
    expected = np.outer(leaving.sum(axis=1), leaving.sum(axis=0)) / leaving.sum()
    lift = np.log((leaving + 1) / (expected + 1))
    np.fill_diagonal(lift, STAYING)
    group = occupation_groups(catalogue)
    known = group >= 0
    return np.where(known[:, None] & known[None, :], lift[np.ix_(group, group)], 0).astype(np.float32)
