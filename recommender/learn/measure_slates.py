"""How good slates are as a whole, whether exploring pays, and whether what counts as inside is held.

Slates of seven topics for survey people who were set aside; truth is what they say they want. The logged wishes also play
the people of a simulation: a topic shown to them is welcome if they want it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.learn import baselines
from recommender.learn.held_out import BANNED, HeldOut, hold_out
from recommender.learn.wishes import SHOWN_OF_HOLDINGS, thinned
from recommender.log_odds import damped, logit, sigmoid
from recommender.metrics import (
    Result,
    coverage,
    intra_list_diversity,
    miscalibration,
    ndcg,
    novelty,
    recall,
    result,
    serendipity,
)
from recommender.reach import GAMMAS
from recommender.reactions import OF_A_PERSON, Reaction, Spread, offsets_of
from recommender.slate import PER_DOMAIN
from recommender.topic_worth import HELD

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

SLATE = 7
SEED = 20240504
MMR_SHARES = (0.9, 0.7)  # of relevance, the rest is difference
PEOPLE, WEEKS, SHOWN = 400, 8, 3  # of the simulation: weeks of slates for people of whom three topics are known
PSEUDO_HOLDERS = 20


def measure_slates(folder: Path) -> Iterator[Result]:
    """Compare rules that make a slate from the same chances, and slates of the baselines."""
    people = hold_out(folder)
    test, truth, held = people.test, people.truth, people.held_domains
    known = thinned(test.have, 8, np.random.default_rng(SEED))
    chance = sigmoid(people.model.want(known.astype(np.float64)))
    alike = likeness(people.train.have)
    nearest = _nearest_known(alike, known)
    widened = chance * (1 + _covered(known, people.domain)) ** -GAMMAS["one-step"]
    free = {name: np.where(test.have > 0, BANNED, scores) for name, scores in (("P", chance), ("wide", widened))}
    both = np.maximum(people.train.have, people.train.want)
    orders = {
        "popularity": np.broadcast_to(people.model.prior, truth.shape),
        "co-occurrence": baselines.co_occurrence(people.train.have, known),
        "item-kNN": baselines.item_knn(both, known),
        "EASE": baselines.ease(both, known),
        "pairs": people.model.prior + damped(known, people.model.moves),
    }
    lists = {name: top(np.where(test.have > 0, BANNED, scores)) for name, scores in orders.items()}
    lists["P"] = top(free["P"])
    lists["P, two a domain"] = capped(free["P"], people.domain)
    for share in MMR_SHARES:
        lists[f"P, MMR {share}"] = maximal_marginal_relevance(free["P"], alike, share)
    lists["P, widened"] = top(free["wide"])
    lists["P, widened, two a domain (ours)"] = capped(free["wide"], people.domain)
    lists[f"P, widened, MMR {MMR_SHARES[1]}"] = maximal_marginal_relevance(free["wide"], alike, MMR_SHARES[1])
    share = people.train.have.mean(axis=0).astype(np.float64)
    for model, chosen in lists.items():
        scores = np.full(truth.shape, BANNED)
        np.put_along_axis(scores, chosen, -np.arange(SLATE, dtype=np.float64)[None], axis=1)
        for measure, values in {
            f"nDCG@{SLATE}": ndcg(scores, truth, SLATE),
            "new-domain recall": recall(scores, truth * ~held, SLATE),
            "share in new domains": np.take_along_axis(~held, chosen, axis=1).mean(axis=1),
            "serendipity": serendipity(chosen, truth, nearest),
            "novelty, bits": novelty(chosen, share),
            "intra-list diversity": intra_list_diversity(chosen, alike),
            "miscalibration": miscalibration(chosen, truth, people.domain),
        }.items():
            yield result("slates", "8 topics shown", model, measure, values)
        covered = coverage(chosen, truth.shape[1])
        yield Result("slates", "8 topics shown", model, "coverage", covered, covered, covered, len(truth))


def top(scores: Floats) -> Places:
    return np.argsort(-scores, axis=1, kind="stable")[:, :SLATE]


def capped(scores: Floats, domain: Places, *, most: int = PER_DOMAIN) -> Places:
    """Return the best of each row of which at most `most` share a domain, (n_people, SLATE)."""
    lists = []
    for order in np.argsort(-scores, axis=1, kind="stable"):
        taken: list[int] = []
        count = np.zeros(domain.max() + 1, np.intp)
        for topic in order.tolist():
            if count[domain[topic]] < most:
                taken.append(topic)
                count[domain[topic]] += 1
            if len(taken) == SLATE:
                break
        lists.append(taken)
    return np.array(lists, np.intp)


def maximal_marginal_relevance(scores: Floats, alike: Floats, share: float) -> Places:
    """Return lists that take, one after another, the best of share · score − (1 − share) · likeness to those taken.

    Carbonell and Goldstein 1998, with scores over the best of their row.
    """
    relevance = np.where(scores > 0, scores / scores.max(axis=1, keepdims=True), -np.inf)
    nearest = np.zeros_like(relevance)
    taken = np.zeros((len(scores), SLATE), np.intp)
    rows = np.arange(len(scores))
    for place in range(SLATE):
        taken[:, place] = (share * relevance - (1 - share) * nearest).argmax(axis=1)
        relevance[rows, taken[:, place]] = -np.inf
        nearest = np.maximum(nearest, alike[taken[:, place]])
    return taken


def likeness(have: NDArray[np.float32]) -> Floats:
    """Return normalised pointwise mutual information of topics held together, 0 where it is negative (Bouma 2009)."""
    n = len(have)
    both = have.T.astype(np.float64) @ have
    share = np.diag(both) / n
    joint = (both + PSEUDO_HOLDERS * np.outer(share, share)) / (n + PSEUDO_HOLDERS)
    with np.errstate(divide="ignore", invalid="ignore"):
        information = np.log(joint / np.outer(share, share)) / -np.log(joint)
    alike = np.nan_to_num(np.clip(information, 0, 1))
    np.fill_diagonal(alike, 1)
    return np.asarray(alike)


def _nearest_known(alike: Floats, known: NDArray[np.float32]) -> Floats:
    rows = [alike[mine > 0].max(axis=0) if mine.any() else np.zeros(len(alike)) for mine in known]
    return np.stack(rows)


def _covered(known: NDArray[np.float32], domain: Places) -> Floats:
    """Return how many topics somebody shows in each topic's domain, (n_people, n_topics)."""
    same = (domain[:, None] == domain).astype(np.float64)
    return np.asarray(known @ same)


