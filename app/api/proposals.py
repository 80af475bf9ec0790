"""/events/import and /proposals: somebody who signed in proposes a page, or writes down an event or a community, and
operators decide; /audit: what operators did.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlmodel.ext.asyncio.session import AsyncSession

from app.api.access import (
    Data,
    Now,
    Operator,
    OperatorToken,
    Reading,
    Writing,
    database_of,
    is_operator,
    required,
    token_of,
)
from app.api.answers import (
    NO_PARAMETERS,
    PRIVATE,
    Listing,
    Nothing,
    Text,
    list_answer,
    private,
)
from app.api.json_bodies import JsonRoute
from app.api.limits import address_of, count
from app.api.mistakes import in_body
from app.api.naming import web_address
from app.api.paging import LARGEST_ID, Paging, page_beside, read_beside
from app.api.parameters import Zone
from app.api.problems import Problem, declared, unfit
from app.api.shapes import proposals as shapes
from app.api.sources import add
from app.collecting import contributions, proposals
from app.collecting.discovery import AddressList, NothingFound, examine
from app.models import Proposal
from app.people import audit

router = APIRouter(prefix="/api/v1", tags=["sources"], route_class=JsonRoute)

IMPORTS_AN_HOUR = 30  # of one address, and of one person: each makes us fetch a page of their choice

Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]


async def _proposer(request: Request) -> int | None:
    """Return the number of the person who signed in; None for an operator who is nobody.

    Each address and each person proposes so often and no more; who may not propose at all is not counted.
    """
    who = await _who(request)
    count(request, "import", address_of(request), an_hour=IMPORTS_AN_HOUR)
    if who is not None:
        count(request, "import", f"person {who}", an_hour=IMPORTS_AN_HOUR)
    return who


async def _who(request: Request) -> int | None:
    async with database_of(request).reading() as session:
        if is_operator(token := await token_of(request, session)):
            return token.person_id if token is not None else None
        person = await required(request, session, "write")
    if person.email is None:
        raise Problem(403, "sign in with an address first; a guest keeps everything", kind="needs-sign-in")
    return person.id


class PageToImport(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(max_length=2048, examples=["https://book-arts.example/events"])]


@router.post(
    "/events/import",
    operation_id="import_page",
    summary="Propose a page to collect events from",
    response_model=shapes.PreviewAnswer,
    responses=declared(400, 401, 403, 413, 415, 422, 429, 502),
    dependencies=[NO_PARAMETERS],
)
async def import_page(
    request: Request, sent: PageToImport, who: Annotated[int | None, Depends(_proposer)], database: Data, now: Now
) -> Response:
    """Shows what the page, or the best feed behind it, offers, and keeps the wish until an operator decides.

    For people who signed in.
    """
    url = web_address(sent.url)
    try:
        found = await examine(request.app.state.fetcher, url, zone=ZoneInfo("UTC"), now=now)
    except NothingFound as nothing:
        raise _unreadable(nothing) from nothing
    if isinstance(found, AddressList):
        told = f"{url} is a list of addresses; propose them one by one"
        raise unfit(in_body("url"), told, kind="unreadable-page")
    async with database.writing() as session:
        proposal, source_id = await proposals.propose(session, found, person_id=who)
    kept = {"id": proposal.id, "state": proposal.state} if proposal is not None else None
    return private({"data": proposals.preview_json(found) | {"proposal": kept, "source": source_id}})


def _unreadable(nothing: NothingFound) -> Problem:
    """Return the answer to an address that holds no events, or that could not be fetched, which is nobody's mistake."""
    first = nothing.tried[0]
    if first.has_answered:
        return unfit(in_body("url"), str(nothing), kind="unreadable-page", code=first.code)
    return Problem(502, str(nothing), kind="unreadable-page", code=first.code)


@router.post(
    "/proposals",
    operation_id="propose",
    summary="Propose an event, chat or community by form",
    status_code=201,
    response_model=shapes.ContributionAnswer,
    responses=declared(400, 401, 403, 409, 413, 415, 422, 429),
    dependencies=[NO_PARAMETERS],
)
async def propose(
    sent: dict[str, Any],
    who: Annotated[int | None, Depends(_proposer)],
    session: Writing,
    now: Now,
) -> Response:
    """`{"community": {…}}` or `{"event": {…}}`, in the words of community files. For people who signed in."""
    try:
        contribution = contributions.read_contribution(sent)
        contribution.told()
    except ValidationError as error:
        told = error.errors(include_url=False, include_context=False)
        raise RequestValidationError([each | {"loc": ("body", *each["loc"])} for each in told]) from error
    except ValueError as error:
        raise unfit(in_body(), str(error)) from error
    if (known := await contributions.known_already(session, contribution)) is not None:
        raise Problem(409, f"there is something like it already: {known}")
    proposal = await contributions.keep(session, contribution, sent, person_id=who, now=now)
    shown = {name: getattr(proposal, name) for name in ("id", "state", "name", "kind")}
    return private({"data": shown | {"events": proposal.preview}}, status=201)


