"""A topic of the catalogue, as the API and the command line show it."""

from __future__ import annotations

from typing import Any

from recommender.catalogue import Topic


def topic_json(topic: Topic) -> dict[str, Any]:
    return {
        "slug": topic.slug,
        "label": topic.label,
        "domain": topic.domain,
        "field": topic.field,
        "aliases": list(topic.aliases),
        "neighbours": list(topic.neighbours),
        "gloss": topic.gloss,
    }
