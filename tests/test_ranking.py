"""Ranking: what is inside stays out, the dial turns, pitches are asked for or left, a slate is diverse."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from recommender.candidate import Candidate, Choice, is_wanted
from recommender.catalogue import load_catalogue
from recommender.ranking import Person, choose, suitability
from recommender.reach import REACHES, Reach
from recommender.tabulating import tabulate
from recommender.topic_worth import rank_topics, score_topics

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
FRONT_END = {"javascript": 4, "react": 3, "css": 3}
NURSE = {"nursing": 4, "health-care": 3}


def known(*labels: str) -> dict[str, int]:
    topics = [load_catalogue().resolve(label) for label in labels]
    return {topic.slug: 3 for topic in topics if topic is not None}


def event(number: int, topic: str, **fields: object) -> Candidate:
    """Return an evening wholly about one topic, each on a day of its own by a community of its own."""
    found = load_catalogue().resolve(topic)
    assert found is not None
    base = Candidate(
        id=number,
        topics={found.slug: 0.9},
        starts_at=NOW + timedelta(days=number),
        mode="in_person",
        community=f"community {number}",
        title=f"Evening {number}",
    )
    return replace(base, **fields)


def ranked(
    knows: dict[str, int],
    candidates: list[Candidate],
    *,
    reach: Reach = "one-step",
    purposes: frozenset[str] = frozenset(),
    limit: int = 10,
) -> list[Choice]:
    return choose(Person(knows, reach, purposes), tabulate(candidates), now=NOW, limit=limit)


def ids(knows: dict[str, int], candidates: list[Candidate], **how: object) -> list[int]:
    return [choice.candidate.id for choice in ranked(knows, candidates, **how)]


def worth(candidate: Candidate) -> float:
    """Return what makes an evening good whatever it is about and whoever asks."""
    table = tabulate([candidate])
    return float(table.worth[0] * suitability(Person({}), table, now=NOW)[0])


def test_events_inside_what_somebody_knows_are_no_picks() -> None:
    candidates = [event(1, "React"), event(2, "Vue.js"), event(3, "UX design"), event(4, "Data visualisation")]
    assert sorted(ids(known("JavaScript", "React", "CSS"), candidates)) == [3, 4]


def test_event_mostly_inside_is_no_pick_whatever_else_it_is_about() -> None:
    javascript, ux = (load_catalogue().resolve(name).slug for name in ("JavaScript", "UX design"))
    mostly_inside = event(1, "UX design", topics={javascript: 0.9, ux: 0.5})
    assert ids(known("JavaScript", "CSS"), [mostly_inside]) == []


def test_next_door_lets_the_own_domain_in_and_one_step_does_not() -> None:
    candidates = [event(1, "Svelte"), event(2, "UX design")]
    knows = known("JavaScript", "CSS")
    assert 1 in ids(knows, candidates, reach="next-door")
    assert 1 not in ids(knows, candidates, reach="one-step")


@pytest.mark.parametrize(("reach", "first"), [("one-step", "Public health"), ("far", "Astronomy")])
def test_dial_moves_the_ring(reach: str, first: str) -> None:
    candidates = [event(1, "Public health"), event(2, "Astronomy")]
    (best, *_) = ranked(known("Nursing"), candidates, reach=reach)
    assert load_catalogue()[best.topic].label == first


def test_what_everybody_likes_does_not_push_out_what_knowing_something_raises() -> None:
    candidates = [event(1, "Hiking"), event(2, "Public health"), event(3, "Health policy")]
    assert ids(known("Nursing", "Health care"), candidates)[:2] == [2, 3]


def test_pitches_and_job_fairs_come_only_when_asked_for() -> None:
    pitch = event(1, "Public health", purpose={"sell": 0.8, "learn": 0.2})
    fair = event(2, "Social work", purpose={"recruit": 0.7, "exchange": 0.3})
    talk = event(3, "Nutrition", purpose={"learn": 1.0})
    assert ids(known("Nursing"), [pitch, fair, talk]) == [3]
    assert sorted(ids(known("Nursing"), [pitch, fair, talk], purposes=frozenset({"sell", "recruit"}))) == [1, 2, 3]
    assert not is_wanted({"sell": 0.3, "recruit": 0.3})


def test_discussion_in_the_room_is_worth_more_than_a_webinar_and_a_living_group_more_than_a_dead_one() -> None:
    room = event(1, "Public health", purpose={"exchange": 1.0}, alive=1.0)
    assert worth(room) > worth(replace(room, mode="online"))
    assert worth(room) > worth(replace(room, purpose={"social": 1.0}))
    assert worth(room) > worth(replace(room, alive=0.0))
    assert worth(replace(room, distance_km=2.0)) > worth(replace(room, distance_km=40.0))
    assert worth(replace(room, welcomes=1.0)) > worth(room)


def test_slate_holds_two_a_domain_one_a_community_and_one_of_a_series() -> None:
    candidates = [
        event(1, "UX design"),
        event(2, "User research"),
        event(3, "Interaction design"),
        event(4, "Data visualisation", community="club"),
        event(5, "Teaching", community="club"),
        event(6, "Graphic design", series="weekly"),
        event(7, "Product management", series="weekly"),
    ]
    choices = ranked(known("JavaScript", "CSS"), candidates)
    domains = [load_catalogue()[choice.topic].domain for choice in choices]
    assert all(domains.count(domain) <= 2 for domain in domains)
    assert len({4, 5} & {choice.candidate.id for choice in choices}) == 1
    assert len({6, 7} & {choice.candidate.id for choice in choices}) == 1


def test_most_places_go_to_other_fields_than_ones_own() -> None:
    technical = ["Linux", "Python", "Go", "AWS", "Docker", "Rust", "iOS development", "Cybersecurity", "Robotics"]
    other = ["UX design", "Public speaking", "Teaching", "Photography", "Entrepreneurship", "Psychology"]
    candidates = [event(number, topic) for number, topic in enumerate([*technical, *other], 1)]
    choices = ranked(known("JavaScript", "CSS"), candidates)
    assert sum(load_catalogue()[choice.topic].field == "technology" for choice in choices) <= 4


def test_nobody_in_particular_gets_varied_events_people_like() -> None:
    candidates = [event(1, "Photography"), event(2, "Creative writing"), event(3, "Hiking"), event(4, "Python")]
    assert sorted(ids({}, candidates)) == [1, 2, 3, 4]


def test_event_without_topics_or_with_unknown_ones_is_no_pick() -> None:
    assert ids(NURSE, [event(1, "Nutrition", topics={}), event(2, "Nutrition", topics={"no-such-topic": 1.0})]) == []


def test_all_reaches_score_every_topic_outside() -> None:
    for reach in REACHES:
        scores = score_topics(NURSE, reach)
        assert scores.score.shape == (len(load_catalogue()),)
        assert (scores.score[scores.inside] == 0).all()
        assert (scores.score[~scores.inside] > 0).all()
    assert rank_topics(NURSE).argmax() == score_topics(NURSE, "one-step").score.argmax()


def test_five_hundred_topics_are_as_good_as_five() -> None:
    everything = {topic.slug: 3 for topic in list(load_catalogue())[::4]}
    assert len(everything) > 500
    rest = [event(1, "Photography"), event(2, "Public health"), event(3, "Astronomy")]
    assert isinstance(ids(everything, rest), list)


def test_where_one_step_leads_hardly_anywhere_a_wider_reach_adds_some() -> None:
    lawyer = known("Contract law")
    topics = ("Music business", "Startups", "Human rights", "Product management", "Philosophy", "Entrepreneurship")
    candidates = [event(number, topic) for number, topic in enumerate(topics)]
    further = ids(lawyer, candidates, reach="two-steps")
    assert len(further) > 4
    assert len(ids(lawyer, candidates)) == 4
    assert ids(lawyer, candidates)[:2] == [0, 1]
    assert set(ids(lawyer, candidates)) <= {0, 1, *further}
    far_away = [replace(candidates[1], distance_km=5_000.0), *candidates[2:]]
    assert ids(lawyer, far_away, limit=2) == [1, 3]  # never more than were asked for
    assert [len(ids(lawyer, candidates, limit=limit)) for limit in (1, 2, 3)] == [1, 2, 3]
