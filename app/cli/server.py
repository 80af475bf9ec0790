"""Uvicorn around the service, whose trouble at its start is told like that of any command."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from socket import socket
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI


class Server(uvicorn.Server):
    """Opens the service before it listens, and closes it after the last answer.

    Uvicorn would do so itself, but log what goes wrong then with its traceback, end with 3, and put off being told to
    stop until a first start, which takes a while, is through.
    """

    def __init__(self, app: FastAPI, *, keep_open: int, closes_within: int, ready: Callable[[], None]) -> None:
        self._app = app
        self._ready = ready
        self._opened = AsyncExitStack()
        self._opening: asyncio.Task[Any] | None = None
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,  # addresses of personal calendars are secrets
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=keep_open,
                timeout_graceful_shutdown=closes_within,
            )
        )

    async def startup(self, sockets: list[socket] | None = None) -> None:
        self._opening = asyncio.current_task()
        await self._opened.enter_async_context(self._app.router.lifespan_context(self._app))
        self._opening = None
        try:
            await super().startup(sockets)
        except OSError:
            await self._opened.aclose()
            raise
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self._opening is not None:
            self._opening.get_loop().call_soon_threadsafe(self._opening.cancel)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        await super().shutdown(sockets)
        await self._opened.aclose()
