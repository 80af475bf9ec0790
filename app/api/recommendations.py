"""/recommendations: picks for whoever says what they know; nothing is kept."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.access import Now, Reading
from app.api.answers import NO_PARAMETERS, answer
from app.api.json_bodies import JsonRoute
from app.api.limits import at_most
from app.api.problems import declared
from app.api.profile import Question
from app.api.shapes import picks as shapes
from app.api.spoken import grounds_told, told_in, wording_asked
from app.picking.picks import picks_for

router = APIRouter(prefix="/api/v1", tags=["picks"], route_class=JsonRoute)

AN_HOUR = 10_000  # from one address: a front end's server may ask for many people


@router.post(
    "/recommendations",
    operation_id="recommend",
    summary="Pick events one step outside what somebody knows",
    response_model=shapes.PickList,
    responses=declared(400, 413, 415, 422, 429),
    dependencies=[NO_PARAMETERS, Depends(at_most(AN_HOUR, "recommendations"))],
)
async def recommend(request: Request, asked: Question, session: Reading, now: Now) -> Response:
    """The best events first, each with the path that leads to it, a reason and its evidence.

    `Accept-Language` chooses the language of reasons and evidence.
    """
    picks, wording = await picks_for(session, asked.wish(), now=now), wording_asked(request)
    told = [grounds_told(pick.as_json(), wording) for pick in picks]
    return answer({"data": told}, cache="no-store", headers=told_in(wording))
