"""Step 6c, the slate: from events in the order of their scores to a slate that is worth reading as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PER_DOMAIN, PER_TOPIC, PER_COMMUNITY, PER_SERIES, PER_TITLE, PER_DAY = 2, 1, 1, 1, 1, 3
# An event is no longer worth an evening below this share of the third best, at home and outside: one that stands out
# does not make the others worse.
WORTH, YARDSTICK = 0.05, 3

Codes = NDArray[np.integer]


class Offers(NamedTuple):
    """Events in the order of their scores, as far as a slate minds them; all (n,). Equal codes are the same; -1 is none."""

    score: NDArray[np.float64]
    topic: Codes
    domain: Codes
    is_home: NDArray[np.bool_]  # about a field the person works in
    is_own: NDArray[np.bool_]  # about a domain of which they know two topics or more
    community: Codes
    series: Codes
    title: Codes
    day: Codes


@dataclass(frozen=True, slots=True)
class Filled:
    places: list[int]  # of the offers, best first
    exploring: int | None  # the offer that is shown to find out
    is_final: bool  # whether worse offers could not have changed it


def fill_slate(
    offers: Offers, *, limit: int, at_home: int, in_own: int, luck: NDArray[np.float64] | None = None
) -> Filled:
    """Take the best first, at most two a domain, one a topic, community, series and title, three a day.

    At most `at_home` are about fields the person works in and `in_own` about domains of their own. When that leaves
    places open, events of topics already shown may fill them, then more of the fields at home; never of the same
    community. With `luck`, what each score is multiplied by in one draw of what is believed of its topic, the last place
    goes to the offer that draws best (Thompson sampling).
    """
    worthy, beyond = _worthy(offers)
    sure = limit if luck is None else limit - 1
    taken: list[int] = []
    is_final = False
    for number, (per_topic, most_home) in enumerate(((PER_TOPIC, at_home), (PER_DOMAIN, at_home), (PER_TOPIC, limit))):
        free = worthy & _admitted(offers, taken, per_topic=per_topic, at_home=most_home, in_own=in_own)
        while len(taken) < sure and free.any():
            taken.append(int(free.argmax()))
            _shut_out(free, offers, taken, per_topic=per_topic, at_home=most_home, in_own=in_own)
        if number == 0:
            # Later passes come back to what earlier ones passed over, among all that is worth an evening.
            is_final = len(taken) == sure or beyond
    exploring = None
    if luck is not None:
        free = worthy & _admitted(offers, taken, per_topic=PER_TOPIC, at_home=at_home, in_own=in_own)
        if free.any():
            exploring = int(np.where(free, offers.score * luck, -1.0).argmax())
    return Filled(sorted(taken), exploring, is_final)


def _worthy(offers: Offers) -> tuple[NDArray[np.bool_], bool]:
    """Return which offers are worth an evening, (n,), and whether none that scores less than they all is."""
    worthy = np.zeros(len(offers.score), np.bool_)
    floors = []
    for kind in (offers.is_home, ~offers.is_home):
        best = offers.score[kind][:YARDSTICK]
        floors.append(WORTH * best[-1] if len(best) else 0.0)
        worthy |= kind & (offers.score >= floors[-1])
    return worthy, bool(len(offers.score)) and bool(offers.score[-1] < min(floors))


def _admitted(offers: Offers, taken: list[int], *, per_topic: int, at_home: int, in_own: int) -> NDArray[np.bool_]:
    """Return which offers may join those taken, (n,)."""
    admitted = np.ones(len(offers.score), np.bool_)
    for number in range(len(taken) + 1):
        _shut_out(admitted, offers, taken[:number], per_topic=per_topic, at_home=at_home, in_own=in_own)
    return admitted


def _shut_out(
    free: NDArray[np.bool_], offers: Offers, taken: list[int], *, per_topic: int, at_home: int, in_own: int
) -> None:
    """Take from the offers that are free, (n,), those that may not join any more after the last one was taken."""
    for last in taken[-1:]:
        free[last] = False
        for codes, most in (
            (offers.topic, per_topic),
            (offers.domain, PER_DOMAIN),
            (offers.community, PER_COMMUNITY),
            (offers.series, PER_SERIES),
            (offers.title, PER_TITLE),
            (offers.day, PER_DAY),
        ):
            code = codes[last]
            if code >= 0 and np.count_nonzero(codes[taken] == code) >= most:
                free &= codes != code
    for kind, most in ((offers.is_home, at_home), (offers.is_own, in_own)):
        if np.count_nonzero(kind[taken]) >= most:
            free &= ~kind
