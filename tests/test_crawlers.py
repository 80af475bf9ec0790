"""What search engines may read, asked as one of them asks."""

from __future__ import annotations

from protego import Protego
from service import BASE_URL, Service

PUBLIC = ("/", "/events", "/e/abc", "/communities", "/communities/abc", "/sources", "/start", "/docs")
OTHER = (
    "/?know=Law",
    "/events?topic=law",
    "/api/v1/events",
    "/f/secret.ics",
    "/m/abc/secret",
    "/me",
    "/unsubscribe/secret",
)


async def test_crawlers_read_each_public_page_once_and_no_secret(service: Service) -> None:
    robots = Protego.parse((await service.client.get("/robots.txt")).text)
    assert [path for path in (*PUBLIC, *OTHER) if robots.can_fetch(BASE_URL + path, "a crawler")] == [*PUBLIC]


async def test_browsers_find_the_icon_where_no_page_names_it(service: Service) -> None:
    answer = await service.client.get("/favicon.ico", follow_redirects=True)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml")
