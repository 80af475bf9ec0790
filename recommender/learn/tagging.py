"""What tagging learns from groups that tag themselves: trust in names, heads over words and vectors, and their weights.

Everything that is fitted to scores is fitted to scores of groups the heads have not seen (folds). Topics no group is
about are taught by weak documents: the descriptions of topics in other catalogues, and this catalogue's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from recommender.catalogue import Catalogue, key
from recommender.embedding import load_embedder
from recommender.event_text import MAX_WORDS, EventText, embedded_text, read
from recommender.heads import BUCKETS, Floats, VectorHead, WordHead, word_rows
from recommender.label_tagging import LABEL_FEATURES, Labels
from recommender.learn.sources import incidence
from recommender.learn.tagged_texts import (
    Groups,
    Lesson,
    WeakDocuments,
    as_events,
    catalogue_texts,
    embedded,
    forget_vectors,
    read_lesson,
    read_tagged_groups,
    read_weak_documents,
    tag_vocabulary,
)
from recommender.names import Names, words_of
from recommender.tagging import Tagger, sigmoid
from recommender.tagging_features import (
    FEATURE,
    NAMED,
    TOPIC_FEATURES,
    Witness,
    add_heads,
    everyday_names,
    first_trust,
    standardised,
    topic_names,
)
from recommender.tagging_model import TaggingModel, write_model

FOLDS = 5
RANK = 96  # of the heads that are stored as two thin matrices; set by the artefact's size, not by a measurement
RIDGE = 1.0  # .3 and 3 are both a little worse, for words and for vectors
WEAK = 0.1  # weight of a weak document against a group; .03 to .3 are alike
CANDIDATES = 30  # topics a text whose weights are learned from, besides those it names
FIRST_TRUST_COUNTS = 4.0  # texts that trust by look is worth
# The groups are mostly of technology, where a python is no snake: trust in everyday words ends here.
MOST_EVERYDAY = 0.5
NEIGHBOUR = 0.5  # of a hit: the text is about a topic beside the one it names


@dataclass(frozen=True)
class Heads:
    trust: dict[str, float]
    topic_words: WordHead
    topic_vectors: VectorHead
    label_words: WordHead
    label_vectors: VectorHead


def fit_heads(lesson: Lesson, weak: WeakDocuments, catalogue: Catalogue) -> Heads:
    rarity = fit_rarity(lesson.words)
    inner, outer = fit_words(lesson.words, rarity, np.hstack([lesson.topics, lesson.labels]))
    n_topics = len(catalogue)
    centre = lesson.vectors.mean(axis=0)
    documents = np.vstack([lesson.vectors, weak.vectors])
    weights = np.r_[np.ones(len(lesson.vectors)), np.full(len(weak.vectors), WEAK)].astype(np.float32)
    return Heads(
        fit_trust(lesson.groups, lesson.topics, catalogue),
        WordHead(rarity, inner, np.ascontiguousarray(outer[:, :n_topics])),
        VectorHead(centre, ridge(documents - centre, np.vstack([lesson.topics, weak.topics]), weights)),
        WordHead(rarity, inner, np.ascontiguousarray(outer[:, n_topics:])),
        VectorHead(centre, ridge(lesson.vectors - centre, lesson.labels, np.ones(len(lesson.vectors), np.float32))),
    )


def fit_trust(groups: Groups, topics: Floats, catalogue: Catalogue) -> dict[str, float]:
    """Return for the names the groups use how often a group that says the name is about its topic."""
    names = topic_names(catalogue)
    first = first_trust(catalogue)
    hits: dict[str, list[float]] = {}
    for text, about in zip(groups.texts, topics, strict=True):
        told = set(np.flatnonzero(about))
        said = {
            mention.name: mention.value for mention in names.mentions(words_of(f"{text.title}\n{text.text}", MAX_WORDS))
        }
        for name, position in said.items():
            topic = catalogue.topics[position]
            beside = {catalogue.index[slug] for slug in (*topic.neighbours, *catalogue.named_by[topic.slug])}
            hits.setdefault(name, []).append(1.0 if position in told else NEIGHBOUR * bool(beside & told))
    everyday = everyday_names()
    return {
        name: min(
            (sum(found) + FIRST_TRUST_COUNTS * first[name]) / (len(found) + FIRST_TRUST_COUNTS),
            MOST_EVERYDAY if name in everyday else 1.0,
        )
        for name, found in sorted(hits.items())
    }


def fit_rarity(texts: Sequence[Mapping[int, float]]) -> Floats:
    frequency = np.zeros(BUCKETS, np.float32)
    for counts in texts:
        frequency[list(counts)] += 1
    rarity: Floats = np.log((len(texts) + 1) / (frequency + 1)).astype(np.float32)
    rarity[frequency < 2] = 0.0  # what one text alone says cannot be told from its tags
    return rarity


def fit_words(texts: Sequence[Mapping[int, float]], rarity: Floats, classes: Floats) -> tuple[Floats, Floats]:
    """Return ridge weights from words to classes as two thin matrices, (BUCKETS, RANK) and (RANK, n_classes)."""
    table = np.zeros((len(texts), BUCKETS), np.float32)
    for row, (buckets, values) in enumerate(word_rows(texts, rarity)):
        table[row, buckets] = values
    dual = np.linalg.solve(
        table @ table.T + RIDGE * np.eye(len(table), dtype=np.float32), classes - classes.mean(axis=0)
    )
    basis, triangle = np.linalg.qr(table.T)
    left, values, right = np.linalg.svd(triangle @ dual, full_matrices=False)
    root = np.sqrt(values[:RANK])
    return basis @ (left[:, :RANK] * root), right[:RANK] * root[:, None]


def ridge(inputs: Floats, classes: Floats, weights: Floats) -> Floats:
    """Return weighted ridge weights, (n_inputs, n_classes); the classes' base rates are taken out."""
    rates = (weights @ classes) / weights.sum()
    weighted = inputs * weights[:, None]
    penalty = RIDGE * np.eye(inputs.shape[1], dtype=np.float32)
    solved: Floats = np.linalg.solve(inputs.T @ weighted + penalty, weighted.T @ (classes - rates))
    return solved


