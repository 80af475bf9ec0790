"""The topic catalogue: one coherent whole, found by what people call things, and open to an operator's own topics."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest
from pace import within

import recommender.catalogue as catalogue_module
from recommender import topic_files
from recommender.catalogue import BrokenCatalogue, Catalogue, Topic, load_catalogue, read_also
from recommender.event_text import EventText
from recommender.labels import key, readings
from recommender.suggestions import slips
from recommender.tagging import Tagger
from recommender.tagging_model import load_model

# What people type, by the topic they mean.
EVERYDAY = {
    "javascript": ("JS", "JavaScript", "ECMAScript", "javascript developers", "Java Script"),
    "react": ("React", "React.js", "ReactJS"),
    "html-css": ("HTML", "CSS", "HTML/CSS"),
    "frontend-development": ("Front-end developer", "Frontend", "front end development"),
    "cpp": ("C++", "cpp"),
    "c": ("C", "C language"),
    "csharp": ("C#", "C sharp"),
    "dotnet": (".NET", "dotnet"),
    "postgresql": ("Postgres", "PostgreSQL", "postgres user group"),
    "kubernetes": ("Kubernetes", "k8s"),
    "machine-learning": ("ML", "Machine learning engineer", "Maschinelles Lernen", "Aprendizaje automático"),
    "human-computer-interaction": ("HCI", "Human–computer interaction", "Mensch-Computer-Interaktion"),
    "ux-design": ("UX", "User experience", "UX designer"),
    "product-management": ("Product manager", "Product owner", "Produktmanager"),
    "poems": ("Poetry", "Poésie", "Poesía", "Gedichte", "Poet"),
    "composition": ("Composer", "Komponist"),
    "knitting": ("Knitting", "Stricken", "Tricot", "Yarn"),
    "home-brewing": ("Homebrew", "Home brewing"),
    "railways": ("Railway", "Railways", "Trains"),
    "restaurant-industry": ("Chef", "Waiter", "Kellnerin"),
    "nursing": ("Nurse", "Nursing", "Krankenschwester", "Krankenpfleger", "Pflege", "Enfermera", "Infirmière"),
    "medicine": ("Doctor", "Arzt", "Ärztin", "Médecin"),
    "family-medicine": ("GP", "Hausarzt"),
    "midwifery": ("Midwife", "Hebamme"),
    "physiotherapy": ("Physio", "Physiotherapist", "Physiotherapeutin"),
    "bookkeeping": ("Bookkeeper", "Buchhalter", "Buchhalterin"),
    "accounting": ("Accountant", "Accounting"),
    "law": ("Lawyer", "Rechtsanwalt", "Rechtsanwältin", "Abogado"),
    "teaching": ("Teacher", "Lehrer", "Lehrerin", "Lehrerinnen"),
    "carpentry": ("Carpenter", "Tischler", "Schreiner"),
    "house-painting": ("House painter", "Maler"),
    "painting": ("Painting", "Malerei", "Peinture", "Pintura", "Painter"),
    "electrician": ("Electrician", "Elektriker"),
    "agriculture": ("Farmer", "Landwirt", "Landwirtin"),
    "library-work": ("Librarian", "Library science", "Libraries"),
    "biology": ("Biologist", "Biologin"),
    "statistics": ("Statistician", "Statistik"),
    "urban-planning": ("Planner", "Urban planner", "Stadtplaner"),
    "technical-writing": ("Technical writer",),
    "playwriting": ("Playwright",),
    "emotional-intelligence": ("Emotional intelligence", "EQ"),
    "confidence": ("Confidence", "Selbstbewusstsein", "Imposter syndrome"),
    "fact-checking-and-news-literacy": ("Media literacy", "Medienkompetenz"),
    "brain-and-nerve-care": ("Neurology", "Neurologist"),
    "measurement": ("Metrology",),
    "doctoral-life": ("PhD life", "PhD student"),
    "costume-design": ("Costume design",),
    "set-design": ("Scenography", "Bühnenbild"),
    "toy-design": ("Toy design",),
    "blogging": ("Blogging", "Blogger"),
    "watches": ("Horology", "Uhren", "Watchmaker"),
    "dungeons-and-dragons": ("D&D", "Dungeons and Dragons"),
    "gardening": ("Gardening", "Gartenarbeit", "Jardinage"),
    "chess": ("Chess club", "Chess players", "Schach"),
    "board-games": ("Board game", "The board games meetup"),
    "wine": ("Wines", "Wein"),
    "go": ("Go", "Golang"),
    "go-and-shogi": ("Go game",),
}
SURVEY_NAMES = {
    "Poetry": "python-poetry",
    "Chef": "chef-infra",
    "Composer": "php-composer",
    "Yarn": "yarn-js",
    "Cargo": "rust-cargo",
    "Railway": "railway-cloud",
    "Homebrew": "homebrew-macos",
    "Hack": "hack-lang",
    "CUTE": "cute-testing",
    "Rust": "rust",
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def own_file(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text, "utf-8")
    return path


# One coherent whole


def test_every_field_of_life_has_topics(catalogue: Catalogue) -> None:
    assert len(catalogue) >= 2000
    assert {topic.field for topic in catalogue} >= {"technology", "health", "arts", "business", "science", "sports"}
    assert {topic.domain for topic in catalogue} == set(catalogue.domains)


def test_domains_are_of_a_size_somebody_can_call_their_own(catalogue: Catalogue) -> None:
    sizes = Counter(topic.domain for topic in catalogue)
    assert {domain: size for domain, size in sizes.items() if not 8 <= size <= 38} == {}


def test_topics_are_described_in_full(catalogue: Catalogue) -> None:
    for topic in catalogue:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", topic.slug)
        assert 4 <= len(topic.gloss.split()) <= 14, topic.slug
        assert not topic.gloss.endswith("."), topic.slug


def test_topics_have_neighbours_inside_and_outside_their_domain(catalogue: Catalogue) -> None:
    for topic in catalogue:
        assert len(topic.neighbours) >= 3, topic.slug
        assert len({*topic.neighbours, topic.slug}) == len(topic.neighbours) + 1, topic.slug
        assert catalogue.named_by[topic.slug], topic.slug
        assert {catalogue[near].domain for near in topic.neighbours} != {topic.domain}, topic.slug


def test_names_belong_to_one_topic(catalogue: Catalogue) -> None:
    owners: dict[str, set[str]] = {}
    for topic in catalogue:
        for name in topic.names:
            owners.setdefault(key(name), set()).add(topic.slug)
    assert {name: slugs for name, slugs in owners.items() if len(slugs) > 1} == {}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("frontend-development", "ux-design"),
        ("javascript", "generative-art"),
        ("frontend-development", "technical-writing"),
        ("nursing", "patient-safety"),
        ("nursing", "medical-humanities"),
        ("accounting", "fraud-examination"),
        ("kubernetes", "site-reliability-engineering"),
        ("painting", "art-therapy"),
        ("teaching", "storytelling"),
        ("product-management", "facilitation"),
        ("voip", "contact-centres"),
    ],
)
def test_adjacent_professions_are_neighbours(catalogue: Catalogue, one: str, other: str) -> None:
    assert other in catalogue[one].neighbours or one in catalogue[other].neighbours


# Names


@pytest.mark.parametrize(("slug", "labels"), EVERYDAY.items())
def test_everyday_labels_name_their_topic(catalogue: Catalogue, slug: str, labels: tuple[str, ...]) -> None:
    assert {label: found.slug if (found := catalogue.resolve(label)) else None for label in labels} == dict.fromkeys(
        labels, slug
    )


@pytest.mark.parametrize(
    ("label", "company", "slug"),
    [
        ("Networking", ["Voice over IP"], "computer-networks"),
        ("Networking", ["Accounting"], "business-networking"),
        ("Networking", [], "business-networking"),
        ("Architect", ["Java"], "software-architecture"),
        ("Architect", ["Urban planning"], "architecture"),
        ("Go", ["Chess"], "go-and-shogi"),
        ("Yarn", ["React"], "yarn-js"),
        ("Yarn", ["Crochet"], "knitting"),
        ("Coach", ["Tennis"], "sports-science"),
        ("Knitting", ["React"], "knitting"),
    ],
)
def test_ambiguous_label_means_what_is_nearest_to_the_others(
    catalogue: Catalogue, label: str, company: list[str], slug: str
) -> None:
    assert catalogue.resolve_together([label, *company])[label].slug == slug


def test_ambiguous_name_alone_has_its_first_meaning(catalogue: Catalogue) -> None:
    assert {name: catalogue.resolve(name) for name in catalogue.senses} == {
        name: topics[0] for name, topics in catalogue.senses.items()
    }


@pytest.mark.parametrize("label", ["", "xyzzy", "the group", "Ruby on nails", "New"])
def test_labels_that_name_nothing_resolve_to_none(catalogue: Catalogue, label: str) -> None:
    assert catalogue.resolve(label) is None


@pytest.mark.parametrize(("label", "slug"), SURVEY_NAMES.items())
def test_survey_labels_name_tools(catalogue: Catalogue, label: str, slug: str) -> None:
    assert catalogue.resolve_survey(label) == catalogue[slug]


@pytest.mark.shared
def test_every_survey_topic_resolves(catalogue: Catalogue, shared: Path) -> None:
    with (shared / "adjacency" / "survey_topics.csv").open(encoding="utf-8") as lines:
        labels = [row["topic"] for row in csv.DictReader(lines)]
    found = {label: catalogue.resolve_survey(label) for label in labels}
    assert [label for label, topic in found.items() if topic is None] == []
    assert {label: found[label].slug for label in SURVEY_NAMES} == SURVEY_NAMES  # type: ignore[union-attr]


def test_readings_go_from_the_label_to_what_it_may_mean() -> None:
    assert list(readings("The pottery classes")) == [
        "thepotteryclasses",
        "thepotteryclass",
        "thepotteryclasse",
        "potteryclasses",
        "potteryclass",
        "potteryclasse",
        "pottery",
        "potterys",
    ]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Javascrpt", "JavaScript"),
        ("Pyhton", "Python"),
        ("Kuberntes", "Kubernetes"),
        ("Nursng", "Nursing"),
        ("Krankenschwestr", "Nursing"),
        ("watercolor paintng", "Watercolour"),
        ("photogr", "Photography"),
        ("advanced pottery techniques", "Pottery and ceramics"),
    ],
)
def test_suggestions_begin_with_what_was_meant(catalogue: Catalogue, typed: str, meant: str) -> None:
    assert catalogue.suggest(typed)[0] == meant


def test_suggestions_are_few_and_none_for_noise(catalogue: Catalogue) -> None:
    assert len(catalogue.suggest("desig", limit=5)) == 5
    assert catalogue.suggest("qqqqzzzz") == []
    assert catalogue.suggest("") == []


@pytest.mark.parametrize(
    "typed", ["asdf", "nothing", "stuff", "the best", "foo bar", "zorbing", "ferret legging", "CCNP exam", "qqqqzzzz"]
)
def test_what_is_near_nothing_gets_no_suggestion(catalogue: Catalogue, typed: str) -> None:
    assert catalogue.suggest(typed) == []


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("", "", 0), ("python", "pyhton", 1), ("nursng", "nursing", 1), ("abc", "", 3), ("zoning", "zorbing", 2)],
)
def test_slips_count_letters_left_out_put_in_changed_and_swapped(one: str, other: str, expected: int) -> None:
    assert slips(one, other) == expected


def test_suggesting_keeps_up_with_typing(catalogue: Catalogue) -> None:
    catalogue.suggest("warm")
    with within(5 * 0.05):
        for typed in ("Javascrpt", "watercolor paintng", "Data vizualisation", "accountng", "Elektrikr"):
            catalogue.suggest(typed)


def test_searching_puts_exact_names_before_beginnings_before_the_rest(catalogue: Catalogue) -> None:
    found = [topic.slug for topic in catalogue.search("wine", limit=len(catalogue))]
    assert found[0] == "wine"
    assert found.index("viticulture") < found.index("studio-nights")


def test_searching_finds_words_not_letters_inside_them(catalogue: Catalogue) -> None:
    found = {topic.slug for topic in catalogue.search("art", limit=len(catalogue))}
    assert {"art-history", "street-art"} <= found
    assert "startups" not in found
    assert catalogue.search("  ") == []


# Kept in parsed form


def test_parsed_form_is_kept_under_the_digest_of_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_files, "TOPIC_FILES", tmp_path)
    monkeypatch.setattr(topic_files, "SENSES_FILE", own_file(tmp_path.parent, ""))
    path = tmp_path / "yard.toml"
    path.write_text("[yard]\nname = 'Yard'\nfield = 'games'\n[yard.topics]\nhopscotch = {label = 'Hopscotch'}", "utf-8")
    first = topic_files.read_topics(None)
    (kept,) = (tmp_path / "__pycache__").iterdir()
    assert topic_files.read_topics(None) == first
    path.write_text(path.read_text("utf-8").replace("Hopscotch", "Marbles"), "utf-8")
    assert [topic.label for topic in topic_files.read_topics(None).topics] == ["Marbles"]
    assert [file for file in (tmp_path / "__pycache__").iterdir() if file == kept] == []


# An operator's own file


def test_own_file_adds_domains_topics_aliases_and_neighbours(tmp_path: Path, catalogue: Catalogue) -> None:
    own = own_file(
        tmp_path,
        """
        [harz-crafts]
        name = "Crafts of the Harz"
        field = "crafts"

        [harz-crafts.topics]
        bobbin-lace = {label = "Bobbin lace", aliases = ["Klöppeln"], neighbours = ["embroidery"], gloss = "lace made with bobbins on a pillow"}

        [textile-crafts.topics]
        embroidery = {aliases = ["Hardanger"], neighbours = ["bobbin-lace"]}
        """,
    )
    ours = load_catalogue(own)
    assert ours.resolve("klöppeln") == Topic(
        slug="bobbin-lace",
        label="Bobbin lace",
        domain="harz-crafts",
        field="crafts",
        aliases=("Klöppeln",),
        neighbours=("embroidery",),
        gloss="lace made with bobbins on a pillow",
        file="own.toml",
    )
    assert "Bobbin lace" not in ours["macrame-and-lace"].aliases
    assert "Bobbin lace" in catalogue["macrame-and-lace"].aliases
    assert ours.domains["harz-crafts"] == "Crafts of the Harz"
    assert ours["embroidery"].neighbours == (*catalogue["embroidery"].neighbours, "bobbin-lace")
    assert ours["embroidery"].gloss == catalogue["embroidery"].gloss
    assert ours.resolve("Hardanger") == ours["embroidery"]
    assert [topic.slug for topic in ours][: len(catalogue)] == [topic.slug for topic in catalogue]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[textile-crafts.topics]\nlace = {label = 'Lace', neighbours = ['embroidry'], gloss = 'x'}",
            "own.toml: 'lace' has the neighbour 'embroidry', which is no topic's slug: write 'embroidery'",
        ),
        (
            "[textile-crafts.topics]\nlace = {label = 'Lace', aliases = ['Knitting']}",
            "'Knitting' names both 'knitting' (crafts.toml) and 'lace' (own.toml): keep it in one of them",
        ),
        (
            "[textile-crafts.topics]\nlace = {neighbours = ['knitting']}",
            "own.toml: the topic 'lace' is new: give it a label",
        ),
        (
            "[textile-crafts.topics]\nlace = {label = 'Lace', neighbors = ['knitting']}",
            "own.toml: the topic 'lace' has the key 'neighbors': the keys are label, survey, aliases, neighbours, gloss",
        ),
        (
            "[textile-crafts.topics]\nlace = {label = 'Lace', aliases = 'Spitze'}",
            "own.toml: the topic 'lace' has aliases = 'Spitze': write a list of texts",
        ),
        (
            "[textile-crafts.topics]\nlace = 'Lace'",
            "own.toml: the topic 'lace' is no table: write lace = {label = …, gloss = …}",
        ),
        (
            "[textile-crafts.topics]\npainting = {aliases = ['Brushwork']}",
            "own.toml: the topic 'painting' stands under 'textile-crafts', but its domain is 'visual-arts': move it there",
        ),
        (
            "[textile-crafts.topics]\n'Bobbin lace' = {label = 'Bobbin lace'}",
            "own.toml: the topic 'Bobbin lace' has a slug that is no part of an address: write it with a–z, 0–9 and hyphens",
        ),
        (
            "[textile-crafts]\ntopic = 'Lace'",
            "own.toml: the domain 'textile-crafts' has no table of topics: write [textile-crafts.topics]",
        ),
        (
            "[harz.topics]\nlace = {label = 'Lace'}",
            "own.toml: the domain 'harz' is new: give it a name and a field",
        ),
        (
            "[textile-crafts\n",
            "own.toml: cannot be read as TOML in UTF-8: Expected ']' at the end of a table declaration (at line 1, column 16)",
        ),
    ],
)
def test_broken_own_file_says_where_what_and_what_to_do(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BrokenCatalogue) as broken:
        load_catalogue(own_file(tmp_path, text))
    assert str(broken.value) == message


def test_own_file_is_read_by_all_that_load_a_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_module.OWN, "file", None)
    read_also(
        own_file(tmp_path, "[textile-crafts.topics]\nbobbin-lace = {label = 'Bobbin lace', neighbours = ['sewing']}")
    )
    ours = load_catalogue()
    assert ours.resolve("Bobbin lace") == ours["bobbin-lace"]
    (tags,) = Tagger(ours, load_model(ours), None).tag([EventText("Bobbin lace for beginners", "")])
    assert tags[0].topic == "bobbin-lace"


def test_missing_own_file_is_broken(tmp_path: Path) -> None:
    with pytest.raises(BrokenCatalogue, match=r"absent\.toml: cannot be read"):
        load_catalogue(tmp_path / "absent.toml")
