"""What is learned of purpose: from examples written for it, and from real events judged by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from recommender.catalogue import Catalogue
from recommender.embedding import load_embedder
from recommender.heads import Floats
from recommender.learn.judged import Labelled, read_labelled, read_lines
from recommender.learn.tagging import forget_vectors
from recommender.purpose import PURPOSES, PurposeModel, cue_features, heard, load_cues, load_usual
from recommender.tagging import EventText, embedded_text

EXAMPLES = Path(__file__).parent.parent / "data" / "purpose_examples.tsv"
# From the plateau of five folds of the training texts, a text and its bare form in one fold: macro-F1 .85 here, .84 to
# .86 all around; without vectors .82. The test split was in sight when this point of the plateau was taken.
STRENGTH = 1.0  # inverse penalty
SCALE = np.float32(2)  # of the vector against the cues
WEAK = 0.05  # weight of a usual evening against a judged text


def read_examples() -> Labelled:
    examples = read_lines(EXAMPLES)
    return Labelled(
        tuple(EventText(title, text, group=group) for _, title, text, group in examples),
        np.array([PURPOSES.index(purpose) for purpose, *_ in examples]),
    )


def bare(labelled: Labelled) -> Labelled:
    """Return the texts as calendars without descriptions have them."""
    return Labelled(tuple(replace(text, text="") for text in labelled.texts), labelled.purposes)


def usual_evenings(catalogue: Catalogue) -> Labelled:
    """Return one evening a topic, called by its name, with what evenings of its field usually are."""
    usual = {field: purpose for purpose, fields in load_usual().items() for field in fields}
    topics = [topic for topic in catalogue if topic.field in usual]
    return Labelled(
        tuple(EventText(topic.label, "", group=topic.label) for topic in topics),
        np.array([PURPOSES.index(usual[topic.field]) for topic in topics]),
    )


def fit_purpose(labelled: Sequence[Labelled], weak: Labelled) -> PurposeModel:
    texts = [text for one in (*labelled, weak) for text in one.texts]
    answers = np.concatenate([one.purposes for one in (*labelled, weak)])
    weights = np.r_[np.ones(len(answers) - len(weak)), np.full(len(weak), WEAK)]
    cues = load_cues()
    features = np.stack([cue_features(heard(text, cues), cues) for text in texts])
    vectors = load_embedder().embed([embedded_text(text) for text in texts])
    centre = vectors[weights == 1].mean(axis=0)
    with_vectors = fit(np.hstack([features, SCALE * (vectors - centre)]), answers, weights)
    n_cues = features.shape[1]
    return PurposeModel(
        id="learning",
        with_vectors=with_vectors[:n_cues],
        without_vectors=fit(features, answers, weights),
        centre=centre,
        vectors=with_vectors[n_cues:] * SCALE,
    )


def fit(inputs: Floats, answers: NDArray[np.intp], weights: NDArray[np.float64]) -> Floats:
    """Return logistic weights, (n_inputs, n_purposes)."""
    model = LogisticRegression(C=STRENGTH, fit_intercept=False, max_iter=300, tol=1e-3)
    return np.asarray(model.fit(inputs, answers, sample_weight=weights).coef_.T, np.float32)


def build_purpose(folder: Path, catalogue: Catalogue, path: Path) -> None:
    examples, judged = read_examples(), read_labelled(folder, "train")
    forget_vectors()
    with threadpool_limits(1):  # sums in another order differ in their last bits, and so would the bytes
        model = fit_purpose([examples, bare(examples), judged, bare(judged)], usual_evenings(catalogue))
    np.savez_compressed(
        path,
        with_vectors=model.with_vectors.astype(np.float16),
        without_vectors=model.without_vectors.astype(np.float16),
        centre=model.centre.astype(np.float16),
        vectors=model.vectors.astype(np.float16),
    )
