"""Topics by the names people write and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recommender.catalogue import Topic, load_catalogue

PLAIN_LEVEL = 3  # of a topic that is named without one


class UnknownTopic(ValueError):  # noqa: N818
    """Labels that name no topic, each with labels that may have been meant."""

    def __init__(self, suggestions: Mapping[str, Sequence[str]]) -> None:
        self.suggestions = {label: tuple(meant) for label, meant in suggestions.items()}
        super().__init__(self.told())

    def told(self, *, otherwise: str = "") -> str:
        """Return it in words; `otherwise` is what helps, where it is told, if nothing like a label is known."""
        return " ".join(
            f"no topic is called {label!r}{_meant(meant, otherwise)}" for label, meant in self.suggestions.items()
        )


def _meant(suggestions: Sequence[str], otherwise: str) -> str:
    if suggestions:
        return f"; did you mean {', '.join(suggestions)}?"
    return f"; {otherwise}." if otherwise else "."


def topic_called(label: str) -> Topic:
    """Return the topic that a label, alias or slug names; raises UnknownTopic."""
    catalogue = load_catalogue()
    topic = catalogue.resolve(label)
    if topic is None:
        raise UnknownTopic({label: catalogue.suggest(label)})
    return topic


def resolve_known(labels: Mapping[str, int]) -> dict[str, int]:
    """Return slugs for labels people wrote, ambiguous ones read by the others; raises UnknownTopic."""
    catalogue = load_catalogue()
    read = catalogue.resolve_together(labels)
    unknown = {label: catalogue.suggest(label) for label in labels if read.get(label) is None}
    if unknown:
        raise UnknownTopic(unknown)
    known: dict[str, int] = {}
    for label, level in labels.items():
        slug = read[label].slug
        known[slug] = max(level, known.get(slug, 0))
    return known


def label_of(slug: str) -> str:
    """Return a topic's label; the slug itself where the catalogue has lost it."""
    catalogue = load_catalogue()
    return catalogue[slug].label if slug in catalogue.index else slug
