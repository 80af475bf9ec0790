"""The service in one process: HTTP in front, the crawl schedule behind, one database between them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.middleware import Middleware

from app import web
from app.api import (
    calendars,
    communities,
    embed,
    events,
    exports,
    health,
    me,
    my_digest,
    my_feedback,
    my_feeds,
    my_hidden,
    my_takeaways,
    my_tokens,
    outages,
    problems,
    proposals,
    recommendations,
    reference,
    sign_in,
    sources,
    topics,
)
from app.api.conditional import Conditional
from app.api.doors import BodyLimit, Doors, Faults
from app.api.health import Gauges, Timings
from app.api.limits import Limiter
from app.api.openapi import describe
from app.api.requests import Requests
from app.api.uses import Uses
from app.collecting import first_start
from app.db import Database, migrate
from app.mail.mailer import signer_of
from app.operating import served_at
from app.people import tokens
from app.picking import ahead
from app.revisions import revisions_of
from app.settings import Settings
from app.worker import working
from scrapers.fetch import Fetcher

API = (
    events,
    exports,
    embed,
    communities,
    topics,
    recommendations,
    me,
    my_digest,
    my_feedback,
    my_feeds,
    my_hidden,
    my_takeaways,
    my_tokens,
    sign_in,
    sources,
    proposals,
    calendars,
    health,
    problems,
    reference,
)
# Shared by all apps as they are: `include_router` would build each of them anew, at the first request that comes by.
ROUTES = [*(route for module in API for route in module.router.routes), *web.routes]
LARGEST_BODY = 64 * 1024  # bytes; a profile with every topic of the catalogue is under 40 KB
SIGN_IN_LIVES = timedelta(days=1)
STARTED = 1.0  # seconds after which a process has begun to listen


def create_app(settings: Settings, *, works: bool, announce: Callable[[str], None]) -> FastAPI:
    """Build the service; with `works` it also collects. `announce` hears, once it answers, where it is."""
    metrics = CollectorRegistry()
    app = FastAPI(
        title="Adjacent",
        summary="Events one step outside what you know",
        version="1",
        routes=ROUTES,
        lifespan=lambda app: _alive(app, works=works, announce=announce),
        redirect_slashes=False,  # it would name the host we are asked as; app.api.problems leads there
        openapi_url=None,  # app.api.reference answers there
        docs_url=None,
        redoc_url=None,
        # Looked for by every request, at 30 µs; /metrics and the log tell the same.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        middleware=[
            Middleware(Requests, timings=Timings(metrics)),
            Middleware(Conditional),
            Middleware(Doors, base_url=settings.base_url),
            Middleware(Faults),
            Middleware(BodyLimit, largest=LARGEST_BODY),
        ],
    )
    app.state.settings, app.state.metrics, app.state.gauges = settings, metrics, Gauges()
    app.state.database = Database(settings.database_url)
    app.state.revisions, app.state.uses, app.state.limiter = revisions_of(app.state.database), Uses(), Limiter()
    problems.install(app)
    outages.install(app)
    web.tell_people(app)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _alive(app: FastAPI, *, works: bool, announce: Callable[[str], None]) -> AsyncIterator[None]:
    """Open all that requests stand on and, with `works`, what goes on behind them; close it at the end."""
    settings: Settings = app.state.settings
    database: Database = app.state.database
    uses: Uses = app.state.uses
    signer_of(settings)  # a key nothing can be signed with is told now, not when somebody waits for a mail
    await migrate(database)
    try:
        async with Fetcher(allow_hosts=settings.allow_hosts, contact=settings.contact) as fetcher:
            app.state.fetcher = fetcher
            if works and await first_start.prepare(database, now=settings.now()):
                announce("Port Ellery, a demonstration city, is loaded; `adjacent demo remove` takes it out again")
            behind = working(database, settings, fetcher, after=STARTED) if works else nullcontext()
            async with uses.written_behind(database), behind:
                await _greet(database, settings, announce)
                async with ahead.read_before_anybody_asks(database, now=settings.now(), after=STARTED):
                    yield
    finally:
        await app.state.revisions.close()
        await ahead.forget(database)
        await database.close()


async def _greet(database: Database, settings: Settings, announce: Callable[[str], None]) -> None:
    async with database.writing() as session:
        secret = await tokens.issue(session, "sign_in", label="start", scopes=["operator"], lives=SIGN_IN_LIVES)
        await served_at.note(session, settings.base_url)
    announce(f"Adjacent answers at {settings.base_url}")
    announce(f"Sign in as operator: {settings.base_url}/sign-in/{secret}")
