"""The pages: server-rendered, useful without an account, a script or anything from elsewhere."""

from fastapi import APIRouter

from app.web import assets, home, ops

router = APIRouter()
for part in (home.router, ops.router, assets.router):
    router.include_router(part)
