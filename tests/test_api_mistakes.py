"""Every 422 says which parameters or fields it is about, in one shape, whatever found the mistake."""

from __future__ import annotations

from typing import Any

import pytest
from service import Service, draft

from app.api.mistakes import in_body, in_words, mistake_of
from app.api.problems import ProblemDetails

ME = "/api/v1/me"
# Method, path, body, and the parts of the request that are wrong.
MISTAKES: list[tuple[str, str, Any, list[dict[str, str]]]] = [
    ("GET", "/api/v1/events?colour=red&limit=0", None, [{"parameter": "limit"}, {"parameter": "colour"}]),
    ("GET", "/api/v1/events?topic=React&topic=Reactt", None, [{"parameter": "topic"}]),
    ("GET", "/api/v1/events.ics?near=Nowhereville", None, [{"parameter": "near"}]),
    ("GET", "/embed?near=91,0", None, [{"parameter": "near"}]),
    ("GET", "/api/v1/events?cursor=x", None, [{"parameter": "cursor"}]),
    ("GET", "/api/v1/events?q=a&q=b", None, [{"parameter": "q"}]),
    ("GET", "/api/v1/events/No-Id", None, [{"parameter": "id"}]),
    ("GET", "/api/v1/communities?topic=Reactt", None, [{"parameter": "topic"}]),
    ("GET", "/api/v1/communities?near=Springfield", None, [{"parameter": "near"}]),
    ("GET", "/api/v1/communities?online=true&online=false", None, [{"parameter": "online"}]),
    ("GET", "/api/v1/topics?cursor=x", None, [{"parameter": "cursor"}]),
    ("GET", "/api/v1/sources?cursor=W10", None, [{"parameter": "cursor"}]),
    ("POST", "/api/v1/recommendations", {"near": "Nowhereville"}, [{"pointer": "/near"}]),
    ("POST", "/api/v1/recommendations", {"know": ["React", "Reactt", "A/B"]}, [{"pointer": "/know/1"}, {"pointer": "/know/2"}]),
    ("POST", "/api/v1/recommendations", {"know": ["React", "", 3]}, [{"pointer": "/know/1"}, {"pointer": "/know/2"}]),
    ("POST", "/api/v1/recommendations", {"know": "React"}, [{"pointer": "/know"}]),
    ("POST", "/api/v1/recommendations", {"know": {"A/B~": 9}}, [{"pointer": "/know/A~1B~0"}]),
    ("POST", "/api/v1/recommendations", {"know": {"": 3}}, [{"pointer": "/know/"}]),
    ("POST", "/api/v1/recommendations", ["React"], [{"pointer": ""}]),
    ("POST", "/api/v1/recommendations/communities", {"know": {"Reactt": 3}}, [{"pointer": "/know/Reactt"}]),
    ("PUT", f"{ME}/expertise", {"know": ["Reactt"]}, [{"pointer": "/know/0"}]),
    ("PATCH", ME, {"near": "Nowhereville"}, [{"pointer": "/near"}]),
    ("PATCH", ME, {"languages": ["en", "?"]}, [{"pointer": "/languages/1"}]),
    ("GET", f"{ME}/feedback?cursor=x", None, [{"parameter": "cursor"}]),
    ("DELETE", f"{ME}/feedback?kind=saved", None, [{"parameter": "event"}]),
    ("POST", f"{ME}/hidden", {"kind": "topic", "subject": "Reactt"}, [{"pointer": "/subject"}]),
    ("POST", f"{ME}/hidden", {"kind": "community", "subject": "nobody"}, [{"pointer": "/subject"}]),
    ("DELETE", f"{ME}/hidden?kind=topic&subject=Reactt", None, [{"parameter": "subject"}]),
    ("POST", f"{ME}/feeds", {"name": "x", "kind": "topic", "topic": "Reactt"}, [{"pointer": "/topic"}]),
    ("POST", f"{ME}/feeds", {"name": "x", "kind": "topic", "subject": "Reactt"}, [{"pointer": "/subject"}]),
    ("POST", f"{ME}/feeds", {"name": "x", "kind": "community", "community": "nobody"}, [{"pointer": "/community"}]),
    ("POST", f"{ME}/feeds", {"name": "x", "kind": "topic"}, [{"pointer": ""}]),
    ("PUT", f"{ME}/takeaways/{{event}}", {"topic": "Reactt"}, [{"pointer": "/topic"}]),
    ("POST", "/api/v1/sign-in", {"email": "nobody"}, [{"pointer": "/email"}]),
    ("POST", "/api/v1/sign-in/confirm", {"code": "123456"}, [{"pointer": ""}]),
    ("POST", "/api/v1/sources", {"url": "gopher://a.example"}, [{"pointer": "/url"}]),
    ("POST", "/api/v1/sources", {"url": "https://a.example/", "city": "Nowhereville"}, [{"pointer": "/city"}]),
    ("POST", "/api/v1/events/import", {"url": "mailto:a@a.example"}, [{"pointer": "/url"}]),
    ("POST", "/api/v1/proposals", {}, [{"pointer": ""}]),
    ("POST", "/api/v1/proposals", {"event": {"colour": "red"}}, []),
]  # fmt: skip


