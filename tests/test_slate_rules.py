"""Rules that make a slate, on chances whose best slate is plain."""

from __future__ import annotations

import numpy as np

from recommender.learn.measure_slates import capped, likeness, maximal_marginal_relevance, top

CHANCES = np.array([[0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]])
DOMAIN = np.array([0, 0, 0, 1, 1, 2, 2, 3, 3])


def test_cap_passes_over_the_third_of_a_domain() -> None:
    assert top(CHANCES).tolist() == [[0, 1, 2, 3, 4, 5, 6]]
    assert capped(CHANCES, DOMAIN).tolist() == [[0, 1, 3, 4, 5, 6, 7]]


def test_marginal_relevance_takes_the_unlike_first() -> None:
    alike = (DOMAIN[:, None] == DOMAIN).astype(np.float64)
    assert maximal_marginal_relevance(CHANCES, alike, 1.0).tolist() == top(CHANCES).tolist()
    assert maximal_marginal_relevance(CHANCES, alike, 0.5)[0, :4].tolist() == [0, 3, 5, 7]


def test_topics_held_together_are_alike_and_those_held_apart_are_not() -> None:
    have = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 1]] * 50, np.float32)
    alike = likeness(have)
    assert alike[0, 1] > 0.5
    assert alike[0, 2] == 0
    assert np.diag(alike).tolist() == [1.0, 1.0, 1.0]
