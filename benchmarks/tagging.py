"""What it costs to say what events are about and why people go, beside the bare calls that it cannot do without.

The events have a title, a group and a description of some 60 words that names two topics of the catalogue.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

from sklearn.feature_extraction.text import HashingVectorizer
from threadpoolctl import threadpool_limits

from benchmarks.measure import Row, seconds, table
from recommender.catalogue import load_catalogue
from recommender.embedding import Embedder, SentenceEmbedder
from recommender.event_text import EventText, embedded_text, read
from recommender.heads import BUCKETS
from recommender.purpose import Purposer, load_cues, load_purpose_model
from recommender.tagging import Tagger
from recommender.tagging_model import load_model

BATCH = 200  # events, as they are tagged at ingest
WITH_MODEL, WITHOUT = 200, 1_000  # events
KINDS = ("Introduction to {}", "{} meetup", "Monthly meeting", "Talk and questions: {}", "{} in the park", "Try {}")
PHRASES = (
    "Doors open at seven and we begin a quarter of an hour later",
    "Whoever came last time knows where to find us",
    "Two of our members tell what they have been doing since spring",
    "There will be something to eat and time to ask whatever you like",
    "Please say beforehand whether you are coming so that there are enough chairs",
    "If it rains we stay inside",
    "Afterwards some of us usually go on to the place around the corner",
)


def rows() -> Iterator[Row]:
    with threadpool_limits(1):  # rates are of one core
        yield from _without_model()
        yield from _with_model()


def _without_model() -> Iterator[Row]:
    texts = events(WITHOUT)
    tagger, purposer = models(None)
    hashing = HashingVectorizer(n_features=BUCKETS, ngram_range=(1, 2))
    whole = [embedded_text(text) for text in texts]
    tagged, both, peer = seconds(
        lambda: each_batch(texts, tagger.tag),
        lambda: each_batch(texts, tagger.tag, purposer.purposes),
        lambda: hashing.transform(whole),
    )
    beside = f"scikit-learn's HashingVectorizer alone {rate(texts, peer)}"
    yield Row("topics without the sentence model", rate(texts, tagged), beside, f"{peer / tagged:.2f}×")
    yield Row("topics and purpose without the sentence model", rate(texts, both), beside, f"{peer / both:.2f}×")


def _with_model() -> Iterator[Row]:
    texts = events(WITH_MODEL)
    whole = [embedded_text(text) for text in texts]
    embedder = SentenceEmbedder()
    tagger, purposer = models(embedder)

    def say() -> None:
        embedder.forget()
        each_batch(texts, tagger.tag, purposer.purposes)

    def embed() -> None:
        embedder.forget()
        embedder.embed(whole)

    told, peer = seconds(say, embed)
    beside = f"the embedding alone {rate(texts, peer)}"
    yield Row("topics and purpose with the sentence model", rate(texts, told), beside, f"{peer / told:.2f}×")


def models(embedder: Embedder | None) -> tuple[Tagger, Purposer]:
    catalogue = load_catalogue()
    return Tagger(catalogue, load_model(catalogue), embedder), Purposer(load_purpose_model(), load_cues(), embedder)


def each_batch(texts: Sequence[EventText], *asked: Callable[[Sequence[EventText]], object]) -> None:
    read.cache_clear()
    for start in range(0, len(texts), BATCH):
        for ask in asked:
            ask(texts[start : start + BATCH])


def rate(texts: Sequence[EventText], cost: float) -> str:
    return f"{len(texts) / cost:,.0f} events/s"


def events(number: int) -> list[EventText]:
    rng = random.Random(0)
    topics = load_catalogue().topics
    made = []
    for _ in range(number):
        first, second = rng.sample(topics, 2)
        said = [f"{topic.label}: {topic.gloss}" for topic in (first, second)] + rng.sample(PHRASES, 4)
        made.append(EventText(rng.choice(KINDS).format(first.label), ". ".join(said), group=f"{second.label} friends"))
    return made


if __name__ == "__main__":
    print(table(rows()))
