"""Topics by the names people write and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recommender.catalogue import Topic, load_catalogue

PLAIN_LEVEL = 3  # of a topic that is named without one


class UnknownTopic(ValueError):  # noqa: N818
    """A label that names no topic; `suggestions` are labels that may have been meant."""

    def __init__(self, label: str, suggestions: Sequence[str]) -> None:
        meant = f"; did you mean {', '.join(suggestions)}?" if suggestions else "; `topics search` finds what there is"
        super().__init__(f"no topic is called {label!r}{meant}")
        self.label = label
        self.suggestions = tuple(suggestions)


def topic_called(label: str) -> Topic:
    """Return the topic that a label, alias or slug names; raises UnknownTopic."""
    catalogue = load_catalogue()
    topic = catalogue.resolve(label)
    if topic is None:
        raise UnknownTopic(label, catalogue.suggest(label))
    return topic


def resolve_known(labels: Mapping[str, int]) -> dict[str, int]:
    """Return slugs for labels people wrote, ambiguous ones read by the others; raises UnknownTopic for the first unknown."""
    read = load_catalogue().resolve_together(labels)
    known: dict[str, int] = {}
    for label, level in labels.items():
        slug = (read.get(label) or topic_called(label)).slug
        known[slug] = max(level, known.get(slug, 0))
    return known


def label_of(slug: str) -> str:
    """Return a topic's label; the slug itself where the catalogue has lost it."""
    catalogue = load_catalogue()
    return catalogue[slug].label if slug in catalogue.index else slug
