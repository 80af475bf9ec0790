"""Secrets people hold: 256 random bits each, of which only the SHA-256 is stored. A prefix tells the kind."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Token

PREFIXES = {
    "session": "adj_s_",
    "api": "adj_k_",
    "feed": "adj_f_",
    "operator": "adj_o_",
    "sign_in": "adj_l_",
    "unsubscribe": "adj_u_",
}
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


async def revoke(session: AsyncSession, secret_or_id: str) -> bool:
    """Make a token useless at once; return whether there was one."""
    wanted = col(Token.digest) == digest_of(secret_or_id)
    if len(secret_or_id) == SHOWN:
        wanted = col(Token.digest).startswith(secret_or_id)
    token = (await session.exec(select(Token).where(wanted))).one_or_none()
    if token is None:
        return False
    token.revoked_at = datetime.now(UTC)
    return True


async def all_tokens(session: AsyncSession) -> list[dict[str, Any]]:
    rows = await session.exec(select(Token).order_by(col(Token.created_at), col(Token.digest)))
    return [token_json(row) for row in rows]


def token_json(token: Token) -> dict[str, Any]:
    return {
        "id": token.digest[:SHOWN],
        "kind": token.kind,
        "label": token.label,
        "created_at": token.created_at.isoformat(),
        "revoked_at": token.revoked_at.isoformat() if token.revoked_at else None,
    }


async def forget_expired(session: AsyncSession, *, clock: datetime) -> None:
    """Delete tokens that have expired."""
    await session.exec(delete(Token).where(col(Token.expires_at) < clock))
