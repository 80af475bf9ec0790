"""Bodies as RFC 8259 has JSON: in UTF-8, without NaN and Infinity, and no name twice in one object (RFC 7493 §2.3).

Python reads all of these, and of two values of one name it forgets the first, so that a mistake would go unnoticed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any, Never

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from app.api.problems import Problem


class JsonRequest(Request):
    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = read_json(await self.body())
        return self._json


class JsonRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            coding = request.headers.get("content-encoding", "identity")
            if self.body_field is not None and coding.lower() != "identity":
                raise Problem(415, f"send the body as it is, not in {coding}", headers={"Accept-Encoding": "identity"})
            return await handle(JsonRequest(request.scope, request.receive))

        return handle_strictly


def read_json(body: bytes) -> Any:
    """Return what a body says; raises JSONDecodeError or UnicodeDecodeError for what is no JSON."""
    return json.loads(body.decode("utf-8-sig"), parse_constant=_refuse, object_pairs_hook=_object)


def _refuse(constant: str) -> Never:
    raise json.JSONDecodeError(f"{constant} is no number", constant, 0)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise json.JSONDecodeError(f"{twice!r} stands twice", twice, 0)
    return read
