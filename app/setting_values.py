"""What the values of settings mean. One nothing can be made of raises BadSetting, which is one line for who set it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlsplit

KEPT_DAYS = range(100, 36_501)  # picks are not repeated within three months; a century is for ever
SLOWEST_RATE = 0.01  # mails a second: what is slower would not get the mails of a week out within it

_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+")  # of mail
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_DATABASES = {  # by driver, what comes after ://
    "sqlite+aiosqlite": re.compile(r"/[^?]+(\?.*)?"),
    "postgresql+asyncpg": re.compile(r"([^:/]*(:[^@]*)?@)?(\[[0-9A-Fa-f:.]+\]|[^:/?@]*)(:[0-9]+)?(/[^?]*)?(\?.*)?"),
}
_OPTIONS = {  # by driver, what may stand after ?: asyncpg has more, which are no text; `host` is a folder of sockets, too
    "sqlite+aiosqlite": frozenset[str](),
    "postgresql+asyncpg": frozenset({"command_timeout", "host", "port", "prepared_statement_cache_size", "ssl"}),
}


class BadSetting(ValueError):  # noqa: N818
    """A variable of the environment has a value nothing can be made of; the message names it and an example."""


def path(name: str, text: str) -> Path:
    try:
        return Path(text).expanduser().resolve()
    except (RuntimeError, ValueError) as error:  # ~nobody, or a NUL
        raise BadSetting(f"{name}={text!r} is no path: {error}") from error


def database(text: str) -> str:
    """Return SQLAlchemy's address with an async driver. What is refused is not repeated: it may hold a password."""
    scheme, _, rest = text.partition("://")
    driver = _DRIVERS.get(scheme, scheme)
    if driver not in _DATABASES or not _DATABASES[driver].fullmatch(rest):
        raise BadSetting(
            "ADJACENT_DATABASE_URL: expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME, "
            "with @ and / in a password as %40 and %2F"
        )
    # As libpq and hosts of PostgreSQL call it; asyncpg takes the same values as `ssl`.
    rest = re.sub(r"(?<=[?&])sslmode=", "ssl=", rest)
    if unknown := {name for name, _ in parse_qsl(rest.partition("?")[2])} - _OPTIONS[driver]:
        known = ", ".join(sorted(_OPTIONS[driver])) or "none"
        raise BadSetting(f"ADJACENT_DATABASE_URL: no option {min(unknown)!r} after the ? (known: {known})")
    return f"{driver}://{rest}"


def origin(text: str) -> str:
    """Return where people reach the service, without a slash at the end."""
    parts = _split(text)
    if parts is None or parts.scheme not in {"http", "https"} or parts.path.strip("/") or parts.query or parts.fragment:
        raise BadSetting(f"ADJACENT_BASE_URL={text!r}: expected a host of its own, e.g. https://events.example.org")
    return text.rstrip("/")


def mail_server(text: str) -> str:
    parts = _split(text)
    if parts is None or parts.scheme not in {"smtp", "smtps"}:
        raise BadSetting("ADJACENT_SMTP_URL: expected smtp[s]://[USER:PASSWORD@]HOST[:PORT] (@ and / as %40 and %2F)")
    return text


def _split(text: str) -> SplitResult | None:
    """Return the parts of an address, None where it has no host or a port that is none."""
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if has_host else None


def address(name: str, text: str) -> str:
    """Return an address of mail alone."""
    if not _ADDRESS.fullmatch(text):
        raise BadSetting(f"{name}={text!r}: expected an address of mail, e.g. adjacent@example.org")
    return text


def mailbox(name: str, text: str) -> str:
    """Return an address of mail, with or without a name before it."""
    if not (text.isprintable() and _ADDRESS.fullmatch(parseaddr(text)[1])):
        raise BadSetting(f"{name}={text!r}: expected e.g. Adjacent <adjacent@example.org>")
    return text


def header(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise BadSetting(f"ADJACENT_CONTACT={text!r}: expected ASCII in one line, e.g. https://example.org/about")
    return text


def selector(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", text):
        raise BadSetting(f"ADJACENT_DKIM_SELECTOR={text!r} is no name in DNS, e.g. adjacent")
    return text


def hosts(text: str) -> frozenset[tuple[str, int]]:
    found = set()
    for entry in filter(None, (part.strip() for part in text.split(","))):
        host, _, port = entry.rpartition(":")
        if not re.fullmatch(r"[\w.-]+|\[[0-9A-Fa-f:.]+\]", host) or not _is_number(port, range(1, 65536)):
            raise BadSetting(f"ADJACENT_ALLOW_HOSTS: {entry!r} is no host:port, e.g. 127.0.0.1:8099")
        found.add((host.strip("[]").lower(), int(port)))
    return frozenset(found)


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(entry.strip()) for entry in text.split(",") if entry.strip())
    except ValueError as error:
        raise BadSetting(f"ADJACENT_TRUSTED_PROXIES: {error}; write addresses or networks, e.g. 10.0.0.0/8") from error


def rate(text: str) -> float:
    """Return mails a second; `inf` for no limit."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not found >= SLOWEST_RATE:
        raise BadSetting(f"ADJACENT_MAIL_RATE={text!r} is no number of mails a second from {SLOWEST_RATE} on, e.g. 10")
    return found


def days(text: str) -> timedelta:
    if not _is_number(text, KEPT_DAYS):
        raise BadSetting(f"ADJACENT_KEEP_DAYS={text!r} is no number of days from {KEPT_DAYS[0]} to {KEPT_DAYS[-1]}")
    return timedelta(days=int(text))


def _is_number(text: str, within: range) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) in within


def instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadSetting(f"ADJACENT_NOW={text!r} is no RFC 3339 time, e.g. 2026-11-23T08:00:00Z") from error
    if found.tzinfo is None:
        raise BadSetting(f"ADJACENT_NOW={text!r} has no offset; add Z or e.g. +01:00")
    return found.astimezone(UTC)
