"""Step 5c, heads: what the wording and the vector of a text say, learned from groups that tag themselves.

A head is a linear model. The one over words works everywhere; the one over vectors needs the embedding model.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.embedding import Vectors
from recommender.names import Words

BUCKETS = 4096  # of hashed words; set by the artefact's size, not by a measurement
STEM = 5  # letters that stand for the word's forms and compounds in many languages
Floats = NDArray[np.float32]


class WordHash(NamedTuple):
    """What hashing needs of a word, kept since texts are made of the same words."""

    name: bytes
    bucket: int
    stem: int  # bucket of its beginning, -1 for a short word
    before: int  # checksum so far of a pair that begins with the word


@lru_cache(maxsize=1 << 16)
def word_hash(name: str) -> WordHash:
    written = name.encode("utf-8", "replace")
    stem = bucket(f"{name[:STEM]}*".encode("utf-8", "replace")) if len(name) > STEM else -1
    return WordHash(written, bucket(written), stem, zlib.crc32(written + b" "))


def bucket(feature: bytes) -> int:
    return zlib.crc32(feature) % BUCKETS


def hashed(words: Words) -> list[int]:
    """Return the buckets of a text's words, their beginnings and pairs."""
    buckets = []
    for run in words.runs:
        before = 0
        for key in run.keys:
            if not key:
                continue
            name, whole, stem, begun = word_hash(key)
            buckets.append(whole)
            if stem >= 0:
                buckets.append(stem)
            if before:
                buckets.append(zlib.crc32(name, before) % BUCKETS)
            before = begun
    return buckets


def word_counts(parts: Sequence[tuple[Sequence[int], float]]) -> dict[int, float]:
    """Return how often each bucket occurs in the hashed parts of a text, weighted by part."""
    counts: dict[int, float] = {}
    for buckets, weight in parts:
        for one in buckets:
            counts[one] = counts.get(one, 0.0) + weight
    return counts


def word_rows(texts: Sequence[Mapping[int, float]], rarity: Floats) -> list[tuple[NDArray[np.intp], Floats]]:
    """Return for each text its buckets and their values: damped counts × rarity, of length 1."""
    rows = []
    for counts in texts:
        buckets = np.fromiter(counts, np.intp, len(counts))
        values = np.log1p(np.fromiter(counts.values(), np.float32, len(counts))) * rarity[buckets]
        length = np.float32(np.linalg.norm(values))
        rows.append((buckets, values / length if length else values))
    return rows


@dataclass(frozen=True)
class WordHead:
    """score = (damped counts × rarity) @ inner @ outer."""

    rarity: Floats  # (BUCKETS,) how telling a bucket is; log inverse document frequency
    inner: Floats  # (BUCKETS, rank)
    outer: Floats  # (rank, n_classes)

    def scores(self, texts: Sequence[Mapping[int, float]]) -> Floats:
        """Return (n_texts, n_classes)."""
        middle = np.zeros((len(texts), self.inner.shape[1]), np.float32)
        for row, (buckets, values) in enumerate(word_rows(texts, self.rarity)):
            middle[row] = values @ self.inner[buckets]
        return np.asarray(middle @ self.outer, np.float32)


@dataclass(frozen=True)
class VectorHead:
    """score = (vector − centre) @ weights."""

    centre: Floats  # (dimensions,)
    weights: Floats  # (dimensions, n_classes)

    def scores(self, vectors: Vectors) -> Floats:
        """Return (n_texts, n_classes)."""
        return np.asarray((vectors - self.centre) @ self.weights, np.float32)
