"""How far a topic lies, in words."""

from __future__ import annotations

from collections.abc import Mapping

from app.words.wording import mark
from recommender.reach import Reach

REACH_WORDS: Mapping[Reach, str] = {
    "next-door": mark("next door"),
    "one-step": mark("one step"),
    "two-steps": mark("two steps"),
    "far": mark("far out"),
}
MIXED_WORDS: Mapping[Reach, str] = {
    "next-door": mark("{number} next door"),
    "one-step": mark("{number} one step out"),
    "two-steps": mark("{number} two steps out"),
    "far": mark("{number} far out"),
}
