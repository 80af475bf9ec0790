"""Step 5, purpose: why people go to an event: to learn, exchange, sell, recruit or meet, and who is welcome there."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.embedding import Embedder, Vectors, load_embedder
from recommender.event_text import EventText, embedded_text, read
from recommender.heads import BUCKETS, Floats, word_counts, word_rows
from recommender.names import Mention, Names

PURPOSES = ("learn", "exchange", "sell", "recruit", "social")
PLACES = ("title", "group", "text")
CUE_FILE = Path(__file__).parent / "data" / "purpose_cues.toml"
ARTEFACT = Path(__file__).parent / "data" / "purpose.npz"
MOST_PHRASES = 5
TELLING = 0.3  # weight over the average purpose from which a cue shows a purpose
WELCOME = 0.6  # what one kind of welcome adds of what is missing to a full one
TITLE_WORDS, GROUP_WORDS, TEXT_WORDS = 2.0, 1.0, 0.5  # what a word counts in each place
COMPANY = 0.25  # how far an event is like the others of its group; .15 to .7 are alike on both samples judged by hand
DOUBT = 2.0  # events that speak for no purpose, beside those of the group


@dataclass(frozen=True, slots=True)
class Purpose:
    weights: dict[str, float]  # a share for each of PURPOSES, sum 1
    phrases: tuple[str, ...]  # verbatim from the text: what shows the strongest purpose
    welcomes: float  # 0 … 1, signals that beginners and outsiders are welcome


@dataclass(frozen=True)
class Cues:
    """Sets of phrases that mean the same."""

    kinds: tuple[tuple[str, str], ...]  # (purpose or "welcomes", name)
    names: Names
    kin: Floats  # (n_cues, n_purposes), 1 where a cue belongs to a purpose

    @cached_property
    def welcomes(self) -> frozenset[int]:
        return frozenset(cue for cue, (purpose, _) in enumerate(self.kinds) if purpose == "welcomes")


@cache
def load_cues() -> Cues:
    kinds: list[tuple[str, str]] = []
    phrases: list[tuple[str, int]] = []
    for purpose, sets in read_cue_file().items():
        for name, written in sets.items():
            if purpose != "domains":
                phrases += [(phrase, len(kinds)) for phrase in written]
                kinds.append((purpose, name))
    kin = [[purpose == one for one in PURPOSES] for purpose, _ in kinds]
    return Cues(tuple(kinds), Names(phrases), np.array(kin, np.float32))


def load_usual() -> Mapping[str, Sequence[str]]:
    """Return for each purpose the domains of the catalogue whose evenings usually have it."""
    return read_cue_file()["domains"]


def read_cue_file() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(CUE_FILE.read_text("utf-8"))


@dataclass(frozen=True)
class PurposeModel:
    """Logistic weights over cues by place, hashed words, and the vector of a text; by whether there are vectors."""

    id: str  # changes with everything that was learned
    cues: Mapping[bool, Floats]  # (n_features, n_purposes)
    words: Mapping[bool, Floats]  # (BUCKETS, n_purposes)
    centre: Floats  # (dimensions,)
    vectors: Floats  # (dimensions, n_purposes)


@cache
def load_purpose_model(path: Path = ARTEFACT) -> PurposeModel:
    content = hashlib.sha256(path.read_bytes() + CUE_FILE.read_bytes())
    with np.load(path) as file:
        arrays = {name: file[name].astype(np.float32) for name in file.files}
    return PurposeModel(
        id=content.hexdigest()[:12],
        cues={True: arrays["cues_vectors"], False: arrays["cues_alone"]},
        words={True: arrays["words_vectors"], False: arrays["words_alone"]},
        centre=arrays["centre"],
        vectors=arrays["vectors"],
    )


class Purposer:
    """Says what events are for; without an embedder from cues and words alone."""

    def __init__(self, model: PurposeModel, cues: Cues, embedder: Embedder | None) -> None:
        self.id = model.id
        self.model = model
        self.cues = cues
        self.embedder = embedder

    def purposes(self, texts: Sequence[EventText], vectors: Vectors | None = None) -> list[Purpose]:
        """Return the purpose of each text; `vectors` are those of `embedded_text`, where they are known already."""
        if not texts:
            return []
        if vectors is None and self.embedder is not None:
            vectors = self.embedder.embed([embedded_text(text) for text in texts])
        mentions = [heard(text, self.cues) for text in texts]
        shares = self._shares(texts, mentions, vectors) * self._company(texts) ** COMPANY  # (n_texts, n_purposes)
        shares /= shares.sum(axis=1, keepdims=True)
        telling = self._telling[vectors is not None]
        return [
            Purpose(
                {name: float(value) for name, value in zip(PURPOSES, row, strict=True)},
                self._phrases(said, int(row.argmax()), telling),
                self._welcome(said),
            )
            for row, said in zip(shares, mentions, strict=True)
        ]

    def _shares(
        self, texts: Sequence[EventText], mentions: Sequence[Sequence[tuple[int, Mention]]], vectors: Vectors | None
    ) -> Floats:
        features = np.stack([cue_features(one, self.cues) for one in mentions])
        logits = features @ self.model.cues[vectors is not None]
        words = self.model.words[vectors is not None]
        for row, (buckets, values) in enumerate(hashed_words(texts)):
            logits[row] += values @ words[buckets]
        if vectors is not None:
            logits += (vectors - self.model.centre) @ self.model.vectors
        shares: Floats = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return shares

    def _company(self, texts: Sequence[EventText]) -> Floats:
        """Return what the other events of each text's group are for, (n_texts, n_purposes); told by words alone."""
        others = [[EventText(title, "", group=text.group) for title in text.others] for text in texts]
        place = {text: position for position, text in enumerate(dict.fromkeys(one for more in others for one in more))}
        company = np.ones((len(texts), len(PURPOSES)), np.float32)
        if place:
            told = self._shares(list(place), [heard(text, self.cues) for text in place], None)
            for row, more in enumerate(others):
                company[row] = told[[place[one] for one in more]].sum(axis=0) + DOUBT / len(PURPOSES)
        return company

    def _phrases(self, mentions: Sequence[tuple[int, Mention]], purpose: int, telling: Floats) -> tuple[str, ...]:
        shown: dict[str, str] = {}  # each as it is first written, whatever its capitals elsewhere
        for place, said in mentions:
            if telling[place, said.value, purpose] >= TELLING:
                shown.setdefault(said.written.casefold(), said.written)
        return tuple(shown.values())[:MOST_PHRASES]

    @cached_property
    def _telling(self) -> dict[bool, Floats]:
        """Return how far a cue in a place speaks for each purpose, over the average: (n_places, n_cues, n_purposes)."""
        n_cues = len(self.cues.kinds)
        tables = {}
        for kind, weights in self.model.cues.items():
            own = weights[1 : 1 + len(PLACES) * n_cues].reshape(len(PLACES), n_cues, -1)
            kin = weights[1 + len(PLACES) * n_cues :].reshape(len(PLACES), len(PURPOSES), -1)
            says = own + self.cues.kin @ kin
            tables[kind] = says - says.mean(axis=2, keepdims=True)
        return tables

    def _welcome(self, mentions: Sequence[tuple[int, Mention]]) -> float:
        kinds = {mention.value for _, mention in mentions} & self.cues.welcomes
        return float(1 - (1 - WELCOME) ** len(kinds))


