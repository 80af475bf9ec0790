"""What people write around a title when an event does not take place as planned."""

from __future__ import annotations

import pytest

from scrapers.titles import status_in


@pytest.mark.parametrize(
    ("title", "status"),
    [
        ("CANCELLED: Quiet reading", "cancelled"),
        ("Canceled – Quiet reading", "cancelled"),
        ("[CANCELLED] Quiet reading", "cancelled"),
        ("**Cancelled** Quiet reading", "cancelled"),
        ("Abgesagt! Stille Lesung", "cancelled"),
        ("ANNULÉ : lecture silencieuse", "cancelled"),
        ("Quiet reading (cancelled)", "cancelled"),
        ("Quiet reading - CANCELLED", "cancelled"),
        ("POSTPONED | Quiet reading", "postponed"),
        ("Verschoben: Stille Lesung", "postponed"),
        ("Rescheduled: Quiet reading", "rescheduled"),
        ("Cancelled flights and your rights", "confirmed"),
        ("Cancel culture: a debate", "confirmed"),
        ("How we cancelled our meetings", "confirmed"),
        ("The play they cancelled", "confirmed"),
        ("Postponed-futures theory: an evening", "confirmed"),
        ("", "confirmed"),
    ],
)
def test_title_tells_its_status(title: str, status: str) -> None:
    assert status_in(title) == status
