"""While the database is away, locked or full: 503 and when to come back, rather than a fault of ours."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.api.problems import problem_response
from app.db import in_short, is_outage

COME_BACK = 5  # seconds

log = structlog.get_logger()


def install(app: FastAPI) -> None:
    for kind in (DBAPIError, PoolTimeout, ConnectionError):
        app.add_exception_handler(kind, _outage)


async def _outage(_: Request, error: Exception) -> Response:
    if not is_outage(error):
        raise error
    log.warning("the database does not answer", error=f"{type(error).__name__}: {in_short(error)}")
    return problem_response(503, "the database does not answer at the moment", headers={"Retry-After": str(COME_BACK)})
