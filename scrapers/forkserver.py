"""Step 2, behind the guarded door: the process that reading workers are forked from: `python -m scrapers.forkserver FD`.

It holds the readers in memory and nothing else: no event loop, no threads, no secrets. Over the Unix socket FD it
receives one end of a socket pair for each worker wanted, and forks; it ends when its parent does.

A worker answers jobs one after another. Before each it asks the kernel to end it when the budget is spent, so that
nobody has to watch over it: its parent sees the connection close.
"""

from __future__ import annotations

import copyreg
import gc
import io
import os
import pickle
import resource
import signal
import socket
import sys
import traceback
from typing import Any
from zoneinfo import ZoneInfo

from scrapers.draft import Reading, Unreadable
from scrapers.reading import read_here
from scrapers.workers import HELLO, Answer, Job

_TIRED = 0.5  # share of its memory after which a worker is not used again, since freed memory seldom returns whole
_SELDOM = 100_000  # new objects between two searches for cycles; a quarter of reading a large calendar otherwise
_OPEN_FILES = 64  # time zones are read from files


def serve(control: socket.socket) -> None:
    """Fork one worker for every socket received, until the other side closes."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
    gc.freeze()  # what is loaded now stays shared
    while True:
        _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not descriptors:
            return
        with socket.socket(fileno=descriptors[0]) as link:
            if os.fork() == 0:
                control.close()
                try:
                    _work(link)
                finally:
                    os._exit(0)  # a parent that went away needs no traceback


def _work(link: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    gc.set_threshold(_SELDOM)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    link.sendall(HELLO)
    with link.makefile("rb") as jobs:
        while True:
            try:
                job: Job = pickle.load(jobs)  # noqa: S301 (from our own parent)
            except EOFError:
                return
            answer = _answer(job)
            link.sendall(_packed(answer))
            if answer.is_last:
                return


def _answer(job: Job) -> Answer:
    _set_budget(job)
    outcome: Reading | Unreadable
    try:
        outcome = read_here(job.body, url=job.url, content_type=job.content_type, window=job.window, zone=job.zone)
    except Unreadable as error:
        outcome = error
    except MemoryError:
        return Answer(Unreadable("too_expensive", f"reading it takes more than {job.memory_mb} MB of memory"), True)
    except Exception as error:  # noqa: BLE001 (the door's promise: only Unreadable comes out)
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{os.path.basename(place.filename)}:{place.lineno}"  # noqa: PTH119
        outcome = Unreadable("reader_failed", f"a fault of the reader: {type(error).__name__}: {error} ({where})")
    finally:
        _lift_budget()
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT
    return Answer(outcome, used > _TIRED * job.memory_mb * 2**20)


_MEMORY_LIMITS = resource.getrlimit(resource.RLIMIT_AS)  # soft and hard, as inherited
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def _set_budget(job: Job) -> None:
    # RLIMIT_CPU counts whole seconds of a process's life; the profiling timer counts this job, to the millisecond,
    # and its signal ends the process unless someone catches it.
    signal.setitimer(signal.ITIMER_PROF, job.cpu_seconds)
    signal.setitimer(signal.ITIMER_REAL, job.wall_seconds)
    _limit_memory(job.memory_mb * 2**20)


def _lift_budget() -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    _limit_memory(_MEMORY_LIMITS[1])


def _limit_memory(size: int) -> None:
    if sys.platform != "darwin":  # where the kernel refuses it
        resource.setrlimit(resource.RLIMIT_AS, (size, _MEMORY_LIMITS[1]))


def _packed(answer: Answer) -> bytes:
    stream = io.BytesIO()
    pickler = pickle.Pickler(stream, protocol=5)
    pickler.dispatch_table = _DISPATCH
    pickler.dump(answer)
    return stream.getvalue()


def _packed_zone(zone: ZoneInfo) -> tuple[type[ZoneInfo], tuple[str]]:
    return ZoneInfo, (zone.key,)


# ZoneInfo pickles itself as a bound method, and unpickling that needs getattr, which opens every door.
_DISPATCH: dict[type, Any] = {**copyreg.dispatch_table, ZoneInfo: _packed_zone}

if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as parent:
        serve(parent)
