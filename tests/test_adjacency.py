"""Adjacency: a learner on data whose answer is plain, and the shipped artefact on people it never saw."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli.commands import cli
from app.cli.failing import Failed
from recommender.adjacency import ARTEFACT, load_adjacency, read_adjacency
from recommender.catalogue import Catalogue, Topic, load_catalogue
from recommender.label_ranking import LabelReader, NoPerson, levels_of, rank_candidates
from recommender.log_odds import mixture, odds, shares
from recommender.metrics import ndcg
from recommender.survey_model import describe, proper


def checkerboard(n_people: int = 400, n_topics: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Even people hold even topics and want the even ones they lack, odd people the odd ones."""
    rng = np.random.default_rng(1)
    world = (np.arange(n_people)[:, None] % 2) == (np.arange(n_topics)[None, :] % 2)
    have = (world & (rng.random(world.shape) < 0.5)).astype(np.float32)
    return have, (world & (have == 0)).astype(np.float32)


def test_learner_wants_only_topics_of_the_own_colour_on_a_checkerboard() -> None:
    from recommender.learn.wishes import fit_wishes

    have, want = checkerboard()
    weights = fit_wishes(have[:300], want[:300], np.zeros((20, 0)), penalty=1.0)
    scores = np.where(have[300:] > 0, -1, describe(have[300:]) @ weights)
    truth = want[300:].astype(np.float64)
    assert ndcg(scores, truth, 5).tolist() == [1.0] * 100


def test_learner_is_asymmetric() -> None:
    from recommender.learn.wishes import fit_wishes

    rng = np.random.default_rng(2)
    first = (rng.random(2000) < 0.5).astype(np.float32)
    second = ((1 - first) * (rng.random(2000) < 0.5)).astype(np.float32)
    have = np.stack([first, second, rng.random(2000) < 0.5], axis=1).astype(np.float32)
    want = np.zeros_like(have)
    want[:, 1] = first  # who holds the first wants the second; who holds the second wants nothing
    chance = describe(np.eye(3, dtype=np.float32)[:2]) @ fit_wishes(have, want, np.zeros((3, 0)), penalty=1.0)
    assert chance[0, 1] > 0.9
    assert abs(chance[1, 0]) < 0.1


def test_thinned_profiles_keep_at_most_so_many_of_their_own_topics() -> None:
    from recommender.learn.wishes import thinned

    have, _ = checkerboard()
    few = thinned(have, 3, np.random.default_rng(0))
    assert few.sum(axis=1).tolist() == np.minimum(have.sum(axis=1), 3).tolist()
    assert bool((few <= have).all())


def test_logistic_weights_never_speak_against_themselves() -> None:
    from recommender.learn.logistic import fit_logistic

    rng = np.random.default_rng(3)
    table = rng.normal(size=(4000, 3))
    truth = (rng.random(4000) < 1 / (1 + np.exp(-(table @ [1.0, -1.0, 0.0])))).astype(np.float64)
    share, offset = np.full(4000, 1 / 4000), np.zeros(4000)
    held = fit_logistic(table, truth, offset=offset, share=share, penalty=0, may_fall=False)
    free = fit_logistic(table, truth, offset=offset, share=share, penalty=0, may_fall=True)
    assert (held[0] > 0.5, held[1]) == (True, 0.0)
    assert np.allclose(free, [1, -1, 0], atol=0.15)


def test_estimates_become_probabilities_in_the_same_order() -> None:
    estimates = np.array([-3.0, -0.2, 0.0, 0.009, 0.011, 0.3, 0.9, 0.98])
    chances = proper(estimates)
    assert bool((np.diff(chances) > 0).all())
    assert (float(chances[0]) > 0, chances[4:].tolist()) == (True, [0.011, 0.3, 0.9, 0.98])


def test_mixture_gives_half_a_painter_half_a_painters_chances() -> None:
    lifts = np.log(np.array([[4.0, 1.0], [1.0, 4.0]])).astype(np.float32)
    part = shares(np.array([[1.0, 1.0]]), np.array([0, 1]), 2)
    assert np.allclose(np.exp(mixture(part, odds(lifts))), [[2.5, 2.5]])


def test_known_topics_are_never_wanted_and_always_held() -> None:
    adjacency = load_adjacency()
    known = {"javascript": 4, "painting": 2}
    places = [adjacency.catalogue.index[slug] for slug in known]
    assert adjacency.want(known)[places].tolist() == [0.0, 0.0]
    assert adjacency.outlook(known).hold[places].tolist() == [1.0, 1.0]


def test_outlook_wants_what_asking_for_wishes_alone_tells() -> None:
    adjacency = load_adjacency()
    for known in ({}, {"nursing": 5}, {"react": 3, "painting": 1, "sql": 4}):
        assert adjacency.outlook(known).want.tolist() == adjacency.want(known).tolist()


def test_every_answer_is_a_probability_whatever_is_known() -> None:
    adjacency = load_adjacency()
    people = [{}, {"nursing": 5}, dict.fromkeys([topic.slug for topic in adjacency.catalogue.topics[::3]], 1)]
    wanted = adjacency.want_many(people)
    assert wanted.shape == (3, len(adjacency.catalogue))
    assert bool(((wanted >= 0) & (wanted < 1)).all())


