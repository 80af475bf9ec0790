"""Step 6, why something was chosen for somebody, an event or a community: what every channel says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from recommender.candidate import Choice
from recommender.reach import Reach
from recommender.reasons import explain


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    topic: str  # the slug that carries it
    path: tuple[str, str]  # labels: what you know, what this is about
    reach: Reach
    score: float
    reason: str
    evidence: tuple[str, ...]
    distance_km: float | None

    @classmethod
    def of(
        cls,
        choice: Choice,
        known: Mapping[str, int],
        *,
        distance_km: float | None,
        drift: float = 0.0,
        **what: Any,
    ) -> Self:
        """Say why a choice was made, by a prior that has drifted so far in log-odds; `what` completes it."""
        reason = explain(choice, known, drift=drift)
        return cls(
            topic=choice.topic,
            path=reason.path,
            reach=reason.reach,
            score=choice.score,
            reason=reason.sentence,
            evidence=reason.evidence,
            distance_km=distance_km,
            **what,
        )

    def grounds_json(self) -> dict[str, Any]:
        return {
            "topic": self.topic,
            "path": list(self.path),
            "reach": self.reach,
            "score": round(self.score, 4),
            "reason": self.reason,
            "evidence": list(self.evidence),
            "distance_km": None if self.distance_km is None else round(self.distance_km, 1),
        }
