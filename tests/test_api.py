"""What holds for every address: problems, methods, entity tags, compression, other sites, safe headers, health."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from selectolax.lexbor import LexborHTMLParser
from service import BASE_URL, Service, draft, on_a_port
from sqlalchemy import text

from app.api import problems
from app.api.examples import answers_of, body_of
from app.api.shapes import topics as shapes
from app.api.shapes.opinions import FeedbackAnswer
from app.db import migrate
from app.main import API

EVENTS = "/api/v1/events"
JSON = {"content-type": "application/json"}


async def test_unknown_address_is_a_problem(service: Service) -> None:
    answer = await service.client.get("/api/v1/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "nothing is at /api/v1/nothing; /docs lists what there is",
    }


async def test_wrong_method_names_all_that_are_allowed(service: Service) -> None:
    for method, address, allowed in (
        ("PUT", EVENTS, "GET, HEAD"),
        ("DELETE", "/api/v1/recommendations", "POST"),
        ("PUT", "/api/v1/me", "DELETE, GET, HEAD, PATCH, POST"),
        ("PATCH", "/api/v1/me/feedback", "DELETE, GET, HEAD, POST"),
        ("POST", "/api/v1/sources/1", "DELETE, GET, HEAD"),
        ("POST", "/f/adj_f_x.ics", "GET, HEAD"),
        ("TRACE", "/healthz", "GET, HEAD"),
    ):
        answer = await service.client.request(method, address)
        assert (answer.status_code, address, answer.headers["allow"]) == (405, address, allowed)
        assert answer.json()["detail"] == f"{address} takes {allowed}, and not {method}"
        assert answer.headers["content-type"] == "application/problem+json"


async def test_body_that_is_no_json_is_a_bad_request(service: Service) -> None:
    broken = (b"{", b"\xff\xfe{}", b"", b'{"know": ["React"]} x', b"nonsense", b"[" * 60_000, b'{"know": "\xe9"}')
    for body in (
        *broken,
        "{}".encode("utf-16"),
        b'{"within_km": NaN}',
        b'{"days": -Infinity}',
        b'{"limit": 1, "limit": 2}',
    ):
        answer = await service.client.post("/api/v1/recommendations", content=body, headers=JSON)
        assert (answer.status_code, body) == (422 if body == b"" else 400, body)
        assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "the body is no JSON in UTF-8: 'limit' stands twice"
    marked = await service.client.post("/api/v1/recommendations", content=b"\xef\xbb\xbf{}", headers=JSON)
    assert marked.status_code == 200  # a byte order mark may be ignored (RFC 8259 §8.1)


async def test_body_in_a_coding_is_refused_with_what_is_taken(service: Service) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await service.client.post("/api/v1/recommendations", content=gzip.compress(b"{}"), headers=headers)
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity")
    assert answer.json()["detail"] == "send the body as it is, not in gzip"


async def test_body_of_another_type_is_refused(service: Service) -> None:
    answer = await service.client.post("/api/v1/recommendations", content=b'{"know": ["React"]}')
    assert answer.status_code == 415
    answer = await service.client.post("/api/v1/recommendations", data={"know": "React"})
    assert (answer.status_code, answer.headers["content-type"]) == (415, "application/problem+json")


async def test_body_outside_the_schema_is_refused_with_pointers(service: Service) -> None:
    known = ('{"know": [], "x": 1}', '{"know": {"React": 9}}', '{"know": {"React": true}}', '{"know": ["\\ud800"]}')
    typed = ('{"days": "7"}', '{"limit": true}', '{"within_km": "5"}', '{"days": 1.5}', '{"days": 1e999}')
    for body in (*known, *typed, "[]", "1"):
        answer = await service.client.post("/api/v1/recommendations", content=body, headers=JSON)
        assert (answer.status_code, body, answer.json()["type"]) == (422, body, "/problems/invalid-request")
        assert all("pointer" in error for error in answer.json()["errors"])


async def test_large_body_is_refused_before_it_is_read(service: Service) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"[" * 10_000

    announced = await service.client.post("/api/v1/recommendations", content=b"[" * 100_000, headers=JSON)
    assert (announced.status_code, announced.headers["content-type"]) == (413, "application/problem+json")
    streamed = await service.client.post("/api/v1/recommendations", content=endless(), headers=JSON)
    assert (streamed.status_code, streamed.headers["content-type"]) == (413, "application/problem+json")


PAGE = {"accept": "text/html,*/*;q=0.8"}


async def test_browsers_are_told_by_a_page_what_was_refused_before_any_route(service: Service) -> None:
    forged = await service.client.post("/sign-in", headers={**PAGE, "Sec-Fetch-Site": "cross-site"})
    large = await service.client.post("/sign-in", content=b"x" * 100_000, headers=PAGE)
    for answer, status in ((forged, 403), (large, 413)):
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "<h1>That came from another site</h1>" in forged.text


async def test_calendar_that_is_not_there_is_told_to_people_by_a_page(service: Service) -> None:
    shown = await service.client.get("/f/adj_f_x.ics", headers=PAGE)
    told = await service.client.get("/f/adj_f_x.ics", headers={"accept": "text/calendar, */*;q=0.5"})
    kinds = [answer.headers["content-type"] for answer in (shown, told)]
    assert (shown.status_code, told.status_code) == (404, 404)
    assert kinds == ["text/html; charset=utf-8", "application/problem+json"]


async def test_what_fails_is_told_with_the_headers_of_every_answer_and_goes_on_to_the_log(service: Service) -> None:
    async def fail() -> None:
        raise ZeroDivisionError("a secret of ours")

    service.app.add_api_route("/fails", fail)
    transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        for accept, kind in (("*/*", "application/problem+json"), (PAGE["accept"], "text/html; charset=utf-8")):
            answer = await client.get("/fails", headers={"accept": accept})
            assert (answer.status_code, answer.headers["content-type"]) == (500, kind)
            assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == (
                "no-store",
                "nosniff",
            )
            assert "x-request-id" in answer.headers
            assert "secret" not in answer.text
    with pytest.raises(ZeroDivisionError):
        await service.client.get("/fails")


async def test_no_operation_takes_a_parameter_it_does_not_know(service: Service) -> None:
    roles = [await service.guest(), await service.operator()]
    described = (await service.client.get("/openapi.json")).json()["paths"]
    for path, operations in described.items():
        address = re.sub(r"\{[^}]*\}", "1", path)
        for method in operations:
            body = {"json": {}} if "requestBody" in operations[method] and method != "delete" else {}
            told = [
                (await service.client.request(method, address, params={"x-y": "1"}, headers=role, **body)).text
                for role in roles
            ]
            assert any('"parameter":"x-y","message":"is unknown here"' in one for one in told), (method, path, told)


async def test_slash_at_the_end_leads_to_what_was_meant(service: Service) -> None:
    for address, meant in ((f"{EVENTS}/?q=a%20b", f"{EVENTS}?q=a%20b"), ("/communities/", "/communities")):
        moved = await service.client.get(address, headers={"host": "evil.example"})
        assert (moved.status_code, moved.headers["location"]) == (308, meant)
    for address in ("/api/v1/nothing/", f"{BASE_URL}//evil.example/", f"{BASE_URL}//"):
        assert (await service.client.get(address)).status_code == 404


async def test_problem_types_can_be_looked_up(service: Service) -> None:
    for kind, meaning in problems.KINDS.items():
        assert (await service.client.get(f"/problems/{kind}")).text == f"{kind}: {meaning}\n"
    assert (await service.client.get("/problems/nonsense")).status_code == 404


READS = (
    EVENTS,
    "/api/v1/events.ics",
    "/api/v1/communities",
    "/api/v1/topics?q=react",
    "/api/v1/topics/react",
    "/api/v1/sources",
    "/openapi.json",
    "/docs",
)


async def test_every_read_has_a_strong_tag_and_is_spared_where_it_is_known(service: Service) -> None:
    for address in READS:
        first = await service.client.get(address)
        assert (address, first.status_code) == (address, 200)
        tag = first.headers["etag"]
        assert tag.startswith('"')
        assert (await service.client.get(address)).content == first.content
        for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            again = await service.client.get(address, headers={"if-none-match": known})
            assert (address, again.status_code, again.content, again.headers["etag"]) == (address, 304, b"", tag)
            assert "content-type" not in again.headers
        assert (await service.client.get(address, headers={"if-none-match": '"other"'})).status_code == 200


async def test_head_answers_as_get_without_the_body(service: Service) -> None:
    for address in READS:
        got, headed = await service.client.get(address), await service.client.head(address)
        for answer in (got, headed):
            del answer.headers["x-request-id"]  # each has its own
        assert (address, headed.status_code, headed.content, headed.headers) == (address, 200, b"", got.headers)
        known = await service.client.head(address, headers={"if-none-match": got.headers["etag"]})
        assert known.status_code == 304


async def test_each_content_coding_has_its_own_tag(service: Service) -> None:
    await service.store(*(draft(f"e{n}", description="words " * 50) for n in range(20)))
    plain = await service.client.get(EVENTS, headers={"accept-encoding": "identity"})
    async with service.client.stream("GET", EVENTS, headers={"accept-encoding": "br, gzip;q=0.5"}) as packed:
        assert gzip.decompress(b"".join([part async for part in packed.aiter_raw()])) == plain.content
    assert packed.headers["etag"] == plain.headers["etag"][:-1] + '-gzip"'
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    refused = await service.client.get(EVENTS, headers={"accept-encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers
    other = {"accept-encoding": "identity", "if-none-match": packed.headers["etag"]}
    assert (await service.client.get(EVENTS, headers=other)).status_code == 200


async def test_head_tells_of_every_answer_what_get_does_and_keeps_the_connection(service: Service) -> None:
    async with on_a_port(service) as address, httpx.AsyncClient(base_url=address) as client:
        kept = None
        for path, status in (
            (EVENTS, 200),
            ("/healthz", 200),
            ("/api/v1/nothing", 404),
            (f"{EVENTS}?colour=red", 422),
            ("/api/v1/me", 401),
            ("/me", 303),
        ):
            head, got = await client.head(path), await client.get(path)
            assert (path, head.status_code, head.content, got.status_code) == (path, status, b"", status)
            assert head.headers["content-length"] == str(len(got.content))
            socket = head.extensions["network_stream"].get_extra_info("client_addr")
            kept = kept or socket
            assert socket == kept


async def test_other_sites_may_read_but_not_with_credentials(service: Service) -> None:
    read = await service.client.get(EVENTS, headers={"origin": "https://front.example"})
    assert read.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in read.headers
    asking = {
        "origin": "https://front.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    preflight = await service.client.options("/api/v1/recommendations", headers=asking)
    assert (preflight.status_code, preflight.headers["access-control-allow-headers"]) == (
        204,
        "Authorization, Content-Type, If-Match, If-None-Match, X-Request-ID",
    )
    service.client.cookies.set("adjacent", "adj_s_somebody")
    for mine in (
        await service.client.options("/api/v1/me/feeds", headers=asking),
        await service.client.get("/api/v1/me", headers={"origin": "https://front.example"}),
    ):
        assert "access-control-allow-origin" not in mine.headers


async def test_other_sites_may_read_what_went_wrong(service: Service) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    service.app.add_api_route("/api/v1/fails", fail)
    transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url=BASE_URL, headers={"origin": "https://front.example"}
    ) as client:
        picks = "/api/v1/recommendations"
        answers = [
            await client.post(picks, content=b"{", headers=JSON),
            await client.get("/api/v1/me"),
            await client.patch("/api/v1/me", json={"days": 7}, headers=await service.operator()),
            await client.get("/api/v1/me/nothing"),
            await client.put("/api/v1/me/export"),
            await client.post(picks, content=b"[" * 100_000, headers=JSON),
            await client.post(picks, content=b"{}"),
            await client.get(f"{EVENTS}?colour=red"),
            await client.get("/api/v1/fails"),
            await client.get("/f/adj_f_x.ics"),
        ]
    assert [answer.status_code for answer in answers] == [400, 401, 403, 404, 405, 413, 415, 422, 500, 404]
    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert {"Allow", "Retry-After", "WWW-Authenticate"} <= set(
            answer.headers["access-control-expose-headers"].split(", ")
        )


async def test_other_sites_may_act_for_somebody_whose_token_they_hold(service: Service) -> None:
    asking = {
        "origin": "https://front.example",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "authorization,content-type",
    }
    preflight = await service.client.options("/api/v1/me/expertise", headers=asking)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, "*")
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    made = await service.client.post("/api/v1/me", headers={"origin": "https://front.example"})
    token = {"Authorization": f"Bearer {made.json()['data']['token']}"}
    mine = await service.client.get("/api/v1/me", headers=token)
    for answer in (made, mine):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


async def test_every_answer_carries_safe_headers(service: Service) -> None:
    for address in (EVENTS, "/nothing", "/healthz", "/docs", "/f/adj_f_x.ics"):
        headers = (await service.client.get(address)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"].startswith("default-src 'none'")


async def test_topics_are_found_paged_and_shown(service: Service) -> None:
    found = (await service.client.get("/api/v1/topics?q=react")).json()
    shapes.TopicList.model_validate(found)
    assert found["data"][0]["label"] == "React"
    seen, address = [], "/api/v1/topics?limit=100"
    while address:
        page = (await service.client.get(address)).json()
        seen += [topic["slug"] for topic in page["data"]]
        address = page["links"]["next"]
    assert len(seen) == len(set(seen)) == page["meta"]["count"]
    unasked = (await service.client.get("/api/v1/topics?q=+&limit=1")).json()  # a search field nobody wrote in
    assert (unasked["data"][0]["slug"], unasked["meta"]["count"]) == (seen[0], len(seen))
    shown = (await service.client.get("/api/v1/topics/React")).json()
    shapes.TopicAnswer.model_validate(shown)
    assert shown["data"]["slug"] == "react"
    missing = await service.client.get("/api/v1/topics/reactt")
    assert (missing.status_code, missing.json()["suggestions"][0]) == (404, "React")
    near = (await service.client.get("/api/v1/topics/react/adjacent?limit=5")).json()
    shapes.AdjacentList.model_validate(near)
    scores = [topic["score"] for topic in near["data"]]
    assert scores == sorted(scores, reverse=True)
    assert "react" not in [topic["slug"] for topic in near["data"]]
    further = (await service.client.get(near["links"]["next"])).json()
    back = (await service.client.get(further["links"]["prev"])).json()
    assert (near["links"]["prev"], back["data"]) == (None, near["data"])
    assert further["data"][0]["score"] <= near["data"][-1]["score"]


async def test_health_tells_life_and_readiness_apart(service: Service) -> None:
    assert (await service.client.get("/healthz")).json() == {"status": "ok"}
    ready = await service.client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    await migrate(service.database, "0001")
    behind = await service.client.get("/readyz")
    assert (behind.status_code, behind.headers["content-type"]) == (503, "application/problem+json")
    assert (await service.client.get("/healthz")).status_code == 200


async def test_metrics_name_routes_and_never_secrets(service: Service) -> None:
    await service.client.get(f"{EVENTS}?q=private")
    await service.client.get("/f/adj_f_secret.ics")
    told = (await service.client.get("/metrics")).text
    assert 'adjacent_http_seconds_count{method="GET",route="/api/v1/events",status="200"} 1.0' in told
    assert 'route="/f/{token}.ics",status="404"' in told
    assert "secret" not in told
    assert "private" not in told


@pytest.mark.sqlite
async def test_reading_writes_nothing(service: Service) -> None:
    ids = await service.store(draft("a", "A talk"), topics={"a": {"typography": 0.9}})
    me = await service.guest(know={"React": 4})
    feed = (await service.client.post("/api/v1/me/feeds", json={"name": "Mine"}, headers=me)).json()["data"]
    async with service.database.reading() as session:
        before = (await (await session.connection()).execute(text("PRAGMA data_version"))).scalar_one()
        for address in (
            *READS,
            f"{EVENTS}/{ids['a']}",
            "/readyz",
            "/metrics",
            "/api/v1/me",
            "/api/v1/me/expertise",
            "/api/v1/me/recommendations",
            "/api/v1/me/map",
            "/api/v1/me/feeds",
            "/api/v1/me/export",
            feed["url"],
        ):
            assert (await service.client.get(address, headers=me)).status_code == 200
        await session.rollback()
        assert (await (await session.connection()).execute(text("PRAGMA data_version"))).scalar_one() == before


async def test_first_who_asks_for_the_document_holds_up_nobody(service: Service) -> None:
    asked = asyncio.create_task(service.client.get("/openapi.json"))
    assert (await service.client.get("/healthz")).status_code == 200
    assert not asked.done()
    assert (await asked).json()["info"]["title"] == "Adjacent"


async def test_openapi_names_every_operation_once_and_declares_its_errors(service: Service) -> None:
    document = (await service.client.get("/openapi.json")).json()
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    names = [operation["operationId"] for _, _, operation in operations]
    assert len(names) == len(set(names))
    for path, method, operation in operations:
        assert operation["summary"], path
        assert operation["tags"], path
        for status, response in operation["responses"].items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"], (path, method, status)
        assert ("security" in operation) == ("401" in operation["responses"]), path
    by_name = {operation["operationId"]: operation for _, _, operation in operations}
    assert [one["name"] for one in by_name["change_me"]["parameters"]] == ["If-Match"]
    headers = [
        (name, status, *response["headers"])
        for name in ("list_events", "change_me", "recommend")
        for status, response in by_name[name]["responses"].items()
        if "headers" in response
    ]
    assert headers == [
        ("list_events", "200", "ETag", "Link"),
        ("list_events", "304", "ETag"),
        ("change_me", "200", "ETag"),
        ("change_me", "401", "WWW-Authenticate"),
        ("recommend", "429", "Retry-After"),
    ]
    schemas = document["components"]["schemas"]
    assert "ProblemDetails" in schemas
    assert all(name.isidentifier() for name in schemas)  # no two models of one name
    assert [one["type"] for one in schemas["Question"]["properties"]["lang"]["anyOf"]] == ["array", "string"]
    for part in ("Profile", "Knowledge", "DigestChange"):  # what is not sent of these stays as it is
        assert not any("default" in field for field in schemas[part]["properties"].values())
    referred = set(re.findall(r'"\$ref":"([^"]*)"', json.dumps(document, separators=(",", ":"))))
    assert referred == {f"#/components/schemas/{name}" for name in schemas}


async def test_every_example_is_of_the_shape_it_illustrates(service: Service) -> None:
    document = (await service.client.get("/openapi.json")).json()
    operations = {one["operationId"]: one for methods in document["paths"].values() for one in methods.values()}
    routes = [route for module in API for route in module.router.routes if isinstance(route, APIRoute)]
    answers = {route.operation_id: route.response_model for route in routes if route.response_model}
    for name, model in answers.items():
        for media in answers_of(operations[name]):
            model.model_validate(media["example"])
    bodies = {route.operation_id: route.body_field for route in routes if route.body_field}
    for name, field in bodies.items():
        TypeAdapter(field.field_info.annotation).validate_python(body_of(operations[name])["example"])
    assert answers.keys() | bodies.keys() <= operations.keys()


async def test_reference_shows_how_to_ask_and_what_is_answered(service: Service) -> None:
    page = LexborHTMLParser((await service.client.get("/docs")).text)
    shown = page.css_first("#give_feedback")
    asked, answered = (one.text() for one in shown.css("pre"))
    assert asked.startswith(f"curl -X POST '{BASE_URL}/api/v1/me/feedback'")
    assert FeedbackAnswer.model_validate_json(answered)
    links = {node.attributes["href"] for node in page.css("a[href^='#']")}
    assert links <= {f"#{node.attributes['id']}" for node in page.css("[id]")}


async def test_start_is_announced_with_an_operator_link(service: Service) -> None:
    assert service.announced[0] == f"Adjacent answers at {BASE_URL}"
    assert service.announced[1].startswith(f"Sign in as operator: {BASE_URL}/sign-in/adj_l_")
