"""The pages in German: nothing untranslated, plurals, days and numbers as they are written there, chosen as people expect."""

from __future__ import annotations

import ast
import inspect
import io
import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from service import NOW, Service, draft
from shown import show

from app import jobs, opinions
from app.models import Chore, Event
from app.people import feedback, hiding, takeaways
from app.picking import barriers, left_out
from app.queue import backlog
from app.web.overview import CHORE_WORDS, WORK_WORDS
from app.web.question import read_question
from app.web.suggest import suggested
from app.words.retelling import PATTERNS, retold
from app.words.topic_words import topic_named, topic_words
from app.words.when import ago, day_words, when_words
from app.words.wording import CATALOGUES, DOMAIN, LANGUAGES, preferred, wording_of
from recommender import cadence, reasons
from recommender.cadence import Rhythm
from recommender.candidate import Candidate
from recommender.catalogue import load_catalogue
from recommender.ranking import Person, choose
from recommender.reasons import explain
from recommender.tabulating import tabulate

ROOT = Path(__file__).parent.parent
KEYWORDS = {**DEFAULT_KEYWORDS, "text": None, "plural": (1, 2), "mark": None}
OTHERS = [language for language in LANGUAGES if language != "en"]
EN, DE = wording_of("en"), wording_of("de")


def catalogue(language: str) -> Catalog:
    with (CATALOGUES / language / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file, locale=language)


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_of_the_pages_is_translated_and_none_that_is_gone(language: str) -> None:
    with (CATALOGUES / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(ROOT, methods, options, KEYWORDS, directory_filter=lambda path: "app" in path)
    told = {message for _, _, message, _, _ in found}
    known = {message.id if isinstance(message.id, str) else tuple(message.id) for message in catalogue(language)}
    assert told == known - {""}


@pytest.mark.parametrize("language", OTHERS)
def test_translations_keep_what_is_filled_in_and_what_is_marked_up(language: str) -> None:
    pattern = re.compile(r"%\(\w+\)s|\{\w+\}|</?\w+[^>]*>")
    for message in catalogue(language):
        if not message.id:
            continue
        texts = [message.string] if isinstance(message.string, str) else message.string
        originals = [message.id] if isinstance(message.id, str) else message.id
        for text in texts:
            assert text.strip(), message.id
            assert set(pattern.findall(text)) <= set(pattern.findall(originals[-1])), message.id
            assert set(pattern.findall(originals[-1])) - set(pattern.findall(text)) <= {
                "%(number)s",
                "{number}",
                "{words}",
            }


def test_templates_ask_of_a_wording_what_it_has() -> None:
    templates = [path.read_text("utf-8") for path in (ROOT / "app").rglob("templates/*.*")]
    asked = {name for text in templates for name in re.findall(r"\bwording\.(\w+)", text)}
    assert {name for name in asked if not hasattr(EN, name)} == set()


@pytest.mark.parametrize("language", OTHERS)
def test_compiled_catalogue_is_that_of_its_texts(language: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    assert (CATALOGUES / language / "LC_MESSAGES" / f"{DOMAIN}.mo").read_bytes() == compiled.getvalue()


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", None),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr-FR, en;q=0.7, de;q=0.8", "de"),
        ("en-GB, de", "en"),
        ("de;q=0, en;q=0.1", "en"),
        ("fr, tlh", None),
        ("de;q=nonsense, en;q=0.2", "en"),
        ("*;q=0.5", None),
        ("," * 5000 + "de", None),
    ],
)
def test_language_is_the_one_a_browser_wants_most(accepted: str, language: str | None) -> None:
    assert preferred(accepted) == language


