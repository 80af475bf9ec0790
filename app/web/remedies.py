"""A button for each thing that can be wrong: what operators press on /ops, each written down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.api.access import Data, Now, OperatorToken
from app.api.problems import Problem
from app.collecting import collect, frontier, source_health
from app.events import about, by_hand, removal, verdicts
from app.events.verdicts import Name
from app.models import Event, EventVersion, FetchState, Report, Source
from app.people import audit
from app.queries.listing import event_by_key
from app.queue import backlog
from app.web.forms import read_form
from app.web.visit import Visiting, led_on
from app.words.event_words import PURPOSE_WORDS
from app.words.wording import Wording

router = APIRouter(prefix="/ops", include_in_schema=False)

Number = Annotated[int, Path(ge=1, le=2**62)]
BY_HAND = "looked at by an operator"


@router.post("/sources/{number}/collect")
async def collect_now(
    *, operator: OperatorToken, request: Request, visit: Visiting, number: Number, database: Data, now: Now
) -> Response:
    """Fetch, read, store and tag, and say what came of it."""
    async with database.writing() as session:
        source = await _source(session, number)
        if source.state in source_health.RESTING:
            await _resume(session, source, now)
        audit.note(session, operator, "source.collect", source.url)
    outcome = await collect.collect_source(database, request.app.state.fetcher, number, now=now)
    wording = visit.wording
    if outcome.state == "failed":
        words = wording.text("It failed again: {why}", why=outcome.message or outcome.code or "")
        return led_on(request, "/ops#trouble", words, is_good=False)
    await about.tag_new(database, now=now)
    counts = outcome.counts
    words = wording.text(
        "It answers: {added} new, {changed} changed, {cancelled} cancelled.",
        added=counts.added,
        changed=counts.changed,
        cancelled=counts.cancelled,
    )
    return led_on(request, "/ops#trouble", words)


async def _pause(_session: AsyncSession, source: Source, _now: datetime) -> None:
    frontier.set_state(source, "paused", datetime.now(UTC))


async def _resume(session: AsyncSession, source: Source, _now: datetime) -> None:
    clock = datetime.now(UTC)
    frontier.set_state(source, "new", clock)
    fetching = await session.get_one(FetchState, source.id)
    fetching.next_fetch_at, fetching.failures, fetching.error_code, fetching.error = clock, 0, None, None
    await session.flush()
    await frontier.schedule_hosts(session, [source.id or 0])


async def _remove(session: AsyncSession, source: Source, now: datetime) -> None:
    await removal.forget_source(session, source, now=now)


REMEDIES: dict[str, Callable[[AsyncSession, Source, datetime], Awaitable[None]]] = {
    "pause": _pause,
    "resume": _resume,
    "remove": _remove,
}


def _done(action: str, wording: Wording) -> str:
    return {
        "pause": wording.text("Paused; its events stay."),
        "resume": wording.text("It is read within a minute."),
        "remove": wording.text("Removed, with the events only it told of."),
    }[action]


@router.post("/sources/{number}/{action}")
async def treat_source(
    *, operator: OperatorToken, request: Request, visit: Visiting, number: Number, action: str, database: Data, now: Now
) -> Response:
    if action not in REMEDIES:
        raise Problem(404, "a source is collected, paused, resumed or removed")
    async with database.writing() as session:
        source = await _source(session, number)
        audit.note(session, operator, f"source.{action}", source.url)
        await REMEDIES[action](session, source, now)
    return led_on(request, "/ops#trouble", _done(action, visit.wording))


@router.post("/queue/requeue")
async def requeue(operator: OperatorToken, request: Request, visit: Visiting, database: Data) -> Response:
    """Make one host or chore due again, or all that were given up."""
    name = (await read_form(request)).get("name", [""])[-1][:300]
    clock = datetime.now(UTC)
    async with database.writing() as session:
        if name:
            freed = [name] if await backlog.requeue_named(session, name, clock=clock) else []
        else:
            freed = await backlog.requeue_dead(session, clock=clock)
        audit.note(session, operator, "queue.requeue", name or "dead")
    words = visit.wording.plural("{number} is due again.", "{number} are due again.", len(freed))
    return led_on(request, "/ops#queue", words, is_good=bool(freed))


@router.post("/merges/{number}/{verdict}")
async def judge_merge(
    *,
    operator: OperatorToken,
    request: Request,
    visit: Visiting,
    number: Number,
    verdict: str,
    database: Data,
    now: Now,
) -> Response:
    """Say that a version belongs to its event, or that it does not; later crawls keep to it."""
    async with database.writing() as session:
        version = await session.get(EventVersion, number)
        if version is None or verdict not in ("right", "wrong"):
            raise Problem(404, "there is no such version, or no such verdict")
        event = await session.get_one(Event, version.event_id)
        audit.note(session, operator, f"merge.{verdict}", f"{event.key} {number}")
        if verdict == "wrong":
            await by_hand.part(session, event, number, why=BY_HAND, now=now)
            words = visit.wording.text("They are two events from now on.")
        else:
            ours, others = await _names(session, version)
            await verdicts.decide(session, [ours], others, is_one=True, why=BY_HAND, now=now)
            words = visit.wording.text("They stay one.")
    return led_on(request, "/ops#merges", words)


async def _names(session: AsyncSession, version: EventVersion) -> tuple[Name, list[Name]]:
    rows = await session.exec(
        select(EventVersion, Source.url)
        .join(Source, col(Source.id) == EventVersion.source_id)
        .where(EventVersion.event_id == version.event_id)
    )
    named = {row.id: Name(url, row.uid, row.recurrence_id) for row, url in rows}
    return named.pop(version.id), list(named.values())


@router.post("/purposes/{key}")
async def correct_purpose(
    *, operator: OperatorToken, request: Request, visit: Visiting, key: str, database: Data, now: Now
) -> Response:
    """Say why people come to an event; it holds until its text changes."""
    purpose = (await read_form(request)).get("purpose", [""])[-1]
    if purpose not in PURPOSE_WORDS:
        raise Problem(422, f"`purpose` is one of {', '.join(PURPOSE_WORDS)}")
    async with database.writing() as session:
        event = await event_by_key(session, key)
        if event is None:
            raise Problem(404, "there is no such event")
        await about.correct_purpose(session, event, purpose, now=now)
        audit.note(session, operator, "event.purpose", f"{key} {purpose}")
    return led_on(request, "/ops#purposes", visit.wording.text("Corrected."))


@router.post("/reports/{number}")
async def put_report_aside(
    operator: OperatorToken, request: Request, visit: Visiting, number: Number, database: Data
) -> Response:
    async with database.writing() as session:
        report = await session.get(Report, number)
        if report is None:
            raise Problem(404, "there is no such report")
        report.looked_at = datetime.now(UTC)
        audit.note(session, operator, "report.aside", str(number))
    return led_on(request, "/ops#reports", visit.wording.text("Put aside."))


async def _source(session: AsyncSession, number: int) -> Source:
    source = await session.get(Source, number)
    if source is None:
        raise Problem(404, f"no source has the id {number}")
    return source
