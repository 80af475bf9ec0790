"""The shapes of answers about topics and what lies next to them."""

from __future__ import annotations

from pydantic import Field

from app.api.shapes.frame import Links, Meta, Shape


class Topic(Shape):
    slug: str = Field(examples=["typography"])
    label: str = Field(examples=["Typography"])
    domain: str = Field(examples=["design"])
    field: str = Field(examples=["arts"])
    aliases: list[str] = Field(examples=[["Type design"]])
    neighbours: list[str] = Field(description="Slugs.", examples=[["graphic-design", "letterpress"]])
    gloss: str = Field(examples=["choosing, setting and drawing type"])


class TopicAnswer(Shape):
    data: Topic


class TopicList(Shape):
    data: list[Topic]
    meta: Meta
    links: Links


class AdjacentTopic(Shape):
    slug: str = Field(examples=["typography"])
    label: str = Field(examples=["Typography"])
    domain: str = Field(examples=["design"])
    score: float = Field(examples=[0.42])


class AdjacentList(Shape):
    data: list[AdjacentTopic]
    meta: Meta
    links: Links
