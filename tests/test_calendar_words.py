"""What a calendar says of an event beside its hours: why it is there, whose it is, where to go; in its owner's language."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import icalendar
import pytest
from service import BASE_URL, MUNICH, NOW, Service, draft

from app.calendars.calendar_feed import calendar, header
from app.models import Community, Event
from app.queries.listing import Listed

PAGE = f"Adjacent: {BASE_URL}/e/k"
PRESS = "https://press.example/evening"
ROOM = "https://meet.example/room"


def told(reason: str = "", community: str | None = None, **fields: Any) -> dict[str, str]:
    """Return where, what and how, as a calendar tells them of an event with these fields."""
    event = Event(
        id=1, key="k", title="Letters", starts_at=NOW + timedelta(days=1), created_at=NOW, updated_at=NOW, **fields
    )
    group = Community(id=1, key="c", name=community, updated_at=NOW) if community else None
    body = calendar(header("x"), [Listed(event, (), group)], base_url=BASE_URL, reasons={1: reason})
    (read,) = icalendar.Calendar.from_ical(body).walk("VEVENT")
    return {name: str(read[name]) for name in ("LOCATION", "DESCRIPTION", "URL", "CONFERENCE") if name in read}


def test_description_begins_with_the_reason_and_ends_with_the_page() -> None:
    facts = told(
        "JavaScript → Typography\nThree in ten go there.",
        community="Hand Press",
        is_free=True,
        description="Bring ink.\n\nBeginners welcome.",
        url=PRESS,
    )
    assert facts["DESCRIPTION"] == (
        "JavaScript → Typography\nThree in ten go there.\n\nHand Press · free\n\nBring ink.\n\nBeginners welcome."
        f"\n\n{PRESS}\n\n{PAGE}"
    )
    assert told(organizer_name="Letters", price="5 EUR")["DESCRIPTION"] == f"5 EUR\n\n{PAGE}"
    assert told(community="Hand Press", description="At Hand Press")["DESCRIPTION"] == f"At Hand Press\n\n{PAGE}"


@pytest.mark.parametrize(
    ("title", "status", "shown"),
    [
        ("Letters", "cancelled", "Cancelled: Letters"),
        ("CANCELED - Letters", "cancelled", "CANCELED - Letters"),
        ("[Cancelled] Letters", "cancelled", "[Cancelled] Letters"),
        ("Letters", "postponed", "Postponed: Letters"),
        ("Postponed! Letters", "postponed", "Postponed! Letters"),
        ("Cancel culture", "cancelled", "Cancelled: Cancel culture"),
        ("Letters", "confirmed", "Letters"),
    ],
)
def test_title_says_once_that_an_event_is_off(title: str, status: str, shown: str) -> None:
    event = Event(id=1, key="k", title=title, status=status, starts_at=NOW, created_at=NOW, updated_at=NOW)
    body = calendar(header("x"), [Listed(event)], base_url=BASE_URL, cancelled="prefix")
    (read,) = icalendar.Calendar.from_ical(body).walk("VEVENT")
    assert str(read["SUMMARY"]) == shown


@pytest.mark.parametrize(
    ("fields", "place", "description"),
    [
        ({"mode": "online", "online_url": ROOM, "venue_name": "Zoom", "url": PRESS}, ROOM, f"{PRESS}\n\n{PAGE}"),
        ({"mode": "online", "online_url": ROOM, "url": ROOM}, ROOM, f"{ROOM}\n\n{PAGE}"),
        ({"mode": "online", "venue_name": "#letters"}, "#letters", PAGE),
        ({"mode": "online"}, "online", PAGE),
        ({"mode": "hybrid", "venue_name": "Hall", "online_url": ROOM}, "Hall", f"Join online: {ROOM}\n\n{PAGE}"),
        ({"mode": "hybrid", "online_url": ROOM}, ROOM, PAGE),
        ({"venue_name": "Hall", "city": "Munich"}, "Hall, Munich", PAGE),
    ],
)
def test_every_program_finds_the_way_in(fields: dict[str, Any], place: str, description: str) -> None:
    facts = told(**fields)
    assert (facts["LOCATION"], facts["DESCRIPTION"]) == (place, description)
    assert facts.get("CONFERENCE") == fields.get("online_url")


async def test_personal_calendar_speaks_its_owners_language(service: Service) -> None:
    evening = draft("a", "Letters", venue=MUNICH, status="postponed")
    await service.store(draft("a", "Letters", venue=MUNICH), topics={"a": {"ux-design": 0.9, "typography": 0.5}})
    me = await service.guest(know={"JavaScript": 4, "React": 4}, near="Munich")
    made = await service.client.post("/api/v1/me/feeds", json={"name": "Meine", "kind": "picks"}, headers=me)
    feed = made.json()["data"]

    async def shown() -> Any:
        (event,) = icalendar.Calendar.from_ical((await service.client.get(feed["url"])).content).walk("VEVENT")
        return event

    english = await shown()
    assert english["description"].startswith(("JavaScript → UX design\n", "React → UX design\n"))
    await service.client.patch("/api/v1/me/digest", json={"language": "de"}, headers=me)
    german = await shown()
    path, sentence, *_ = german["description"].split("\n")
    assert path == english["description"].split("\n")[0].replace("UX design", "UX-Design")
    assert sentence != english["description"].split("\n")[1]
    assert german["categories"].to_ical() == b"UX-Design,Typografie"
    await service.store(evening, now=NOW + timedelta(hours=1))
    assert str((await shown())["summary"]) == "Verschoben: Letters"
    await service.client.post(f"/api/v1/me/feeds/{feed['id']}/rotate", headers=me)
    assert str((await shown())["summary"]) == "Dieser Link wurde ersetzt"


async def test_entry_of_one_event_goes_into_the_calendar_people_have(service: Service) -> None:
    ids = await service.store(draft("a", "Letters", venue=MUNICH))
    address = f"/api/v1/events/{ids['a']}.ics"
    whole = icalendar.Calendar.from_ical((await service.client.get(address)).content)
    assert (str(whole["NAME"]), str(whole["X-WR-CALNAME"])) == ("Letters", "Letters")
    read = icalendar.Calendar.from_ical((await service.client.get(f"{address}?entry=true")).content)
    assert (str(read["NAME"]), len(read.walk("VEVENT")), read.errors) == ("Letters", 1, [])
    assert not {"X-WR-CALNAME", "X-WR-CALDESC", "METHOD", "UID"} & set(read)
    assert {"REFRESH-INTERVAL", "X-PUBLISHED-TTL", "COLOR"} <= set(read)


async def test_calendar_made_on_a_page_speaks_as_the_page_does(service: Service) -> None:
    await service.store(draft("a", "Letters", venue=MUNICH), topics={"a": {"typography": 0.9}})
    asked = {"kind": "topic", "subject": "typography"}
    made = await service.client.post("/me/feeds", data=asked, headers={"Accept-Language": "de", "Accept": "text/html"})
    (address,) = re.findall(rf'value="({BASE_URL}/f/[^"]+)"', made.text)
    calendar = icalendar.Calendar.from_ical((await service.client.get(address)).content)
    assert [event["categories"].to_ical() for event in calendar.walk("VEVENT")] == [b"Typografie"]
    assert str(calendar["X-WR-CALNAME"]) == "Typografie"


async def test_event_about_no_topic_keeps_the_categories_of_its_source(service: Service) -> None:
    named = draft("a", "Letters", categories=("Ships, old", " ", "Knots\nand splices"))
    other, about = draft("b", "Signs", days=2), draft("c", "Type", days=3, categories=("Ships",))
    ids = await service.store(named, other, about, topics={"c": {"typography": 0.9}})
    read = icalendar.Calendar.from_ical((await service.client.get("/api/v1/events.ics")).content)
    told = {str(event["UID"]).partition("@")[0]: event.get("CATEGORIES") for event in read.walk("VEVENT")}
    assert [told[ids["a"]].to_ical(), told[ids["b"]], told[ids["c"]].to_ical()] == [
        b"Ships\\, old,Knots and splices",
        None,
        b"Typography",
    ]
