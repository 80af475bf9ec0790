"""The files that describe topics: TOML written by hand, one file a group of domains, and an operator's own after them.

docs/topics.md says how to describe a topic and how an operator adds some.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from recommender.labels import key

TOPIC_FILES = Path(__file__).parent / "data" / "topics"
SENSES_FILE = Path(__file__).parent / "data" / "ambiguous_names.toml"

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# What a topic file says of a topic.
ENTRY: dict[str, type] = {"label": str, "survey": str, "aliases": list, "neighbours": list, "gloss": str}


class BrokenCatalogue(ValueError):  # noqa: N818
    """A topic file contradicts itself or another; the message names the file, the topic and the remedy."""


@dataclass(frozen=True, slots=True)
class Topic:
    slug: str
    label: str
    domain: str
    field: str  # the broad field a domain belongs to: "technology", "health", "arts" …
    aliases: tuple[str, ...] = ()
    neighbours: tuple[str, ...] = ()  # slugs, nearest first
    gloss: str = ""  # one line of what it is, for tagging and for people
    survey: str | None = None  # what developer surveys call it, where people mean another topic by that name
    file: str = ""  # the file that describes it, for messages

    @property
    def names(self) -> tuple[str, ...]:
        return (self.slug, self.label, *self.aliases)


@dataclass(frozen=True, slots=True)
class Domain:
    name: str
    field: str


class Described(NamedTuple):
    """What topic files tell."""

    topics: list[Topic]  # in the order of the files
    domains: dict[str, str]  # slug → name for people
    senses: dict[str, list[str]]  # an ambiguous name → slugs of the topics it may mean, the usual one first


def read_topics(extra: Path | None) -> Described:
    """Read the bundled files and, after them, an operator's own; raises BrokenCatalogue.

    An operator's file may describe new domains and topics, may give topics that are there more aliases and neighbours,
    and may replace their labels and glosses. Its names are taken from the aliases of other topics, so that a part of a
    topic can become one of its own.
    """
    topics: dict[str, Topic] = {}
    domains: dict[str, Domain] = {}
    for path, tables in _bundled():
        _read(path, tables, topics, domains)
    senses = tomllib.loads(SENSES_FILE.read_text("utf-8"))
    if extra is not None:
        own = _domain_tables(extra.name, _text(extra))
        taken = {key(name): slug for slug, names in _read(extra, own, topics, domains) for name in names}
        senses = {name: slugs for name, slugs in senses.items() if key(name) not in taken}
        for slug, topic in topics.items():
            kept = tuple(name for name in topic.aliases if taken.get(key(name), slug) == slug)
            if kept != topic.aliases:
                topics[slug] = replace(topic, aliases=kept)
    return Described(list(topics.values()), {slug: domain.name for slug, domain in domains.items()}, senses)


def _bundled() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the bundled files and what they hold.

    Parsing them takes half of the time a command needs to start, so it is kept as JSON beside them, as Python keeps
    bytecode: under a digest of all files, and not at all where the folder cannot be written.
    """
    paths = sorted(TOPIC_FILES.glob("*.toml"))
    texts = [_text(path) for path in paths]
    digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:32]
    kept = TOPIC_FILES / "__pycache__" / f"{digest}.json"
    if kept.is_file():
        parsed = json.loads(kept.read_text("utf-8"))
    else:
        parsed = [_domain_tables(path.name, text) for path, text in zip(paths, texts, strict=True)]
        _keep(kept, json.dumps(parsed, ensure_ascii=False))
    yield from zip(paths, parsed, strict=True)


def _keep(path: Path, text: str) -> None:
    """Write a file whole, in place of those of its kind."""
    with suppress(OSError):  # installed read-only: every start parses
        path.parent.mkdir(exist_ok=True)
        for stale in path.parent.glob("*.json"):
            stale.unlink(missing_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_text(text, "utf-8")
        unfinished.replace(path)


def _read(
    path: Path, tables: Mapping[str, Any], topics: dict[str, Topic], domains: dict[str, Domain]
) -> list[tuple[str, list[str]]]:
    """Add what a file describes to the topics and domains; return the names it gives to each topic."""
    named = []
    for slug, table in tables.items():
        if slug not in domains:
            domains[slug] = _domain(path, slug, table)
        for name, entry in _topic_tables(path, slug, table):
            topics[name] = _topic(
                path, entry, slug=name, domain=slug, field=domains[slug].field, there=topics.get(name)
            )
            named.append((name, [name, topics[name].label, *entry.get("aliases", ())]))
    return named


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BrokenCatalogue(f"{path.name}: cannot be read as TOML in UTF-8: {error}") from error


def _domain_tables(name: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BrokenCatalogue(f"{name}: cannot be read as TOML in UTF-8: {error}") from error


def _topic_tables(path: Path, domain: str, table: object) -> Iterable[tuple[str, Any]]:
    match table:
        case {"topics": dict(topics)}:
            return topics.items()
    raise BrokenCatalogue(f"{path.name}: the domain {domain!r} has no table of topics: write [{domain}.topics]")


def _domain(path: Path, slug: str, table: object) -> Domain:
    match table:
        case {"name": str(name), "field": str(field)}:
            return Domain(name, field)
    raise BrokenCatalogue(f"{path.name}: the domain {slug!r} is new: give it a name and a field")


def _topic(path: Path, entry: object, *, slug: str, domain: str, field: str, there: Topic | None) -> Topic:
    def broken(what: str) -> BrokenCatalogue:
        return BrokenCatalogue(f"{path.name}: the topic {slug!r} {what}")

    if there is not None and there.domain != domain:
        raise broken(f"stands under {domain!r}, but its domain is {there.domain!r}: move it there")
    if not SLUG.fullmatch(slug):
        raise broken("has a slug that is no part of an address: write it with a–z, 0–9 and hyphens")
    if not isinstance(entry, dict):
        raise broken(f"is no table: write {slug} = {{label = …, gloss = …}}")
    if unknown := sorted(entry.keys() - ENTRY.keys()):
        raise broken(f"has the key {unknown[0]!r}: the keys are {', '.join(ENTRY)}")
    for name, value in entry.items():
        if not isinstance(value, ENTRY[name]) or (
            isinstance(value, list) and not all(isinstance(v, str) for v in value)
        ):
            raise broken(f"has {name} = {value!r}: write {'a list of texts' if ENTRY[name] is list else 'a text'}")
    if there is None and "label" not in entry:
        raise broken("is new: give it a label")
    before = there or Topic(slug, "", domain, field)
    return replace(
        before,
        label=entry.get("label", before.label),
        survey=entry.get("survey", before.survey),
        aliases=(*before.aliases, *entry.get("aliases", ())),
        neighbours=(*before.neighbours, *entry.get("neighbours", ())),
        gloss=entry.get("gloss", before.gloss),
        file=path.name,
    )
