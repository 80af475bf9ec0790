"""Waiting for what happens in another task or process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE = 60  # seconds that anything may take on a busy machine


async def until(question: Callable[[], Awaitable[bool]]) -> None:
    """Wait until the answer is yes: rows cannot call us."""
    async with asyncio.timeout(PATIENCE):
        while not await question():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
