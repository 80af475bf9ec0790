"""Log lines: one JSON object each on stderr, with the request's id, and without what would give somebody away.

Whatever is logged, ours or a library's, tracebacks included, passes `redact`: tokens lose their secret, addresses of
people their name, other addresses their query and password.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
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


def configure(stream: TextIO | None = None, *, level: int | None = None) -> Callable[[], None]:
    """Let all loggers of the process write to a stream, and return what undoes that.

    A person in front of a terminal is told of trouble only; whatever collects lines elsewhere gets each request, too.
    """
    out = stream or sys.stderr
    shown = level if level is not None else logging.WARNING if out.isatty() else logging.INFO
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,
                redact_all,
                _json,
            ],
        )
    )
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    root.handlers[:] = [handler]
    root.setLevel(shown)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )

    def undo() -> None:
        root.handlers[:], level_before = before[0], before[1]
        root.setLevel(level_before)
        structlog.reset_defaults()

    return undo
