"""People of the survey set aside before any setting was chosen, and a model fitted to the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue, load_catalogue
from recommender.learn import sources
from recommender.learn.signals import World
from recommender.learn.wishes import fit_survey
from recommender.survey_model import SurveyModel

TEST_PEOPLE = 2600  # drawn by TEST_SEED; settings were compared on the 2,000 after them
TEST_SEED = 0
BANNED = -1e9  # the score of what may not be recommended


@dataclass(frozen=True)
class HeldOut:
    catalogue: Catalogue
    train: sources.Survey
    test: sources.Survey
    model: SurveyModel  # fitted to `train`

    @property
    def truth(self) -> NDArray[np.float64]:
        """What test people want and do not hold, (n_people, n_topics)."""
        return (self.test.want * (1 - self.test.have)).astype(np.float64)

    @property
    def domain(self) -> NDArray[np.intp]:
        """The number of each survey topic's domain, (n_topics,)."""
        return World.of(self.catalogue).domain[self.test.topics]

    @property
    def held_domains(self) -> NDArray[np.bool_]:
        """Whether somebody holds a topic of each topic's domain, (n_people, n_topics)."""
        same = self.domain[:, None] == self.domain
        return np.asarray(self.test.have @ same.astype(np.float32) > 0)


@cache
def hold_out(folder: Path) -> HeldOut:
    catalogue = load_catalogue()
    survey = sources.read_survey(folder / "so2024.jsonl.gz", catalogue)
    order = np.random.default_rng(TEST_SEED).permutation(len(survey.have))
    train, test = survey.take(order[TEST_PEOPLE:]), survey.take(order[:TEST_PEOPLE])
    return HeldOut(catalogue, train, test, fit_survey(train, World.of(catalogue).domain))
