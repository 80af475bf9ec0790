"""/healthz, /readyz and /metrics: whether the service lives, whether it can answer, and how it fares."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from sqlalchemy import func
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select
from starlette.types import Scope

from app.api.access import Chosen, Data
from app.api.answers import Nothing, answer
from app.api.problems import Problem, declared
from app.db import Database, current_revision, newest_revision
from app.models import Worker
from app.operating.metrics import as_text, measure
from app.settings import Settings

router = APIRouter(tags=["operating"])

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@router.get("/healthz", operation_id="check_life", summary="Whether the process lives", responses=declared(422))
async def check_life(_: Annotated[Nothing, Query()]) -> Response:
    return answer({"status": "ok"}, cache="no-store")


@router.get("/readyz", operation_id="check_readiness", summary="Whether it can answer", responses=declared(422, 503))
async def check_readiness(_: Annotated[Nothing, Query()], database: Data) -> Response:
    try:
        revision = await current_revision(database)
    except (SQLAlchemyError, OSError) as error:  # asyncpg lets refused connections through as OSError
        raise Problem(503, "the database does not answer") from error
    if revision != newest_revision():
        raise Problem(503, f"the schema is at {revision or 'base'}, not {newest_revision()}; `adjacent migrate` helps")
    async with database.reading() as session:
        seen_at = (await session.exec(select(func.max(Worker.seen_at)))).one()
    silence = (datetime.now(UTC) - seen_at).total_seconds() if seen_at else None
    # Without workers nothing new is collected, but what there is can be answered: told, and no reason to be unready.
    return answer({"status": "ready", "schema": revision, "worker_silence_seconds": silence}, cache="no-store")


@router.get(
    "/metrics",
    operation_id="read_metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Text"},
        **declared(422),
    },
)
async def read_metrics(request: Request, _: Annotated[Nothing, Query()], database: Data, chosen: Chosen) -> Response:
    own = generate_latest(request.app.state.metrics)
    body = own + await request.app.state.gauges.read(database, chosen)
    return Response(body, headers={"Cache-Control": "no-store", "Content-Type": CONTENT_TYPE_LATEST})


class Gauges:
    """The gauges of the instance, read anew at most every few seconds: anybody may ask, and they cost some counting."""

    LASTS = timedelta(seconds=10)

    def __init__(self) -> None:
        self._read_at = datetime.min.replace(tzinfo=UTC)
        self._body = b""
        self._turn = asyncio.Lock()

    async def read(self, database: Database, settings: Settings) -> bytes:
        async with self._turn:
            clock = datetime.now(UTC)
            if clock - self._read_at >= self.LASTS:
                gauges = await measure(database, settings.data, now=settings.now(), clock=clock)
                self._body, self._read_at = as_text(gauges), clock
            return self._body


def method_of(scope: Scope) -> str:
    """Return a request's method, or "other": those that anybody may invent would each be a series and a log's words."""
    method: str = scope["method"]
    return method if method in METHODS else "other"


class Timings:
    """Counts how long answers took, by route, method and status. The route's template is told: addresses may hold secrets."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "adjacent_http_seconds",
            "Time to answer a request.",
            ("method", "route", "status"),
            registry=registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
        )
        # Looking a series up in its family takes as long as counting.
        self._series: dict[tuple[str, str | None, int], Histogram] = {}

    def note(self, method: str, route: str | None, status: int, seconds: float) -> None:
        series = self._series.get((method, route, status))
        if series is None:
            series = self._series[method, route, status] = self._seconds.labels(method, route or "none", str(status))
        series.observe(seconds)
