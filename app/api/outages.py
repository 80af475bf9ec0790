"""While the database is away, locked or full: 503 and when to come back, rather than a fault of ours."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import Response
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.api.problems import problem_response

COME_BACK = 5  # seconds
# What PostgreSQL says of itself rather than of the question: resources are used up, an operator intervened, a lock was
# waited for too long (appendix A of its manual). asyncpg's errors of these kinds are plain ones to SQLAlchemy.
OUTAGES = ("53", "57", "55P03")

log = structlog.get_logger()


def install(app: FastAPI) -> None:
    # asyncpg lets refused connections through as OSError, and SQLAlchemy knows no kind for a server that shuts down.
    for kind in (DBAPIError, PoolTimeout, ConnectionError):
        app.add_exception_handler(kind, _outage)


async def _outage(_: Request, error: Exception) -> Response:
    if isinstance(error, DBAPIError) and not _is_outage(error):
        raise error
    log.warning("the database does not answer", error=f"{type(error).__name__}: {error}")
    return problem_response(503, "the database does not answer at the moment", headers={"Retry-After": str(COME_BACK)})


def _is_outage(error: DBAPIError) -> bool:
    if error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError)):
        return True
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state is not None and state.startswith(OUTAGES)
