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
# Chosen on the first and the second sample together: macro-F1 .79 and .74; without words .75 and .74, and .74 and .71
# against .73 and .65 where there are no vectors. .3 and 1 are alike, as are scales of 2 and 3.
STRENGTH = 1.0  # inverse penalty
SCALE = np.float32(2)  # of words and vectors against the cues
USUAL_SHARES = (0.26, 0.21, 0.18, 0.03, 0.32)  # of PURPOSES among the events judged by hand
WEAK = 0.02  # weight of a usual evening against a judged text; .05 and .15 tell the city less well


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
