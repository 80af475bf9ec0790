"""Step 2, the guarded door: killable processes that read for us, so that no page can hold up or bring down its reader.

Not multiprocessing: its workers import the caller's `__main__` again, which runs an unguarded script twice.
"""

from __future__ import annotations

import atexit
import os
import pickle
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from scrapers.draft import Reading, Unreadable, Window

MOST_WORKERS = min(max(2, os.cpu_count() or 2), 8)
HELLO = b"+"  # what a worker says when it is ready
_START_SECONDS = 30  # of a first start on a machine that has other things to do
_GRACE_SECONDS = 2  # after which a worker that should have been ended by the kernel is given up
_WALL_FACTOR, _WALL_EXTRA = 3, 4  # seconds of wall time per second of CPU on a busy machine, and to begin with


@dataclass(frozen=True, slots=True)
class Job:
    body: bytes
    url: str
    content_type: str | None
    window: Window
    zone: ZoneInfo
    cpu_seconds: float
    memory_mb: int

    @property
    def wall_seconds(self) -> float:
        return self.cpu_seconds * _WALL_FACTOR + _WALL_EXTRA


@dataclass(frozen=True, slots=True)
class Answer:
    outcome: Reading | Unreadable
    is_last: bool  # the worker leaves after it


class Workers:
    """Up to MOST_WORKERS processes, started when first needed, used again until they misbehave; any thread may ask."""

    def __init__(self) -> None:
        self._slots = threading.BoundedSemaphore(MOST_WORKERS)
        self._lock = threading.Lock()
        self._idle: list[socket.socket] = []
        self._forkserver: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    def run(self, job: Job) -> Reading:
        """Return what a worker makes of the job; raise Unreadable, whatever else becomes of it."""
        question = pickle.dumps(job, protocol=5)
        with self._slots:
            link = self._rested() or self._hired()
            stays = False
            try:
                answer = _ask(link, question, seconds=job.wall_seconds + _GRACE_SECONDS)
                stays = not answer.is_last
            except _NO_ANSWER as error:
                raise Unreadable(
                    "too_expensive",
                    f"reading it was stopped: it takes more than {job.cpu_seconds:g} s or {job.memory_mb} MB of memory",
                ) from error
            finally:
                if stays:
                    self._idle.append(link)
                else:
                    link.close()
        if isinstance(answer.outcome, Unreadable):
            raise answer.outcome
        return answer.outcome

    def close(self) -> None:
        """End the processes at once, working or not."""
        while self._idle:
            self._idle.pop().close()
        if self._forkserver is not None:
            process, control = self._forkserver
            control.close()
            process.kill()
            process.wait()
            self._forkserver = None

    def forget(self) -> None:
        """Let go of what belongs to the process that this one was forked from."""
        for link in self._idle:
            link.close()
        if self._forkserver is not None:
            process, control = self._forkserver
            control.close()
            process.returncode = 0  # not our child: nothing to wait for

    def _rested(self) -> socket.socket | None:
        while True:
            try:
                link = self._idle.pop()
            except IndexError:
                return None
            if _is_waiting(link):
                return link
            link.close()

    def _hired(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        try:
            with theirs, self._lock:
                socket.send_fds(self._control(), [b"w"], [theirs.fileno()])
            ours.settimeout(_START_SECONDS)
            if ours.recv(1) != HELLO:
                raise EOFError  # noqa: TRY301 (told like the other failures to start)
        except (OSError, EOFError) as error:
            ours.close()
            raise Unreadable("reader_failed", "no process could be started to read it in") from error
        return ours

    def _control(self) -> socket.socket:
        if self._forkserver is not None:
            process, control = self._forkserver
            if process.poll() is None:
                return control
            control.close()
        control, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
                [sys.executable, "-P", "-W", "ignore", "-m", "scrapers.forkserver", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the parent
                # No secrets of the parent's environment; and what it can import, they can.
                env={"PYTHONPATH": os.pathsep.join(filter(None, [_ROOT, *sys.path])), "PYTHONUTF8": "1"},
            )
        self._forkserver = process, control
        return control


_ROOT = str(Path(__file__).parent.parent)


def _is_waiting(link: socket.socket) -> bool:
    """Tell whether the worker at the other end is still there; one that died in its sleep has closed."""
    link.setblocking(False)
    try:
        link.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
    return False


# A worker that was ended closes, perhaps in the middle of its answer; one that was taken over says anything.
_NO_ANSWER = (OSError, EOFError, pickle.UnpicklingError, AttributeError, LookupError, TypeError, ValueError)


def _ask(link: socket.socket, question: bytes, *, seconds: float) -> Answer:
    link.settimeout(seconds)
    link.sendall(question)
    with link.makefile("rb") as stream:
        answer = _AnswerUnpickler(stream).load()
    if not isinstance(answer, Answer):
        raise pickle.UnpicklingError("not an answer")
    return answer


class _AnswerUnpickler(pickle.Unpickler):
    """Knows the vocabulary of readings only: a worker that a page has taken over cannot take over its parent."""

    _KNOWN = frozenset(
        {
            *(
                ("scrapers.draft", name)
                for name in (
                    *("CommunityDraft", "EventDraft", "Link", "Organizer", "Problem"),
                    *("Reading", "Series", "Unreadable", "Venue"),
                )
            ),
            ("scrapers.workers", "Answer"),
            ("datetime", "datetime"),
            ("datetime", "timedelta"),
            ("datetime", "timezone"),
            ("zoneinfo", "ZoneInfo"),
        }
    )

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (module_name, global_name) not in self._KNOWN:
            raise pickle.UnpicklingError(f"{module_name}.{global_name} is no part of a reading")
        return super().find_class(module_name, global_name)


WORKERS = Workers()


def _start_anew_after_fork() -> None:
    global WORKERS  # noqa: PLW0603
    WORKERS.forget()
    WORKERS = Workers()


os.register_at_fork(after_in_child=_start_anew_after_fork)


@atexit.register
def _close() -> None:
    WORKERS.close()
