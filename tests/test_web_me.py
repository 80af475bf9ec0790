"""What a visitor keeps without an account, changes and takes back: the start, what is said of a pick, the page /me."""

from __future__ import annotations

import httpx
import pytest
from service import BASE_URL, NOW, Service, draft
from shown import BROWSER, CHOIR, Shown, press, show, told
from sqlmodel import select

from app.api.doors import session_cookie
from app.models import Expertise, Feedback, Hidden, Person, Subscription, Token
from app.people import people

FAR = {"know": ["UX design:4", "Nursing"], "reach": "far"}


async def only_person(service: Service) -> Person:
    async with service.database.reading() as session:
        return (await session.exec(select(Person))).one()


# The start


async def test_start_shows_levels_map_and_first_picks_and_keeps_nothing(service: Service) -> None:
    await service.store(draft("a", "Sing"), topics={"a": CHOIR})
    page = await show(service, "/start?know=UX+design:4&reach=far")
    assert page.words(".level legend") == ["UX design"]
    checked = page.tree.css(".level input[checked]")
    assert [one.attributes["value"] for one in checked] == ["4"]
    assert page.words("svg.map-wide text.knows") == ["UX design"]
    assert page.links(".pick h3 a")[0][0] == "Sing"
    async with service.database.reading() as session:
        assert list(await session.exec(select(Person))) == []


async def test_start_of_nothing_known_shows_an_empty_disc_and_no_button_to_keep(service: Service) -> None:
    page = await show(service, "/start")
    assert page.one("h1") == "What do you know?"
    assert len(page.tree.css("svg.map-blank")) == 1
    assert not page.tree.css(".keep")


