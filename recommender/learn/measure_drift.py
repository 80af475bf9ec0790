"""How well weights of an older year do in a newer one, with the prior of their time and with one told by 300 people.

Those say what they want, or only react to events: they welcome a part of what they do not want, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import load_catalogue
from recommender.learn import sources
from recommender.learn.held_out import BANNED, TEST_PEOPLE, TEST_SEED
from recommender.learn.signals import World
from recommender.learn.wishes import fit_moves, fit_wishes, fit_worlds
from recommender.log_odds import sigmoid
from recommender.metrics import Result, ndcg, result
from recommender.reactions import OF_A_TIME, Spread, levelled, posterior
from recommender.survey_model import SurveyModel

Floats = NDArray[np.float64]

THEN, NOW = 2019, 2024
PEOPLE_THEN = 13_000  # about as many as the newer year has
FRESH_PEOPLE = 300
OFFERED, SHOWN = 25, 5  # topics that their events are about, and how many of those each is shown
DRAWS = 8  # of those topics
READY = 0.3  # share of what they do not want that they welcome all the same, as people do events


def measure_drift(folder: Path) -> Iterator[Result]:
    """Rank topics that both years asked for, for people of the newer one."""
    catalogue = load_catalogue()
    before, after = (sources.read_survey(folder / f"so{year}.jsonl.gz", catalogue) for year in (THEN, NOW))
    order = np.random.default_rng(TEST_SEED).permutation(len(after.have))
    shared, in_old, in_new = np.intersect1d(before.topics, after.topics, return_indices=True)
    test, fresh, rest = (
        sources.Survey(shared, after.have[part][:, in_new], after.want[part][:, in_new])
        for part in np.split(order, [TEST_PEOPLE, TEST_PEOPLE + FRESH_PEOPLE])
    )
    chosen = np.random.default_rng(TEST_SEED).permutation(len(before.have))[:PEOPLE_THEN]
    was = sources.Survey(shared, before.have[chosen][:, in_old], before.want[chosen][:, in_old])
    setting = f"{THEN} → {NOW}, {len(shared)} shared topics"
    truth = (test.want * (1 - test.have)).astype(np.float64)
    domain = World.of(catalogue).domain
    old = fit(was, domain)

    def reached(scores: Floats) -> Floats:
        return ndcg(np.where(test.have > 0, BANNED, scores), truth, 10)

    for model, scores in _models(old, fresh, rest, test, domain).items():
        yield result("adjacency, another year", setting, model, "nDCG@10", reached(scores))
    wanted = old.want(test.have.astype(np.float64))
    for model, drifts in _learned(old, fresh, domain).items():
        values = np.mean([reached(wanted + drift) for drift in drifts], axis=0)
        yield result("adjacency, another year", setting, model, "nDCG@10", values)


def _models(
    old: SurveyModel, fresh: sources.Survey, rest: sources.Survey, test: sources.Survey, domain: NDArray[np.intp]
) -> dict[str, Floats]:
    drift = drift_of(old, fresh, domain)
    new = fit(rest, domain)
    wanted = old.want(test.have.astype(np.float64))
    return {
        f"popularity of {NOW}": np.broadcast_to(new.prior, wanted.shape),
        f"popularity among {FRESH_PEOPLE} people of {NOW}": np.broadcast_to(
            fit_moves(fresh.have, fresh.want)[0], wanted.shape
        ),
        f"weights and prior of {THEN}": wanted,
        f"weights of {THEN}, prior by {FRESH_PEOPLE} people of {NOW}": wanted + drift,
        f"weights of {THEN}, prior by all people of {NOW}": wanted + drift_of(old, rest, domain),
        f"weights and prior of {NOW}": new.want(test.have.astype(np.float64)),
    }


def _learned(old: SurveyModel, fresh: sources.Survey, domain: NDArray[np.intp]) -> dict[str, list[Floats]]:
    """Return how topics drift by people's reactions to events, as an instance learns it, (n_topics,) for each draw."""
    topics = domain[fresh.topics]
    plain: list[Floats] = []
    level: list[Floats] = []
    for seed in range(DRAWS):
        asked, expected, welcome = reactions_of(old, fresh, np.random.default_rng(seed))
        for drifts, base in ((plain, expected), (level, levelled(asked, expected, welcome))):
            drift = posterior(topics, asked, base, welcome, spread=OF_A_TIME).mean
            drifts.append(np.where(asked > 0, drift, 0.0))
    model = f"weights of {THEN}, prior by what {FRESH_PEOPLE} people of {NOW} welcome"
    return {model: plain, f"{model}, levelled": level}


def reactions_of(model: SurveyModel, people: sources.Survey, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Return how often topics were shown to people, expected to be wanted, and welcome, (n_topics,) each."""
    log_odds = model.want(people.have.astype(np.float64))
    n_topics = len(people.topics)
    closed = np.ones(n_topics, np.bool_)
    closed[rng.permutation(n_topics)[:OFFERED]] = False
    order = np.where((people.have > 0) | closed, -np.inf, log_odds + 0.5 * rng.gumbel(size=log_odds.shape))
    shown = np.zeros(order.shape, np.bool_)
    np.put_along_axis(shown, np.argsort(-order, axis=1)[:, :SHOWN], values=True, axis=1)
    shown &= np.isfinite(order)
    welcome = shown & ((people.want > 0) | (rng.random(order.shape) < READY))
    asked, welcomed = (one.sum(axis=0).astype(np.float64) for one in (shown, welcome))
    return asked, (sigmoid(log_odds) * shown).sum(axis=0), welcomed


def fit(survey: sources.Survey, domain: NDArray[np.intp]) -> SurveyModel:
    prior, moves = fit_moves(survey.have, survey.want)
    worlds = fit_worlds(survey.have, domain[survey.topics])
    wishes = fit_wishes(survey.have, survey.want, worlds)
    return SurveyModel(survey.topics, worlds, wishes, prior, moves, np.zeros((0, len(survey.topics))))


def drift_of(
    model: SurveyModel, people: sources.Survey, domain: NDArray[np.intp], *, spread: Spread = OF_A_TIME
) -> Floats:
    """Return how people's wishes depart from those expected of them, in log-odds, (n_topics,)."""
    lacks = people.have == 0
    chance = sigmoid(model.want(people.have.astype(np.float64)))
    return posterior(
        domain[people.topics],
        lacks.sum(axis=0).astype(np.float64),
        (chance * lacks).sum(axis=0),
        (people.want * lacks).sum(axis=0).astype(np.float64),
        spread=spread,
    ).mean
