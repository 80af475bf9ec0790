"""Limits on CPU time that mean the same on a slow or a busy machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

_LOOP = 400_000
_NOMINAL = 0.018  # CPU seconds that the loop takes on the machine the limits were written on, when it is quiet


def slowness() -> float:
    """Return how many times longer this machine takes at this moment; never below 1."""
    started = time.process_time()
    for _ in range(5):
        total = 0
        for number in range(_LOOP):
            total += number & 7
    return max(1.0, (time.process_time() - started) / 5 / _NOMINAL)


@contextmanager
def within(seconds: float, what: str = "it") -> Iterator[None]:
    """Fail when the block takes more CPU time than that on a quiet machine; the pace is taken before and after."""
    before = slowness() if seconds > 0.5 else 1.0
    started = time.process_time()
    yield
    spent = time.process_time() - started
    if spent > seconds:
        limit = seconds * max(before, slowness()) * 1.25
        assert spent <= limit, f"{what} took {spent:.2f} s of CPU, more than {limit:.2f} s"
