"""A person's own corner: guest, profile, picks, map, feedback that visibly works, calendars, export, deletion."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from service import BASE_URL, MUNICH, NOW, Service, draft
from sqlmodel import select

from app.api.limits import Bucket
from app.api.me import GUESTS_AN_HOUR
from app.api.shapes.feeds import NewFeedAnswer
from app.api.shapes.opinions import FeedbackAnswer, SaidList
from app.api.shapes.people import PersonAnswer, TopicMapAnswer
from app.api.shapes.picks import PickList, Slate
from app.api.shapes.sign_in import GuestAnswer
from app.jobs import renew_slates
from app.models import Event, ShownPick, Token
from app.people.feedback import shift

ME = "/api/v1/me"
# The first four are next door to JavaScript and React, the others are not.
TOPICS = (
    "ux-design",
    "teaching",
    "graphic-design",
    "product-management",
    "typography",
    "chess",
    "gardening",
    "cooking",
)


async def a_town(service: Service, topics: tuple[str, ...] = TOPICS) -> dict[str, str]:
    """Store one event a topic in Munich, a day apart, and return their ids by topic."""
    return await service.store(
        *(draft(topic, f"An evening of {topic}", days=1 + day, venue=MUNICH) for day, topic in enumerate(topics)),
        topics={topic: {topic: 0.9} for topic in topics},
    )


async def my_picks(service: Service, me: dict[str, str]) -> list[dict[str, Any]]:
    answer = await service.client.get(f"{ME}/recommendations", headers=me)
    assert answer.status_code == 200, answer.text
    Slate.model_validate(answer.json())
    return answer.json()["data"]


async def say(service: Service, me: dict[str, str], event: str, kind: str, **more: Any) -> list[str]:
    answer = await service.client.post(f"{ME}/feedback", json={"event": event, "kind": kind, **more}, headers=me)
    assert answer.status_code == 200, answer.text
    FeedbackAnswer.model_validate(answer.json())
    return answer.json()["data"]["changed"]


async def take_back(service: Service, me: dict[str, str], event: str, kind: str) -> list[str]:
    answer = await service.client.delete(f"{ME}/feedback?event={event}&kind={kind}", headers=me)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["changed"]


async def test_recommendations_need_no_account_and_keep_nothing(service: Service) -> None:
    await a_town(service)
    asked = {"know": {"JavaScript": 4, "React": 4}, "near": "Munich", "within_km": 30, "limit": 3}
    answer = await service.client.post("/api/v1/recommendations", json=asked)
    PickList.model_validate(answer.json())
    picks = answer.json()["data"]
    assert 1 <= len(picks) <= 3
    assert [pick["score"] for pick in picks] == sorted((pick["score"] for pick in picks), reverse=True)
    assert {pick["path"][0] for pick in picks} <= {"JavaScript", "React"}
    assert all(pick["distance_km"] < 30 and pick["reason"] for pick in picks)
    as_list = await service.client.post("/api/v1/recommendations", json={**asked, "know": ["JavaScript", "React"]})
    assert as_list.status_code == 200
    elsewhere = await service.client.post("/api/v1/recommendations", json={**asked, "near": "Hamburg"})
    assert elsewhere.json() == {"data": []}
    async with service.database.reading() as session:
        assert list(await session.exec(select(ShownPick))) == []


@pytest.mark.parametrize(
    ("changes", "kind", "member", "value"),
    [
        ({"know": ["Reactt"]}, "unknown-topic", "suggestions", "React"),
        ({"near": "Munch"}, "unknown-place", "candidates", "Munich, DE"),
    ],
)
async def test_misspelt_names_are_answered_with_what_was_meant(
    service: Service, changes: dict[str, Any], kind: str, member: str, value: str
) -> None:
    answer = await service.client.post("/api/v1/recommendations", json={"know": ["React"], **changes})
    assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{kind}")
    assert value in answer.json()[member]


async def test_guest_starts_with_a_token_and_fills_in_a_profile(service: Service) -> None:
    made = await service.client.post(ME)
    assert made.status_code == 201
    GuestAnswer.model_validate(made.json())
    me = {"Authorization": f"Bearer {made.json()['data']['token']}"}
    sent = {"know": {"JavaScript": 4, "JS": 2, "Typography": 1}, "near": "Munich", "within_km": 20}
    answer = await service.client.put(f"{ME}/expertise", json=sent, headers=me)
    PersonAnswer.model_validate(answer.json())
    mine = answer.json()["data"]
    assert [(one["label"], one["level"]) for one in mine["know"]] == [("JavaScript", 4), ("Typography", 1)]
    assert (mine["near"], mine["zone"], mine["within_km"]) == ("Munich, DE", "Europe/Berlin", 20)
    changed = await service.client.patch(ME, json={"near": None, "reach": "far", "days": 60}, headers=me)
    mine = changed.json()["data"]
    assert (mine["near"], mine["lat"], mine["reach"], mine["days"], mine["within_km"]) == (None, None, "far", 60, 20)
    assert (await service.client.get(ME, headers=me)).json()["data"] == mine
    assert (await service.client.get(f"{ME}/expertise", headers=me)).json()["data"] == mine


async def test_guests_from_one_address_are_limited(service: Service) -> None:
    clock = time.monotonic()
    for _ in range(GUESTS_AN_HOUR - 1):
        service.app.state.limiter.take("127.0.0.1", "guests", an_hour=GUESTS_AN_HOUR, clock=clock)
    answers = [await service.client.post(ME) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 429]
    assert answers[-1].json()["type"] == "/problems/too-many-requests"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 4


def test_bucket_fills_evenly() -> None:
    bucket = Bucket(size=2, tokens=2, filled_at=0)
    assert [bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(900), bucket.take(1800)] == [0, 0, 1800, 900, 0]


async def test_strangers_are_asked_for_a_token(service: Service) -> None:
    plain, invalid = 'Bearer realm="adjacent"', 'Bearer realm="adjacent", error="invalid_token"'
    for shown, challenge in ((None, plain), ("Bearer adj_k_nonsense", invalid), ("Basic eDp5", plain)):
        answer = await service.client.get(ME, headers={"Authorization": shown} if shown else {})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, challenge)
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_feed_token_opens_nothing_but_its_calendar(service: Service) -> None:
    me = await service.guest(know=["React"])
    feed = (await service.client.post(f"{ME}/feeds", json={"name": "Mine"}, headers=me)).json()["data"]
    token = feed["url"].rpartition("/")[2].removesuffix(".ics")
    assert (await service.client.get(ME, headers={"Authorization": f"Bearer {token}"})).status_code == 401


async def test_slate_is_stored_and_the_same_all_week(service: Service) -> None:
    await a_town(service)
    me = await service.guest(know={"JavaScript": 4, "React": 4}, near="Munich")
    before = await my_picks(service, me)
    assert before
    await service.store(draft("late", "A late arrival", days=1, venue=MUNICH), topics={"late": {"astronomy": 1.0}})
    assert await my_picks(service, me) == before
    answer = await service.client.get(f"{ME}/recommendations", headers=me)
    assert answer.json()["meta"]["week"] == "2026-W49"
    assert answer.headers["cache-control"] == "private, no-cache"


async def test_slate_shown_before_it_is_stored_is_the_one_that_will_be(service: Service) -> None:
    me = await service.guest(know={"JavaScript": 4, "React": 4}, near="Munich")
    await a_town(service)
    shown = await my_picks(service, me)
    assert await renew_slates(service.database, now=NOW) == 1
    assert await my_picks(service, me) == shown
    assert await renew_slates(service.database, now=NOW) == 0


async def test_cancelled_pick_is_replaced_and_the_others_stay(service: Service) -> None:
    await a_town(service)
    me = await service.guest(know={"JavaScript": 4, "React": 4}, near="Munich")
    before = [pick["event"]["id"] for pick in await my_picks(service, me)]
    async with service.database.writing() as session:
        (await session.exec(select(Event).where(Event.key == before[0]))).one().status = "cancelled"
    await renew_slates(service.database, now=NOW)
    after = [pick["event"]["id"] for pick in await my_picks(service, me)]
    assert after[: len(before) - 1] == before[1:]
    assert before[0] not in after


async def test_dismissed_event_and_its_series_never_return(service: Service) -> None:
    ids = await service.store(
        draft("weekly", "Letters on Monday", days=2, venue=MUNICH, recurrence_id="20261203T120000Z"),
        draft("once", "Clay evening", days=4, venue=MUNICH),
        topics={"weekly": {"ux-design": 0.9}, "once": {"teaching": 0.9}},
    )
    await service.store(
        draft("weekly", "Letters on Monday", days=9, venue=MUNICH, recurrence_id="20261210T120000Z"),
        topics={"weekly": {"ux-design": 0.9}},
    )
    me = await service.guest(know={"JavaScript": 4, "React": 4}, near="Munich")
    titles = {pick["event"]["title"] for pick in await my_picks(service, me)}
    assert "Letters on Monday" in titles
    changed = await say(service, me, ids["weekly"], "dismissed")
    assert changed[0] == (
        "“Letters on Monday” and other dates of its series will not be picked for you again; "
        "calendars that hold it keep it."
    )
    assert "Letters on Monday" not in {pick["event"]["title"] for pick in await my_picks(service, me)}
    back = await take_back(service, me, ids["weekly"], "dismissed")
    assert back == [
        "“Letters on Monday” may be picked for you again.",
        "UX design counts as it did before.",
        "New among this week's picks: “Letters on Monday”.",
    ]
    assert {pick["event"]["title"] for pick in await my_picks(service, me)} == titles
    for kind in ("dismissed", "too_far"):
        await say(service, me, ids["weekly"], kind)
    assert (await take_back(service, me, ids["weekly"], "dismissed"))[0] == changed[0]  # it is still too far
    assert (await take_back(service, me, ids["weekly"], "too_far"))[0] == back[0]


@pytest.mark.parametrize(
    ("chosen", "too_close", "too_far", "reach"),
    [
        ("one-step", 0, 0, "one-step"),
        ("one-step", 1, 0, "one-step"),
        ("one-step", 2, 0, "two-steps"),
        ("one-step", 9, 0, "two-steps"),
        ("one-step", 3, 2, "one-step"),
        ("one-step", 1, 3, "next-door"),
        ("next-door", 0, 5, "next-door"),
        ("far", 5, 0, "far"),
    ],
)
def test_reach_shifts_by_one_step_at_most(chosen: Any, too_close: int, too_far: int, reach: str) -> None:
    assert shift(chosen, too_close=too_close, too_far=too_far) == reach


async def test_repeated_feedback_moves_the_reach_and_taking_it_back_moves_it_back(service: Service) -> None:
    ids = await a_town(service)
    me = await service.guest(know={"JavaScript": 4, "React": 4}, near="Munich")
    first = await say(service, me, ids["typography"], "too_close")
    assert first[1] == (
        "Your reach stays “one step”; said again, “too close” moves it by at most one step from what you chose."
    )
    second = await say(service, me, ids["gardening"], "too_close")
    assert second[1] == "Your reach moved from “one step” to “two steps”."
    mine = (await service.client.get(ME, headers=me)).json()["data"]
    assert (mine["reach"], mine["chosen_reach"]) == ("two-steps", "one-step")
    back = await take_back(service, me, ids["gardening"], "too_close")
    assert back[1] == "Your reach moved back from “two steps” to “one step”."
    await say(service, me, ids["gardening"], "too_close")
    await service.client.patch(
        ME, json={"reach": "one-step"}, headers=me
    )  # chosen anew: what was said before is settled
    assert (await service.client.get(ME, headers=me)).json()["data"]["reach"] == "one-step"


async def test_feedback_is_said_once_and_undone_once(service: Service) -> None:
    ids = await a_town(service)
    me = await service.guest(know=["React"])
    assert await say(service, me, ids["chess"], "attended", note="Openings matter less") == [
        "“An evening of chess” is marked as attended.",
        "Chess and what is close to it count more in your next picks.",
        "Its day and hour tell when you go out.",
        "Your note is kept with it.",
    ]
    await say(service, me, ids["chess"], "attended")
    given = (await service.client.get(f"{ME}/export", headers=me)).json()["data"]["feedback"]
    assert [(one["kind"], one["note"]) for one in given] == [("attended", "Openings matter less")]
    in_body = await service.client.request(
        "DELETE", f"{ME}/feedback", json={"event": ids["chess"], "kind": "attended"}, headers=me
    )
    assert in_body.json()["data"]["changed"] == [
        "“An evening of chess” is no longer marked as attended.",
        "Chess counts as it did before.",
    ]
    again = await service.client.delete(f"{ME}/feedback?event={ids['chess']}&kind=attended", headers=me)
    assert again.status_code == 404
    assert (await service.client.delete(f"{ME}/feedback", headers=me)).status_code == 422
    unknown = await service.client.post(f"{ME}/feedback", json={"event": "zzz", "kind": "going"}, headers=me)
    assert unknown.status_code == 404


async def make_feed(service: Service, me: dict[str, str], **sent: Any) -> dict[str, str]:
    answer = await service.client.post(f"{ME}/feeds", json={"name": "Mine", **sent}, headers=me)
    assert answer.status_code == 201, answer.text
    NewFeedAnswer.model_validate(answer.json())
    return answer.json()["data"]


async def in_calendar(service: Service, address: str) -> dict[str, str]:
    """Return summary → status of a calendar's events."""
    answer = await service.client.get(address)
    assert answer.status_code == 200, answer.text
    events = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    return {str(event["summary"]): str(event["status"]) for event in events}


