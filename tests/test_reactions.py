"""What reactions say: a newer prior from few answers, domains that drift together, draws that stay."""

from __future__ import annotations

import numpy as np

from recommender.adjacency import load_adjacency
from recommender.reactions import OF_A_PERSON, Reaction, Spread, levelled, offsets_of, posterior

DOMAIN = np.array([0, 0, 0, 1, 1])
WIDE = Spread(domain=10.0, topic=10.0)


def test_many_answers_outweigh_what_was_expected() -> None:
    asked = np.array([10_000.0, 0, 0, 0, 0])
    offsets = posterior(DOMAIN, asked, 0.2 * asked, 0.5 * asked, spread=WIDE)
    rate = 1 / (1 + np.exp(-(np.log(0.2 / 0.8) + offsets.mean[0])))
    assert abs(rate - 0.5) < 0.001


def test_answers_to_one_topic_move_its_domain_and_no_other() -> None:
    asked = np.array([50.0, 0, 0, 0, 0])
    offsets = posterior(DOMAIN, asked, 0.2 * asked, 0.6 * asked, spread=OF_A_PERSON)
    assert offsets.mean[0] > offsets.mean[1] == offsets.mean[2] > 0
    assert offsets.mean[3:].tolist() == [0.0, 0.0]


def test_as_many_are_expected_as_came_and_their_order_stays() -> None:
    asked, expected = np.array([10.0, 10, 0, 20, 0]), np.array([1.0, 2, 0, 2, 0])
    moved = levelled(asked, expected, np.array([5.0, 5, 0, 10, 0]))
    assert abs(moved.sum() - 20) < 1e-6
    assert moved[1] > moved[0]
    assert moved[[2, 4]].tolist() == [0.0, 0.0]


def test_draw_of_a_topic_does_not_hang_on_reactions_to_another_domain() -> None:
    before = offsets_of(DOMAIN, [])
    after = offsets_of(DOMAIN, [Reaction(0, 0.5, welcome=True)])
    drawn, again = before.drawn("7:2026-W49"), after.drawn("7:2026-W49")
    assert drawn[3:].tolist() == again[3:].tolist()
    assert drawn[0] != again[0]
    assert drawn.tolist() != before.drawn("7:2026-W50").tolist()


def test_three_hundred_reactions_of_an_instance_are_felt() -> None:
    adjacency = load_adjacency()
    index = adjacency.catalogue.index
    known = {"nursing": 3}
    want = adjacency.want(known)
    liked = {slug: (10, 10 * float(want[index[slug]]), 8) for slug in ("painting", "drawing")}
    rest = [topic.slug for topic in adjacency.catalogue if topic.domain != adjacency.catalogue["drawing"].domain][:280]
    cool = {slug: (1, float(want[index[slug]]), int(n % 4 == 0)) for n, slug in enumerate(rest) if slug != "nursing"}
    after = adjacency.refreshed(liked | cool).want(known)
    order, then = np.argsort(-after).tolist(), np.argsort(-want).tolist()
    assert order.index(index["drawing"]) < then.index(index["drawing"])
