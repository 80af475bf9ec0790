"""Signing in without a password: a mail with a link and a six-digit code, each good once, for a quarter of an hour.

Nothing here looks a person up before the link or the code is used, so that asking tells nobody who is known.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import idna
from sqlalchemy import delete, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.account import guests
from app.calendars import feeds
from app.mail import subscription
from app.mail.mail_templates import compose
from app.mail.message import Message
from app.models import Person, SignIn, Token
from app.people import people, tokens
from app.settings import Settings
from app.words.wording import Wording

LIVES = timedelta(minutes=15)
LINK = timedelta(days=1)  # of a link that an operator prints
SESSION = timedelta(days=30)
ATTEMPTS = 5  # wrong codes before a sign-in's code is dead; its link is not
AN_HOUR = 5  # mails to one address: with five attempts each, 25 chances in a million
LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")  # RFC 5322 dot-atom
LONGEST = 254  # RFC 5321 §4.5.3.1.3, without the angle brackets


class BadAddress(ValueError):  # noqa: N818
    """What was given is no e-mail address that mail can be sent to."""


def normal_address(text: str) -> str:
    """Return an address as it is stored: in lower case, its domain in ASCII; raises BadAddress."""
    local, at, domain = text.strip().rpartition("@")
    try:
        host = idna.encode(domain, uts46=True).decode() if at else ""
    except idna.IDNAError as error:
        raise BadAddress(f"{text!r} is no e-mail address: {error}") from error
    if not LOCAL_PART.fullmatch(local) or len(local) > 64 or "." not in host:
        raise BadAddress(f"{text!r} is no e-mail address; write e.g. ada@example.org")
    address = f"{local}@{host}".lower()
    if len(address) > LONGEST:
        raise BadAddress(f"an e-mail address has at most {LONGEST} characters")
    return address


@dataclass(frozen=True, slots=True)
class Asked:
    """What a sign-in's mail holds."""

    email: str
    link_secret: str
    code: str


async def ask(session: AsyncSession, email: str, settings: Settings) -> Asked | None:
    """Prepare a sign-in; None where the address has been sent enough mails within the hour."""
    clock = datetime.now(UTC)
    lately = select(func.count()).where(SignIn.email == email, col(SignIn.asked_at) > clock - timedelta(hours=1))
    if (await session.exec(lately)).one() >= AN_HOUR:
        return None
    secret = await tokens.issue(session, "sign_in", label="mail", lives=LIVES)
    code = f"{secrets.randbelow(1_000_000):06}"
    digest = tokens.digest_of(secret)
    session.add(SignIn(digest=digest, email=email, code_mac=_mac(settings, digest, code), asked_at=clock))
    await session.flush()
    return Asked(email, secret, code)


def _mac(settings: Settings, digest: str, code: str) -> str:
    return hmac.new(settings.secret("sign-in"), f"{digest}:{code}".encode(), hashlib.sha256).hexdigest()


def mail_for(asked: Asked, settings: Settings, wording: Wording) -> Message:
    subject = wording.text("Sign in to Adjacent")
    text, html = compose(
        "sign_in",
        wording,
        link=f"{settings.base_url}/sign-in/{asked.link_secret}",
        code=asked.code,
        lasts=wording.text("Both work once, for {minutes} minutes.", minutes=LIVES // timedelta(minutes=1)),
        base_url=settings.base_url,
        subject=subject,
        preview=wording.text("Or with the code {code}", code=asked.code),
        width="narrow",
    )
    return Message(to=asked.email, subject=subject, text=text, html=html, sender=settings.sign_in_from)


async def link_for(session: AsyncSession, person: Person, *, operates: bool = False) -> str:
    """Return the secret of a link that signs a person in without a mail."""
    scopes = ["operator"] if operates else []
    return await tokens.issue(session, "sign_in", person_id=person.id, label="link", scopes=scopes, lives=LINK)


async def use_link(session: AsyncSession, secret: str) -> Token | None:
    """Use a link up and return what it stood for; None where it stands for nothing (any longer)."""
    sign_in = await session.get(SignIn, tokens.digest_of(secret))
    if sign_in is not None:
        await _pending(session, sign_in.email)
    return await tokens.consume(session, secret, "sign_in")


async def use_code(session: AsyncSession, email: str, code: str, settings: Settings) -> Token | None:
    """Use a code up and return what it stood for. A wrong one is counted, so the caller must commit either way."""
    clock = datetime.now(UTC)
    alive = [
        (sign_in, token)
        for sign_in, token in await _pending(session, email)
        if token.revoked_at is None and (token.expires_at or clock) > clock and sign_in.attempts < ATTEMPTS
    ]
    for sign_in, token in alive:
        if hmac.compare_digest(sign_in.code_mac, _mac(settings, sign_in.digest, code)):
            token.revoked_at = token.used_at = clock
            return token
    for sign_in, _ in alive:
        sign_in.attempts += 1
    return None


async def _pending(session: AsyncSession, email: str) -> list[tuple[SignIn, Token]]:
    """Return what was asked for with an address, and let nobody else use it until this transaction is over."""
    rows = await session.exec(
        select(SignIn, Token)
        .join(Token, col(Token.digest) == SignIn.digest)
        .where(SignIn.email == email)
        .order_by(col(SignIn.digest))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(rows)


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody who signed in."""

    secret: str  # of the session
    person: Person | None  # an operator need not be one
    has_merged: bool  # a guest was joined with a person who was known already
    expires_at: datetime
    is_operator: bool


async def enter(
    session: AsyncSession, used: Token, presented: Token | None, *, now: datetime, language: str | None = None
) -> Entered:
    """Open a session for who used a link or code. `presented` is the token they came with; it ends.

    `language` is what their browser reads: their mails come in it unless they chose another.
    """
    scopes = list(used.scopes)
    guest = await _guest_of(session, presented)
    person = await _person_for(session, used, guest)
    has_merged = False
    if person is not None and guest is not None:
        await guests.end_tokens(session, guest)
        if guest.id != person.id:
            await guests.merge(session, guest, person)
            has_merged = True
            await feeds.renew(session, person, now=now)
    elif presented is not None and presented.kind == "session":
        tokens.end(presented)
        if person is None and presented.person_id is not None:
            person = await session.get(Person, presented.person_id)  # an operator who is somebody stays it
    if person is not None:
        person.language = person.language or language
    secret = await tokens.issue(
        session, "session", person_id=person.id if person else None, label="sign-in", scopes=scopes, lives=SESSION
    )
    return Entered(secret, person, has_merged, datetime.now(UTC) + SESSION, "operator" in scopes)


async def _guest_of(session: AsyncSession, presented: Token | None) -> Person | None:
    if presented is None or presented.person_id is None:
        return None
    person = await session.get(Person, presented.person_id)
    return person if person is not None and person.email is None else None


async def _person_for(session: AsyncSession, used: Token, guest: Person | None) -> Person | None:
    """Return who used a link or code; whoever is new becomes a person, a guest the person they have been all along."""
    if used.person_id is not None:
        return await session.get(Person, used.person_id)
    sign_in = await session.get(SignIn, used.digest)
    if sign_in is None:
        return guest  # the operator's printed link
    email = sign_in.email
    asked = select(SignIn.digest).where(SignIn.email == email)
    await session.exec(delete(Token).where(col(Token.digest).in_(asked)).execution_options(synchronize_session=False))
    person = await people.person_called(session, email)
    if person is None:
        person = guest or await people.make_person(session)
        person.email = email
    await session.flush()
    await subscription.confirm(session, person, clock=datetime.now(UTC))
    return person
