"""Secrets people hold: 256 random bits each, of which only the SHA-256 is stored. A prefix tells the kind."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Token

PREFIXES = {
    "session": "adj_s_",
    "api": "adj_k_",
    "feed": "adj_f_",
    "operator": "adj_o_",
    "sign_in": "adj_l_",
    "address": "adj_c_",
}
SCOPES = ("read", "write", "feeds")  # what an API token may be for; a session may do everything
SHOWN = 12  # hex digits of the digest that stand for a token in lists


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


async def issue(
    session: AsyncSession,
    kind: str,
    *,
    person_id: int | None = None,
    feed_id: int | None = None,
    label: str = "",
    scopes: Sequence[str] = (),
    lives: timedelta | None = None,
) -> str:
    """Make a token of a kind and return it; it cannot be shown again."""
    secret = PREFIXES[kind] + secrets.token_urlsafe(32)
    clock = datetime.now(UTC)
    session.add(
        Token(
            digest=digest_of(secret),
            kind=kind,
            person_id=person_id,
            feed_id=feed_id,
            label=label,
            scopes=list(scopes),
            created_at=clock,
            expires_at=clock + lives if lives else None,
        )
    )
    await session.flush()
    return secret


async def find(session: AsyncSession, secret: str, *kinds: str) -> Token | None:
    """Return the token a secret stands for, if it is of one of these kinds, neither revoked nor expired."""
    token = await find_any(session, secret, *kinds)
    if token is None or token.revoked_at is not None:
        return None
    if token.expires_at is not None and token.expires_at <= datetime.now(UTC):
        return None
    return token


async def find_any(session: AsyncSession, secret: str, *kinds: str) -> Token | None:
    """Return the token a secret stands for, revoked and expired ones, too.

    Looking up the digest needs no constant-time comparison: what a guesser can vary is not what is compared.
    """
    token = await session.get(Token, digest_of(secret))
    return token if token is not None and token.kind in kinds else None


async def consume(session: AsyncSession, secret: str, kind: str) -> Token | None:
    """Use up a token that works once, and return it; of many who try at the same moment one gets it."""
    clock = datetime.now(UTC)
    used = await session.exec(
        update(Token)
        .where(
            col(Token.digest) == digest_of(secret),
            col(Token.kind) == kind,
            col(Token.revoked_at).is_(None),
            or_(col(Token.expires_at).is_(None), col(Token.expires_at) > clock),
        )
        .values(revoked_at=clock, used_at=clock)
    )
    return await session.get(Token, digest_of(secret)) if used.rowcount == 1 else None


def end(token: Token) -> None:
    """Make a token useless from now on."""
    token.revoked_at = token.revoked_at or datetime.now(UTC)


async def revoke(session: AsyncSession, secret_or_id: str) -> Token | None:
    """Make a token useless at once; return it, or None where there is none."""
    token = await session.get(Token, digest_of(secret_or_id)) or await called(session, secret_or_id)
    if token is not None:
        end(token)
    return token


async def called(session: AsyncSession, token_id: str, *, person_id: int | None = None) -> Token | None:
    """Return the token that lists show by this id; with a person, only theirs: another's is none."""
    if len(token_id) != SHOWN:
        return None
    wanted = select(Token).where(col(Token.digest).startswith(token_id, autoescape=True))
    if person_id is not None:
        wanted = wanted.where(Token.person_id == person_id)
    return (await session.exec(wanted)).first()


async def all_tokens(session: AsyncSession, *kinds: str, person_id: int | None = None) -> list[dict[str, Any]]:
    """Return what lists show of all tokens, or of these kinds of one person's that still work."""
    wanted = select(Token).order_by(col(Token.created_at), col(Token.digest))
    if person_id is not None:
        alive = or_(col(Token.expires_at).is_(None), col(Token.expires_at) > datetime.now(UTC))
        wanted = wanted.where(
            Token.person_id == person_id, col(Token.kind).in_(kinds), col(Token.revoked_at).is_(None), alive
        )
    return [token_json(row) for row in await session.exec(wanted)]


def scopes_of(token: Token) -> frozenset[str]:
    """Return what a token may be used for where a person is asked for."""
    return frozenset(SCOPES if token.kind == "session" else token.scopes if token.kind == "api" else ())


def id_of(token: Token) -> str:
    return shown(token.digest)


def shown(digest: str) -> str:
    """Return what stands for a token in lists."""
    return digest[:SHOWN]


def token_json(token: Token) -> dict[str, Any]:
    return {
        "id": id_of(token),
        "kind": token.kind,
        "label": token.label,
        "scopes": [*(SCOPES if token.kind == "session" else ()), *token.scopes],
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
        "last_used_at": token.used_at.isoformat() if token.used_at else None,
        "revoked_at": token.revoked_at.isoformat() if token.revoked_at else None,
    }


async def note_uses(session: AsyncSession, digests: Sequence[str], *, clock: datetime) -> None:
    """Write down that these tokens were used on the day of `clock`."""
    day = clock.replace(hour=0, minute=0, second=0, microsecond=0)
    await session.exec(update(Token).where(col(Token.digest).in_(digests)).values(used_at=day))


async def forget_expired(session: AsyncSession, *, clock: datetime) -> None:
    """Delete tokens that have expired, and with them the sign-ins that were asked for."""
    await session.exec(delete(Token).where(col(Token.expires_at) < clock))