def likeness_head(catalogue: Catalogue, centre: Floats) -> VectorHead:
    """Return cosines with what the catalogue says of each topic, less what all topics share."""
    vectors = embedded(tuple(catalogue_texts(catalogue)))
    return VectorHead(centre, (vectors - vectors.mean(axis=0)).T)


def folds(n_groups: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return (taught, asked) positions; every group is asked once."""
    every = np.arange(n_groups)
    return [(every[every % FOLDS != fold], every[every % FOLDS == fold]) for fold in range(FOLDS)]


@dataclass(frozen=True)
class Evidence:
    """Pairs of a text and a topic or label that heads judged which have not seen the text's group."""

    features: Floats  # (n_pairs, n_features)
    applies: NDArray[np.bool_]  # (n_pairs,)


def topic_evidence(lesson: Lesson, heads: Heads, likeness: VectorHead, catalogue: Catalogue) -> Evidence:
    """Return what is said of the topics that texts name or come close to."""
    witness = Witness(catalogue, heads.trust)
    parts: list[tuple[Floats, NDArray[np.bool_]]] = []
    for number, group in enumerate(lesson.groups.texts):
        texts = as_events(group, number)
        readings = [read(text) for text in texts]
        vectors = embedded(tuple(embedded_text(text) for text in texts))
        words = heads.topic_words.scores([reading.counts() for reading in readings])
        dense = heads.topic_vectors.scores(vectors)
        table = add_heads(witness.evidence(readings), words, dense, standardised(likeness.scores(vectors)))
        closest = np.argsort(-(words + dense), axis=1, kind="stable")[:, :CANDIDATES]
        for row in range(len(texts)):
            named = np.flatnonzero(table[row, NAMED].any(axis=0))
            topics = np.union1d(named, closest[row])
            parts.append((table[row][:, topics].T, lesson.topics[number, topics] > 0))
    features, applies = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Evidence(features, applies)


def nameless_evidence(
    weak: WeakDocuments, asked: NDArray[np.intp], heads: Heads, likeness: VectorHead, catalogue: Catalogue
) -> Evidence:
    """Return what the heads alone say of descriptions that do not name their topic, over all walks of life.

    Topics of the same domain are left out: nobody said whether they apply.
    """
    names = topic_names(catalogue)
    domain = Witness(catalogue, heads.trust).domain
    texts = tuple(without_names(weak.texts[one], names) for one in asked)
    vectors = embedded(texts)
    readings = [read(EventText("", text)) for text in texts]
    words = heads.topic_words.scores([reading.counts() for reading in readings])
    dense = heads.topic_vectors.scores(vectors)
    like = standardised(likeness.scores(vectors))
    closest = np.argsort(-(words + dense + 0.1 * like), axis=1, kind="stable")[:, :CANDIDATES]
    parts: list[tuple[Floats, NDArray[np.bool_]]] = []
    for row, one in enumerate(asked):
        about = np.flatnonzero(weak.topics[one])
        topics = np.array(
            [topic for topic in closest[row] if topic in about or domain[topic] not in domain[about]], np.intp
        )
        features = np.zeros((len(topics), len(TOPIC_FEATURES)), np.float32)
        features[:, 0] = 1.0
        for name, scores in (("words", words), ("vectors", dense), ("likeness", like)):
            features[:, FEATURE[name]] = scores[row, topics]
        parts.append((features, np.isin(topics, about)))
    features, applies = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Evidence(features, applies)


def without_names(text: str, names: Names) -> str:
    """Return a text without the topics it calls by name."""
    for mention in sorted(names.mentions(words_of(text)), key=lambda mention: -len(mention.written)):
        text = text.replace(mention.written, "")
    return text


def label_evidence(lesson: Lesson, tagger: Tagger, labels: Sequence[str]) -> Evidence:
    """Return what is said of every label about the texts of the groups as they stand."""
    readings = [read(text) for text in lesson.groups.texts]
    known = Labels(labels, tagger)
    column = {name: position for position, label in enumerate(labels) for name in (key(label),)}
    table = known.evidence(readings, tagger.log_odds(readings, lesson.vectors), lesson.vectors)
    applies = incidence(
        [[column[key(tag)] for tag in tags if key(tag) in column] for tags in lesson.groups.tags], len(labels)
    )
    return Evidence(table.transpose(0, 2, 1).reshape(-1, table.shape[1]), applies.ravel() > 0)


def together(parts: Sequence[Evidence]) -> Evidence:
    return Evidence(np.concatenate([part.features for part in parts]), np.concatenate([part.applies for part in parts]))


def fit_weights(evidence: Evidence, names: Sequence[str], *, with_vectors: bool) -> Floats:
    """Return logistic weights, a weight a feature; without vectors those of their features are 0."""
    used = [
        column for column, name in enumerate(names) if with_vectors or not ("vectors" in name or "likeness" in name)
    ]
    model = LogisticRegression(C=10.0, fit_intercept=False, max_iter=1000)
    model.fit(evidence.features[:, used], evidence.applies)
    weights = np.zeros(len(names), np.float32)
    weights[used] = model.coef_[0]
    return weights


def fit_threshold(evidence: Evidence, weights: Floats) -> float:
    """Return the weight from which telling a topic does most good: F with recall counting half (van Rijsbergen, β² = ½).

    With β² = ¼ a hike is told of no topic: groups leave out tags that apply, so precision is better than it looks.
    With β = 1 the threshold is .2, and events get topics that are only in the air.
    """
    told = sigmoid(evidence.features @ weights)
    best = (0.0, 0.5)
    for threshold in np.arange(0.2, 0.8, 0.02):
        chosen = told >= threshold
        hits = float((chosen & evidence.applies).sum())
        score = 1.5 * hits / (0.5 * float(evidence.applies.sum()) + float(chosen.sum()))
        best = max(best, (score, float(threshold)))
    return round(best[1], 2)


def build_tagging(folder: Path, catalogue: Catalogue, path: Path, *, left_out: str | None = None) -> None:
    """Learn from the groups of all cities, or of all but one, and write what was learned."""
    forget_vectors()
    with threadpool_limits(1):  # sums in another order differ in their last bits, and so would the bytes
        write_model(path, learn_tagging(folder, catalogue, left_out), catalogue)


def learn_tagging(folder: Path, catalogue: Catalogue, left_out: str | None) -> TaggingModel:
    groups = read_tagged_groups(folder)
    groups = groups.take([one for one, city in enumerate(groups.cities) if city != left_out])
    weak = read_weak_documents(folder, catalogue)
    vocabulary = tag_vocabulary(groups)
    lesson = read_lesson(groups, catalogue, vocabulary)
    likeness = likeness_head(catalogue, lesson.vectors.mean(axis=0))
    rates = (lesson.labels.sum(axis=0) / len(groups)).astype(np.float32)
    unseen: list[tuple[Heads, Lesson]] = []
    evidence: list[Evidence] = []
    for fold, (taught, asked) in enumerate(folds(len(groups))):
        described = weak.asked[weak.asked % (2 * FOLDS) == fold]  # half of them, for time
        heads = fit_heads(lesson.take(taught), weak.without(described), catalogue)
        unseen.append((heads, lesson.take(asked)))
        evidence.append(topic_evidence(lesson.take(asked), heads, likeness, catalogue))
        evidence.append(nameless_evidence(weak, described, heads, likeness, catalogue))
    topics = together(evidence)
    topic_weights = {kind: fit_weights(topics, TOPIC_FEATURES, with_vectors=kind) for kind in (True, False)}
    threshold = {kind: fit_threshold(topics, weights) for kind, weights in topic_weights.items()}
    learned: Learned = {
        "vocabulary": vocabulary,
        "rates": rates,
        "topic_weights": topic_weights,
        "threshold": threshold,
    }
    spelled = sorted({tag for tags in groups.tags for tag in tags})
    label_weights: dict[bool, Floats] = {}
    for kind in (True, False):
        parts = []
        for heads, strangers in unseen:
            model = as_model(heads, likeness, label_weights={}, **learned)
            tagger = Tagger(catalogue, model, load_embedder() if kind else None)
            parts.append(label_evidence(strangers, tagger, spelled))
        label_weights[kind] = fit_weights(together(parts), LABEL_FEATURES, with_vectors=kind)
    heads = fit_heads(lesson, weak, catalogue)
    return as_model(heads, likeness, label_weights=label_weights, **learned)


class Learned(TypedDict):
    """What the models of all folds share."""

    vocabulary: Sequence[str]
    rates: Floats
    topic_weights: Mapping[bool, Floats]
    threshold: Mapping[bool, float]


def as_model(
    heads: Heads,
    likeness: VectorHead,
    *,
    vocabulary: Sequence[str],
    rates: Floats,
    topic_weights: Mapping[bool, Floats],
    label_weights: Mapping[bool, Floats],
    threshold: Mapping[bool, float],
) -> TaggingModel:
    return TaggingModel(
        id="learning",
        trust=heads.trust,
        topic_words=heads.topic_words,
        topic_vectors=heads.topic_vectors,
        topic_likeness=likeness,
        label_positions={label: position for position, label in enumerate(vocabulary)},
        label_words=heads.label_words,
        label_vectors=heads.label_vectors,
        label_rates=rates,
        topic_weights=topic_weights,
        label_weights=label_weights,
        threshold=threshold,
    )
