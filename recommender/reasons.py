"""Step 6d, reasons: the path from what somebody knows to what an event is about, and the evidence for it.

Every number comes from `Adjacency.evidence`; where there is none, the reason says so. Nothing is ever made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recommender.adjacency import Adjacency, load_adjacency
from recommender.candidate import Choice
from recommender.catalogue import Topic
from recommender.evidence import Evidence
from recommender.log_odds import logit, sigmoid
from recommender.reach import Reach, beside_of

SHOWN_EVIDENCE = 2
MOST_WEIGHED = 30  # known topics that are weighed one by one as the start of a path
ASKED_SOURCES = 4  # known topics whose figures are looked at, those that raise the topic most
TELLING_LIFT = 1.15  # a move hardly more frequent than anybody's is no evidence of a path
TELLING_SHARE = 0.05  # nor are figures about one in thirty: "2 % want it next" convinces nobody
LARGEST_LIFT = 50  # beyond it a ratio tells of few counts
# Lifts between communities come from walks over who writes where: true in their order, not to the digit.
LARGEST_WALK = 10
NOTHING_KNOWN = "A new pairing: no figures from your field yet."


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an event was picked, in words every channel shows."""

    path: tuple[str, str]  # labels: what the person knows, what the event is about
    reach: Reach
    sentence: str
    evidence: tuple[str, ...]


def explain(choice: Choice, known: Mapping[str, int], *, drift: float = 0.0) -> Reason:
    """Return the reason for a choice; `drift` tells how much more its topic is wanted here than learned, in log-odds."""
    adjacency = load_adjacency()
    target = adjacency.catalogue[choice.topic]
    if not known:
        sentence = f"Picked without knowing you: {target.label}, {target.gloss}."
        return Reason((target.label, target.label), choice.reach, sentence, (_popular(adjacency, target, drift),))
    source, *others = (adjacency.catalogue[slug] for slug in sources_of(known, choice.topic)[:ASKED_SOURCES])
    told = [
        *_told(adjacency, source, target),
        # What somebody else they are says as much: a nurse who also writes is led to publishing by that.
        *(line for other in others for line in _figures(adjacency, other, target)[:1]),
        *_between_domains(adjacency, source, target),
    ]
    return Reason(
        path=(source.label, target.label),
        reach=choice.reach,
        sentence=_step(source, target, choice.reach),
        evidence=tuple(told[:SHOWN_EVIDENCE]) or (_by_way_of(source, target, adjacency) or NOTHING_KNOWN,),
    )


def _by_way_of(source: Topic, target: Topic, adjacency: Adjacency) -> str | None:
    """Return which neighbour of a known topic a step without figures goes by, or None where it goes by none."""
    catalogue = adjacency.catalogue
    beside = beside_of(target.slug, catalogue)
    between = [catalogue[slug] for slug in source.neighbours if slug != target.slug]
    # Travel stands beside golf and football alike, and says nothing of the way from one to the other; tennis does.
    fields = {source.field, target.field}
    for one in sorted(between, key=lambda topic: (topic.field not in fields, topic.slug not in beside)):
        if one.slug in beside or one.domain == target.domain:
            return (
                f"A new pairing, no figures yet: {target.label} lies near {one.label}, "
                f"which stands next to {source.label} in our catalogue of topics."
            )
    return None


def _told(adjacency: Adjacency, source: Topic, target: Topic) -> list[str]:
    """Return what is known of the step between two topics, the strongest first, or that it was laid by hand."""
    found = adjacency.evidence(source.slug, target.slug)
    by_hand = [_sentence(one, source.label, target.label) for one in found if one.kind == "neighbours"]
    return _figures(adjacency, source, target) or by_hand


def _figures(adjacency: Adjacency, source: Topic, target: Topic) -> list[str]:
    """Return the figures of the step between two topics; those too thin to convince are left out."""
    return [
        _sentence(one, source.label, target.label)
        for one in adjacency.evidence(source.slug, target.slug)
        if one.kind not in ("neighbours", "domains") and _is_telling(one)
    ]


def _between_domains(adjacency: Adjacency, source: Topic, target: Topic) -> list[str]:
    """Return what groups tell of the step between the wider subjects, where those differ."""
    names = adjacency.catalogue.domains
    return [
        _sentence(one, names[source.domain], names[target.domain])
        for one in adjacency.evidence(source.slug, target.slug)
        if one.kind == "domains" and _is_telling(one)
    ]


def _is_telling(evidence: Evidence) -> bool:
    return evidence.lift >= TELLING_LIFT and (evidence.share is None or evidence.share >= TELLING_SHARE)


def source_of(known: Mapping[str, int], topic: str) -> str:
    """Return the known topic from which another is best reached."""
    return sources_of(known, topic)[0]


def sources_of(known: Mapping[str, int], topic: str) -> list[str]:
    """Return the known topics that raise another, the strongest first; where none does, the one that stands nearest."""
    adjacency = load_adjacency()
    shares = adjacency.shares(_nearest(known, topic, adjacency), topic)
    if shares:
        return [slug for slug, _ in shares]
    beside = beside_of(topic, adjacency.catalogue)
    target = adjacency.catalogue[topic]
    nearest = max(
        known,
        key=lambda slug: (
            slug in beside,
            adjacency.catalogue[slug].domain == target.domain,
            adjacency.catalogue[slug].field == target.field,
            known[slug],
            slug,
        ),
    )
    return [nearest]


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


def _sentence(evidence: Evidence, a: str, b: str) -> str:
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
        case "domains":
            assert evidence.n is not None
            assert evidence.share is not None
            return (
                f"Of {evidence.n:,} meetup groups about anything in “{a}”, {percent(evidence.share)} are also about "
                f"something in “{b}”, {times(evidence.lift)} as many as among all groups."
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
                f"{times(evidence.lift, LARGEST_WALK)} as often as elsewhere."
            )
        case "neighbours":
            return f"{a} and {b} stand side by side in our catalogue of topics; there are no figures for this step yet."


def _popular(adjacency: Adjacency, target: Topic, drift: float) -> str:
    learned = adjacency.of_nobody[adjacency.catalogue.index[target.slug]]
    want = float(sigmoid(logit(learned) + drift))
    return f"About {percent(want)} of people would like to know more of it; tell us what you know for a real reason."


def percent(share: float) -> str:
    """Return a share as people read it: "31 %", "0.6 %"."""
    return f"{share * 100:.1f} %" if share < 0.01 else f"{share * 100:.0f} %"


def times(lift: float, largest: int = LARGEST_LIFT) -> str:
    """Return how many times as often: "1.4 times", "12 times", "more than 50 times"."""
    if lift > largest:
        return f"more than {largest} times"
    return f"{lift:.1f} times" if lift < 9.95 else f"{lift:.0f} times"
