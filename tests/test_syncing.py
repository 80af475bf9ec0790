"""A client that follows changes page by page holds what the list holds, whatever happens between its pages."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from service import NOW, Service, draft, serving
from sqlmodel import select

from app.collecting import frontier
from app.events import by_hand, ingest, removal
from app.models import Event

ALL = "/api/v1/events?start=1970-01-01"
HALL = "https://hall.example/a.ics"
A_MINUTE = timedelta(minutes=1)


@dataclass
class Client:
    """Does as the guide says: asks for what changed since the last change it knows of, and goes by ids."""

    service: Service
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    since: str = "1970-01-01"
    next: str | None = None

    async def page(self) -> bool:
        """Take the next page in; return whether there is another."""
        changes = f"{ALL}&include_deleted=true&sort=updated&limit=3&updated_since={self.since}"
        answer = (await self.service.client.get(self.next or changes)).json()
        for event in answer["data"]:
            if event["deleted"]:
                self.held.pop(event["id"], None)
            else:
                self.held[event["id"]] = event
        self.next = answer["links"]["next"]
        if self.next is None:
            self.since = answer["data"][-1]["updated_at"].replace("+00:00", "Z")
        return self.next is not None

    async def follow(self) -> None:
        while await self.page():
            pass


async def the_list(service: Service) -> dict[str, dict[str, Any]]:
    answer = (await service.client.get(f"{ALL}&limit=100")).json()
    return {event["id"]: event for event in answer["data"]}


async def test_client_that_follows_changes_ends_with_the_list(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = Client(service)
        await service.store(*(draft(f"a{number}", f"Meeting {number}", days=1 + number) for number in range(8)))
        assert await client.page()
        # Between two pages: one it has seen moves into the past, one it has not seen changes, another comes first of all.
        a_minute = NOW + A_MINUTE
        await service.store(
            draft("a0", "Meeting 0", days=-3),
            draft("a7", "New name", days=8),
            draft("n", "New", days=0.5),
            now=a_minute,
        )
        await client.follow()
        assert client.held == await the_list(service)
        assert len(client.held) == 9

        ids = await service.store(draft("h", "Joined by hand", days=20), source=HALL, now=a_minute)
        await client.follow()
        assert ids["h"] in client.held

        an_hour = NOW + timedelta(hours=1)
        async with service.database.writing() as session:
            by_title = {event.title: event for event in await session.exec(select(Event))}
            await by_hand.join(session, by_title["Meeting 1"], by_title["Joined by hand"], why="same", now=an_hour)
            source = await frontier.add_source(session, "https://calendar.example/a.ics")
            versions = await ingest.stored_versions(session, source.id or 0)
            withdrawn = ingest.Changes(withdrawn=(versions["a2", ""].id,))
            await ingest.store(session, source, withdrawn, now=an_hour)
        await client.follow()
        assert client.held == await the_list(service)
        assert {event["title"] for event in client.held.values()} == {
            "New",
            "New name",
            *(f"Meeting {number}" for number in (0, 1, 3, 4, 5, 6)),
        }


async def test_client_that_syncs_in_the_midst_of_a_round_misses_nothing(tmp_path: Path) -> None:
    """What one round stores, in many transactions, all carries the moment at which the round began, or later."""
    async with serving(tmp_path) as service:
        client = Client(service)
        await service.store(draft("z", "From a round that began later", days=9), source=HALL, now=NOW + A_MINUTE)
        for number in range(6):
            await service.store(draft(f"a{number}", f"Meeting {number}", days=1 + number))
            await client.page()  # mostly in the middle of its own way through the changes
        await service.store(draft("a0", "Another name", days=1), draft("a1", "Meeting 1", days=3))
        await client.follow()
        assert client.held == await the_list(service)
        assert len(client.held) == 7


async def test_client_hears_of_a_source_that_is_taken_out(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = Client(service)
        await service.store(*(draft(f"a{number}", f"Meeting {number}", days=1 + number) for number in range(3)))
        shared = draft("s", "Letterpress printing for beginners", days=1)
        await service.store(shared)
        ids = await service.store(replace(shared, uid="h"), source=HALL)
        await client.follow()
        async with service.database.writing() as session:
            source = await frontier.add_source(session, "https://calendar.example/a.ics")
            assert await removal.forget_source(session, source, now=NOW) == 3
        await client.follow()
        assert client.held == await the_list(service)
        assert list(client.held) == [ids["h"]]


async def test_calendars_tell_that_saved_and_picked_events_of_a_source_that_is_taken_out_are_off(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as service:
        headers = await service.guest(know={"JavaScript": 3}, near="Munich")
        ids = await service.store(draft("a", "Evening of type"), topics={"a": {"typography": 0.9}})
        saved = {"event": ids["a"], "kind": "saved"}
        assert (await service.client.post("/api/v1/me/feedback", json=saved, headers=headers)).status_code == 200
        asked = {"name": "Mine", "kind": "saved"}
        feed = (await service.client.post("/api/v1/me/feeds", json=asked, headers=headers)).json()["data"]["url"]
        async with service.database.writing() as session:
            source = await frontier.add_source(session, "https://calendar.example/a.ics")
            await removal.forget_source(session, source, now=NOW + A_MINUTE)
        calendar = (await service.client.get(feed)).text.splitlines()
        assert [line for line in calendar if line.startswith(("SUMMARY", "SEQUENCE", "STATUS"))] == [
            "SEQUENCE:1",
            "SUMMARY:Evening of type",
            "STATUS:CANCELLED",
        ]
        page = await service.client.get(f"/e/{ids['a']}")
        assert (page.status_code, "Evening of type" in page.text) == (200, True)
