"""All steps of learning in their order: data folder in, artefact out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from recommender.adjacency import SurveyModel
from recommender.catalogue import Catalogue
from recommender.learn import bases, cold, counts, signals, sources, wishes
from recommender.learn.artefact import write_adjacency

SEED = 20240502
TASK_PEOPLE = 1000  # of the survey for each number of topics shown: more change no weight by a tenth
MIN_TAGGED = 3  # people or groups that must name a topic before its rate is believed
MIN_GROUPS = 10


@dataclass(frozen=True)
class Learned:
    survey: SurveyModel
    base: NDArray[np.float64]
    lifts: NDArray[np.float32]
    hold_line: tuple[float, float, float]


def build_adjacency(folder: Path, catalogue: Catalogue, path: Path) -> None:
    survey = sources.read_survey(folder / "so2024.jsonl.gz", catalogue)
    learned = learn(folder, catalogue, survey)
    communities = sources.read_communities(folder, catalogue)
    write_adjacency(
        path,
        catalogue=catalogue,
        survey=learned.survey,
        base=learned.base,
        lifts=learned.lifts,
        hold_line=learned.hold_line,
        counts={
            "survey": counts.wishes(survey, len(catalogue)),
            "groups": counts.together(sources.read_groups(folder, catalogue), counts.MIN_GROUPS),
            "people": counts.together(sources.read_self_tags(folder, catalogue), counts.MIN_PEOPLE),
            "communities": counts.community_lifts(communities),
        },
    )


def learn(folder: Path, catalogue: Catalogue, survey: sources.Survey) -> Learned:
    """Fit everything to the survey people given and to all other sources."""
    rng = np.random.default_rng(SEED)
    filled = signals.filled_by_domain(signals.read_signals(folder, catalogue), catalogue)
    groups = several(sources.read_groups(folder, catalogue))
    people = several(sources.read_self_tags(folder, catalogue))
    rows = rng.permutation(len(survey.have))
    tasks = [
        *(
            survey_task(survey, rows[start : start + TASK_PEOPLE], shown, len(catalogue), rng)
            for start, shown in ((0, 3), (TASK_PEOPLE, 8), (2 * TASK_PEOPLE, None))
        ),
        *tag_tasks("groups", groups, catalogue, rng),
        *tag_tasks("people", people, catalogue, rng),
    ]
    weights = cold.fit_weights(filled, tasks)
    lifts = sum((weight * filled[name] for name, weight in weights.items()), np.zeros(1, np.float32))
    np.fill_diagonal(lifts, 0)
    whole = survey_task(survey, rows[: 3 * TASK_PEOPLE], None, len(catalogue), rng)
    base = bases.fit_bases(
        bases.read_popularity(folder, catalogue),
        [
            anchor(whole, lifts, trust=1.0),
            anchor(tag_task(people, MIN_TAGGED), lifts, trust=0.9),
            anchor(tag_task(groups, MIN_GROUPS), lifts, trust=0.6),
        ],
    )
    model = SurveyModel(survey.topics, wishes.fit_wishes(survey.have, survey.want), wishes.fit_holdings(survey.have))
    return Learned(model, base, lifts, fit_hold_line(survey, base, lifts, rng))


def several(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keep the rows that name more than one topic: the others say nothing about pairs."""
    return table[table.sum(axis=1) > 1]


def survey_task(
    survey: sources.Survey, rows: NDArray[np.intp], shown: int | None, n_topics: int, rng: np.random.Generator
) -> cold.Task:
    have = survey.have[rows]
    known = np.zeros((len(rows), n_topics), np.float32)
    known[:, survey.topics] = wishes.thinned(have, shown, rng)
    return cold.Task(known, survey.want[rows], have == 0, survey.topics, {})


def tag_tasks(
    name: str, table: NDArray[np.float32], catalogue: Catalogue, rng: np.random.Generator
) -> tuple[cold.Task, ...]:
    """Guess hidden tags of one half of the rows with the signal counted in the other half."""
    order = rng.permutation(len(table))
    halves = table[order[::2]], table[order[1::2]]
    tasks = []
    for seen, asked in (halves, halves[::-1]):
        hidden_signal = signals.filled_by_domain({name: signals.co_occurrence(seen, shrink=signals.SHRINK)}, catalogue)
        known = ((rng.random(asked.shape) < 0.5) * asked).astype(np.float32)
        usable = (known.sum(axis=1) > 0) & ((asked - known).sum(axis=1) > 0)
        known, rest = known[usable], (asked - known)[usable]
        targets = np.flatnonzero(table.sum(axis=0) >= MIN_GROUPS)
        tasks.append(cold.Task(known, rest[:, targets], known[:, targets] == 0, targets, hidden_signal))
    return tuple(tasks)


def tag_task(table: NDArray[np.float32], minimum: int) -> cold.Task:
    """Ask for each tag of each row, the others known: for its rate."""
    targets = np.flatnonzero(table.sum(axis=0) >= minimum)
    truth = table[:, targets]
    return cold.Task(table, truth, np.ones_like(truth, np.bool_), targets, {})


def anchor(task: cold.Task, lifts: NDArray[np.float32], *, trust: float) -> bases.Anchor:
    base = cold.base_rates(task, lifts)
    known = ~np.isnan(base)
    return bases.Anchor(task.targets[known], base[known], trust)


def fit_hold_line(
    survey: sources.Survey, base: NDArray[np.float64], lifts: NDArray[np.float32], rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return constant and slopes that turn base and lift into the log-odds of holding a topic, fitted to the survey."""
    have = survey.have[rng.permutation(len(survey.have))[:TASK_PEOPLE]]
    known = np.zeros((len(have), len(base)), np.float32)
    known[:, survey.topics] = wishes.thinned(have, 5, rng)
    asked = known[:, survey.topics] == 0
    pull = cold.pulls(known, lifts, survey.topics)[asked]
    start = np.broadcast_to(base[survey.topics], asked.shape)[asked]
    line = LogisticRegression(C=1e6).fit(np.stack([start, pull], axis=1), have[asked])
    return float(line.intercept_[0]), float(line.coef_[0, 0]), float(line.coef_[0, 1])
