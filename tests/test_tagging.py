"""Step 5: what texts are about."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli.commands import cli
from app.cli.failing import Failed
from recommender.catalogue import load_catalogue
from recommender.embedding import MAX_WORDS, load_embedder, prepared
from recommender.event_text import EventText
from recommender.label_tagging import tag_labels
from recommender.names import Names, words_of
from recommender.tagging import MOST_TOPICS, NAMED_SURELY, UNNAMED_LEAST, Tagger, load_tagger
from recommender.tagging_features import everyday_names
from recommender.tagging_model import load_model


@pytest.fixture(scope="module")
def wordy() -> Tagger:
    """The tagger as it works where the embedding model is not installed."""
    catalogue = load_catalogue()
    return Tagger(catalogue, load_model(catalogue), None)


def names(text: str, *known: str) -> list[str]:
    return [mention.written for mention in Names((name, 0) for name in known).mentions(words_of(text))]


def test_name_is_found_in_every_spelling() -> None:
    assert names("NodeJS, node.js and Node JS", "Node.js") == ["NodeJS", "node.js", "Node JS"]
    assert names("C++, C# and C", "C++", "C#") == ["C++", "C#"]


def test_longest_name_wins() -> None:
    assert names("Machine learning for machine builders", "Machine", "Machine learning") == [
        "Machine learning",
        "machine",
    ]


def test_name_does_not_reach_over_punctuation() -> None:
    assert names("Java, script", "JavaScript") == []


def test_acronym_is_no_everyday_word() -> None:
    assert names("Is it first? IT at FIRST", "IT", "FIRST") == ["IT", "FIRST"]


def test_letters_of_an_abbreviation_are_no_names() -> None:
    assert names("Dogs from R.A.R.E. meet R.A.R.E dogs; A.I. in R", "R", "AR", "AI") == ["A.I", "R"]


@pytest.mark.parametrize("person", ["George R. R. Martin", "Dr. R. Smith", "R. Kelly", "J. R. R. Tolkien"])
def test_initials_of_a_person_are_no_names(person: str) -> None:
    assert names(f"Songs: {person}", "R") == []
    assert names(f"{person} sings", "R") == []


def test_letter_that_ends_a_sentence_is_a_name() -> None:
    assert names("All about R. Bring a laptop. We use R. and more", "R") == ["R", "R"]


def test_accented_name_needs_its_accent() -> None:
    assert names("the thé", "Thé") == ["thé"]


def test_addresses_and_markup_hold_no_names() -> None:
    assert names("<a href='https://go.dev/go'>Go</a> www.go.dev go@go.dev", "Go") == ["Go"]


def test_word_limit_counts_over_runs() -> None:
    assert [run.words for run in words_of("one two, three four", 3).runs] == [("one", "two"), ("three",)]


def test_names_to_beware_of_are_names_of_the_catalogue_or_parts_of_them() -> None:
    assert {"go", "make", "spring", "lean", "run"} <= everyday_names()


@pytest.mark.parametrize(
    ("title", "group", "topic"),
    [
        ("Intro to Kubernetes", "", "kubernetes"),
        ("October meeting", "Nashville UX", "ux-design"),
        ("Weekly game", "Riverside Chess Club", "chess"),
        ("Go and gRPC microservices in Golang", "Golang users", "go"),
        ("Salsa lesson for beginners", "Latin dance school", "salsa"),
        ("Einführung in maschinelles Lernen", "", "machine-learning"),
        ("Open gardens weekend", "", "gardening"),
        ("Appleseed clinic", "", "hunting"),
        ("Ice cream social", "Dog owners", "parties-and-holidays"),
    ],
)
def test_topic_is_found_with_and_without_vectors(title: str, group: str, topic: str, wordy: Tagger) -> None:
    for tagger in (load_tagger(), wordy):
        (tags,) = tagger.tag([EventText(title, "", group=group)])
        assert topic in {tag.topic for tag in tags}, (tagger.id, tags)
        assert len(tags) <= MOST_TOPICS
        assert [tag.weight for tag in tags] == sorted((tag.weight for tag in tags), reverse=True)
        assert all(0 < tag.weight <= 1 for tag in tags)


@pytest.mark.parametrize(
    "title", ["Monthly meeting", "Board meeting", "Spring Break", "Bank holiday", "", "🎄", "Test"]
)
def test_no_topic_is_an_answer(title: str, wordy: Tagger) -> None:
    for tagger in (load_tagger(), wordy):
        assert tagger.tag([EventText(title, "")]) == [[]]


@pytest.mark.parametrize(
    ("title", "topic"),
    [
        ("Let's go to the lake and make friends", "go"),
        ("Make your own rules", "build-tools"),
        ("Spring into action", "spring"),
        ("Run out of ideas?", "running"),
        ("UI roundup with Travis Shepherd", "livestock"),
        ("Tarot with Charity Pilkinton", "nonprofit-management"),
        ("Loop past the old farm", "agriculture"),
        ("Study group", "memory-and-learning"),
    ],
)
def test_everyday_word_alone_is_no_topic(title: str, topic: str) -> None:
    (tags,) = load_tagger().tag([EventText(title, "")])
    assert topic not in {tag.topic for tag in tags}


def test_category_of_a_feed_counts(wordy: Tagger) -> None:
    (tags,) = wordy.tag([EventText("Evening meeting", "", categories=("Woodworking",))])
    assert [tag.topic for tag in tags] == ["woodworking"]


def test_ambiguous_name_is_read_by_what_else_the_text_names(wordy: Tagger) -> None:
    texts = [
        EventText("Networking basics", "Cisco routers, VoIP and firewalls."),
        EventText("Networking lunch", "For accountants and small business owners."),
    ]
    for tagger in (load_tagger(), wordy):
        technical, personal = ({tag.topic for tag in tags} for tags in tagger.tag(texts))
        assert "computer-networks" in technical
        assert "computer-networks" not in personal


def test_nlp_is_of_the_mind_among_hypnotists() -> None:
    texts = [EventText("NLP and hypnosis practice", ""), EventText("NLP with transformers in Python", "")]
    mind, machine = ({tag.topic for tag in tags} for tags in load_tagger().tag(texts))
    assert ("hypnosis" in mind, "natural-language-processing" in mind) == (True, False)
    assert ("hypnosis" in machine, "natural-language-processing" in machine) == (False, True)


def test_faint_topics_of_the_wording_are_not_told_beside_what_is_surely_named() -> None:
    (tags,) = load_tagger().tag(
        [EventText("SEO evening", "", group="Search engine optimisation and digital marketing")]
    )
    assert tags[0].weight >= NAMED_SURELY
    assert all(tag.source != "wording" or tag.weight >= UNNAMED_LEAST for tag in tags)


def test_topic_tells_where_it_is_named(wordy: Tagger) -> None:
    text = EventText("Kubernetes evening", "We talk about Terraform, then Terraform again.", group="PostgreSQL users")
    for tagger in (load_tagger(), wordy):
        (tags,) = tagger.tag([text])
        sources = {tag.topic: tag.source for tag in tags}
        assert sources["kubernetes"] == "title"
        assert sources.get("terraform", "text") == "text"
        assert sources.get("postgresql", "group") == "group"


def test_group_gives_way_to_what_the_title_names(wordy: Tagger) -> None:
    texts = [
        EventText("Monthly meeting", "", group="PHP User Group"),
        EventText("Sunday hike", "", group="PHP User Group"),
    ]
    for tagger in (load_tagger(), wordy):
        bare, titled = ({tag.topic: tag.weight for tag in tags} for tags in tagger.tag(texts))
        assert titled.get("php", 0.0) < 0.8 * bare["php"]
        assert max(titled, key=titled.__getitem__) == "hiking"


def test_texts_in_a_batch_do_not_influence_each_other() -> None:
    texts = [EventText("Kubernetes evening", ""), EventText("Watercolour class", "Bring a brush."), EventText("", "")]
    together = load_tagger().tag(texts)
    alone = [load_tagger().tag([text])[0] for text in texts]
    assert [[(tag.topic, round(tag.weight, 4)) for tag in tags] for tags in together] == [
        [(tag.topic, round(tag.weight, 4)) for tag in tags] for tags in alone
    ]
    assert load_tagger().tag([]) == []


def test_labels_outside_the_catalogue_are_ranked(wordy: Tagger) -> None:
    text = EventText("Hydrofoil boards: first rides", "We try hydrofoil boards on the lake.", group="Foil club")
    labels = ["Kubernetes", "Tax law", "Hydrofoil boards", "Opera"]
    for tagger in (load_tagger(), wordy):
        ((first, *_),) = tag_labels([text], labels, limit=2, tagger=tagger)
        assert first[0] == "Hydrofoil boards"


@pytest.mark.parametrize(("title", "label"), [("Reiki circle", "Reiki"), ("Sunday hike", "Hiking")])
def test_labels_frequent_among_programmers_do_not_lead_elsewhere(title: str, label: str) -> None:
    labels = ["Python", "JavaScript", "Big Data", "Reiki", "Hiking", "Fiction"]
    ((first, *_),) = tag_labels([EventText(title, "")], labels, limit=1)
    assert first[0] == label


def test_all_labels_are_ranked_without_threshold() -> None:
    labels = ["Front-end Development", "Cats", "front end development", "Gardening"]
    ((*ranked,),) = tag_labels([EventText("React and CSS evening", "")], labels, limit=10)
    assert sorted(label for label, _ in ranked) == sorted(labels)
    assert {label for label, _ in ranked[:2]} == {"Front-end Development", "front end development"}
    assert tag_labels([EventText("x", "")], [], limit=3) == [[]]
    assert tag_labels([], labels, limit=3) == []


def test_vectors_are_of_unit_length_and_remembered() -> None:
    embedder = load_embedder()
    texts = ["A walk in the woods", "\ud800 lone surrogate", "", "A walk in the woods"]
    vectors = embedder.embed(texts)
    assert vectors.shape == (4, embedder.dimensions)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=2e-3)
    assert (vectors[0] == vectors[3]).all()
    assert (embedder.embed(texts[:1])[0] == vectors[0]).all()


def test_only_the_beginning_is_embedded() -> None:
    assert len(prepared("word " * 500).split()) == MAX_WORDS


@pytest.mark.shared
@pytest.mark.long
def test_learning_again_gives_the_same_bytes(shared: Path, tmp_path: Path) -> None:
    from recommender.learn.tagging import build_tagging
    from recommender.tagging_model import ARTEFACT

    again = tmp_path / "tagging.npz"
    build_tagging(shared / "adjacency", load_catalogue(), again)
    assert again.read_bytes() == ARTEFACT.read_bytes()


@pytest.mark.shared
@pytest.mark.long
def test_unseen_city_is_tagged_well(shared: Path) -> None:
    from recommender.learn.measure_texts import LEFT_OUT, measure_tagging

    found = {
        (one.setting, one.model): one.value for one in measure_tagging(shared / "adjacency") if one.measure == "nDCG@10"
    }
    assert found[f"{LEFT_OUT}, its tags", "names, words and vectors"] >= 0.55
    assert found[f"{LEFT_OUT}, its tags", "names and words"] > found[f"{LEFT_OUT}, its tags", "the tag in the text"]


def test_tag_answers_every_line_and_says_which_could_not_be_read() -> None:
    lines = '{"title": "Chess for beginners", "text": "Openings and endgames"}\nno JSON\n[]\n'
    ran = CliRunner().invoke(cli, ["tag", "--limit", "1"], input=lines)
    chess, *others = map(json.loads, ran.stdout.splitlines())
    assert [one["topic"] for one in chess["topics"]] == ["Chess"]
    assert [(one["topics"], one["error"][:24]) for one in others] == [
        ([], "line 2 of standard input"),
        ([], "line 3 of standard input"),
    ]
    assert isinstance(ran.exception, Failed)