async def test_feed_of_picks_is_filled_at_once_and_keeps_what_entered(service: Service) -> None:
    await a_town(service)
    me = await service.guest(know={"JavaScript": 4, "React": 4}, near="Munich")
    feed = await make_feed(service, me)
    assert feed["url"].startswith(f"{BASE_URL}/f/adj_f_")
    assert feed["webcal_url"] == feed["url"].replace("http://", "webcal://")
    picks = await my_picks(service, me)
    titles = {pick["event"]["title"] for pick in picks}
    assert set(await in_calendar(service, feed["url"])) == titles
    await say(service, me, picks[0]["event"]["id"], "dismissed")
    assert picks[0]["event"]["title"] in await in_calendar(service, feed["url"])
    await service.client.put(f"{ME}/expertise", json={"know": ["Cooking"]}, headers=me)
    assert titles <= set(await in_calendar(service, feed["url"]))


async def test_feed_takes_what_it_is_about_by_either_name(service: Service) -> None:
    me = await service.guest(know=["React"])
    one = await make_feed(service, me, kind="topic", topic="UX design")
    other = await make_feed(service, me, kind="topic", subject="UX design")
    assert one["subject"] == other["subject"] == "ux-design"
    refused: list[dict[str, str]] = [
        {"kind": "topic"},
        {"kind": "topic", "topic": "UX design", "subject": "UX design"},
        {"kind": "topic", "community": "abc"},
        {"kind": "community", "subject": "unheard-of"},
        {"kind": "near", "subject": "UX design"},
        {"kind": "picks", "topic": "UX design"},
    ]
    for sent in refused:
        answer = await service.client.post(f"{ME}/feeds", json={"name": "Mine", **sent}, headers=me)
        assert answer.status_code == 422, sent


