"""What differs between machines, read once from the environment; everything else is a constant beside its use."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

DEFAULT_MAIL_RATE = "10"  # below what providers let a new sender do (Amazon SES: 14)

LEAST_KEPT = timedelta(days=100)  # picks are not repeated within three months; calendars go thirty days back


class BadSetting(ValueError):  # noqa: N818
    """A variable of the environment has a value nothing can be made of; the message names it and an example."""


def data_folder(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("ADJACENT_DATA") or "data").expanduser().resolve()


@dataclass(frozen=True, slots=True)
class Settings:
    data: Path
    database_url: str  # SQLAlchemy address with an async driver
    base_url: str
    allow_hosts: frozenset[tuple[str, int]]  # may be fetched although private; no pause there
    contact: str | None  # for the User-Agent
    smtp_url: str | None
    mail_from: str  # of the weekly mail
    sign_in_from: str  # of mails somebody waits for: complaints about the weekly one must not keep people out
    mail_rate: float  # weekly mails a second
    bounces_to: str | None  # where servers say that a mail could not be delivered
    dkim_key: Path | None  # a private RSA key; None: the mail server signs, or nobody
    dkim_selector: str
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]  # whose X-Forwarded-For is believed
    keep: timedelta  # how long events that are over, and records of what was done, stay
    pinned_now: datetime | None

    def now(self) -> datetime:
        """Return the instant that "now" and "upcoming" mean: pinned by ADJACENT_NOW, else the clock's."""
        return self.pinned_now or datetime.now(UTC)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        data = data_folder(environ)
        mail_from = environ.get("ADJACENT_MAIL_FROM") or "Adjacent <adjacent@localhost>"
        mail_host = parseaddr(mail_from)[1].rpartition("@")[2]
        dkim_key = environ.get("ADJACENT_DKIM_KEY")
        return cls(
            data=data,
            database_url=_with_async_driver(
                environ.get("ADJACENT_DATABASE_URL") or f"sqlite:///{data / 'adjacent.sqlite3'}"
            ),
            base_url=(environ.get("ADJACENT_BASE_URL") or "http://127.0.0.1:8000").rstrip("/"),
            allow_hosts=_hosts(environ.get("ADJACENT_ALLOW_HOSTS", "")),
            contact=environ.get("ADJACENT_CONTACT") or None,
            smtp_url=environ.get("ADJACENT_SMTP_URL") or None,
            mail_from=mail_from,
            sign_in_from=environ.get("ADJACENT_SIGN_IN_FROM") or f"Adjacent sign-in <sign-in@{mail_host}>",
            mail_rate=_rate(environ.get("ADJACENT_MAIL_RATE", "")),
            bounces_to=environ.get("ADJACENT_BOUNCES_TO") or None,
            dkim_key=Path(dkim_key).expanduser().resolve() if dkim_key else None,
            dkim_selector=environ.get("ADJACENT_DKIM_SELECTOR") or "adjacent",
            trusted_proxies=_networks(environ.get("ADJACENT_TRUSTED_PROXIES", "")),
            keep=_days(environ.get("ADJACENT_KEEP_DAYS", "")),
            pinned_now=_instant(environ.get("ADJACENT_NOW", "")),
        )

    def secret(self, name: str) -> bytes:
        """Return the secret kept as `name` in the data folder (mode 600), made at first use: 32 random bytes."""
        path = self.data / f"{name}.key"
        if not path.exists():
            self.data.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(f".{secrets.token_hex(4)}")
            fresh.touch(mode=0o600)
            fresh.write_bytes(secrets.token_bytes(32))
            try:
                path.hardlink_to(fresh)  # unlike a rename, this never replaces what another process just made
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return path.read_bytes()


def _with_async_driver(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
    if not separator or scheme not in {*drivers, *drivers.values()}:
        raise BadSetting(
            f"ADJACENT_DATABASE_URL={url!r}: expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
        )
    return f"{drivers.get(scheme, scheme)}://{rest}"


def _hosts(text: str) -> frozenset[tuple[str, int]]:
    hosts = set()
    for entry in filter(None, (part.strip() for part in text.split(","))):
        host, separator, port = entry.rpartition(":")
        if not separator or not port.isdigit():
            raise BadSetting(f"ADJACENT_ALLOW_HOSTS: {entry!r} has no port; write host:port, e.g. 127.0.0.1:8099")
        hosts.add((host.strip("[]").lower(), int(port)))
    return frozenset(hosts)


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(entry.strip()) for entry in text.split(",") if entry.strip())
    except ValueError as error:
        raise BadSetting(f"ADJACENT_TRUSTED_PROXIES: {error}; write addresses or networks, e.g. 10.0.0.0/8") from error


def _rate(text: str) -> float:
    try:
        rate = float(text or DEFAULT_MAIL_RATE)
    except ValueError:
        rate = 0.0
    if not rate > 0:
        raise BadSetting(f"ADJACENT_MAIL_RATE={text!r} is no number of mails a second, e.g. {DEFAULT_MAIL_RATE}")
    return rate


def _days(text: str) -> timedelta:
    if text and not (text.isdigit() and int(text) >= LEAST_KEPT.days):
        raise BadSetting(f"ADJACENT_KEEP_DAYS={text!r} is no number of days from {LEAST_KEPT.days} on, e.g. 400")
    return timedelta(days=int(text or 400))


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadSetting(f"ADJACENT_NOW={text!r} is no RFC 3339 time, e.g. 2026-11-23T08:00:00Z") from error
    if instant.tzinfo is None:
        raise BadSetting(f"ADJACENT_NOW={text!r} has no offset; add Z or e.g. +01:00")
    return instant.astimezone(UTC)
