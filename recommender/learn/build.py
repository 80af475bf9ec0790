"""All steps of learning in their order: data folder in, artefact out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue
from recommender.learn import cold, counts, sources, wishes
from recommender.learn.artefact import write_adjacency
from recommender.learn.bases import Anchor, Bases, fit_bases, read_popularity
from recommender.learn.logistic import fit_logistic
from recommender.learn.signals import Signals, World, co_occurrence, read_signals
from recommender.survey_model import SurveyModel

SEED = 20240502
TASK_PEOPLE = 1000  # of the survey for each number of topics shown: more change no weight by a tenth
MIN_TAGGED = 3  # people or groups that must name a topic before its rate is believed
MIN_GROUPS = 10
TYPICAL = 5  # topics a person names


@dataclass(frozen=True)
class Learned:
    survey: SurveyModel
    bases: Bases
    lifts: cold.Lifts
    hold_line: tuple[float, float, float]


def build_adjacency(folder: Path, catalogue: Catalogue, path: Path) -> None:
    survey = sources.read_survey(folder / "so2024.jsonl.gz", catalogue)
    learned = learn(folder, catalogue, survey)
    groups = sources.read_groups(folder, catalogue)
    world = World.of(catalogue)
    write_adjacency(
        path,
        catalogue=catalogue,
        survey=learned.survey,
        bases=learned.bases,
        lifts=learned.lifts,
        hold_line=learned.hold_line,
        counts={
            "survey": counts.wishes(survey, len(catalogue)),
            "groups": counts.together(groups, counts.MIN_GROUPS),
            "people": counts.together(sources.read_self_tags(folder, catalogue), counts.MIN_PEOPLE),
            "communities": counts.community_lifts(sources.read_communities(folder, catalogue)),
        },
        domains_together=counts.domains_together(groups, world.domain, world.n_domains),
    )


def learn(folder: Path, catalogue: Catalogue, survey: sources.Survey) -> Learned:
    """Fit everything to the survey people given and to all other sources."""
    rng = np.random.default_rng(SEED)
    signals = read_signals(folder, catalogue)
    groups = several(sources.read_groups(folder, catalogue))
    people = several(sources.read_self_tags(folder, catalogue))
    rows = rng.permutation(len(survey.have))
    parts = [survey.take(rows[start : start + TASK_PEOPLE]) for start in range(0, 3 * TASK_PEOPLE, TASK_PEOPLE)]
    tasks = [survey_task(part, shown, signals, rng) for part, shown in zip(parts, (3, 8, None), strict=True)]
    tasks += halved_tasks("groups", groups, signals, World.of(catalogue), rng)
    tasks += halved_tasks("people", people, signals, World.of(catalogue), rng)
    weights = cold.fit_weights(tasks)
    lifts = cold.combined(signals, weights)
    bases = fit_bases(
        read_popularity(folder, catalogue),
        general=anchor(tag_task(groups, MIN_GROUPS, signals), lifts),
        asked=anchor(survey_task(survey.take(rows[: 3 * TASK_PEOPLE]), TYPICAL, signals, rng), lifts),
        named=anchor(tag_task(people, MIN_TAGGED, signals), lifts),
    )
    survey_model = wishes.fit_survey(survey, signals.domain)
    return Learned(survey_model, bases, lifts, fit_hold_line(parts[0], bases, lifts, signals, rng))


def several(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keep the rows that name more than one topic: the others say nothing about pairs."""
    return np.asarray(table[table.sum(axis=1) > 1])


def survey_task(survey: sources.Survey, shown: int | None, signals: Signals, rng: np.random.Generator) -> cold.Task:
    known = np.zeros((len(survey.have), len(signals.domain)), np.float32)
    known[:, survey.topics] = wishes.thinned(survey.have, shown, rng)
    return cold.Task(known, survey.want, survey.have == 0, survey.topics, signals)


def halved_tasks(
    name: str, table: NDArray[np.float32], signals: Signals, world: World, rng: np.random.Generator
) -> list[cold.Task]:
    """Guess hidden tags of one half of the rows with the signal counted in the other half."""
    order = rng.permutation(len(table))
    halves = table[order[::2]], table[order[1::2]]
    targets = np.flatnonzero(table.sum(axis=0) >= MIN_GROUPS)
    tasks = []
    for seen, asked in (halves, halves[::-1]):
        broad, fine = co_occurrence(seen, world)
        unseen = replace(
            signals,
            broad={**signals.broad, name: broad} if name in signals.broad else signals.broad,
            fine={**signals.fine, name: fine},
        )
        known = ((rng.random(asked.shape) < 0.5) * asked).astype(np.float32)
        usable = (known.sum(axis=1) > 0) & ((asked - known).sum(axis=1) > 0)
        known, rest = known[usable], (asked - known)[usable]
        tasks.append(cold.Task(known, rest[:, targets], known[:, targets] == 0, targets, unseen))
    return tasks


def tag_task(table: NDArray[np.float32], minimum: int, signals: Signals) -> cold.Task:
    """Ask for each tag of each row, the others known: for its rate."""
    targets = np.flatnonzero(table.sum(axis=0) >= minimum)
    truth = table[:, targets]
    return cold.Task(table, truth, np.ones_like(truth, np.bool_), targets, signals)


def anchor(task: cold.Task, lifts: cold.Lifts) -> Anchor:
    base = cold.base_rates(task, lifts)
    known = ~np.isnan(base)
    return Anchor(task.targets[known], base[known])


def fit_hold_line(
    survey: sources.Survey, bases: Bases, lifts: cold.Lifts, signals: Signals, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return constant and slopes that turn base and lift into the log-odds of holding a topic, fitted to the survey."""
    task = survey_task(survey, 5, signals, rng)
    asked = task.known[:, survey.topics] == 0
    pull = lifts.pull(task.known, survey.topics)[asked]
    start = np.broadcast_to(bases.developers[survey.topics], asked.shape)[asked]
    table = np.stack([np.ones(len(pull)), start, pull], axis=1)
    constant, by_base, by_lift = fit_logistic(
        table,
        survey.have[asked].astype(np.float64),
        offset=np.zeros(len(pull)),
        share=np.full(len(pull), 1 / len(pull)),
        penalty=0.0,
        may_fall=True,
    ).tolist()
    return constant, by_base, by_lift