def test_who_does_react_holds_html_more_likely_than_rust() -> None:
    adjacency = load_adjacency()
    held = adjacency.outlook({"react": 3, "javascript": 3}).hold
    index = adjacency.catalogue.index
    assert held[index["html-css"]] > 0.5 > held[index["rust"]]


@pytest.mark.parametrize(
    ("known", "nearer", "farther"),
    [
        ("react", "ux-design", "nursing"),
        ("react", "web-accessibility", "hadoop"),
        ("nursing", "public-health", "kubernetes"),
        ("nursing", "patient-safety", "ux-design"),
        ("accounting", "tax", "painting"),
        ("painting", "drawing", "docker"),
        ("teaching", "public-speaking", "kubernetes"),
    ],
)
def test_neighbouring_worlds_are_raised_over_far_ones(known: str, nearer: str, farther: str) -> None:
    adjacency = load_adjacency()
    raised = adjacency.want({known: 3}) / adjacency.want({})
    assert raised[adjacency.catalogue.index[nearer]] > raised[adjacency.catalogue.index[farther]]


def test_higher_level_speaks_louder() -> None:
    adjacency = load_adjacency()
    drawing = adjacency.catalogue.index["drawing"]
    little, much = (adjacency.want({"painting": level, "accounting": 3})[drawing] for level in (1, 5))
    assert much > little


def test_shares_name_what_raises_a_topic() -> None:
    found = load_adjacency().shares({"painting": 3, "kubernetes": 3}, "drawing")
    assert [slug for slug, _ in found] == ["painting"]


def test_evidence_counts_people_of_the_survey() -> None:
    survey = next(one for one in load_adjacency().evidence("docker", "kubernetes") if one.kind == "survey")
    assert survey.n is not None
    assert survey.share is not None
    assert survey.base is not None
    assert (survey.n >= 30, 0 < survey.base < survey.share < 1) == (True, True)
    assert survey.lift == pytest.approx(survey.share / survey.base)


def test_evidence_is_silent_about_topics_without_a_common_source() -> None:
    assert load_adjacency().evidence("nursing", "cobol") == ()


def test_fresher_answers_move_a_topic_its_domain_less_and_nothing_else() -> None:
    adjacency = load_adjacency()
    known = {"python": 3}
    rust, go, drawing = (adjacency.catalogue.index[slug] for slug in ("rust", "go", "drawing"))
    assert adjacency.domain[rust] == adjacency.domain[go]
    answers = {"rust": (400, 40.0, 120), "nursing": (400, 120.0, 40)}
    before, after = adjacency.want(known), adjacency.refreshed(answers).want(known)
    assert after[rust] / before[rust] > after[go] / before[go] > 1
    assert after[drawing] == before[drawing]


def test_people_who_welcome_everything_more_than_expected_move_no_topic_against_another() -> None:
    ready = load_adjacency().refreshed({"rust": (400, 40.0, 120), "nursing": (400, 40.0, 120), "drawing": (10, 1.0, 3)})
    assert abs(ready.drift).max() < 1e-6


def test_artefact_serves_a_catalogue_that_grew_and_shrank() -> None:
    whole = load_catalogue()
    topics = [
        replace(topic, neighbours=tuple(slug for slug in topic.neighbours if slug != "rust"))
        for topic in whole.topics
        if topic.slug != "rust"
    ]
    new = Topic("glass-harmonica", "Glass harmonica", topics[0].domain, topics[0].field, (), (), "music of wet glasses")
    adjacency = read_adjacency(ARTEFACT, Catalogue([new, *topics], whole.domains))
    wanted = adjacency.want({"python": 3})
    assert wanted.shape == (len(whole),)
    assert 0 < wanted[0] < 0.2
    expected = load_adjacency().want({"python": 3})[whole.index["go"]]
    assert wanted[adjacency.catalogue.index["go"]] == pytest.approx(expected)


def test_rank_leaves_out_known_labels_and_keeps_the_spelling_of_the_file() -> None:
    labels = ["rust", "Golang", "React", "TypeScript"]
    people: list[dict[str, Any]] = [{"know": {"ReactJS": 5, "JavaScript": 3}}, {"know": ["Go"]}]
    ranked = [[one["topic"] for one in answer["ranked"]] for answer in rank_candidates(people, labels, limit=10)]
    assert [sorted(one) for one in ranked] == [["Golang", "TypeScript", "rust"], ["React", "TypeScript", "rust"]]


