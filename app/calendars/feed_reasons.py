"""Step 7, why an event stands in a personal calendar: kept in English with its entry, told in its owner's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.words.retelling import all_retold
from app.words.topic_words import topic_words
from app.words.wording import Wording

STEP = " → "  # between the topics of a path


def reason_text(pick: Mapping[str, Any]) -> str:
    """Return why a pick was made: its path, then a sentence a line."""
    return "\n".join([STEP.join(pick["path"]), pick["reason"], *pick["evidence"]])


def reason_retold(reason: str, wording: Wording) -> str:
    path, *sentences = reason.split("\n")
    return "\n".join((path_words(path.split(STEP), wording), *all_retold(sentences, wording)))


def path_words(labels: Sequence[str], wording: Wording) -> str:
    return STEP.join(topic_words(label, wording) for label in labels)
