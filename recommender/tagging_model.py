"""Step 5e, what tagging learned: heads, how far names are to be trusted, and how all evidence becomes one weight."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue
from recommender.heads import Floats, VectorHead, WordHead

ARTEFACT = Path(__file__).parent / "data" / "tagging.npz"


@dataclass(frozen=True)
class TaggingModel:
    id: str  # changes with everything that was learned
    trust: Mapping[str, float]  # a name's key → how often a text that says it is about its topic, 0 … 1
    topic_words: WordHead  # classes: the catalogue's topics
    topic_vectors: VectorHead
    topic_likeness: VectorHead  # cosines with what the catalogue says of each topic
    label_positions: Mapping[str, int]  # a tag's key → its class in the label heads
    label_words: WordHead  # classes: tags groups use, spelled as they spell them
    label_vectors: VectorHead
    label_rates: Floats  # (n_labels,) share of groups with a tag
    topic_weights: Mapping[bool, Floats]  # with an embedder or without: a weight a feature
    label_weights: Mapping[bool, Floats]
    threshold: Mapping[bool, float]  # weight from which a topic is told


@cache
def load_model(catalogue: Catalogue, path: Path = ARTEFACT) -> TaggingModel:
    """Read the artefact for a catalogue; a topic that was added since has names and no heads yet."""
    content = path.read_bytes()
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    columns = _columns(_lines(arrays["slugs"]), catalogue)
    labels = _lines(arrays["labels"])
    rarity = arrays["rarity"].astype(np.float32)
    inner = unpacked(arrays, "words_inner")
    outer = unpacked(arrays, "words_outer")
    n_slugs = len(columns)
    centre = arrays["centre"].astype(np.float32)
    return TaggingModel(
        id=hashlib.sha256(content).hexdigest()[:12],
        trust=dict(zip(_lines(arrays["trusted_names"]), (arrays["trust"] / 255).tolist(), strict=True)),
        topic_words=WordHead(rarity, inner, _placed(outer[:, :n_slugs], columns, len(catalogue))),
        topic_vectors=VectorHead(centre, _placed(unpacked(arrays, "topic_vectors"), columns, len(catalogue))),
        topic_likeness=VectorHead(centre, _placed(unpacked(arrays, "topic_likeness"), columns, len(catalogue))),
        label_positions={label: position for position, label in enumerate(labels)},
        label_words=WordHead(rarity, inner, np.ascontiguousarray(outer[:, n_slugs:])),
        label_vectors=VectorHead(
            centre, unpacked(arrays, "label_vectors_inner") @ unpacked(arrays, "label_vectors_outer")
        ),
        label_rates=arrays["label_rates"].astype(np.float32),
        topic_weights=_both(arrays, "topic_weights"),
        label_weights=_both(arrays, "label_weights"),
        threshold={
            has_vectors: float(value) for has_vectors, value in zip((True, False), arrays["threshold"], strict=True)
        },
    )


def _lines(packed: NDArray[np.uint8]) -> list[str]:
    return packed.tobytes().decode().split("\n")


def _both(arrays: Mapping[str, NDArray[np.generic]], name: str) -> dict[bool, Floats]:
    return {
        True: arrays[f"{name}_vectors"].astype(np.float32),
        False: arrays[f"{name}_words"].astype(np.float32),
    }


def _columns(slugs: Sequence[str], catalogue: Catalogue) -> list[int]:
    """Return where each learned class stands in the catalogue, -1 where it no longer does."""
    return [catalogue.index.get(slug, -1) for slug in slugs]


def _placed(weights: Floats, columns: Sequence[int], n_topics: int) -> Floats:
    placed = np.zeros((len(weights), n_topics), np.float32)
    kept = [position for position, column in enumerate(columns) if column >= 0]
    placed[:, [columns[position] for position in kept]] = weights[:, kept]
    return placed


def packed(name: str, weights: Floats) -> dict[str, NDArray[np.generic]]:
    """Return a matrix as steps of -127 … 127, a step size a column."""
    steps = np.maximum(np.abs(weights).max(axis=0), 1e-9) / 127
    return {name: np.rint(weights / steps).astype(np.int8), f"{name}_steps": steps.astype(np.float32)}


def unpacked(arrays: Mapping[str, NDArray[np.generic]], name: str) -> Floats:
    return arrays[name].astype(np.float32) * arrays[f"{name}_steps"].astype(np.float32)


def write_model(path: Path, model: TaggingModel, catalogue: Catalogue) -> None:
    """Write a model small, and the same to the byte for the same model."""
    rank = model.topic_words.inner.shape[1]
    left, values, right = np.linalg.svd(model.label_vectors.weights, full_matrices=False)
    root = np.sqrt(values[:rank])
    names = sorted(model.trust)
    arrays: dict[str, NDArray[np.generic]] = {
        "slugs": _text([topic.slug for topic in catalogue.topics]),
        "labels": _text(list(model.label_positions)),
        "rarity": model.topic_words.rarity.astype(np.float16),
        "centre": model.topic_vectors.centre.astype(np.float16),
        "trusted_names": _text(names),
        "trust": np.array([round(255 * model.trust[name]) for name in names], np.uint8),
        "label_rates": model.label_rates,
        "threshold": np.array([model.threshold[kind] for kind in (True, False)]),
        **packed("words_inner", model.topic_words.inner),
        **packed("words_outer", np.hstack([model.topic_words.outer, model.label_words.outer])),
        **packed("topic_vectors", model.topic_vectors.weights),
        **packed("topic_likeness", model.topic_likeness.weights),
        **packed("label_vectors_inner", left[:, :rank] * root),
        **packed("label_vectors_outer", right[:rank] * root[:, None]),
    }
    for name, weights in (("topic_weights", model.topic_weights), ("label_weights", model.label_weights)):
        arrays |= {f"{name}_vectors": weights[True], f"{name}_words": weights[False]}
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def _text(lines: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(lines).encode(), np.uint8)