async def test_feed_tells_reasons_moves_and_cancellations(service: Service) -> None:
    await service.store(draft("a", "Letters", venue=MUNICH), topics={"a": {"ux-design": 0.9}})
    me = await service.guest(know={"JavaScript": 4, "React": 4}, near="Munich")
    feed = await make_feed(service, me)
    body = (await service.client.get(feed["url"])).content
    (event,) = icalendar.Calendar.from_ical(body).walk("VEVENT")
    assert " → UX design" in str(event["description"])
    assert (await service.client.get(feed["url"])).content == body
    await service.store(draft("a", "Letters", days=2, venue=MUNICH, status="cancelled"), now=NOW + timedelta(hours=1))
    (moved,) = icalendar.Calendar.from_ical((await service.client.get(feed["url"])).content).walk("VEVENT")
    assert (moved["uid"], moved["sequence"], str(moved["status"])) == (event["uid"], 1, "CANCELLED")
    assert await in_calendar(service, f"{feed['url']}?cancelled=drop") == {}
    assert list(await in_calendar(service, f"{feed['url']}?cancelled=prefix")) == ["Cancelled: Letters"]


async def test_what_was_said_is_listed_newest_first_and_by_kind(service: Service) -> None:
    ids = await a_town(service)
    me = await service.guest(know=["React"])
    for topic, kind in (("chess", "saved"), ("cooking", "dismissed"), ("teaching", "saved")):
        await say(service, me, ids[topic], kind)

    async def said(address: str) -> list[tuple[str, str]]:
        answer = (await service.client.get(address, headers=me)).json()
        SaidList.model_validate(answer)
        shown = [(one["event"]["id"], one["kind"]) for one in answer["data"]]
        return shown + (await said(answer["links"]["next"]) if answer["links"]["next"] else [])

    every = [(ids["teaching"], "saved"), (ids["cooking"], "dismissed"), (ids["chess"], "saved")]
    assert await said(f"{ME}/feedback") == await said(f"{ME}/feedback?limit=1") == every
    assert await said(f"{ME}/feedback?kind=saved") == [every[0], every[2]]
    assert (await service.client.get(f"{ME}/feedback?kind=saved", headers=me)).json()["meta"]["count"] == 2


