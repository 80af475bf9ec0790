"""`serve` and `worker`: the processes that go on until they are told to stop."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failing import Failed
from app.cli.opening import run, settings
from app.cli.printing import say
from app.cli.unseen import unseen

if TYPE_CHECKING:
    from app.db import Database
    from app.settings import Settings

# structlog and httpx look for the first to print in colours, FastAPI for the second to refuse its models: 0.1 s together.
MERELY_INSTALLED = ("rich", "pydantic.v1")
KEPT_OPEN = 75  # seconds: longer than proxies (60) and clients keep an idle connection, so that they are who close it
CLOSES_WITHIN = 5  # seconds that answers under way may take when the service is told to stop
GIVES_WAY = 0.0005  # seconds after which a thread that works lets the one that answers requests go on


def serve(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Whether this process also collects.")] = True,
) -> None:
    """Run the whole service in one process: page, API, crawl schedule."""
    import asyncio
    import contextlib
    import dataclasses
    import gc
    import os
    import sys

    gc.disable()  # importing makes no garbage, and looking for some takes a tenth of the start
    chosen, listening = settings(), _taken(host, port)

    with unseen(*MERELY_INSTALLED):
        from app.cli.server import Server
        from app.main import create_app
        from app.operating import logs

    if not os.environ.get("ADJACENT_BASE_URL"):
        chosen = dataclasses.replace(chosen, base_url=f"http://{host}:{port}")
    announced: list[str] = []  # told when it listens: somebody may ask at the next moment
    app = create_app(chosen, works=worker, announce=announced.append)
    sys.setswitchinterval(GIVES_WAY)
    gc.freeze()  # what is imported stays: looking it through takes 0.13 s now and then, in which nobody is answered
    gc.enable()
    server = Server(app, keep_open=KEPT_OPEN, closes_within=CLOSES_WITHIN, ready=lambda: say("\n".join(announced)))
    # Told to stop, it ends with the first of these when it ran, and with the other while it started.
    with logs.written(), contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        server.run([listening])


def _taken(host: str, port: int) -> socket.socket:
    """Return a socket with this address, which does not listen yet."""
    taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError as error:
        taken.close()
        raise Failed(f"{host}:{port} cannot be served at: {error.strerror}; choose another --port or --host") from error
    return taken


def worker(
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether a worker of this machine lives: for health checks.")
    ] = False,
) -> None:
    """Do the work behind the requests in a process of its own: as many as are wanted, on as many machines."""
    if check:
        _check_worker()
        return
    import asyncio
    import signal

    with unseen(*MERELY_INSTALLED):
        from app.cli.opening import fetcher, opened
        from app.mail.mailer import signer_of
        from app.operating import logs
        from app.worker import work

    chosen = settings()
    signer_of(chosen)  # as `serve` does: better now than with the first mail

    async def until_told() -> None:
        stopping = asyncio.Event()
        for told in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(told, stopping.set)
        async with opened(chosen) as database, fetcher(chosen) as client:
            say("working; Ctrl+C ends it")
            await work(database, chosen, client, stopping)

    with logs.written():
        asyncio.run(until_told())


def _check_worker() -> None:
    import platform
    from datetime import UTC, datetime

    async def work(_: Settings, database: Database) -> None:
        from app.queue.holder import live_workers

        async with database.reading() as session:
            live = await live_workers(session, clock=datetime.now(UTC))
        if not any(name.startswith(f"{platform.node()}:") for name in live):
            raise Failed("no worker of this machine gave a sign of life; its log says why")

    run(work)
