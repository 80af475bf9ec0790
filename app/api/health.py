"""/healthz, /readyz and /metrics: whether the service lives, whether it can answer, and how it fares."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.access import Data
from app.api.answers import Nothing, answer
from app.api.problems import Problem, declared
from app.db import current_revision, newest_revision

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
    return answer({"status": "ready", "schema": revision}, cache="no-store")


@router.get("/metrics", operation_id="read_metrics", summary="Prometheus metrics", response_class=Response)
async def read_metrics(request: Request) -> Response:
    body = generate_latest(request.app.state.metrics)
    return Response(body, headers={"Cache-Control": "no-store", "Content-Type": CONTENT_TYPE_LATEST})


def method_of(scope: Scope) -> str:
    """Return a request's method, or "other": those that anybody may invent would each be a series and a log's words."""
    method: str = scope["method"]
    return method if method in METHODS else "other"


class Metrics:
    """Times every exchange by route, method and status. The route's template is told: addresses may hold secrets."""

    def __init__(self, app: ASGIApp, *, registry: CollectorRegistry) -> None:
        self.app = app
        self._seconds = Histogram(
            "adjacent_http_seconds",
            "Time to answer a request.",
            ("method", "route", "status"),
            registry=registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
        )
        self._series: dict[
            tuple[str, str, str], Histogram
        ] = {}  # looking one up in the family takes as long as counting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500
        method = method_of(scope)  # before anything behind here changes it

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting_send)
        finally:
            key = (method, getattr(scope.get("route"), "path", "none"), str(status))
            series = self._series.get(key) or self._series.setdefault(key, self._seconds.labels(*key))
            series.observe(time.perf_counter() - started)
