"""How well adjacency does on people, topics and cities that the fit did not see.

Each part fits anew, by the same steps and settings as the shipped artefact, without what it is measured on. The test
respondents of the survey were set aside before any setting was chosen; settings were compared on 2,000 others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue, load_catalogue
from recommender.learn import baselines, build, cold, sources
from recommender.learn.bases import fit_bases, read_popularity
from recommender.learn.held_out import BANNED, HeldOut, hold_out
from recommender.learn.signals import (
    MIN_COUNTED,
    Signals,
    World,
    co_occurrence,
    hand_made_graph,
    read_signals,
    text_signal,
)
from recommender.learn.wishes import thinned
from recommender.log_odds import damped, sigmoid
from recommender.metrics import Result, calibration_error, ndcg, recall, result
from recommender.survey_model import situate

Floats = NDArray[np.float64]

SEED = 20240503


def measure_wishes(folder: Path) -> Iterator[Result]:
    """Rank survey topics that somebody does not hold; truth is what they say they want next."""
    people = hold_out(folder)
    train, test, model_of_survey, truth = people.train, people.test, people.model, people.truth
    held = people.held_domains
    likeness = _text_likeness(people)
    graph = _neighbourhood(people)
    for shown in (None, 8, 5, 3, 1):
        known = thinned(test.have, shown, np.random.default_rng(SEED))
        chance = sigmoid(model_of_survey.want(known.astype(np.float64)))
        models = {
            "popularity": np.broadcast_to(model_of_survey.prior, truth.shape),
            "co-occurrence": baselines.co_occurrence(train.have, known),
            "item-kNN": baselines.item_knn(np.maximum(train.have, train.want), known),
            "EASE": baselines.ease(np.maximum(train.have, train.want), known),
            "PageRank on the neighbourhood": baselines.page_rank(graph, known),
            "sentence embeddings": baselines.nearest(likeness, known),
            "pairs": model_of_survey.prior + damped(known, model_of_survey.moves),
            "regression": np.asarray(situate(known, model_of_survey.worlds) @ model_of_survey.wishes, np.float64),
            "adjacency": chance,
        }
        setting = f"{shown or 'all'} topics shown"
        for model, scores in models.items():
            free = np.where(test.have > 0, BANNED, scores)
            yield result("adjacency", setting, model, "nDCG@10", ndcg(free, truth, 10))
            yield result("adjacency", setting, model, "R@10", recall(free, truth, 10))
            far = np.where(held, BANNED, scores)
            yield result("adjacency", setting, model, "new-domain R@10", recall(far, truth * ~held, 10))
        asked = test.have == 0
        error = calibration_error(chance[asked], truth[asked])
        yield Result("adjacency", setting, "adjacency", "calibration error", error, error, error, len(truth))


def _text_likeness(people: HeldOut) -> NDArray[np.float32]:
    """Return centred cosines of sentence embeddings of the survey's topics."""
    return np.asarray(text_signal(people.catalogue)[np.ix_(people.test.topics, people.test.topics)])


def _neighbourhood(people: HeldOut) -> NDArray[np.float32]:
    graph = hand_made_graph(people.catalogue)[np.ix_(people.test.topics, people.test.topics)]
    return np.asarray(np.maximum(graph, graph.T))


def measure_unasked(folder: Path) -> Iterator[Result]:
    """Rank survey topics as if no survey had been made: everything is fitted to groups and self-chosen tags alone."""
    catalogue = load_catalogue()
    signals = read_signals(folder, catalogue)
    rng = np.random.default_rng(SEED)
    survey = sources.read_survey(folder / "so2024.jsonl.gz", catalogue)
    people = survey.take(rng.permutation(len(survey.have))[:2000])
    world = World.of(catalogue)
    groups = build.several(sources.read_groups(folder, catalogue))
    tags = build.several(sources.read_self_tags(folder, catalogue))
    weights = cold.fit_weights(
        [
            *build.halved_tasks("groups", groups, signals, world, rng),
            *build.halved_tasks("people", tags, signals, world, rng),
        ]
    )
    lifts = cold.combined(signals, weights)
    named = build.anchor(build.tag_task(tags, build.MIN_TAGGED, signals), lifts)
    base = fit_bases(
        read_popularity(folder, catalogue),
        general=build.anchor(build.tag_task(groups, build.MIN_GROUPS, signals), lifts),
        asked=named,
        named=named,
    ).developers[survey.topics]
    for shown in (None, 3):
        task = build.survey_task(people, shown, signals, rng)
        scores = {
            "text alone": damped(task.known, signals.fine["text"][:, survey.topics]),
            "neighbours alone": damped(task.known, signals.fine["neighbours"][:, survey.topics]),
            "adjacency": base + lifts.pull(task.known, survey.topics),
        }
        truth = (people.want * (1 - people.have)).astype(np.float64)
        folds = np.arange(len(survey.topics)) % 5
        for model, score in scores.items():
            values = [
                ndcg(np.where(people.have > 0, BANNED, score)[:, folds == fold], truth[:, folds == fold], 10)
                for fold in range(5)
            ]
            yield result(
                "adjacency, topics never asked", f"{shown or 'all'} topics shown", model, "nDCG@10", _mean(values)
            )


