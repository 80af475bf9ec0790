"""Step 6d, reasons: the path from what somebody knows to what an event is about, and the evidence for it.

Every number comes from `Adjacency.evidence`; where there is none, the reason says so. Nothing is ever made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recommender.adjacency import Adjacency, Evidence, load_adjacency
from recommender.catalogue import Topic
from recommender.ranking import Choice
from recommender.reach import Reach, beside_of

SHOWN_EVIDENCE = 2
MOST_WEIGHED = 30  # known topics that are weighed one by one as the start of a path
TELLING_LIFT = 1.15  # a move hardly more frequent than anybody's is no evidence of a path
LARGEST_LIFT = 50  # beyond it a ratio tells of few counts
NOTHING_KNOWN = "A new pairing: no figures from your field yet."


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an event was picked, in words every channel shows."""

    path: tuple[str, str]  # labels: what the person knows, what the event is about
    reach: Reach
    sentence: str
    evidence: tuple[str, ...]


def explain(choice: Choice, known: Mapping[str, int]) -> Reason:
    """Return the reason for a choice."""
    adjacency = load_adjacency()
    target = adjacency.catalogue[choice.topic]
    if not known:
        sentence = f"Picked without knowing you: {target.label}, {target.gloss}."
        return Reason((target.label, target.label), choice.reach, sentence, (_popular(adjacency, target),))
    source = adjacency.catalogue[source_of(known, choice.topic)]
    found = adjacency.evidence(source.slug, target.slug)
    counted = [one for one in found if one.kind != "neighbours" and one.lift >= TELLING_LIFT]
    told = [_sentence(one, source, target) for one in counted or found if one in counted or one.kind == "neighbours"]
    return Reason(
        path=(source.label, target.label),
        reach=choice.reach,
        sentence=_step(source, target, choice.reach),
        evidence=tuple(told[:SHOWN_EVIDENCE]) or (NOTHING_KNOWN,),
    )


def source_of(known: Mapping[str, int], topic: str) -> str:
    """Return the known topic from which another is best reached: what raises it most, else what stands beside it."""
    adjacency = load_adjacency()
    shares = adjacency.shares(_nearest(known, topic, adjacency), topic)
    if shares:
        return shares[0][0]
    beside = beside_of(topic, adjacency.catalogue)
    target = adjacency.catalogue[topic]
    return max(
        known,
        key=lambda slug: (
            slug in beside,
            adjacency.catalogue[slug].domain == target.domain,
            adjacency.catalogue[slug].field == target.field,
            known[slug],
            slug,
        ),
    )


def _nearest(known: Mapping[str, int], topic: str, adjacency: Adjacency) -> Mapping[str, int]:
    """Return the known topics that say most of a topic: what each of hundreds adds takes as long as all of them."""
    if len(known) <= MOST_WEIGHED:
        return known
    index = adjacency.catalogue.index
    lifts = adjacency.fine[[index[slug] for slug in known], index[topic]]
    best = sorted(zip(-lifts, known, strict=True))[:MOST_WEIGHED]
    return {slug: known[slug] for _, slug in best}


def _step(source: Topic, target: Topic, reach: Reach) -> str:
    """Say in one true sentence what the step from one topic to the other leads to."""
    about = f"{target.label}: {target.gloss}" if target.gloss else target.label
    match reach:
        case "next-door":
            return f"You know {source.label}. Right next door is {about}."
        case "one-step":
            return f"You know {source.label}. One step from it lies {about}."
        case "two-steps":
            return f"You know {source.label}. Two steps on you come to {about}."
        case "far":
            return f"You know {source.label}. Far from it, for a change of air: {about}."


def _sentence(evidence: Evidence, source: Topic, target: Topic) -> str:
    a, b = source.label, target.label
    match evidence.kind:
        case "survey":
            assert evidence.n is not None
            assert evidence.share is not None
            assert evidence.base is not None
            return (
                f"Of {evidence.n:,} surveyed developers who know {a} but not {b}, {percent(evidence.share)} want it next; "
                f"of all who do not know it, {percent(evidence.base)} do (Stack Overflow Developer Survey 2024)."
            )
        case "groups":
            assert evidence.n is not None
            assert evidence.share is not None
            return (
                f"Of {evidence.n:,} meetup groups about {a}, {percent(evidence.share)} are also about {b}, "
                f"{times(evidence.lift)} as many as among all groups."
            )
        case "people":
            assert evidence.n is not None
            assert evidence.share is not None
            return (
                f"Of {evidence.n:,} developers who describe themselves with {a}, {percent(evidence.share)} also name {b}, "
                f"{times(evidence.lift)} as many as among all."
            )
        case "communities":
            return (
                f"People who write in online communities about {a} turn up in those about {b} "
                f"{times(evidence.lift)} as often as elsewhere."
            )
        case "neighbours":
            return f"No figures for this step; {a} and {b} are neighbours in our catalogue of topics."


def _popular(adjacency: Adjacency, target: Topic) -> str:
    want = float(adjacency.want({})[adjacency.catalogue.index[target.slug]])
    return f"About {percent(want)} of people would like to know more of it; tell us what you know for a real reason."


def percent(share: float) -> str:
    """Return a share as people read it: "31 %", "0.6 %"."""
    return f"{share * 100:.1f} %" if share < 0.01 else f"{share * 100:.0f} %"


def times(lift: float) -> str:
    """Return how many times as often: "1.4 times", "12 times", "more than 50 times"."""
    if lift > LARGEST_LIFT:
        return f"more than {LARGEST_LIFT} times"
    return f"{lift:.1f} times" if lift < 9.95 else f"{lift:.0f} times"
