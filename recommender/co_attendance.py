"""What people who go to the same groups go to besides: it joins in once an instance has data of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# People of the same domain that a pair counts as besides those seen: of 10, 30, 100 and 300 the best on validation people
# of one city (nDCG@10 .184, .186, .190, .185; plain co-occurrence .186).
PSEUDO_PEOPLE = 100
PSEUDO_DOMAIN = 30  # and of everybody, for the rates within a domain
LEAST, MOST = 0.5, 3.0  # how many times as good or bad company makes an event


@dataclass(frozen=True)
class CoAttendance:
    groups: Mapping[str, int]  # key → position
    chance: Floats  # (n_groups, n_groups) of going to the column's group, for those who go to the row's
    usual: Floats  # (n_groups,) of going there, for anybody

    def chances(self, visits: Iterable[Collection[int]]) -> Floats:
        """Return P(goes to group) for people by the positions of the groups they go to, (n_people, n_groups).

        The mean over those groups; for who goes nowhere, the usual chance.
        """
        return np.stack([self.chance[list(mine)].mean(axis=0) if mine else self.usual for mine in visits])

    def together(self, visited: Collection[str]) -> dict[str, float]:
        """Return how many times as likely as anybody somebody is to go to each group, within LEAST … MOST."""
        mine = [self.groups[key] for key in visited if key in self.groups]
        (chance,) = self.chances([mine])
        times = np.clip(chance / np.maximum(self.usual, 1e-12), LEAST, MOST)
        return dict(zip(self.groups, times.tolist(), strict=True))


def fit_co_attendance(visits: Iterable[Collection[str]], domains: Mapping[str, str]) -> CoAttendance:
    """Learn from the groups each person goes to; `domains` names what each group is mainly about.

    Item-kNN whose neighbours are shrunk to popularity in the main domain: of n people in a group, those also in another
    are counted with PSEUDO_PEOPLE more, who go there as often as people of the first one's domain.
    """
    groups = {key: position for position, key in enumerate(domains)}
    names = list(dict.fromkeys(domains.values()))
    domain = np.array([names.index(domains[key]) for key in groups], np.intp)
    both = np.zeros((len(groups), len(groups)))
    in_domain = np.zeros((len(names), len(groups)))
    of_domain = np.zeros(len(names))
    n_people = 0
    for visited in visits:
        mine = np.array(sorted({groups[key] for key in visited if key in groups}), np.intp)
        both[np.ix_(mine, mine)] += 1
        here = np.unique(domain[mine])
        in_domain[np.ix_(here, mine)] += 1
        of_domain[here] += 1
        n_people += 1
    count = np.diag(both).copy()
    np.fill_diagonal(both, 0)
    usual = count / max(n_people, 1)
    rate = (in_domain + PSEUDO_DOMAIN * usual) / (of_domain[:, None] + PSEUDO_DOMAIN)  # (n_domains, n_groups)
    chance = (both + PSEUDO_PEOPLE * rate[domain]) / (count[:, None] + PSEUDO_PEOPLE)
    return CoAttendance(groups, chance, usual)
