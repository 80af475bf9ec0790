"""Secrets people hold: 256 random bits each, of which only the SHA-256 is stored. A prefix tells the kind."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Token

PREFIXES = {"session": "adj_s_", "api": "adj_k_", "feed": "adj_f_", "operator": "adj_o_", "sign_in": "adj_l_"}
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
    token = await session.get(Token, digest_of(secret))
    if token is None or token.kind not in kinds or token.revoked_at is not None:
        return None
    if token.expires_at is not None and token.expires_at <= datetime.now(UTC):
        return None
    return token


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
    rows = await session.exec(select(Token).order_by(col(Token.created_at)))
    return [
        {
            "id": row.digest[:SHOWN],
            "kind": row.kind,
            "label": row.label,
            "created_at": row.created_at.isoformat(),
            "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
        }
        for row in rows
    ]
