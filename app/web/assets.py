"""Styles, script and icon under names that hold their hash, so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

from app.api.problems import Problem

STATIC = Path(__file__).parent / "static"
FOREVER = "public, max-age=31536000, immutable"

_files = {path.name: path.read_bytes() for path in sorted(STATIC.iterdir())}
_hashed = {name: f"{hashlib.sha256(body).hexdigest()[:10]}.{name}" for name, body in _files.items()}
_bodies = {_hashed[name]: body for name, body in _files.items()}

router = APIRouter(include_in_schema=False)


def asset(name: str) -> str:
    """Return the address of a file in static/."""
    return f"/static/{_hashed[name]}"


@router.get("/static/{name}")
async def static(name: str) -> Response:
    if name not in _bodies:
        raise Problem(404, f"no file is called {name!r}")
    kind = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0]
    return Response(_bodies[name], media_type=kind, headers={"Cache-Control": FOREVER})
