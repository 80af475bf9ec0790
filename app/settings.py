"""What differs between machines, read once from the environment; everything else is a constant beside its use."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from app import setting_values as values
from app.setting_values import BadSetting

MAIL_RATE = "10"  # below what providers let a new sender do (Amazon SES: 14)

__all__ = ["BadSetting", "Settings", "data_folder"]


def data_folder(environ: Mapping[str, str]) -> Path:
    return values.path("ADJACENT_DATA", environ.get("ADJACENT_DATA") or "data")


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
        def given(name: str, otherwise: str = "") -> str:
            return environ.get(name, "").strip() or otherwise

        data = data_folder(environ)
        mail_from = values.mailbox("ADJACENT_MAIL_FROM", given("ADJACENT_MAIL_FROM", "Adjacent <adjacent@localhost>"))
        mail_host = parseaddr(mail_from)[1].rpartition("@")[2]
        sign_in_from = given("ADJACENT_SIGN_IN_FROM", f"Adjacent sign-in <sign-in@{mail_host}>")
        contact, smtp_url = given("ADJACENT_CONTACT"), given("ADJACENT_SMTP_URL")
        bounces_to, dkim_key = given("ADJACENT_BOUNCES_TO"), given("ADJACENT_DKIM_KEY")
        return cls(
            data=data,
            database_url=values.database(given("ADJACENT_DATABASE_URL", f"sqlite:///{data / 'adjacent.sqlite3'}")),
            base_url=values.origin(given("ADJACENT_BASE_URL", "http://127.0.0.1:8000")),
            allow_hosts=values.hosts(given("ADJACENT_ALLOW_HOSTS")),
            contact=values.header(contact) if contact else None,
            smtp_url=values.mail_server(smtp_url) if smtp_url else None,
            mail_from=mail_from,
            sign_in_from=values.mailbox("ADJACENT_SIGN_IN_FROM", sign_in_from),
            mail_rate=values.rate(given("ADJACENT_MAIL_RATE", MAIL_RATE)),
            bounces_to=values.address("ADJACENT_BOUNCES_TO", bounces_to) if bounces_to else None,
            dkim_key=values.path("ADJACENT_DKIM_KEY", dkim_key) if dkim_key else None,
            dkim_selector=values.selector(given("ADJACENT_DKIM_SELECTOR", "adjacent")),
            trusted_proxies=values.networks(given("ADJACENT_TRUSTED_PROXIES")),
            keep=values.days(given("ADJACENT_KEEP_DAYS", "400")),
            pinned_now=values.instant(pinned) if (pinned := given("ADJACENT_NOW")) else None,
        )

    def secret(self, name: str) -> bytes:
        """Return the secret kept as `name` in the data folder (mode 600), made at first use: 32 random bytes."""
        path = self.data / f"{name}.key"
        if not path.exists():
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
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