def test_numbers_plurals_and_lists_are_written_as_in_each_language() -> None:
    assert (EN.number(12345.6), DE.number(12345.6)) == ("12,345.6", "12.345,6")
    one, many = "{number} event worth an evening", "{number} events worth an evening"
    assert [DE.plural(one, many, number) for number in (1, 2, 1200)] == [
        "1 Veranstaltung, die einen Abend wert ist",
        "2 Veranstaltungen, die einen Abend wert sind",
        "1.200 Veranstaltungen, die einen Abend wert sind",
    ]
    assert [EN.listed(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert DE.listed(["a", "b", "c"]) == "a, b und c"


def evening(**fields) -> Event:
    start = datetime(2026, 12, 3, 17, 30, tzinfo=UTC)
    made = {"starts_at": start, "ends_at": start + timedelta(hours=2), "zone": "Europe/Berlin", "mode": "in_person"}
    return Event(key="k", title="T", created_at=NOW, updated_at=NOW, **{**made, **fields})


@pytest.mark.parametrize(
    ("fields", "english", "german"),
    [
        ({}, "Thu 3 Dec, 18:30–20:30", "Do., 3. Dez., 18:30–20:30 Uhr"),
        ({"ends_at": None, "mode": "online"}, "Thu 3 Dec, 18:30 CET", "Do., 3. Dez., 18:30 Uhr CET"),
        (
            {"ends_at": datetime(2026, 12, 5, 11, tzinfo=UTC)},
            "Thu 3 Dec, 18:30 – Sat 5 Dec, 12:00",
            "Do., 3. Dez., 18:30 – Sa., 5. Dez., 12:00 Uhr",
        ),
        (
            {"all_day": True, "starts_at": datetime(2026, 12, 2, 23, tzinfo=UTC), "ends_at": None},
            "Thu 3 Dec, all day",
            "Do., 3. Dez., ganztägig",
        ),
        (
            {"all_day": True, "starts_at": datetime(2026, 12, 2, 23, tzinfo=UTC), "ends_at": datetime(2026, 12, 4, 23, tzinfo=UTC)},
            "Thu 3 Dec – Fri 4 Dec, all day",
            "Do., 3. Dez. – Fr., 4. Dez., ganztägig",
        ),
        (  # the night the clocks go back: the end's hour is that of its own offset
            {"starts_at": datetime(2026, 10, 24, 22, tzinfo=UTC), "ends_at": datetime(2026, 10, 25, 3, tzinfo=UTC)},
            "Sun 25 Oct, 00:00–04:00",
            "So., 25. Okt., 00:00–04:00 Uhr",
        ),
    ],
    ids=["evening", "online", "days", "one day", "two days", "clock change"],
)  # fmt: skip
def test_hours_are_worded_in_each_language(fields: dict, english: str, german: str) -> None:
    assert (when_words(evening(**fields), EN), when_words(evening(**fields), DE)) == (english, german)


def test_days_carry_the_year_and_how_long_ago_they_were() -> None:
    assert (day_words(NOW, EN, with_year=True), day_words(NOW, DE, with_year=True)) == (
        "Tue 1 Dec 2026",
        "Di., 1. Dez. 2026",
    )
    assert (ago(NOW - timedelta(hours=3), NOW, EN), ago(NOW - timedelta(days=2), NOW, DE)) == (
        "3 hours ago",
        "vor 2 Tagen",
    )


WORDED = (reasons, cadence, feedback, opinions, barriers, hiding, left_out, takeaways)


def sentences_of(module: ModuleType) -> set[str]:
    """Return the sentences a module can say, as expressions: `.+` where something is filled in."""
    tree = ast.parse(inspect.getsource(module))
    notes = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            shape = [str(one.value) if isinstance(one, ast.Constant) else "\0" for one in node.values]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes | parts:
            shape = [node.value]
        else:
            continue
        text = "".join(shape).replace("\0, \0.", "\0.")  # a topic with its gloss is one thing told
        if text.endswith(".") and text.count(" ") >= 2:
            found.add(re.escape(text).replace("\0", ".+"))
    return found


@pytest.mark.parametrize("module", WORDED, ids=lambda module: module.__name__)
def test_every_sentence_that_can_be_said_has_a_pattern(module: ModuleType) -> None:
    said = sentences_of(module)
    assert said or module is cadence
    assert [one for one in sorted(said) if not any(re.fullmatch(one, pattern) for pattern in PATTERNS)] == []


def test_every_chore_and_state_of_work_has_words() -> None:
    assert set(CHORE_WORDS) == set(jobs.CHORES)
    states = {
        backlog.state_of(Chore(name="x", next_due=NOW + timedelta(hours=ahead), attempts=attempts, **lease), NOW)
        for ahead in (-1, 1)
        for attempts in (0, 1, 100)
        for lease in ({}, {"holder": "w", "lease_until": NOW + timedelta(hours=1)})
    }
    assert states == set(WORK_WORDS)


def test_every_rhythm_is_told_again_in_german() -> None:
    rhythms = [
        *(Rhythm(weekday=2, weeks=weeks) for weeks in (1, 2, 3, 4)),
        *(Rhythm(weekday=2, nth=nth) for nth in (1, 2, 3, 4, -1)),
    ]
    told = [retold(words, DE) for words in (*(one.words for one in rhythms), "on a Wednesday, not every week")]
    assert all("Mittwoch" in one and "Wednesday" not in one for one in told)
    assert len(set(told)) == len(rhythms) + 1


@pytest.mark.parametrize("language", OTHERS)
def test_names_of_topics_are_of_topics_and_each_leads_back_to_its_own(language: str) -> None:
    told = tomllib.loads((CATALOGUES / language / "topics.toml").read_text(encoding="utf-8"))
    known = load_catalogue()
    assert set(told["topics"]) <= set(known.index)
    assert set(told["domains"]) <= set(known.domains)
    meant = {slug: topic_named(name) for slug, name in told["topics"].items()}
    assert {slug: topic.slug for slug, topic in meant.items() if topic is not None} == {slug: slug for slug in meant}


def test_topics_are_named_and_found_in_german() -> None:
    assert (topic_words("Gardening", DE), topic_words("Gardening", EN)) == ("Gärtnern", "Gardening")
    assert topic_words("TypeScript", DE) == "TypeScript"  # a name of its own
    assert suggested("gärtn", DE)[0]["label"] == "Gärtnern"
    assert suggested("gardening", DE)[0] == {"label": "Gärtnern", "gloss": ""}
    assert suggested("gardening", EN)[0]["label"] == "Gardening"
    assert suggested("gardening", EN)[0]["gloss"] != ""
    assert [one["label"] for one in suggested("künstl", DE)][:2] == ["Künstlergemeinschaft", "Künstliche Intelligenz"]
    assert suggested("  ", DE) == suggested("xyzzy-nothing", DE) == []
    question = read_question({"know": ["Gärtnern:5", "Singen, Krankenpflege"]})
    assert question.levels == {"gardening": 5, "singing": 3, "nursing": 3}
    assert question.address() == "/?know=Gardening%3A5&know=Singing&know=Nursing"  # the same in every language


def test_every_kind_of_reason_is_told_again_in_german() -> None:
    slugs = [topic.slug for topic in load_catalogue().topics]
    untold = set()
    for known in ({}, {"javascript": 4}, {"nursing": 3, "painting": 2}, {"accounting": 5}, {"python": 3, "law": 2}):
        candidates = [
            Candidate(id=place, topics={slug: 0.9}, starts_at=NOW + timedelta(days=2), mode="in_person")
            for place, slug in enumerate(slugs[:: len(slugs) // 120])
        ]
        for choice in choose(Person(known, "far"), tabulate(candidates), now=NOW, limit=100):
            reason = explain(choice, known)
            untold |= {line for line in (reason.sentence, *reason.evidence) if retold(line, DE) == line}
    assert untold == set()


def test_what_is_told_again_keeps_names_and_turns_numbers() -> None:
    assert retold("You know Painting. One step from it lies Graphic design: giving ideas a visual form.", DE) == (
        "Du kennst „Malerei“. Einen Schritt weiter liegt „Grafikdesign“."
    )
    assert (
        retold(
            "Of 43 meetup groups about anything in “Visual arts”, 16 % are also about something in “Dance”, "
            "26 times as many as among all groups.",
            DE,
        )
        == "Von 43 Meetup-Gruppen aus „Bildende Kunst“ haben 16 % auch etwas aus „Tanz“ zum Thema, 26-mal so viele wie unter allen Gruppen."
    )
    sentence = "Of 1,072 meetup groups about React, 11 % are also about D3.js, 7.4 times as many as among all groups."
    assert retold(sentence, DE) == (
        "Von 1.072 Meetup-Gruppen zu „React“ haben 11 % auch „D3.js“ zum Thema, 7,4-mal so viele wie unter allen Gruppen."
    )
    assert retold("Your reach moved from “one step” to “two steps”.", DE) == (
        "Deine Reichweite ging von „ein Schritt“ zu „zwei Schritte“."
    )
    assert retold("New among this week's picks: “A”, “B”.", DE) == "Neu in der Auswahl dieser Woche: „A“, „B“."
    assert retold("on the second Tuesday of the month", DE) == "am zweiten Dienstag im Monat"
    assert retold(sentence, EN) == sentence
    assert retold("Nobody worded this.", DE) == "Nobody worded this."


async def test_page_speaks_the_language_of_the_browser_until_another_is_chosen(service: Service) -> None:
    await service.store(draft("a", "Sing"), topics={"a": {"choir": 0.9}})
    address = "/?know=UX+design&reach=far"
    german = await show(service, address, **{"Accept-Language": "de-DE,de;q=0.9"})
    html = german.tree.css_first("html")
    assert html is not None
    assert (html.attributes["lang"], german.headers["Content-Language"]) == ("de", "de")
    assert "Accept-Language" in german.headers["Vary"]
    assert german.one("#events-title") == "1 Veranstaltung, die einen Abend wert ist"
    assert german.one(".pick .reason").startswith("Du kennst „UX-Design“. Weit weg davon, zum Luftwechsel: „Chor“.")
    assert german.one(".pick .meta") == "Mi., 2. Dez., 12:00 Uhr"
    chosen = await service.client.post("/language", data={"language": "en", "back": address})
    assert (chosen.status_code, chosen.headers["Location"]) == (303, address)
    english = await show(service, address, **{"Accept-Language": "de"})
    assert english.one("#events-title") == "1 event worth an evening"


async def test_person_keeps_the_language_they_chose_on_every_browser(service: Service) -> None:
    await service.client.post("/start", data={"know": "UX design"})
    await service.client.post("/language", data={"language": "de"})
    service.client.cookies.delete("language")
    assert (await show(service, "/me")).one("h1") == "Du"


@pytest.mark.parametrize(
    ("data", "status", "where"),
    [
        ({"language": "tlh"}, 422, None),
        ({"language": "de", "back": "https://evil.example/"}, 303, "/"),
        ({"language": "de", "back": "//evil.example/"}, 303, "/"),
        ({"language": "de", "back": "/\\evil.example"}, 303, "/"),
    ],
)
async def test_language_switch_leads_nowhere_else(service: Service, data: dict, status: int, where: str | None) -> None:
    answer = await service.client.post("/language", data=data)
    assert (answer.status_code, answer.headers.get("Location")) == (status, where)


async def test_language_cookie_that_names_none_is_english(service: Service) -> None:
    assert (await show(service, "/", Cookie="language=../../etc")).one("h1") == "Rooms next door to what you know"
