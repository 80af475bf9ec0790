"""Step 2, reading: drafts in any order become one Reading: inside the window, by start, each key once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from scrapers.draft import EventDraft, Organizer, Problem, Reading, Window

MOST_EVENTS = 5000  # inside the window, of one source


def listing(
    drafts: Iterable[EventDraft],
    *,
    kind: str,
    window: Window,
    problems: Iterable[Problem] = (),
    name: str | None = None,
    description: str | None = None,
) -> Reading:
    """Return the Reading of a page that lists these drafts; of two with one key and title the first is kept."""
    told = list(_each_once(drafts))
    noted = list(problems)
    inside = sorted(
        (draft for draft in told if draft.starts_at in window), key=lambda draft: (draft.starts_at, draft.uid)
    )
    if len(inside) > MOST_EVENTS:
        noted.append(
            Problem("too_many_events", kind, f"{len(inside)} events; only the {MOST_EVENTS} that come first are kept")
        )
    return Reading(
        events=tuple(inside[:MOST_EVENTS]),
        problems=tuple(noted),
        kind=kind,
        name=name or None,
        description=description or None,
        organizer=_common_organizer(told),
        last_start=max((draft.starts_at for draft in told), default=None),
        listed=len(told),
    )


def stable_hash(*parts: str) -> str:
    """Return 16 hex digits that stay the same on every machine and in every run."""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def _each_once(drafts: Iterable[EventDraft]) -> Iterable[EventDraft]:
    titles: dict[tuple[str, str], str] = {}
    for draft in drafts:
        unique = draft
        if titles.get(draft.key, draft.title) != draft.title:
            # Parallel sessions often share the page's address and start together.
            unique = replace(draft, uid=f"{draft.uid}~{stable_hash(draft.title)}")
        key = unique.key
        if key not in titles:
            titles[key] = unique.title
            yield unique


def _common_organizer(drafts: list[EventDraft]) -> Organizer | None:
    organizers = {draft.organizer for draft in drafts}
    return organizers.pop() if len(organizers) == 1 else None
