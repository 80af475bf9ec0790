"""The shapes of answers about topics and what lies next to them."""

from __future__ import annotations

from pydantic import Field

from app.api.shapes.frame import Links, Meta, Shape


class Topic(Shape):
    slug: str = Field(examples=["typography"])
    label: str = Field(examples=["Typography"])
    name: str = Field(description="Its label in the language of `Content-Language`.", examples=["Typography"])
    domain: str = Field(examples=["visual-design"])
    field: str = Field(examples=["design"])
    aliases: list[str] = Field(examples=[["Fonts", "Type design"]])
    neighbours: list[str] = Field(description="Slugs.", examples=[["graphic-design", "calligraphy"]])
    gloss: str = Field(examples=["the craft of letters and how texts look"])


class TopicAnswer(Shape):
    data: Topic


class TopicList(Shape):
    data: list[Topic]
    meta: Meta
    links: Links


class AdjacentTopic(Shape):
    slug: str = Field(examples=["typography"])
    label: str = Field(examples=["Typography"])
    name: str = Field(description="Its label in the language of `Content-Language`.", examples=["Typography"])
    domain: str = Field(examples=["visual-design"])
    score: float = Field(examples=[0.42])


class AdjacentList(Shape):
    data: list[AdjacentTopic]
    meta: Meta
    links: Links
