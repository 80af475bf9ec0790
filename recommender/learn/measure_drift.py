"""How well weights of an older year do in a newer one, with the prior of their time and with one told by 300 people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue, load_catalogue
from recommender.learn import sources
from recommender.learn.held_out import BANNED, TEST_PEOPLE, TEST_SEED
from recommender.learn.signals import World
from recommender.learn.wishes import fit_moves, fit_wishes, fit_worlds
from recommender.log_odds import sigmoid
from recommender.metrics import Result, ndcg, result
from recommender.reactions import OF_A_TIME, Spread, posterior
from recommender.survey_model import SurveyModel

Floats = NDArray[np.float64]

THEN, NOW = 2019, 2024
PEOPLE_THEN = 13_000  # about as many as the newer year has
FRESH_PEOPLE = 300


def measure_drift(folder: Path) -> Iterator[Result]:
    """Rank topics that both years asked for, for people of the newer one."""
    catalogue = load_catalogue()
    before, after = (sources.read_survey(folder / f"so{year}.jsonl.gz", catalogue) for year in (THEN, NOW))
    order = np.random.default_rng(TEST_SEED).permutation(len(after.have))
    shared, old, new = np.intersect1d(before.topics, after.topics, return_indices=True)
    test, fresh, rest = (
        sources.Survey(shared, after.have[part][:, new], after.want[part][:, new])
        for part in np.split(order, [TEST_PEOPLE, TEST_PEOPLE + FRESH_PEOPLE])
    )
    chosen = np.random.default_rng(TEST_SEED).permutation(len(before.have))[:PEOPLE_THEN]
    was = sources.Survey(shared, before.have[chosen][:, old], before.want[chosen][:, old])
    setting = f"{THEN} → {NOW}, {len(shared)} shared topics"
    for model, scores in _models(was, fresh, rest, test, catalogue).items():
        free = np.where(test.have > 0, BANNED, scores)
        truth = (test.want * (1 - test.have)).astype(np.float64)
        yield result("adjacency, another year", setting, model, "nDCG@10", ndcg(free, truth, 10))


def _models(
    was: sources.Survey, fresh: sources.Survey, rest: sources.Survey, test: sources.Survey, catalogue: Catalogue
) -> dict[str, Floats]:
    domain = World.of(catalogue).domain
    old = fit(was, domain)
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
