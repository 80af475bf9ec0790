"""What comes back: servers that say a mail was not delivered (RFC 3464), and providers that say it was called spam (RFC 5965).

Whose mail it was is told by the mark in its Message-ID or in the address it came back to: nobody can guess one, so
nobody can end somebody else's mail with a bounce they made up.
"""

from __future__ import annotations

import mailbox
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from email.message import Message as Mail
from email.parser import BytesParser
from email.policy import compat32
from pathlib import Path
from typing import Literal

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.mail import subscription as subscriptions
from app.models import Digest, Person

LARGEST = 1_000_000  # bytes of a report that are read
# RFC 3463: permanent, yet not about whether there is such a mailbox: it is full, or a policy was in the way.
FOR_NOW = re.compile(r"5\.2\.2|5\.3\.|5\.4\.|5\.7\.")
STATUS = re.compile(rb"\b[45]\.\d{1,3}\.\d{1,3}\b(?!\.)")  # RFC 3463; no address of a machine
QMAIL = re.compile(
    rb"^Hi\. This is the .{0,200}\bprogram at ", re.MULTILINE
)  # as https://cr.yp.to/proto/qsbmf.txt has it
UNTOLD = "5.0.0"  # a failure of which no more is said
MARK = re.compile(rb"digest\.\d{4}-W\d\d\.([a-z0-9]{20})@|\+([a-z0-9]{20})@")

Kind = Literal["final", "for-now", "complaint"]


@dataclass(frozen=True, slots=True)
class Report:
    """What one mail that came back says."""

    kind: Kind
    marks: tuple[str, ...]  # of the mail it is about; more than one where several stand in it
    status: str  # "5.1.1", or "abuse"


def read_report(raw: bytes) -> Report | None:
    """Return what a mail reports, or None for one that reports no failure: an absence note, a delay, a question."""
    mail = BytesParser(policy=compat32).parsebytes(raw[:LARGEST])
    marks = tuple(dict.fromkeys((one or other).decode() for one, other in MARK.findall(raw[:LARGEST])))
    parts = {part.get_content_type(): part for part in mail.walk()}
    if feedback := parts.get("message/feedback-report"):
        kind = _fields(feedback).get("feedback-type", "abuse").lower()
        return Report("complaint", marks, kind) if kind in ("abuse", "fraud", "virus", "other") else None
    delivery = parts.get("message/delivery-status") or parts.get("message/global-delivery-status")  # RFC 6533
    if delivery is None:
        return _told_in_words(mail, raw, marks)
    fields = _fields(delivery)
    if fields.get("action", "").lower() != "failed":
        return None
    status = fields.get("status", "").split()[0:1] or [UNTOLD]
    return _failed(status[0], marks)


def _told_in_words(mail: Mail, raw: bytes, marks: tuple[str, ...]) -> Report | None:
    """Return what Exim and qmail say, whose reports are prose: both mark those of failures, not of delays."""
    if mail["X-Failed-Recipients"] is None and not QMAIL.search(raw[:LARGEST]):
        return None
    told = STATUS.search(raw[:LARGEST])
    return _failed(told[0].decode() if told else UNTOLD, marks)


def _failed(status: str, marks: tuple[str, ...]) -> Report:
    is_final = status.startswith("5.") and not FOR_NOW.match(status)
    return Report("final" if is_final else "for-now", marks, status)


def _fields(part: Mail) -> dict[str, str]:
    """Return the fields of all groups of a machine-readable part, the last one of a name."""
    groups = part.get_payload()
    texts = [str(group) for group in groups] if isinstance(groups, list) else [str(groups)]
    found = re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", "\n".join(texts), re.MULTILINE)
    return {name.lower(): value.strip() for name, value in found}


def mails_in(path: Path) -> Iterator[bytes]:
    """Yield the mails of a file: a maildir, an mbox, or one mail as it came."""
    box: mailbox.Maildir | mailbox.mbox
    if path.is_dir():
        box = mailbox.Maildir(path, create=False)
    elif path.read_bytes().startswith(b"From "):
        box = mailbox.mbox(path, create=False)
    else:
        yield path.read_bytes()
        return
    with closing(box):
        for key in box.keys():  # noqa: SIM118 (iterating a mailbox yields its mails)
            yield box.get_bytes(key)


async def note(session: AsyncSession, report: Report, *, clock: datetime) -> str:
    """Act on a report and return what became of it; one that was read before changes nothing."""
    digest = await _digest_of(session, report)
    if digest is None:
        return "unknown"
    person = await session.get_one(Person, digest.person_id)
    if report.kind == "complaint":
        subscription = await subscriptions.end(session, person, "complained", clock=clock)
        return subscription.end_reason or ""
    if digest.state == "bounced":
        return "known"
    digest.state, digest.error, digest.changed_at = "bounced", f"came back ({report.status})", clock
    await session.flush()
    subscription = await subscriptions.bounced(session, person, is_final=report.kind == "final", clock=clock)
    return "ended" if subscription.end_reason == "bounced" else "counted"


async def _digest_of(session: AsyncSession, report: Report) -> Digest | None:
    for mark in report.marks:
        rows = await session.exec(select(Digest).where(col(Digest.message_id).contains(f".{mark}@", autoescape=True)))
        found = rows.first()
        if found is not None:
            return found
    return None


async def note_each(session: AsyncSession, mails: Iterable[bytes], *, clock: datetime) -> Counter[str]:
    """Act on every report among mails; return how many became what."""
    counts: Counter[str] = Counter()
    for raw in mails:
        report = read_report(raw)
        counts["no report" if report is None else await note(session, report, clock=clock)] += 1
    return counts