def measure_inside(folder: Path) -> Iterator[Result]:
    """Of topics that count as inside because they are very likely held, tell how many are; and how many are found."""
    people = hold_out(folder)
    have = people.test.have
    for shown in SHOWN_OF_HOLDINGS:
        known = thinned(have, shown, np.random.default_rng(SEED))
        asked = known == 0
        held = sigmoid(people.model.hold(known.astype(np.float64)))
        inside = (held >= HELD) & asked
        rest = (have > 0) & asked
        right = (inside & rest).sum(axis=1)
        setting = f"{shown} topics shown, P(hold) ≥ {HELD}"
        precision = np.where(inside.any(axis=1), right / np.maximum(inside.sum(axis=1), 1), np.nan)
        found = np.where(rest.any(axis=1), right / np.maximum(rest.sum(axis=1), 1), np.nan)
        yield result("inside", setting, "adjacency", "precision", precision)
        yield result("inside", setting, "adjacency", "recall", found)


def measure_exploring(folder: Path) -> Iterator[Result]:
    """Show people seven topics a week for eight weeks, never one twice, and learn from what they welcome."""
    people = hold_out(folder)
    wants = people.truth.sum(axis=1)
    asked = np.flatnonzero((wants > 0) & (people.test.have.sum(axis=1) >= SHOWN))[:PEOPLE]
    setting = f"{WEEKS} weeks, {SHOWN} topics shown"
    for policy in ("no learning", "greedy", "a random place", "a Thompson place"):
        welcome, new, late = (np.zeros(len(asked)) for _ in range(3))
        for row, person in enumerate(asked):
            welcome[row], new[row], late[row] = simulate(people, int(person), policy)
        yield result("exploring", setting, policy, "share of wishes found", welcome / wants[asked])
        yield result("exploring", setting, policy, "domains found beyond the known", new)
        yield result("exploring", setting, policy, "share of wishes found in the second half", late / wants[asked])


def simulate(people: HeldOut, person: int, policy: str, *, spread: Spread = OF_A_PERSON) -> tuple[float, float, float]:
    """Return welcome topics, new domains among them, and welcome topics of the second half of the weeks."""
    rng = np.random.default_rng([SEED, person])
    have = people.test.have[person : person + 1]
    known = thinned(have, SHOWN, rng)
    chance = sigmoid(people.model.want(known.astype(np.float64)))[0]
    log_odds = logit(np.clip(chance, 1e-9, 1 - 1e-9))
    truth = people.truth[person]
    domain = people.domain
    home = set(domain[known[0] > 0].tolist())
    free = have[0] == 0
    reactions: list[Reaction] = []
    found: list[int] = []
    late = 0
    for week in range(WEEKS):
        learned = reactions if policy != "no learning" else []
        offsets = offsets_of(domain, learned, spread=spread)
        scores = np.where(free, log_odds + offsets.mean, -np.inf)
        shown = capped(scores[None], domain)[0].tolist()
        if policy == "a random place":
            shown[-1] = int(rng.choice(np.setdiff1d(np.flatnonzero(free), shown[:-1])))
        elif policy == "a Thompson place":
            drawn = np.where(free, log_odds + offsets.drawn(f"{person}:{week}"), -np.inf)
            drawn[shown[:-1]] = -np.inf
            shown[-1] = int(drawn.argmax())
        free[shown] = False
        reactions += [Reaction(topic, float(chance[topic]), bool(truth[topic])) for topic in shown]
        found += [topic for topic in shown if truth[topic]]
        late += sum(bool(truth[topic]) for topic in shown) if week >= WEEKS // 2 else 0
    return float(len(found)), float(len({int(domain[topic]) for topic in found} - home)), float(late)
