"""Step 2, reading: what people write around a title where a calendar has no field for it: "CANCELLED: …"."""

from __future__ import annotations

import re

from scrapers.draft import Status

_WORDS: dict[Status, str] = {
    "cancelled": r"cancell?ed|abgesagt|entfällt|annul[ée]e?|cancelad[oa]|annullato|geannuleerd|afgelast|odwołane",
    "postponed": r"postponed|verschoben|report[ée]e?|aplazad[oa]|adiad[oa]|rinviato|uitgesteld",
    "rescheduled": r"rescheduled",
}
_WORD = "|".join(f"(?P<{status}>{words})" for status, words in _WORDS.items())
# A title that only begins with such a word ("Cancelled flights and your rights") is about it.
_IN_FRONT = re.compile(rf"[\W_]*(?:{_WORD})[\W_]*?(?:[:|!\])*]|\s[-–—])", re.IGNORECASE)
_BEHIND = re.compile(rf"(?:[\[(*|:]|\s[-–—])[\W_]*(?:{_WORD})[\W_]*$", re.IGNORECASE)


def status_in(title: str) -> Status:
    """Return the status that a title tells in front of or behind the name, "confirmed" where it tells none."""
    found = _IN_FRONT.match(title[:40]) or _BEHIND.search(title[-40:])
    return next((status for status in _WORDS if found and found[status]), "confirmed")