async def test_form_of_the_start_leads_to_the_plainest_address(service: Service) -> None:
    answer = await service.client.get(
        "/start",
        params={"know": ["UX design", "Nursing", ""], "level.nursing": "5", "within": "50", "days": "21", "free": "no"},
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/start?know=UX+design&know=Nursing%3A5")
    again = await service.client.get(answer.headers["Location"])
    assert again.status_code == 200


async def test_guest_is_remembered_by_a_cookie_no_script_reads(service: Service) -> None:
    answer = await service.client.post("/start", data=FAR)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    (cookie,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith(session_cookie(BASE_URL))]
    assert {"HttpOnly", "SameSite=lax", f"Max-Age={365 * 24 * 3600}"} <= set(cookie.split("; "))
    person = await only_person(service)
    assert (person.email, person.reach) == (None, "far")
    async with service.database.reading() as session:
        assert await people.expertise_of(session, person) == {"ux-design": 4, "nursing": 3}
    page = await show(service, "/")
    assert page.words("#notice p") == [
        "Kept. These are your picks of this week.",
        "This browser remembers you; no account was made.",
    ]
    assert not (await show(service, "/")).tree.css("#notice")  # told once


async def test_address_given_at_the_start_gets_a_link_and_a_wrong_one_is_said(service: Service) -> None:
    page = await press(service, "/start", **FAR, email="nobody at all")
    assert page.one("#notice") == "This is no address mail can reach: nobody at all"
    page = await press(service, "/start", **FAR, email="ada@example.org")
    assert "ada@example.org" in page.one("#notice")
    (mail,) = (service.settings.data / "outbox").glob("*.eml")
    assert "To: ada@example.org" in mail.read_text()


async def test_who_comes_back_to_the_start_changes_themselves_and_makes_nobody_new(service: Service) -> None:
    await press(service, "/start", **FAR)
    page = await show(service, "/start")
    assert page.words(".level legend") == ["UX design", "Nursing"]
    await press(service, "/start", know=["Painting:2"], near="Munich")
    person = await only_person(service)
    assert (person.place or "").startswith("Munich")
    async with service.database.reading() as session:
        assert await people.expertise_of(session, person) == {"painting": 2}


async def test_page_of_another_site_makes_nobody_a_guest(service: Service) -> None:
    for path in ("/start", "/say", "/language"):
        answer = await service.client.post(path, data=FAR, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
    async with service.database.reading() as session:
        assert list(await session.exec(select(Person))) == []


# Saying something of a pick


async def test_stranger_who_says_something_becomes_the_guest_who_asked(service: Service) -> None:
    key = (await service.store(draft("a", "Sing"), topics={"a": CHOIR}))["a"]
    page = await press(service, "/say", event=key, kind="going", back="/?know=UX+design&reach=far")
    assert page.words("#notice p")[0].startswith("“Sing” is marked as going")
    assert page.words(".pick .said") == ["✓ I'm going, take it back: Sing"]
    async with service.database.reading() as session:
        assert [row.topic for row in await session.exec(select(Expertise))] == ["ux-design"]


async def test_what_was_said_is_taken_back_with_one_button(service: Service) -> None:
    keys = await service.store(draft("a", "Sing"), draft("b", "Hum", days=2), topics={"a": CHOIR, "b": CHOIR})
    await press(service, "/start", know="UX design", reach="far")
    page = await press(service, "/say", event=keys["a"], kind="dismissed", back="/")
    assert "will not be picked for you again" in page.one("#notice p:first-child")
    assert "Sing" not in page.words(".pick h3 a")
    undo = {one.attributes["name"]: one.attributes["value"] for one in page.tree.css("#notice form input")}
    assert undo == {"event": keys["a"], "kind": "dismissed", "back": "/"}
    page = await press(service, "/say/back", **undo)
    assert "may be picked for you again" in page.one("#notice p:first-child")
    async with service.database.reading() as session:
        assert list(await session.exec(select(Feedback))) == []


@pytest.mark.parametrize(
    ("path", "data", "status"),
    [
        ("/say", {"event": "nothing", "kind": "going"}, 404),
        ("/say", {"event": "x", "kind": "cheering"}, 422),
        ("/say/back", {"event": "x", "kind": "going"}, 403),
    ],
)
async def test_saying_what_makes_no_sense_changes_nothing(service: Service, path: str, data: dict, status: int) -> None:
    assert (await press(service, path, **data)).status == status
    async with service.database.reading() as session:
        assert list(await session.exec(select(Person))) == []


async def test_notice_nobody_wrote_is_ignored_and_a_long_one_is_cut(service: Service) -> None:
    for cookie in ("nonsense", "%7B%7D", "%5B1%5D", "{}"):
        page = Shown(await service.client.get("/", headers={**BROWSER, "Cookie": f"notice={cookie}"}))
        assert (page.status, page.words("#notice")) == (200, [])
    key = (await service.store(draft("a", "ש" * 300), topics={"a": CHOIR}))["a"]
    page = await press(service, "/say", event=key, kind="going", back="/?know=UX+design&reach=far")
    assert page.status == 200


async def test_topic_is_hidden_from_an_event_s_page_and_nothing_else_can_be(service: Service) -> None:
    key = (await service.store(draft("a", "Sing"), topics={"a": CHOIR}))["a"]
    await press(service, "/start", know="UX design", reach="far")
    page = await press(service, "/say/hide", kind="topic", subject="choir", back=f"/e/{key}")
    assert page.words("#notice p")[0].startswith("No event about Choir will be picked for you")
    assert "It is about Choir, which you hid." in page.one(".why-you .hint")
    assert (await press(service, "/say/hide", kind="topic", subject="nonsense", back="/")).status == 422
    assert (await press(service, "/say/hide", kind="mood", subject="choir", back="/")).status == 422


# The page of a person


async def test_me_leads_strangers_to_the_start(service: Service) -> None:
    answer = await service.client.get("/me")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/start")


async def test_me_shows_all_that_is_kept(service: Service) -> None:
    key = (await service.store(draft("a", "Sing"), topics={"a": CHOIR}))["a"]
    await press(service, "/start", **FAR, near="Munich", free="yes", language="de")
    await press(service, "/say", event=key, kind="saved", back="/")
    await press(service, "/me/feeds", kind="saved")
    page = await show(service, "/me")
    assert page.headers["Cache-Control"] == "no-store"
    assert page.words("#know .chips li") == ["UX design ●●●●○", "Nursing ●●●○○"]
    assert page.one("#know .meta") == "Munich, DE · 50 km · far out · German · only what is free"
    assert page.words("#feeds .things strong") == ["Adjacent: saved"]
    assert page.words("#said-so .things a") == ["Sing"]
    assert page.words("#tokens .tag") == ["this browser"]


async def test_calendar_gets_a_new_address_and_goes(service: Service) -> None:
    await press(service, "/start", **FAR)
    made = await press(service, "/me/feeds", kind="picks")
    address = made.tree.css_first("#address")
    assert address is not None
    ((path,),) = [
        [form.attributes["action"] or ""] for form in (await show(service, "/me")).tree.css("#feeds li form")
    ][:1]
    fresh = await press(service, path)
    renewed = fresh.tree.css_first("#address")
    assert renewed is not None
    assert renewed.attributes["value"] != address.attributes["value"]
    page = await press(service, path.replace("rotate", "delete"))
    assert page.one("#notice") == "The calendar “Adjacent” is gone."
    assert not page.tree.css("#feeds li")


async def test_calendars_of_others_and_of_nothing_are_refused(service: Service) -> None:
    await press(service, "/start", **FAR)
    assert (await press(service, "/me/feeds/0123/rotate")).status == 404
    assert (await press(service, "/me/feeds", kind="topic", subject="no-such-topic")).status == 422
    assert (await press(service, "/me/feeds", kind="topic", subject="choir")).one("h1") == "Your calendar is ready"


async def test_purposes_and_the_mail_are_chosen(service: Service) -> None:
    await press(service, "/start", **FAR)
    page = await press(service, "/me/wishes", purpose=["learn", "sell"])
    assert page.one("#notice") == "Kept. This week's picks are made anew."
    person = await only_person(service)
    assert person.purposes == ["learn", "sell"]
    await press(service, "/me/mail", rhythm="monthly", weekday="5", hour="18", pause="2")
    async with service.database.reading() as session:
        wish = await session.get_one(Subscription, person.id)
    assert (wish.rhythm, wish.weekday, wish.hour) == ("monthly", 5, 18)
    assert (await press(service, "/me/mail", rhythm="hourly", weekday="5", hour="18")).status == 422


async def test_token_is_shown_once_works_and_ends(service: Service) -> None:
    await press(service, "/start", **FAR)
    assert (
        (await press(service, "/me/tokens", label="", scope="read")).one("#notice").startswith("A token needs a name")
    )
    shown = (await press(service, "/me/tokens", label="My clock", scope="read")).tree.css_first("#address")
    assert shown is not None
    bearer = {"Authorization": f"Bearer {shown.attributes['value']}"}
    client = httpx.AsyncClient(transport=httpx.ASGITransport(service.app), base_url=BASE_URL)
    assert (await client.get("/api/v1/me", headers=bearer)).status_code == 200
    page = await show(service, "/me")
    (row,) = [one for one in page.tree.css("#tokens li") if "My clock" in told(one)]
    form = row.css_first("form")
    assert form is not None
    assert (await press(service, form.attributes["action"] or "")).one("#notice") == "“My clock” no longer works."
    assert (await client.get("/api/v1/me", headers=bearer)).status_code == 401
    await client.aclose()


async def test_hidden_things_are_shown_again(service: Service) -> None:
    await press(service, "/start", **FAR)
    person = await only_person(service)
    async with service.database.writing() as session:
        session.add(Hidden(person_id=person.id, kind="topic", subject="choir", hidden_at=NOW))
    assert (await show(service, "/me")).words("#hidden li bdi") == ["Choir"]
    assert not (await press(service, "/me/hidden/show", kind="topic", subject="choir")).tree.css("#hidden")


async def test_evening_is_asked_about_once_and_the_map_grows_by_it(service: Service) -> None:
    key = (await service.store(draft("a", "Sing", days=-2), topics={"a": CHOIR}))["a"]
    await press(service, "/start", **FAR)
    page = await press(service, "/say", event=key, kind="attended", back=f"/e/{key}")
    assert page.one("#notice").endswith("Your page asks what you brought back from it.Undo")
    page = await show(service, "/me")
    assert page.one("#question-title") == "What did you bring back from “Sing”?"
    page = await press(service, "/me/learned", event=key, learned="To breathe", topic="Choir", again="yes")
    assert "Your map grows: you now know a little of Choir." in page.one("#notice")
    assert not page.tree.css("#question-title")
    assert page.words("#learned li p") == [
        "To breathe",
        "Since then you know a little of Choir.",
        "You would go again.",
    ]
    page = await press(service, "/me/learned/back", event=key)
    assert page.one("#notice") == "Your note is deleted.Choir is no longer on your map."
    assert not page.tree.css("#learned, #question-title")


async def test_export_holds_the_person_and_delete_asks_first(service: Service) -> None:
    await press(service, "/start", **FAR)
    exported = await service.client.get("/me/export.json")
    assert exported.headers["Content-Disposition"] == 'attachment; filename="adjacent.json"'
    assert [one["slug"] for one in exported.json()["person"]["know"]] == ["ux-design", "nursing"]
    assert "tick the box" in (await press(service, "/me/delete")).one("#notice")
    page = await press(service, "/me/delete", sure="yes")
    assert page.one("#notice") == "Everything kept about you is deleted."
    async with service.database.reading() as session:
        assert list(await session.exec(select(Person))) == []
        assert [one.kind for one in await session.exec(select(Token))] == ["sign_in"]  # the operator's printed link


@pytest.mark.parametrize("path", ["/me/wishes", "/me/tokens", "/me/hidden/show", "/me/feeds/0123/delete", "/me/delete"])
async def test_nobody_changes_nobody(service: Service, path: str) -> None:
    data = {"sure": "yes", "label": "x", "scope": "read", "kind": "topic"}
    assert (await press(service, path, **data)).status == 401