async def test_every_mistake_is_told_with_the_part_it_is_about(service: Service) -> None:
    event = (await service.store(draft("a")))["a"]
    roles = [await service.guest(), await service.operator()]
    for method, path, body, parts in MISTAKES:
        asked = {"json": body} if body is not None else {}
        answers = [
            await service.client.request(method, path.replace("{event}", event), headers=role, **asked)
            for role in roles
        ]
        refused = [answer for answer in answers if answer.status_code == 422]
        assert refused, (path, [answer.text for answer in answers])
        for answer in refused:
            problem = answer.json()
            ProblemDetails.model_validate(problem)
            assert problem["type"].startswith("/problems/")
            told = [{name: one for name, one in error.items() if name != "message"} for error in problem["errors"]]
            assert told == parts or (not parts and len(told) > 1), (path, problem)
            assert all(error["message"] for error in problem["errors"])


async def test_unknown_topics_are_each_told_with_what_may_have_been_meant(service: Service) -> None:
    answer = await service.client.post("/api/v1/recommendations", json={"know": {"Reactt": 4, "React": 3}})
    problem = answer.json()
    assert (problem["type"], problem["label"], problem["suggestions"][0]) == (
        "/problems/unknown-topic",
        "Reactt",
        "React",
    )
    meant = ", ".join(problem["suggestions"])
    assert problem["errors"] == [{"pointer": "/know/Reactt", "message": f"names no topic; did you mean {meant}?"}]


async def test_misspelt_name_is_told_with_the_one_that_may_have_been_meant(service: Service) -> None:
    me = await service.guest()
    told = {}
    for method, path, body in (
        ("GET", "/api/v1/events?radius=5", None),
        ("GET", "/api/v1/events.ics?Topics=Chess", None),
        ("GET", "/api/v1/events?page=2", None),
        ("POST", "/api/v1/recommendations", {"reaches": "far"}),
        ("DELETE", f"{ME}/feedback", {"event": "a", "kind": "saved", "kinds": "saved"}),
    ):
        answer = await service.client.request(method, path, json=body, headers=me)
        (error,) = answer.json()["errors"]
        told[error.get("parameter") or error["pointer"]] = error["message"].removeprefix("is unknown here")
    assert told == {
        "radius": "; did you mean `radius_km`?",
        "Topics": "; did you mean `topic`?",
        "page": "",
        "/reaches": "; did you mean `reach`?",
        "/kinds": "; did you mean `kind`?",
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("GET", "/api/v1/events?lang=english!", None, "is no language tag (BCP 47), e.g. en or de-AT"),
        ("POST", "/api/v1/recommendations", {"lang": "d"}, "is no language tag (BCP 47), e.g. en or de-AT"),
        ("POST", "/api/v1/recommendations", ["React"], "is no JSON object"),
        (
            "POST",
            "/api/v1/sign-in/confirm",
            {"email": "ada@example.org", "code": "12"},
            "is no code of six digits, e.g. 123456",
        ),
    ],
)
async def test_mistake_is_told_in_words_that_may_stand_beside_a_field(
    service: Service, method: str, path: str, body: Any, message: str
) -> None:
    (error,) = (await service.client.request(method, path, json=body)).json()["errors"]
    assert error["message"] == message


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"loc": ("body", "know", "a/b~c", "[key]"), "type": "x", "msg": "is short"}, {"pointer": "/know/a~1b~0c"}),
        ({"loc": ("body", 3), "type": "x", "msg": "Value error, is short"}, {"pointer": "/3"}),
        ({"loc": ("query", "topic", 2), "type": "x", "msg": "is short"}, {"parameter": "topic"}),
        ({"loc": ("query",), "type": "x", "msg": "is short"}, {"parameter": "query"}),
    ],
)
def test_part_is_named_as_json_pointers_do(fault: dict[str, Any], told: dict[str, str]) -> None:
    assert mistake_of(fault) == {**told, "message": "is short"}


def test_mistakes_are_told_in_one_line() -> None:
    mistakes = [in_body("near").mistake("is nowhere"), in_body().mistake("is no object")]
    assert in_words(mistakes) == "/near: is nowhere; is no object"
