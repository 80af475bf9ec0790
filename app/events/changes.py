"""Step 3, deciding: what one answer changes about what its source said before. Pure; `app.events.ingest` writes it.

Absent is not deleted: only a complete answer may take events away, only between now and the last start it lists, and
not many at once (`Vanishing`). A repository of community files says file by file what there is: what is absent from it was
taken out, and only many files that go at once are suspicious.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.events.inventories import FILES, file_of, read_files, unread_files
from scrapers import EventDraft, Reading, as_json

BATCH = 200  # events a transaction: requests get through between two batches
VANISH_SHARE, VANISH_COUNT = 0.2, 5  # more than both at once is suspicious (linkedevents' importer has the same fuse)
VANISH_FETCHES, VANISH_TIME = 3, timedelta(hours=48)  # how long a suspicious shrinking must last to be believed

# Problems after which the silence of a page is no statement, since a part of it was not read …
UNFINISHED = frozenset({"truncated", "script_broken", "more_pages"})
# … and those that leave out (some of) one event, named by its uid: it is still there, its source only broke it.
LEFT_OUT = frozenset(
    {"no_start", "bad_start", "bad_rdate", "rrule_rejected", "never_happens", "too_many_occurrences", "no_title"}
)
SUBJECT_LENGTH = 80  # characters of a uid that a problem names

Key = tuple[str, str]  # EventDraft.key


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of one version, as far as comparing needs it."""

    id: int
    event_id: int
    starts_at: datetime
    digest: str
    is_withdrawn: bool


@dataclass(frozen=True, slots=True)
class Vanishing:
    """Since when, and over how many good fetches, a suspicious shrinking has been held back."""

    since: datetime | None = None
    fetches: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    added: tuple[EventDraft, ...] = ()
    changed: tuple[tuple[int, EventDraft], ...] = ()  # version id, what it says now; also those that returned
    withdrawn: tuple[int, ...] = ()  # version ids
    seen: tuple[int, ...] = ()  # version ids listed again, changed or not
    vanishing: Vanishing = Vanishing()
    held_back: int = 0  # versions that vanished suspiciously and stay for now

    def in_batches(self) -> Iterator[Changes]:
        """Split into parts of at most BATCH of each kind, at least one, so that no transaction keeps others waiting."""
        longest = max(len(self.added), len(self.changed), len(self.withdrawn), 1)
        for start in range(0, longest, BATCH):
            part = slice(start, start + BATCH)
            yield Changes(added=self.added[part], changed=self.changed[part], withdrawn=self.withdrawn[part])


def digest_of(draft: EventDraft) -> str:
    """Return the SHA-256 of what a version says; its keys, where it was read and what was repaired do not count."""
    said = as_json(replace(draft, uid="", recurrence_id="", source="", warnings=()))
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def compare(reading: Reading, stored: Mapping[Key, Known], *, now: datetime, vanishing: Vanishing) -> Changes:
    """Decide what one well-read answer changes about what its source said before."""
    drafts: dict[Key, EventDraft] = {}
    for draft in reading.events:  # the readers keep keys apart; a second one would tear the whole source
        drafts.setdefault(draft.key, draft)
    unlisted = {key: known for key, known in stored.items() if key not in drafts}
    by_content: dict[str, list[Key]] = defaultdict(list)
    for key, one in unlisted.items():
        by_content[one.digest].append(key)
    added: list[EventDraft] = []
    changed: list[tuple[int, EventDraft]] = []
    seen: list[int] = []
    for key, draft in drafts.items():
        known: Known | None = stored.get(key)
        digest = digest_of(draft)
        renamed = known is None and bool(by_content.get(digest))
        if renamed:  # some sites make up new uids at every request
            known = unlisted.pop(by_content[digest].pop(0))
        if known is None:
            added.append(draft)
            continue
        seen.append(known.id)
        if renamed or known.is_withdrawn or known.digest != digest:
            changed.append((known.id, draft))
    ahead = {key for key, known in stored.items() if known.starts_at >= now and not known.is_withdrawn}
    absent = _absent(reading, {key: known for key, known in unlisted.items() if key in ahead})
    if absent and _is_suspicious(reading, absent, ahead, now=now):
        held = Vanishing(vanishing.since or now, vanishing.fetches + 1)
        assert held.since is not None
        if held.fetches < VANISH_FETCHES or now - held.since < VANISH_TIME:
            return Changes(tuple(added), tuple(changed), (), tuple(seen), held, held_back=len(absent))
    withdrawn = tuple(stored[key].id for key in absent)
    return Changes(tuple(added), tuple(changed), withdrawn, tuple(seen))


def _absent(reading: Reading, unlisted: Mapping[Key, Known]) -> list[Key]:
    """Return which of the events to come an answer takes away by not listing them."""
    codes = {problem.code for problem in reading.problems}
    broken = {problem.subject for problem in reading.problems if problem.code in LEFT_OUT}
    if codes & UNFINISHED or "" in broken:  # nameless where there were too many to name
        return []
    unread = unread_files(reading)
    # Many feeds show just the next ten: what lies beyond their last start is silence, not a statement.
    horizon = reading.last_start if reading.kind != FILES else None
    if "too_many_events" in codes and reading.events:
        horizon = reading.events[-1].starts_at
    return [
        (uid, recurrence_id)
        for (uid, recurrence_id), known in unlisted.items()
        if (horizon is None or known.starts_at <= horizon)
        and uid[:SUBJECT_LENGTH] not in broken
        and file_of(uid) not in unread
    ]


def _is_suspicious(reading: Reading, absent: Collection[Key], ahead: Collection[Key], *, now: datetime) -> bool:
    """Whether so many of those to come have vanished, or all, that it looks like a fault of their source."""
    gone, before = len(absent), len(ahead)
    is_empty = not any(draft.starts_at >= now for draft in reading.events)
    if reading.kind == FILES:
        # Whoever deletes a file or changes its rhythm means all the dates that go with it.
        gone = len({file_of(uid) for uid, _ in absent} - read_files(reading))
        before = len({file_of(uid) for uid, _ in ahead})
        is_empty = not reading.communities
    return is_empty or (gone > VANISH_COUNT and gone > VANISH_SHARE * before)
