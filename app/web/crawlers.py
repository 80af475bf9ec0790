"""What programs ask of every site without being led there: what they may read (RFC 9309), and its icon."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from app.web.assets import asset

# Of one list there are as many addresses as filters can be combined; what is one person's is nobody else's to index.
UNREAD = ("/api/", "/confirm/", "/events?", "/f/", "/m/", "/me", "/ops", "/sign-in", "/start?", "/unsubscribe/", "/?")
ROBOTS = "".join(("User-agent: *\n", *(f"Disallow: {path}\n" for path in UNREAD)))
A_DAY = "public, max-age=86400"

router = APIRouter(include_in_schema=False)


@router.get("/robots.txt")
async def robots() -> Response:
    return PlainTextResponse(ROBOTS, headers={"Cache-Control": A_DAY})


@router.get("/favicon.ico")
async def icon() -> Response:
    return RedirectResponse(asset("icon.svg"), status_code=302, headers={"Cache-Control": A_DAY})
