"""Step 5c, purpose: why people go to an event: to learn, exchange, sell, recruit or meet, and who is welcome."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from recommender.embedding import Vectors
from recommender.names import Names, words_of
from recommender.tagging import MAX_WORDS, EventText

PURPOSES = ("learn", "exchange", "sell", "recruit", "social")
CUE_FILE = Path(__file__).parent / "data" / "purpose_cues.toml"


@dataclass(frozen=True, slots=True)
class Purpose:
    weights: dict[str, float]  # of PURPOSES, sum 1
    phrases: tuple[str, ...]  # verbatim from the text: what shows the strongest purpose
    welcomes: float  # 0 … 1, signals that beginners and outsiders are welcome


@dataclass(frozen=True, slots=True)
class Cue:
    purpose: str  # or "welcomes"
    name: str


@dataclass(frozen=True, slots=True)
class Cues:
    cues: tuple[Cue, ...]
    names: Names


@cache
def load_cues() -> Cues:
    cues: list[Cue] = []
    phrases: list[tuple[str, int]] = []
    for purpose, sets in tomllib.loads(CUE_FILE.read_text("utf-8")).items():
        for name, written in sets.items():
            phrases += [(phrase, len(cues)) for phrase in written]
            cues.append(Cue(purpose, name))
    return Cues(tuple(cues), Names(phrases))


def purposes(texts: Sequence[EventText], vectors: Vectors | None = None) -> list[Purpose]:
    del vectors
    return [_purpose(text, load_cues()) for text in texts]


def _purpose(text: EventText, cues: Cues) -> Purpose:
    shares: dict[str, float] = dict(zip(PURPOSES, (0.4, 0.3, 0.1, 0.05, 0.4), strict=True))
    phrases: dict[str, list[str]] = defaultdict(list)
    welcome: set[str] = set()
    for part, trust in ((text.title, 3.0), (text.group, 1.0), (text.text, 0.7)):
        for mention in cues.names.mentions(words_of(part, MAX_WORDS)):
            cue = cues.cues[mention.value]
            if cue.purpose == "welcomes":
                welcome.add(cue.name)
            else:
                shares[cue.purpose] += trust
                phrases[cue.purpose].append(mention.written)
    total = sum(shares.values())
    strongest = max(PURPOSES, key=lambda purpose: shares[purpose])
    return Purpose(
        {purpose: share / total for purpose, share in shares.items()},
        tuple(dict.fromkeys(phrases[strongest]))[:5],
        1 - 0.4 ** len(welcome),
    )
