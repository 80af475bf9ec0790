"""`serve`, `worker`, `migrate`, `doctor`, `stats`, `demo`: running the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import printing
from app.cli.failing import Failed
from app.cli.opening import run, settings
from app.cli.printing import say
from app.cli.unseen import unseen

if TYPE_CHECKING:
    from app.db import Database
    from app.settings import Settings

demo = typer.Typer(no_args_is_help=True)

# structlog and httpx look for the first to print in colours, FastAPI for the second to refuse its models: 0.1 s together.
MERELY_INSTALLED = ("rich", "pydantic.v1")
KEPT_OPEN = 75  # seconds: longer than proxies (60) and clients keep an idle connection, so that they are who close it
GIVES_WAY = 0.0005  # seconds after which a thread that works lets the one that answers requests go on


def serve(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Whether this process also collects.")] = True,
) -> None:
    """Run the whole service in one process: page, API, crawl schedule."""
    import dataclasses
    import gc
    import os
    import sys

    gc.disable()  # importing makes no garbage, and looking for some takes a tenth of the start

    with unseen(*MERELY_INSTALLED):
        import uvicorn

        from app.main import create_app
        from app.operating import logs

    chosen = settings()
    logs.configure()
    if not os.environ.get("ADJACENT_BASE_URL"):
        chosen = dataclasses.replace(chosen, base_url=f"http://{host}:{port}")
    app = create_app(chosen, works=worker, announce=say)
    sys.setswitchinterval(GIVES_WAY)
    gc.freeze()  # what is imported stays: looking it through takes 0.13 s now and then, in which nobody is answered
    gc.enable()
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_config=None,
        log_level="warning",
        access_log=False,  # addresses of personal calendars are secrets
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEPT_OPEN,
    )


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
        from app.operating import logs
        from app.worker import work

    chosen = settings()
    logs.configure()

    async def until_told() -> None:
        stopping = asyncio.Event()
        for told in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(told, stopping.set)
        async with opened(chosen) as database, fetcher(chosen) as client:
            say("working; Ctrl+C ends it")
            await work(database, chosen, client, stopping)

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


def migrate(
    revision: Annotated[str, typer.Argument(help="head, base or a revision.")] = "head",
) -> None:
    """Bring the database's schema up to date (every start does)."""
    import asyncio

    async def work(chosen: Settings) -> str | None:
        from app.db import Database, current_revision
        from app.db import migrate as bring
        from app.queue.engine import install

        database = Database(chosen.database_url)
        try:
            await bring(database, revision)
            if revision == "head":
                await install(database)
            return await current_revision(database)
        finally:
            await database.close()

    say(f"schema at {asyncio.run(work(settings())) or 'base'}")


def doctor() -> None:
    """Check database, migrations, clock, disk, mail, model files and sources, and say what to do."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.operating.doctor import examine

        findings = await examine(chosen, database)
        printing.table(
            ("", "what", "finding"), [("ok" if one.is_fine else "!!", one.what, one.finding) for one in findings]
        )
        if bad := [one.what for one in findings if not one.is_fine]:
            raise Failed(f"needs attention: {', '.join(bad)}")

    run(work)


def stats(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Count what there is."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.queries.counts import count_all

        async with database.reading() as session:
            counts = await count_all(session, chosen.now())
        if as_json:
            printing.as_json([counts])
        else:
            printing.table(("what", "number"), list(counts.items()))

    run(work)


@demo.command("load")
def load() -> None:
    """Load the demonstration city (a first start without sources does)."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.collecting.first_start import load_demo

        say(f"loaded {await load_demo(database, now=chosen.now())} events of the demonstration city")

    run(work)


@demo.command("remove")
def remove() -> None:
    """Remove the demonstration city."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.collecting.first_start import remove_demo

        say(f"removed {await remove_demo(database, now=chosen.now(), by=None)} events of the demonstration city")

    run(work)
