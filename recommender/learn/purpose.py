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
from recommender.event_text import EventText, embedded_text
from recommender.heads import BUCKETS, Floats
from recommender.learn.judged import Labelled, read_labelled, read_lines
from recommender.learn.tagged_texts import forget_vectors
from recommender.purpose import PURPOSES, PurposeModel, cue_features, hashed_words, heard, load_cues, load_usual

EXAMPLES = Path(__file__).parent.parent / "data" / "purpose_examples.tsv"
# Chosen on the first four samples together: macro-F1 of the four purposes they hold enough of .81; inverse penalties from
# .3 to 2 and scales from 1 to 3 lie within .01 of it, as do other shares that leave recruiting at least a twentieth.
STRENGTH = 1.0  # inverse penalty
SCALE = np.float32(2)  # of words and vectors against the cues
USUAL_SHARES = (0.25, 0.23, 0.20, 0.05, 0.27)  # of PURPOSES, near what they are among the events judged by hand
WEAK = 0.1  # weight of a usual evening against a judged text; .05 and .2 to .3 tell the city less well


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
    """Return one evening a topic, called by its name, with what evenings of its domain usually are."""
    usual = {domain: purpose for purpose, domains in load_usual().items() for domain in domains}
    topics = [topic for topic in catalogue if topic.domain in usual]
    return Labelled(
        tuple(EventText(topic.label, "", group=topic.label) for topic in topics),
        np.array([PURPOSES.index(usual[topic.domain]) for topic in topics]),
    )


def fit_purpose(labelled: Sequence[Labelled], weak: Labelled) -> PurposeModel:
    texts = [text for one in (*labelled, weak) for text in one.texts]
    answers = np.concatenate([one.purposes for one in (*labelled, weak)])
    n_strong = len(answers) - len(weak)
    weights = np.r_[balanced(answers[:n_strong]), np.full(len(weak), WEAK)]
    cues = load_cues()
    features = np.stack([cue_features(heard(text, cues), cues) for text in texts])
    words = np.zeros((len(texts), BUCKETS), np.float32)
    for row, (buckets, values) in enumerate(hashed_words(texts)):
        words[row, buckets] = SCALE * values
    vectors = load_embedder().embed([embedded_text(text) for text in texts])
    centre = vectors[:n_strong].mean(axis=0)
    ends = np.cumsum([features.shape[1], BUCKETS])
    with_vectors = np.split(fit(np.hstack([features, words, SCALE * (vectors - centre)]), answers, weights), ends)
    alone = np.split(fit(np.hstack([features, words]), answers, weights), ends)
    return PurposeModel(
        id="learning",
        cues={True: with_vectors[0], False: alone[0]},
        words={True: with_vectors[1] * SCALE, False: alone[1] * SCALE},
        centre=centre,
        vectors=with_vectors[2] * SCALE,
    )


def balanced(answers: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return weights of mean 1 under which each purpose has its usual share, however many examples it has."""
    counts = np.bincount(answers, minlength=len(PURPOSES))
    weights: NDArray[np.float64] = (np.array(USUAL_SHARES) * len(answers) / counts)[answers]
    return weights


def fit(inputs: Floats, answers: NDArray[np.intp], weights: NDArray[np.float64]) -> Floats:
    """Return logistic weights, (n_inputs, n_purposes)."""
    model = LogisticRegression(C=STRENGTH, fit_intercept=False, max_iter=300, tol=1e-3)
    return np.asarray(model.fit(inputs, answers, sample_weight=weights).coef_.T, np.float32)


def build_purpose(folder: Path, catalogue: Catalogue, path: Path) -> None:
    examples, judged = read_examples(), read_labelled(folder, "train")
    forget_vectors()
    with threadpool_limits(1):  # sums in another order differ in their last bits, and so would the bytes
        model = fit_purpose([examples, bare(examples), judged, bare(judged)], usual_evenings(catalogue))
    arrays = {
        "cues_vectors": model.cues[True],
        "cues_alone": model.cues[False],
        "words_vectors": model.words[True],
        "words_alone": model.words[False],
        "centre": model.centre,
        "vectors": model.vectors,
    }
    np.savez_compressed(path, **{name: array.astype(np.float16) for name, array in arrays.items()})  # type: ignore[arg-type]
