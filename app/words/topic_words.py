"""What topics and domains are called in the reader's language: one file a language, `app/locale/LANGUAGE/topics.toml`.

A name that is missing there stays English, as the names of most tools do in every language.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from app.words.wording import CATALOGUES, LANGUAGES, Wording
from recommender.catalogue import Topic, key, load_catalogue

FILE = "topics.toml"


@dataclass(frozen=True, slots=True)
class Names:
    """What one language calls things, by their English labels."""

    topics: Mapping[str, str] = field(default_factory=dict)
    domains: Mapping[str, str] = field(default_factory=dict)


def topic_words(label: str, wording: Wording) -> str:
    """Return the name of a topic in the reader's language, by its English label."""
    return names_in(wording.language).topics.get(label, label)


def domain_words(name: str, wording: Wording) -> str:
    return names_in(wording.language).domains.get(name, name)


def topic_told(words: str, wording: Wording) -> str:
    """Return the name of a topic that reasons tell as "label: gloss" or "label, gloss".

    The gloss is English; in another language the name has to do.
    """
    labels = _labels()
    ends = sorted((at for sign in (": ", ", ") for at in _places(words, sign)), reverse=True)
    label = next((words[:end] for end in (len(words), *ends) if words[:end] in labels), words)
    return topic_words(label, wording)


def topic_named(words: str) -> Topic | None:
    """Return the topic that words of any language name; what the catalogue itself knows by them comes first."""
    catalogue = load_catalogue()
    slug = _slugs().get(key(words))
    return catalogue.resolve(words) or (catalogue[slug] if slug is not None else None)


def labels_begun(words: str, language: str) -> list[str]:
    """Return the English labels of topics whose name in a language, or a word of it, begins so; best first."""
    named, wanted = names_in(language).topics, key(words)
    found = [label for label, name in named.items() if begins(name, wanted)]
    return sorted(found, key=lambda label: (not key(named[label]).startswith(wanted), len(named[label])))


def begins(name: str, wanted: str) -> bool:
    """Whether a name, or one of its words, begins so."""
    return key(name).startswith(wanted) or any(key(word).startswith(wanted) for word in name.split())


@cache
def names_in(language: str) -> Names:
    file = CATALOGUES / language / FILE
    if not file.exists():
        return Names()
    catalogue, told = load_catalogue(), tomllib.loads(file.read_text(encoding="utf-8"))
    return Names(
        {catalogue[slug].label: name for slug, name in told["topics"].items() if slug in catalogue.index},
        {catalogue.domains[slug]: name for slug, name in told["domains"].items() if slug in catalogue.domains},
    )


@cache
def _slugs() -> Mapping[str, str]:
    """Return key of a name in any language → slug."""
    slugs = {topic.label: topic.slug for topic in load_catalogue()}
    return {key(name): slugs[label] for language in LANGUAGES for label, name in names_in(language).topics.items()}


@cache
def _labels() -> frozenset[str]:
    return frozenset(topic.label for topic in load_catalogue())


def _places(words: str, sign: str) -> list[int]:
    return [at for at in range(len(words)) if words.startswith(sign, at)]
