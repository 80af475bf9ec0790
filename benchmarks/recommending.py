"""What it costs to rank: one person against 50,000 upcoming events, ten thousand people against them, and their growth.

Events are about one to five topics of the catalogue, some topics far more often than others; people know one to ten.
Beside it stand the bare product of the same matrices (scipy, blocks of people) and an exact search over as many dense
vectors of 256 dimensions (faiss-cpu; its row is missing where that is not installed). Neither picks events by place,
purpose or time, or says what carries them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median

import numpy as np
from scipy.sparse import csr_matrix

from benchmarks.dense_search import seconds_a_person
from benchmarks.measure import Row, megabytes, seconds, table
from recommender.candidate import Candidate
from recommender.catalogue import load_catalogue
from recommender.event_table import Askers, EventTable
from recommender.ranking import Person, choose
from recommender.tabulating import tabulate
from recommender.topic_worth import score_topics

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
EVENTS, DIMENSIONS, TOP = 50_000, 256, 50
PEOPLE = 256  # measured, as one block; ten thousand are forty of them, in the same memory
ONE_BY_ONE = 60
ASKED_OF_DENSE = 512  # at once, which suits faiss: with 256 it took ten times as long a person


def rows(*, events: int = EVENTS) -> Iterator[Row]:
    people = crowd(PEOPLE)
    upcoming = tabulate(evenings(events))
    askers = asking(people, upcoming)
    yield one_person(upcoming)
    yield from many_people(askers, upcoming)
    yield from growth(people, askers)


def one_person(upcoming: EventTable) -> Row:
    choose(Person({}), upcoming, now=NOW)  # what is read and indexed once
    people = crowd(ONE_BY_ONE, seed=4)
    afresh, again = ([cost(person, upcoming) for person in people] for _ in range(2))
    return Row(
        f"a slate for one person from {len(upcoming):,} upcoming events",
        f"{median(afresh) * 1000:.1f} ms",
        f"a second time, their topics remembered: {median(again) * 1000:.1f} ms",
    )


def cost(person: Person, upcoming: EventTable) -> float:
    begun = time.process_time()
    choose(person, upcoming, now=NOW)
    return time.process_time() - begun


def many_people(askers: Askers, upcoming: EventTable) -> Iterator[Row]:
    carrying, weights = matrices(upcoming)
    worth, inside = (np.ascontiguousarray(part.T, np.float32) for part in (askers.worth, askers.inside))
    spent = seconds(lambda: upcoming.best(askers, n=TOP), lambda: (carrying @ worth, weights @ inside))
    ours, bare = (len(askers.worth) / each for each in spent)
    what = f"the best {TOP} of {len(upcoming):,} events for people, a core"
    yield Row(what, f"{ours:,.0f} people/s", f"bare sparse products {bare:,.0f}", f"{ours / bare:.2f}×")
    dense = seconds_a_person(events=len(upcoming), people=ASKED_OF_DENSE, dimensions=DIMENSIONS, top=TOP)
    if dense is not None:
        beside = f"faiss, {DIMENSIONS} dimensions {1 / dense:,.0f}"
        yield Row(what, f"{ours:,.0f} people/s", beside, f"{ours * dense:.2f}×")
    held = megabytes(lambda: upcoming.best(askers, n=TOP))
    yield Row(f"memory of a block of {len(askers.worth)} people", f"{held:.0f} MB")


def growth(people: Sequence[Person], askers: Askers) -> Iterator[Row]:
    costs = []
    for size in (3_000, 12_000, EVENTS):
        upcoming = tabulate(evenings(size))
        upcoming.best(askers, n=TOP)
        costs.append(
            (f"{size:,} events", seconds(lambda upcoming=upcoming: upcoming.best(askers, n=TOP))[0] / len(people))
        )
    for number in (16, 64, 256):
        few = Askers(askers.worth[:number], askers.inside[:number], askers.home[:number])
        costs.append((f"blocks of {number} people", seconds(lambda few=few: upcoming.best(few, n=TOP))[0] / number))
    for number in (3, 30, 300):
        each = [cost(person, upcoming) for person in crowd(9, knows=number, seed=5)]
        costs.append((f"{number} known topics", median(each)))
    for start in range(0, len(costs), 3):
        first = costs[start][1]
        for what, each in costs[start : start + 3]:
            yield Row(
                f"a person with {what}",
                f"{each * 1000:.2f} ms",
                f"{costs[start][0]}: {first * 1000:.2f} ms",
                f"{each / first:.2f}×",
            )


def evenings(n: int) -> list[Candidate]:
    rng = np.random.default_rng(1)
    slugs = [topic.slug for topic in load_catalogue()]
    often = 1 / np.arange(1, len(slugs) + 1) ** 0.8
    drawn = rng.permutation(len(slugs))[rng.choice(len(slugs), size=(n, 5), p=often / often.sum())]
    sure = rng.uniform(0.3, 1, (n, 5))
    many = rng.integers(1, 6, n)
    ahead, alive = rng.integers(1, 24 * 90, n), rng.random(n)
    return [
        Candidate(
            id=number,
            topics={
                slugs[topic]: float(sure[number, slot]) for slot, topic in enumerate(drawn[number, : many[number]])
            },
            starts_at=NOW + timedelta(hours=int(ahead[number])),
            mode="online" if number % 3 == 0 else "in_person",
            community=f"community {number % 3000}",
            title=f"Evening {number}",
            alive=float(alive[number]),
        )
        for number in range(n)
    ]


def crowd(n: int, *, knows: int | None = None, seed: int = 2) -> list[Person]:
    rng = np.random.default_rng(seed)
    slugs = [topic.slug for topic in load_catalogue()]
    return [
        Person(
            {
                slugs[at]: int(rng.integers(1, 6))
                for at in rng.choice(len(slugs), knows or int(rng.integers(1, 11)), False)
            }
        )
        for _ in range(n)
    ]


def asking(people: Sequence[Person], upcoming: EventTable) -> Askers:
    index = load_catalogue().index
    scores = [score_topics(person.known, person.reach) for person in people]
    return Askers(
        worth=np.stack([np.where(one.is_path, one.score, 0) for one in scores]).astype(np.float32),
        inside=np.stack([one.inside for one in scores]),
        home=np.stack([np.isin(upcoming.field, upcoming.field[[index[slug] for slug in one.known]]) for one in people]),
    )


def matrices(upcoming: EventTable) -> tuple[csr_matrix, csr_matrix]:
    """Return what scoring multiplies: topics that carry events, and what events are about, (n_events, n_topics) each."""
    shape = (len(upcoming), len(upcoming.field))
    both = []
    for table_ in (upcoming.carrying, upcoming.weights):
        event, slot = np.nonzero(table_.T)
        both.append(csr_matrix((table_[slot, event], (event, upcoming.topics[slot, event])), shape=shape))
    return both[0], both[1]


if __name__ == "__main__":
    print(table(rows(events=int(sys.argv[1]) if sys.argv[1:] else EVENTS)))
