"""Step 3, community files: a repository of them is an inventory. What it does not hold is not there; a calendar is silent."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from scrapers import Reading

FILES = "community"  # the kind of readings that tell of communities themselves, file by file

# Problems after which a file is there, and tells nothing: what it said before holds.
_UNREAD = frozenset({"bad_community", "broken_archive", "broken_toml", "too_large"})
_LINE = re.compile(r":\d+$")


def file_of(uid: str) -> str:
    """Return the community file that an event of a source of FILES comes from."""
    return uid.rpartition("/")[0]


def read_files(reading: Reading) -> frozenset[str]:
    return frozenset(community.key for community in reading.communities)


def unread_files(reading: Reading) -> frozenset[str]:
    """Return the files that are there but could not be read."""
    if reading.kind != FILES:
        return frozenset()
    subjects = (problem.subject for problem in reading.problems if problem.code in _UNREAD)
    return frozenset(PurePosixPath(_LINE.sub("", subject)).stem for subject in subjects)
