"""Step 7 for eyes: the pages, server-rendered, useful without an account, a script or anything from elsewhere."""

from fastapi import APIRouter

from app.web import assets, event, home, ops, sign_in
from app.web.errors import tell_people

__all__ = ["router", "tell_people"]

router = APIRouter()
for part in (home.router, event.router, sign_in.router, ops.router, assets.router):
    router.include_router(part)
