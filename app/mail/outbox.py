"""The folder mails are written to where no server is set: whole files, for their owner's eyes only."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

NAME = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}\.eml")


@dataclass(frozen=True, slots=True)
class Kept:
    """A mail of the outbox."""

    name: str  # of its file
    at: datetime
    to: str
    subject: str


def keep(mail: bytes, outbox: Path) -> None:
    outbox.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
    unfinished = outbox / f".{name}"
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(mail.replace(b"\r\n", b"\n"))  # a text file like others of this machine
    unfinished.rename(outbox / f"{name}.eml")  # whoever looks for *.eml finds whole ones


def newest(outbox: Path, limit: int) -> list[Kept]:
    """Return the mails written last, the newest first."""
    names = sorted((path.name for path in outbox.glob("*.eml") if NAME.fullmatch(path.name)), reverse=True)
    return [_kept(outbox / name) for name in names[:limit]]


def _kept(path: Path) -> Kept:
    mail = _headers(path)
    at = datetime.strptime(path.name[:21], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    return Kept(path.name, at, str(mail["To"] or ""), str(mail["Subject"] or ""))


def read(name: str, outbox: Path) -> EmailMessage | None:
    """Return a mail of the outbox by the name of its file."""
    path = outbox / name
    if not NAME.fullmatch(name) or not path.is_file():
        return None
    mail = BytesParser(policy=default).parsebytes(path.read_bytes())
    assert isinstance(mail, EmailMessage)
    return mail


def forget(address: str, outbox: Path) -> None:
    """Delete the mails to an address."""
    for path in _to(address, outbox):
        path.unlink()


def _to(address: str, outbox: Path) -> Iterator[Path]:
    for path in outbox.glob("*.eml"):
        to = _headers(path)["To"]
        if to is not None and address in {one.addr_spec for one in to.addresses}:
            yield path


def _headers(path: Path) -> EmailMessage:
    mail = BytesParser(policy=default).parsebytes(path.read_bytes(), headersonly=True)
    assert isinstance(mail, EmailMessage)
    return mail
