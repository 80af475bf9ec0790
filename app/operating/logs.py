"""Log lines: one JSON object each on stderr, with the request's id, and without what would give somebody away.

Whatever is logged, ours or a library's, tracebacks included, passes `redact`: tokens lose their secret, addresses of
people their name, other addresses their query and password. Lines of requests hold none of these, are made without the
loggers' machinery (5 µs against 90) and are written several at once.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# What is found, and what stands there instead. Longer wholes come before the parts they may hold.
SECRETS = (
    (re.compile(r"\b(adj_[a-z])_[A-Za-z0-9_-]{8,}"), r"\1_…"),
    (re.compile(r"\b([Bb]earer|BEARER|[Bb]asic|BASIC)\s+[A-Za-z0-9._~+/=-]{8,}"), r"\1 …"),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,20}://)[^\s/'\"]+@"), r"\1…@"),
    (re.compile(r"(?i)(https?://[^\s?#'\"<>]+)\?[^\s'\"<>]*"), r"\1?…"),
    (re.compile(r"(?<![\w.!#$%&*+?^~-])[\w.!#$%&*+?^~-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"), "…@…"),
)
SUSPICIOUS = re.compile(r"adj_|@|%40|\?|[Bb]earer|[Bb]asic|BEARER|BASIC")  # most lines hold nothing of all this
LONGEST = 8_192  # characters of one value; what strangers wrote must not keep the log busy
PAUSE = 0.2  # seconds a line may wait for others
MOST_WAITING = 500  # lines
SHARED: tuple[Processor, ...] = (  # what each line tells, whichever logger it comes from
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
CHATTY = ("httpx", "httpcore", "aiosqlite", "alembic.runtime.plugins")  # below a warning they tell each step


def redact(text: str) -> str:
    if SUSPICIOUS.search(text) is None:
        return text
    text = text[:LONGEST]
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


def redact_all(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {name: _redacted(value) for name, value in event.items()}


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {_redacted(name): _redacted(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_redacted(inner) for inner in value]
    return value if value is None or isinstance(value, (bool, int, float)) else redact(str(value))


def _json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return orjson.dumps(event, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()


class Lines:
    """A stream that keeps the order of its lines, and lets those that may wait be written together."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._waiting: list[bytes] = []
        self._lock = Lock()  # loggers write from any thread

    def write(self, text: str) -> None:
        with self._lock:
            self._waiting.append(text.encode())
        self.flush()

    def write_later(self, line: bytes) -> None:
        """Write within PAUSE; to be called where an event loop runs."""
        with self._lock:
            self._waiting.append(line)
            number = len(self._waiting)
        if number == 1:
            asyncio.get_running_loop().call_later(PAUSE, self.flush)
        elif number >= MOST_WAITING:
            self.flush()

    def flush(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
            if waiting:
                self._out.write(b"".join(waiting).decode())
                self._out.flush()


_lines: Lines | None = None  # as loggers are, one a process; None until it is configured
_shown = logging.NOTSET
PLAIN = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE


def tell_request(facts: dict[str, Any], *, has_failed: bool) -> None:
    """Log how a request went; the facts hold nothing that was taken from its address or its body."""
    if _lines is None or (_shown > logging.INFO and not has_failed):
        return
    facts["timestamp"] = datetime.now(UTC)
    facts["level"] = "error" if has_failed else "info"
    _lines.write_later(orjson.dumps(facts, option=PLAIN))
    if has_failed:
        _lines.flush()


def flush() -> None:
    """Write what waits."""
    if _lines is not None:
        _lines.flush()


def _is_step(record: logging.LogRecord) -> bool:
    """Whether alembic tells of a migration. What else it says of transactions is not so: app.db begins them for it."""
    return str(record.msg).startswith("Running")


@contextmanager
def written(stream: TextIO | None = None, *, level: int | None = None) -> Iterator[None]:
    """Let all loggers of the process write to a stream until the block ends.

    A person in front of a terminal is told of trouble only; whatever collects lines elsewhere gets each request, too.
    """
    global _lines, _shown
    out = stream or sys.stderr
    shown = level if level is not None else logging.WARNING if out.isatty() else logging.INFO
    lines_before = _lines, _shown
    _lines, _shown = Lines(out), shown
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("alembic.runtime.migration").addFilter(_is_step)
    root = logging.getLogger()
    before, structlog_before = (root.handlers[:], root.level), structlog.get_config()
    root.handlers[:] = [_handler(_lines)]
    root.setLevel(shown)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    try:
        yield
    finally:
        flush()
        _lines, _shown = lines_before
        root.handlers[:], level_before = before
        root.setLevel(level_before)
        structlog.configure(**structlog_before)


def _handler(lines: Lines) -> logging.Handler:
    """Return what writes records of any logger, ours or a library's, as redacted JSON."""
    handler = logging.StreamHandler(lines)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,
                redact_all,
                _json,
            ],
        )
    )
    return handler