def test_a_topic_nothing_was_learned_about_is_a_step_from_its_neighbours(tmp_path: Path) -> None:
    own = tmp_path / "topics.toml"
    own.write_text(
        "[lace]\nname = 'Lace'\nfield = 'crafts'\n[lace.topics]\n"
        "bobbin-lace = {label = 'Bobbin lace', neighbours = ['embroidery'], gloss = 'lace made on a pillow'}\n",
        "utf-8",
    )
    adjacency = read_adjacency(ARTEFACT, load_catalogue(own))
    index = adjacency.catalogue.index
    wanted = {
        slug: adjacency.want({slug: 4}) / adjacency.of_nobody for slug in ("embroidery", "accounting", "bobbin-lace")
    }
    assert wanted["embroidery"][index["bobbin-lace"]] > 2
    assert wanted["accounting"][index["bobbin-lace"]] < 1.3
    assert wanted["bobbin-lace"][index["embroidery"]] > 2
    assert wanted["bobbin-lace"][index["knitting"]] > 1.3 > wanted["bobbin-lace"][index["accounting"]]


def test_rank_orders_by_chance_and_stops_at_the_limit() -> None:
    labels = [topic.label for topic in load_catalogue().topics]
    (answer,) = rank_candidates([{"know": ["Nursing"]}], labels, limit=7)
    scores = [one["score"] for one in answer["ranked"]]
    assert (len(scores), scores) == (7, sorted(scores, reverse=True))


def test_rank_places_labels_outside_the_catalogue_by_their_words_and_nonsense_last() -> None:
    labels = ["zzqx", "Letterpress printing for typographers", "Hadoop"]
    (typographer, nonsense) = rank_candidates(
        [{"know": ["Typography", "Graphic design"]}, {"know": ["zzqx"]}], labels, limit=10
    )
    assert [one["topic"] for one in typographer["ranked"]] == [labels[1], labels[2], labels[0]]
    assert "zzqx" not in [one["topic"] for one in nonsense["ranked"]]


@pytest.mark.parametrize("know", [4, "Go", [1], {"Go": "much"}, {"Go": float("nan")}, None])
def test_rank_refuses_what_does_not_say_what_somebody_knows(know: object) -> None:
    with pytest.raises(NoPerson, match="must be a list of labels or map labels to levels from 1 to 5"):
        levels_of({"know": know})


def test_rank_answers_every_line_and_says_which_could_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("Rust\nGolang\n", "utf-8")
    lines = '{"know": ["Go"]}\n{"know"\n[1]\n{"know": 4}\n{"know": {"Pyhton": 2}}\n'
    ran = CliRunner().invoke(cli, ["rank", "--candidates", str(tmp_path / "labels.txt")], input=lines)
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [[one["topic"] for one in answer["ranked"]] for answer in answers] == [
        ["Rust"],
        [],
        [],
        [],
        ["Rust", "Golang"],
    ]
    assert ["error" in answer for answer in answers] == [False, True, True, True, False]
    assert "1 labels name no topic: Pyhton (did you mean Python" in ran.stderr
    assert isinstance(ran.exception, Failed)
    assert str(ran.exception).startswith(
        "3 of 5 lines could not be read; the first: line 2 of standard input is no JSON"
    )


def test_labels_of_one_topic_keep_its_highest_level() -> None:
    known = LabelReader(load_catalogue()).known({"JS": 2, "JavaScript": 4, "nothing": 5})
    assert known == {"javascript": 4}


def test_labels_are_read_by_their_company() -> None:
    reader = LabelReader(load_catalogue())
    among_tools, among_crafts = (
        reader.topics(labels)["Yarn"].slug for labels in (["npm", "React", "Yarn"], ["Crochet", "Sewing", "Yarn"])
    )
    assert (among_tools, among_crafts) == ("yarn-js", "knitting")


@pytest.mark.shared
def test_shipped_artefact_beats_popularity_on_people_of_another_year(shared: Path) -> None:
    from recommender.learn import sources

    adjacency = load_adjacency()
    topics = adjacency.survey.topics
    survey = sources.read_survey(shared / "adjacency" / "so2017.jsonl.gz", adjacency.catalogue, topics)
    truth = survey.want * (1 - survey.have)
    asked = np.flatnonzero((truth.sum(axis=1) > 0) & (survey.have.sum(axis=1) > 2))[:600]
    slugs = [adjacency.catalogue.topics[topic].slug for topic in topics]
    people = [{slugs[place]: 3 for place in np.flatnonzero(survey.have[one])} for one in asked]
    usable = truth.sum(axis=0) > 0  # what that year asked for
    wanted = adjacency.want_many(people)[:, topics][:, usable]
    popular = np.where(survey.have[asked][:, usable] > 0, -1, truth[:, usable].mean(axis=0))
    ours, theirs = (ndcg(scores, truth[asked][:, usable].astype(np.float64), 10) for scores in (wanted, popular))
    assert ours.mean() > theirs.mean()


@pytest.mark.long
@pytest.mark.shared
def test_rebuilt_artefact_is_the_same_to_the_byte(shared: Path, tmp_path: Path) -> None:
    from recommender.learn.build import build_adjacency

    build_adjacency(shared / "adjacency", load_catalogue(), tmp_path / "adjacency.npz")
    assert (tmp_path / "adjacency.npz").read_bytes() == ARTEFACT.read_bytes()


def test_answers_are_plain_json() -> None:
    (answer,) = rank_candidates([{"know": ["Python"]}], ["Rust"], limit=1)
    assert json.loads(json.dumps(answer)) == answer