@cache
def load_purposer() -> Purposer:
    return Purposer(load_purpose_model(), load_cues(), load_embedder())


def purposes(texts: Sequence[EventText], vectors: Vectors | None = None) -> list[Purpose]:
    """Return the purpose of each text; `vectors` are those of `embedded_text`, where they are known already."""
    return load_purposer().purposes(texts, vectors)


def heard(text: EventText, cues: Cues) -> list[tuple[int, Mention]]:
    """Return the cues of a text with the place they stand in, as index into PLACES."""
    reading = read(text)
    places = ((reading.title,), (reading.group,), (reading.categories, reading.text))
    return [
        (place, mention)
        for place, parts in enumerate(places)
        for part in parts
        for mention in cues.names.mentions(part.words)
    ]


def hashed_words(texts: Sequence[EventText]) -> list[tuple[NDArray[np.intp], Floats]]:
    """Return for each text the buckets of its words and their values, of length 1."""
    counts = []
    for text in texts:
        reading = read(text)
        weighted = ((reading.title, TITLE_WORDS), (reading.group, GROUP_WORDS), (reading.text, TEXT_WORDS))
        counts.append(word_counts([(part.hashed, weight) for part, weight in weighted]))
    return word_rows(counts, EVEN)


EVEN = np.ones(BUCKETS, np.float32)  # rare words are not more telling here


def cue_features(mentions: Sequence[tuple[int, Mention]], cues: Cues) -> Floats:
    """Return (n_features,): a constant, then for every place and cue how much it is heard there, damped.

    Then the same for all cues of a purpose, so that cues no example holds still count as their kin do.
    """
    counts = np.zeros((len(PLACES), len(cues.kinds)), np.float32)
    for place, mention in mentions:
        counts[place, mention.value] += 1
    damped = np.log2(1 + counts)
    kin = np.minimum(damped @ cues.kin, 2.0)
    return np.concatenate([np.ones(1, np.float32), damped.ravel(), kin.ravel()])
