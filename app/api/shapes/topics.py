"""The shapes of answers about topics and what lies next to them."""

from __future__ import annotations

from app.api.shapes.frame import Links, Meta, Shape


class Topic(Shape):
    slug: str
    label: str
    domain: str
    field: str
    aliases: list[str]
    neighbours: list[str]
    gloss: str


class TopicAnswer(Shape):
    data: Topic


class TopicList(Shape):
    data: list[Topic]
    meta: Meta
    links: Links


class AdjacentTopic(Shape):
    slug: str
    label: str
    domain: str
    score: float


class AdjacentList(Shape):
    data: list[AdjacentTopic]
    meta: Meta
    links: Links
