"""Another address, or the same one shown to be theirs once more: a mail with a link whose button says yes.

Nothing changes before: whoever mistypes an address neither loses their own nor subscribes a stranger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.account import signing
from app.mail import subscription
from app.mail.mail_templates import compose
from app.mail.message import Message
from app.models import Person, SignIn
from app.people import people, tokens
from app.settings import Settings
from app.words.wording import Wording

LIVES = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Asked:
    email: str
    secret: str  # of the link


async def ask(session: AsyncSession, person: Person, email: str) -> Asked | None:
    """Prepare the question to an address; None where it has been sent enough mails within the hour."""
    clock = datetime.now(UTC)
    lately = select(func.count()).where(SignIn.email == email, col(SignIn.asked_at) > clock - timedelta(hours=1))
    if (await session.exec(lately)).one() >= signing.AN_HOUR:
        return None
    secret = await tokens.issue(session, "address", person_id=person.id, label="mail", lives=LIVES)
    session.add(SignIn(digest=tokens.digest_of(secret), email=email, code_mac="", asked_at=clock))
    await session.flush()
    return Asked(email, secret)


def mail_for(asked: Asked, settings: Settings, wording: Wording) -> Message:
    subject = wording.text("Is this your address?")
    text, html = compose(
        "confirm",
        wording,
        link=f"{settings.base_url}/confirm/{asked.secret}",
        lasts=wording.text("The link works once, for {days} days.", days=LIVES.days),
        base_url=settings.base_url,
        subject=subject,
        preview=wording.text("One button, and Adjacent may write to you"),
        width="narrow",
    )
    return Message(to=asked.email, subject=subject, text=text, html=html, sender=settings.sign_in_from)


async def asked_with(session: AsyncSession, secret: str) -> str | None:
    """Return the address a link asks about, or None where it is used up or too old."""
    token = await tokens.find(session, secret, "address")
    sign_in = await session.get(SignIn, token.digest) if token is not None else None
    return sign_in.email if sign_in is not None else None


class Taken(Exception):  # noqa: N818
    """The address is another person's."""


async def confirm(session: AsyncSession, secret: str) -> Person | None:
    """Use a link up and make its address the person's; raises Taken, and returns None for a link that is spent."""
    token = await tokens.consume(session, secret, "address")
    sign_in = await session.get(SignIn, token.digest) if token is not None else None
    if token is None or sign_in is None or token.person_id is None:
        return None
    person = await session.get_one(Person, token.person_id)
    owner = await people.person_called(session, sign_in.email)
    if owner is not None and owner.id != person.id:
        raise Taken
    person.email = sign_in.email
    await subscription.confirm(session, person, clock=datetime.now(UTC))
    return person