def _mean(values: list[Floats]) -> Floats:
    """Return the mean of each person over folds in which they want something; NaN for those who never do."""
    table = np.stack(values)
    known = ~np.isnan(table)
    return np.where(known.any(axis=0), np.nansum(table, axis=0) / np.maximum(known.sum(axis=0), 1), np.nan)


def measure_self_tags(folder: Path) -> Iterator[Result]:
    """Rank what developers say of themselves outside technology, from what they say inside it; five folds of people."""
    catalogue = load_catalogue()
    signals = read_signals(folder, catalogue)
    world = World.of(catalogue)
    rng = np.random.default_rng(SEED)
    outer = np.array(sources.positions(catalogue, (folder / "self_tags_outer.txt").read_text("utf-8").split("\n")))
    people = sources.read_self_tags(folder, catalogue)
    known = people.copy()
    known[:, outer] = 0
    truth = people[:, outer]
    people, known, truth = (
        table[(known.sum(axis=1) > 0) & (truth.sum(axis=1) > 0)] for table in (people, known, truth)
    )
    survey = sources.read_survey(folder / "so2024.jsonl.gz", catalogue)
    groups = build.halved_tasks("groups", build.several(sources.read_groups(folder, catalogue)), signals, world, rng)
    fold = rng.permutation(len(people)) % 5
    popular, ours = np.empty_like(truth, np.float64), np.empty_like(truth, np.float64)
    for number in range(5):
        train, test = people[fold != number], fold == number
        unseen = _with_people(signals, train, world)
        tasks = [
            build.survey_task(survey.take(rng.permutation(len(survey.have))[:500]), 8, unseen, rng),
            *groups,
            *build.halved_tasks("people", build.several(train), unseen, world, rng),
        ]
        lifts = cold.combined(unseen, cold.fit_weights(tasks))
        rate = (train[:, outer].sum(axis=0) + 0.5) / (len(train) + 1)
        asked = cold.Task(
            known[fold != number], train[:, outer], np.ones((len(train), len(outer)), np.bool_), outer, unseen
        )
        popular[test] = rate
        ours[test] = _filled(cold.base_rates(asked, lifts), rate) + lifts.pull(known[test], outer)
    for model, scores in (("popularity", popular), ("adjacency", ours)):
        yield result("adjacency, out of technology", "self-chosen tags", model, "nDCG@5", ndcg(scores, truth, 5))
    gain = ndcg(ours, truth, 5) - ndcg(popular, truth, 5)
    yield result("adjacency, out of technology", "self-chosen tags", "adjacency − popularity", "nDCG@5", gain)


def _with_people(signals: Signals, people: NDArray[np.float32], world: World) -> Signals:
    fine = {**signals.fine, "people": co_occurrence(people, world)[1]}
    return replace(signals, fine=fine)


def _filled(base: Floats, rate: Floats) -> Floats:
    """Return bases, the plain log rate where none could be fitted."""
    return np.where(np.isnan(base), np.log(rate), base)


def measure_groups(folder: Path) -> Iterator[Result]:
    """Guess hidden tags of groups in Boston, Denver and Los Angeles from groups of other cities."""
    catalogue = load_catalogue()
    signals = read_signals(folder, catalogue)
    world = World.of(catalogue)
    rng = np.random.default_rng(SEED)
    cities = sources.read_group_labels(folder)
    elsewhere, here = (build.several(_of_cities(cities, catalogue, far=far)) for far in (True, False))
    broad, fine = co_occurrence(elsewhere, world)
    unseen = replace(
        signals,
        broad={**signals.broad, "groups": broad},
        fine={**signals.fine, "groups": fine},
        counted=elsewhere.sum(axis=0) >= MIN_COUNTED,
    )
    lifts = cold.combined(unseen, cold.fit_weights(build.halved_tasks("groups", elsewhere, unseen, world, rng)))
    count = elsewhere.sum(axis=0)
    general = build.anchor(build.tag_task(elsewhere, build.MIN_GROUPS, unseen), lifts)
    base = fit_bases(read_popularity(folder, catalogue), general=general, asked=general, named=general).general
    known = ((rng.random(here.shape) < 0.5) * here).astype(np.float32)
    usable = (known.sum(axis=1) > 0) & ((here - known).sum(axis=1) > 0)
    known, truth = known[usable], (here - known)[usable].astype(np.float64)
    every = np.arange(len(catalogue))
    models = {
        "popularity": np.broadcast_to(count, truth.shape),
        "text alone": damped(known, signals.fine["text"]),
        "adjacency": base + lifts.pull(known, every),
    }
    for model, scores in models.items():
        values = ndcg(np.where(known > 0, BANNED, scores), truth, 10)
        yield result("adjacency, groups of cities never seen", "half of the tags shown", model, "nDCG@10", values)


FAR = "kaggle-ny-sf-chicago"


def _of_cities(groups: dict[str, tuple[str, list[str]]], catalogue: Catalogue, *, far: bool) -> NDArray[np.float32]:
    chosen = [tags for city, tags in groups.values() if (city == FAR) == far]
    return sources.incidence([sources.positions(catalogue, tags) for tags in chosen], len(catalogue))