async def test_feed_of_saved_events_follows_feedback(service: Service) -> None:
    ids = await a_town(service)
    me = await service.guest(know=["React"])
    feed = await make_feed(service, me, kind="saved")
    assert await in_calendar(service, feed["url"]) == {}
    await say(service, me, ids["chess"], "saved")
    await say(service, me, ids["cooking"], "going")
    assert set(await in_calendar(service, feed["url"])) == {"An evening of chess", "An evening of cooking"}
    await take_back(service, me, ids["chess"], "saved")
    assert set(await in_calendar(service, feed["url"])) == {"An evening of cooking"}


async def test_feed_of_a_topic_holds_its_events_within_reach(service: Service) -> None:
    await a_town(service)
    await service.store(draft("far", "Letters abroad"), topics={"far": {"typography": 0.9}})
    me = await service.guest(know=["React"], near="Munich")
    feed = await make_feed(service, me, kind="topic", topic="Typography")
    assert set(await in_calendar(service, feed["url"])) == {"An evening of typography", "Letters abroad"}
    for sent in ({"kind": "topic"}, {"kind": "picks", "topic": "React"}, {"kind": "community", "community": "nobody"}):
        refused = await service.client.post(f"{ME}/feeds", json={"name": "x", **sent}, headers=me)
        assert refused.status_code == 422
    assert (await service.client.get(f"{ME}/feeds", headers=me)).json()["data"] == [
        {key: feed[key] for key in ("id", "name", "kind", "subject", "created_at")}
    ]


