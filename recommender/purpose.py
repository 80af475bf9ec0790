"""Step 5, purpose: why people go to an event: to learn, exchange, sell, recruit or meet, and who is welcome there."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from recommender.embedding import Embedder, Vectors, load_embedder
from recommender.heads import Floats
from recommender.names import Mention, Names, words_of
from recommender.tagging import MAX_WORDS, EventText, embedded_text

PURPOSES = ("learn", "exchange", "sell", "recruit", "social")
PLACES = ("title", "group", "text")
CUE_FILE = Path(__file__).parent / "data" / "purpose_cues.toml"
ARTEFACT = Path(__file__).parent / "data" / "purpose.npz"
MOST_PHRASES = 5
TELLING = 0.3  # weight over the average purpose from which a cue shows a purpose
WELCOME = 0.6  # what one kind of welcome adds of what is missing to a full one


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

    def is_welcome(self, cue: int) -> bool:
        return self.kinds[cue][0] == "welcomes"


@cache
def load_cues() -> Cues:
    kinds: list[tuple[str, str]] = []
    phrases: list[tuple[str, int]] = []
    for purpose, sets in read_cue_file().items():
        for name, written in sets.items():
            if purpose != "fields":
                phrases += [(phrase, len(kinds)) for phrase in written]
                kinds.append((purpose, name))
    kin = [[purpose == one for one in PURPOSES] for purpose, _ in kinds]
    return Cues(tuple(kinds), Names(phrases), np.array(kin, np.float32))


def load_usual() -> Mapping[str, Sequence[str]]:
    """Return for each purpose the fields of the catalogue whose evenings usually have it."""
    return read_cue_file()["fields"]


def read_cue_file() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(CUE_FILE.read_text("utf-8"))


@dataclass(frozen=True)
class PurposeModel:
    """Logistic weights over cues by place, and over the vector of the text; one set for when there are no vectors."""

    id: str  # changes with everything that was learned
    with_vectors: Floats  # (n_features, n_purposes)
    without_vectors: Floats
    centre: Floats  # (dimensions,)
    vectors: Floats  # (dimensions, n_purposes)


@cache
def load_purpose_model(path: Path = ARTEFACT) -> PurposeModel:
    content = hashlib.sha256(path.read_bytes() + CUE_FILE.read_bytes())
    with np.load(path) as file:
        return PurposeModel(
            content.hexdigest()[:12],
            *(file[name].astype(np.float32) for name in ("with_vectors", "without_vectors", "centre", "vectors")),
        )


class Purposer:
    """Says what events are for; without an embedder from cues alone."""

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
        features = np.stack([cue_features(one, self.cues) for one in mentions])
        weights = self.model.without_vectors if vectors is None else self.model.with_vectors
        logits = features @ weights  # (n_texts, n_purposes)
        if vectors is not None:
            logits += (vectors - self.model.centre) @ self.model.vectors
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return [
            Purpose(
                {name: float(value) for name, value in zip(PURPOSES, row, strict=True)},
                self._phrases(said, int(row.argmax()), weights),
                self._welcome(said),
            )
            for row, said in zip(shares, mentions, strict=True)
        ]

    def _phrases(self, mentions: Sequence[tuple[int, Mention]], purpose: int, weights: Floats) -> tuple[str, ...]:
        n_cues = len(self.cues.kinds)
        own = weights[1 : 1 + len(PLACES) * n_cues].reshape(len(PLACES), n_cues, -1)
        kin = weights[1 + len(PLACES) * n_cues :].reshape(len(PLACES), len(PURPOSES), -1)
        shown = []
        for place, mention in mentions:
            says = own[place, mention.value] + self.cues.kin[mention.value] @ kin[place]  # (n_purposes,)
            if says[purpose] - says.mean() >= TELLING:
                shown.append(mention.written)
        return tuple(dict.fromkeys(shown))[:MOST_PHRASES]

    def _welcome(self, mentions: Sequence[tuple[int, Mention]]) -> float:
        kinds = {mention.value for _, mention in mentions if self.cues.is_welcome(mention.value)}
        return float(1 - (1 - WELCOME) ** len(kinds))


@cache
def load_purposer() -> Purposer:
    return Purposer(load_purpose_model(), load_cues(), load_embedder())


def purposes(texts: Sequence[EventText], vectors: Vectors | None = None) -> list[Purpose]:
    """Return the purpose of each text; `vectors` are those of `embedded_text`, where they are known already."""
    return load_purposer().purposes(texts, vectors)


def heard(text: EventText, cues: Cues) -> list[tuple[int, Mention]]:
    """Return the cues of a text with the place they stand in, as index into PLACES."""
    parts = (text.title, text.group, "\n".join((*text.categories, text.text)))
    return [
        (place, mention)
        for place, part in enumerate(parts)
        for mention in cues.names.mentions(words_of(part, MAX_WORDS))
    ]


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
