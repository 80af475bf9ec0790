"""A slate as a whole: exploring by a stable draw, reactions that move it, what is left out and why, habits, company."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from recommender.candidate import Candidate
from recommender.catalogue import load_catalogue
from recommender.event_table import Askers
from recommender.habits import hour_of_week, learn_habits
from recommender.ranking import Person, choose, left_out
from recommender.reach import geography
from recommender.reactions import OF_A_PERSON, Reaction, offsets_of
from recommender.tabulating import tabulate
from recommender.topic_worth import score_topics

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
NURSE = {"nursing": 4, "health-care": 3}


def evenings(n: int, *, seed: int = 0) -> list[Candidate]:
    """Return evenings about one to three topics at random, a third of them by one of ten communities."""
    rng = np.random.default_rng(seed)
    slugs = [topic.slug for topic in load_catalogue()]
    return [
        Candidate(
            id=number,
            topics={
                slugs[at]: round(float(rng.uniform(0.2, 1)), 3)
                for at in rng.integers(0, len(slugs), rng.integers(1, 4))
            },
            starts_at=NOW + timedelta(hours=int(rng.integers(1, 500))),
            mode=("in_person", "online")[int(rng.integers(2))],
            community=f"community {number % 30}" if number % 3 else None,
            title=f"Evening {number}",
        )
        for number in range(n)
    ]


@pytest.mark.parametrize("open_to_them", [1.0, 0.3, 0.01])
def test_pruned_search_finds_the_same_events_as_scoring_all_of_them(open_to_them: float) -> None:
    table = tabulate(evenings(5000))
    catalogue = load_catalogue()
    rng = np.random.default_rng(1)
    people = [score_topics(known, "one-step") for known in (NURSE, {"javascript": 4}, {}, {"painting": 2, "tax": 5})]
    askers = Askers(
        worth=np.stack([topics.score for topics in people]).astype(np.float32),
        inside=np.stack([topics.inside for topics in people]),
        home=np.stack(
            [[topic.field == field for topic in catalogue] for field in ("health", "technology", "", "arts")]
        ),
        suits=np.where(rng.random((len(people), 5000)) < open_to_them, rng.random((len(people), 5000)), 0).astype("f4"),
    )
    every = np.arange(5000)
    for n in (1, 50, 700, 5000):
        for person, found in enumerate(table.best(askers, n=n)):
            scores = table.score(askers, np.full(5000, person), every)
            expected = [place for place in np.argsort(-scores, kind="stable")[:n].tolist() if scores[place] > 0]
            assert found.events.tolist() == expected
            assert found.scores.tolist() == scores[expected].tolist()


def test_slate_has_seven_places_and_no_community_twice() -> None:
    table = tabulate(evenings(3000))
    slate = choose(Person(NURSE), table, now=NOW)
    communities = [choice.candidate.community for choice in slate if choice.candidate.community is not None]
    assert (len(slate), len(communities)) == (7, len(set(communities)))


def test_exploring_takes_one_place_and_the_same_one_all_week() -> None:
    table = tabulate(evenings(3000))
    sure = choose(Person(NURSE), table, now=NOW)
    slates = [choose(Person(NURSE, seed=f"7:2026-W{week}"), table, now=NOW) for week in (49, 49, 50, 51, 52)]
    assert slates[0] == slates[1]
    assert [choice.explorative for choice in slates[0]] == [False] * 6 + [True]
    assert [choice.candidate for choice in slates[0][:6]] == [choice.candidate for choice in sure[:6]]
    assert len({slate[-1].candidate.id for slate in slates}) > 1


def test_reactions_move_topics_and_their_domains_and_nothing_else() -> None:
    domain = geography(load_catalogue()).domain
    index = load_catalogue().index
    liked = offsets_of(domain, [Reaction(index["painting"], 0.5, welcome=True)] * 3)
    assert liked.mean[index["painting"]] > liked.mean[index["drawing"]] > 0
    assert liked.mean[index["nursing"]] == 0
    assert liked.own_sd[index["painting"]] < OF_A_PERSON.topic
    assert liked.shared_sd[index["drawing"]] < OF_A_PERSON.domain
    both = offsets_of(domain, [Reaction(index["painting"], 0.5, welcome=welcome) for welcome in (True, False)])
    assert abs(both.mean[index["painting"]]) < 1e-9


def test_dismissed_domain_sinks_in_the_ranking() -> None:
    table = tabulate(evenings(3000))
    before = choose(Person(NURSE), table, now=NOW)
    catalogue = load_catalogue()
    domain = catalogue[before[0].topic].domain
    refused = [Reaction(place, 0.5, welcome=False) for place, topic in enumerate(catalogue) if topic.domain == domain]
    offsets = offsets_of(geography(catalogue).domain, refused)
    after = choose(Person(NURSE, offsets=offsets), table, now=NOW)
    assert catalogue[after[0].topic].domain != domain


def test_events_nobody_could_go_to_are_not_chosen_and_near_ones_come_first() -> None:
    near, far, unreachable = (
        Candidate(number, {"public-health": 0.9}, NOW + timedelta(days=1), title=str(number)) for number in range(3)
    )
    table = tabulate([far, near, unreachable])
    slate = choose(
        Person({"nursing": 3}),
        table,
        now=NOW,
        feasible=np.array([True, True, False]),
        distance_km=np.array([40.0, 2.0, 1.0]),
    )
    assert [choice.candidate for choice in slate] == [near, far]


def test_hidden_topic_never_comes_even_as_an_aside() -> None:
    talk = Candidate(1, {"public-health": 0.9, "nutrition": 0.1}, NOW + timedelta(days=1))
    other = replace(talk, id=2, topics={"public-health": 0.9})
    person, table = Person({"nursing": 3}, hidden=frozenset({"nutrition"})), tabulate([talk, other])
    choices = choose(person, table, now=NOW)
    assert [choice.candidate.id for choice in choices] == [2]
    assert [(one.candidate.id, one.because, one.detail) for one in left_out(person, table, choices)] == [
        (1, "hidden-topic", "nutrition")
    ]


def test_what_is_left_out_says_why() -> None:
    soon = NOW + timedelta(days=1)
    candidates = [
        Candidate(1, {"public-health": 0.9}, soon),
        Candidate(2, {"nursing": 0.9}, soon),
        Candidate(3, {"public-health": 0.8}, soon),
        Candidate(4, {"nutrition": 0.9}, soon, purpose={"sell": 0.9, "learn": 0.1}),
        Candidate(5, {"cobol": 0.9}, soon),
        Candidate(6, {}, soon),
    ]
    person = Person({"nursing": 3})
    table = tabulate(candidates)
    told = left_out(person, table, choose(person, table, now=NOW, limit=1))
    assert [(one.candidate.id, one.because, one.detail) for one in told] == [
        (2, "inside", "nursing"),
        (3, "outranked", "public-health"),
        (4, "purpose", "sell"),
        (5, "no-path", "cobol"),
        (6, "no-topic", ""),
    ]


def test_asking_for_pitches_makes_them_as_good_as_talks() -> None:
    pitch = Candidate(1, {"public-health": 0.9}, NOW + timedelta(days=1), purpose={"sell": 1.0})
    talk = replace(pitch, id=2, purpose={"learn": 1.0})
    scores = {}
    for event in (pitch, talk):
        (choice,) = choose(Person({"nursing": 3}, purposes=frozenset({"sell"})), tabulate([event]), now=NOW)
        scores[event.id] = choice.score
    assert scores[1] == scores[2]


def test_habits_are_those_of_the_local_clock_and_weak_at_first() -> None:
    nashville = ZoneInfo("America/Chicago")
    tuesdays = [datetime(2026, 11, day, 19, 0, tzinfo=nashville) for day in (3, 10, 17, 24)]
    offered = np.array([24 * weekday + hour for weekday in range(7) for hour in (10, 19)] * 4)
    tuesday, morning = datetime(2026, 12, 1, 19, 0, tzinfo=nashville), datetime(2026, 12, 3, 10, 0, tzinfo=nashville)
    nobody, once, often = (learn_habits(visited, offered) for visited in ([], tuesdays[:1], tuesdays * 3))
    assert np.allclose(nobody.factor, 1.0)
    asked = np.array([hour_of_week(tuesday), hour_of_week(morning)])
    of_once, of_often = (habits.of(asked) for habits in (once, often))
    assert of_often[0] > of_once[0] > 1 > of_once[1] > of_often[1]


def test_living_groups_and_groups_of_ones_own_company_come_first() -> None:
    soon = NOW + timedelta(days=1)
    quiet = Candidate(1, {"public-health": 0.9}, soon, community="a", alive=0.1, title="One")
    alive = replace(quiet, id=2, community="b", alive=1.0, title="Two")
    person = Person({"nursing": 3})
    table = tabulate([quiet, alive])
    assert table.worth[1] > table.worth[0]
    (best,) = choose(replace(person, together={"a": 3.0}), table, now=NOW, limit=1)
    assert best.candidate.id == 1