async def test_replaced_address_says_so_for_two_weeks(service: Service) -> None:
    await a_town(service)
    me = await service.guest(know=["React"])
    feed = await make_feed(service, me)
    renewed = (await service.client.post(f"{ME}/feeds/{feed['id']}/rotate", headers=me)).json()["data"]
    assert renewed["url"] != feed["url"]
    assert (await service.client.get(renewed["url"])).status_code == 200
    old = await service.client.get(feed["url"])
    (notice,) = icalendar.Calendar.from_ical(old.content).walk("VEVENT")
    assert str(notice["summary"]) == "This link was replaced"
    today = datetime.now(UTC).date()
    assert notice.start <= today < notice.end - timedelta(days=12)  # whichever day somebody looks at
    assert {"UID", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "STATUS", "TRANSP", "URL"} <= set(notice)
    assert (await service.client.get(feed["url"])).content == old.content
    async with service.database.writing() as session:
        for token in await session.exec(select(Token).where(Token.kind == "feed")):
            if token.revoked_at is not None:
                token.revoked_at = datetime.now(UTC) - timedelta(days=15)
    assert (await service.client.get(feed["url"])).status_code == 410
    assert (await service.client.get(f"{BASE_URL}/f/adj_f_nonsense.ics")).status_code == 404


async def test_names_of_calendars_and_tokens_are_one_line_that_says_something(service: Service) -> None:
    me = await service.guest(know=["React"])
    for address, field, more in ((f"{ME}/feeds", "name", {}), (f"{ME}/tokens", "label", {"scopes": ["read"]})):
        made = await service.client.post(address, json={field: " On my\nphone ", **more}, headers=me)
        assert made.json()["data"][field] == "On my phone"
        empty = await service.client.post(address, json={field: " \n", **more}, headers=me)
        assert empty.json()["errors"] == [{"pointer": f"/{field}", "message": "is empty"}]