class Waiting(Paging):
    state: Literal["proposed", "accepted", "refused"] | None = None


@router.get(
    "/proposals",
    operation_id="list_proposals",
    summary="List proposed pages",
    response_model=shapes.ProposalList,
    responses=declared(401, 403, 422),
    dependencies=[Operator],
)
async def list_proposals(request: Request, asked: Annotated[Waiting, Query()], session: Reading) -> Response:
    """For operators."""
    beside = read_beside(asked.cursor)
    found, number = await proposals.found(session, state=asked.state, beside=beside, limit=asked.limit + 1)
    part = page_beside(found, asked, beside)
    rows = [proposals.proposal_json(row) for row in part.shown]
    changed_at = await proposals.last_change(session, state=asked.state)
    page = Listing(rows=rows, count=number, updated_at=changed_at, **part.cursors(lambda one: one.id or 0))
    return list_answer(request, page, cache=PRIVATE)


class Home(BaseModel):
    model_config = ConfigDict(extra="forbid")

    city: Text | None = Field(None, description="`Name[, region][, country]`: place of events that name none.")
    zone: Zone | None = Field(None, description="Zone of times that name none; the city's if not given.")


@router.post(
    "/proposals/{id}/accept",
    operation_id="accept_proposal",
    dependencies=[NO_PARAMETERS],
    summary="Collect from a proposed page",
    response_model=shapes.ProposalAnswer,
    responses=declared(400, 401, 403, 404, 409, 413, 415, 422),
)
async def accept_proposal(
    operator: OperatorToken,
    id: Id,  # noqa: A002
    database: Data,
    now: Now,
    sent: Home | None = None,
) -> Response:
    """For operators. A page becomes a source, due at once; what was written down is there at once."""
    chosen = sent or Home()
    async with database.reading() as session:
        is_written = (await _open(session, id)).details is not None
    written = await contributions.publish(database, id, now=now) if is_written else None
    async with database.writing() as session:
        proposal = await _open(session, id, for_update=True)
        source_id = written or (await add(session, proposal.url, city=chosen.city, zone=chosen.zone)).id
        proposals.decide(proposal, "accepted", source_id=source_id)
        audit.note(session, operator, "proposal.accept", proposal.url)
        return private({"data": proposals.proposal_json(proposal)})


@router.post(
    "/proposals/{id}/refuse",
    operation_id="refuse_proposal",
    summary="Leave a proposed page alone",
    response_model=shapes.ProposalAnswer,
    responses=declared(401, 403, 404, 409, 422),
)
async def refuse_proposal(
    operator: OperatorToken,
    id: Id,  # noqa: A002
    _: Annotated[Nothing, Query()],
    session: Writing,
) -> Response:
    """For operators."""
    proposal = await _open(session, id, for_update=True)
    proposals.decide(proposal, "refused")
    audit.note(session, operator, "proposal.refuse", proposal.url)
    return private({"data": proposals.proposal_json(proposal)})


async def _open(session: AsyncSession, proposal_id: int, *, for_update: bool = False) -> Proposal:
    proposal = await session.get(Proposal, proposal_id, with_for_update=for_update)
    if proposal is None:
        raise Problem(404, f"no proposal has the id {proposal_id}")
    if proposal.state != "proposed":
        raise Problem(409, f"this proposal was {proposal.state} already")
    return proposal


@router.get(
    "/audit",
    operation_id="list_actions",
    summary="List what operators did",
    response_model=shapes.ActionList,
    responses=declared(401, 403, 422),
    dependencies=[Operator],
)
async def list_actions(request: Request, asked: Annotated[Paging, Query()], session: Reading) -> Response:
    """For operators; newest first. `token` is the beginning of the token's digest, as `adjacent tokens list` shows it."""
    beside = read_beside(asked.cursor)
    part = page_beside(await audit.newest(session, beside=beside, limit=asked.limit + 1), asked, beside)
    number, last_at = await audit.all_noted(session)
    page = Listing(rows=part.shown, count=number, updated_at=last_at, **part.cursors(lambda one: one["id"]))
    return list_answer(request, page, cache=PRIVATE)
