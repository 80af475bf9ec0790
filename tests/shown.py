"""A page as somebody sees it, fetched without a browser."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
from selectolax.lexbor import LexborHTMLParser, LexborNode
from service import Service

BROWSER = {"Accept": "text/html,application/xhtml+xml"}
CHOIR = {"choir": 0.9}

Query = Mapping[str, str | list[str]] | None


class Shown:
    def __init__(self, answer: httpx.Response) -> None:
        self.status, self.headers, self.source = answer.status_code, answer.headers, answer.text
        self.tree = LexborHTMLParser(answer.text)

    def words(self, selector: str) -> list[str]:
        return [told(node) for node in self.tree.css(selector)]

    def one(self, selector: str) -> str:
        (text,) = self.words(selector)
        return text

    def links(self, selector: str) -> list[tuple[str, str]]:
        return [(told(node), node.attributes["href"] or "") for node in self.tree.css(selector)]


def told(node: LexborNode) -> str:
    return " ".join(node.text().split())


async def show(service: Service, address: str, *, params: Query = None, **headers: str) -> Shown:
    """Open an address as a browser does, which follows to its plainest form."""
    sent = {**BROWSER, **headers}
    return Shown(await service.client.get(address, params=params, headers=sent, follow_redirects=True))


async def press(service: Service, address: str, **data: object) -> Shown:
    """Send a form and go where it leads."""
    return Shown(await service.client.post(address, data=data, headers=BROWSER, follow_redirects=True))