async def test_feed_answer_stays_out_of_caches_and_indexes(service: Service) -> None:
    me = await service.guest(know=["React"])
    feed = await make_feed(service, me)
    answer = await service.client.head(feed["url"])
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-cache"  # it may have been replaced or deleted
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["access-control-allow-origin"] == "*"  # who has the address may read it, from anywhere
    assert (await service.client.delete(f"{ME}/feeds/{feed['id']}", headers=me)).status_code == 204
    assert (await service.client.get(feed["url"])).status_code == 404


async def test_nobody_reaches_what_is_another_persons(service: Service) -> None:
    one, other = await service.guest(know=["React"]), await service.guest(know=["React"])
    feed = await make_feed(service, one)
    assert (await service.client.delete(f"{ME}/feeds/{feed['id']}", headers=other)).status_code == 404
    assert (await service.client.post(f"{ME}/feeds/{feed['id']}/rotate", headers=other)).status_code == 404


async def test_map_places_topics_with_events_around_what_is_known(service: Service) -> None:
    await a_town(service)
    await service.store(draft("far", "Far away", venue=None), topics={"far": {"astronomy": 1.0}})
    me = await service.guest(know={"JavaScript": 4, "React": 4}, near="Munich")
    answer = await service.client.get(f"{ME}/map", headers=me)
    TopicMapAnswer.model_validate(answer.json())
    drawn = answer.json()["data"]
    assert [topic["label"] for topic in drawn["known"]] == ["JavaScript", "React"]
    around = drawn["ring"] + drawn["far"]
    assert {topic["source"] for topic in around} <= {"javascript", "react", None}
    assert {topic["events"] for topic in around} == {1}
    assert {topic["reach"] for topic in drawn["ring"]} <= {"next-door", "one-step"}
    assert {topic["reach"] for topic in drawn["far"]} <= {"two-steps", "far"}


async def test_profile_is_changed_only_as_it_was_seen_where_that_is_asked_for(service: Service) -> None:
    me = await service.guest(know=["React"])
    for address, method, sent in (
        (ME, "PATCH", {"days": 7}),
        (f"{ME}/expertise", "PUT", {"know": ["JavaScript"]}),
    ):
        seen = await service.client.get(address, headers=me | {"Accept-Encoding": "identity"})
        asked = me | {"If-Match": f'"other", {seen.headers["etag"]}'}
        assert (await service.client.request(method, address, json=sent, headers=asked)).status_code == 200
        late = await service.client.request(method, address, json={**sent, "days": 9}, headers=asked)
        assert (late.status_code, late.json()["type"]) == (412, "/problems/changed-meanwhile")
        assert (await service.client.get(ME, headers=me)).json()["data"]["days"] == 7
        anyway = await service.client.request(method, address, json=sent, headers=me | {"If-Match": "*"})
        assert anyway.status_code == 200


async def test_changed_profile_comes_with_the_tag_that_its_next_change_names(service: Service) -> None:
    me = await service.guest(know=["React"]) | {"Accept-Encoding": "identity"}
    changed = await service.client.patch(
        ME, json={"near": "48.14,11.58", "within_km": 12.3, "reach": "far"}, headers=me
    )
    assert changed.headers["etag"] == (await service.client.get(ME, headers=me)).headers["etag"]
    asked = me | {"If-Match": changed.headers["etag"]}
    assert [(await service.client.patch(ME, json={"days": 9}, headers=asked)).status_code for _ in range(2)] == [
        200,
        412,
    ]
