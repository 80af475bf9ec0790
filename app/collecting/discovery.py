"""Before step 1: what an address offers: its own events, or those of the best feed behind it.

address ─► page ─► read: has events ───────────────────────────► Found(the address itself)
                    └─ candidates ─► each fetched and read ─► Found(the first one with events)
                                      └─ one page "events" ─► its candidates
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from app.collecting.page_reading import read_page
from scrapers import Page, Reading, Unreadable
from scrapers.discover import Candidate, candidates, is_source_list, parse_source_list, unlisted_lines
from scrapers.fetch import Fetcher, FetchError, NotModified
from scrapers.platforms import feeds_of_address

MOST_FETCHES = 8  # for one address
LONGEST_PAUSE = 2.0  # seconds between two requests to a host, while somebody waits for the answer


@dataclass(frozen=True, slots=True)
class Tried:
    """An address that gave nothing, and the reason."""

    url: str
    code: str  # of FetchError or Unreadable; `nothing_listed` for what can be read
    message: str
    has_answered: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    url: str  # to collect from
    page: Page
    reading: Reading
    why: str  # what it is to the address asked about; "" for that address itself
    alternatives: tuple[Candidate, ...]  # proposed only: nobody fetched them, or they list nothing at present
    tried: tuple[Tried, ...]


@dataclass(frozen=True, slots=True)
class AddressList:
    """The address holds no events but addresses."""

    addresses: tuple[str, ...]
    unlisted: tuple[tuple[int, str], ...] = ()  # lines that hold none, with their numbers


def address_list(body: bytes) -> AddressList:
    return AddressList(tuple(parse_source_list(body)), tuple(unlisted_lines(body)))


class NothingFound(Exception):  # noqa: N818 (what it says)
    """Neither the address nor what it leads to can be read; `alternatives` belong to somebody else, it seems."""

    def __init__(self, address: str, tried: Iterable[Tried], alternatives: Iterable[Candidate]) -> None:
        self.tried = tuple(tried)
        self.alternatives = tuple(alternatives)
        told = [f"{each.url}: {each.message} [{each.code}]" for each in self.tried]
        if self.alternatives:
            named = ", ".join(f"{each.url} ({each.why})" for each in self.alternatives[:3])
            told.append(f"it links to {named}; add that address itself if it is yours to follow")
        super().__init__("; ".join(told) or f"{address}: nothing there")


async def examine(client: Fetcher, address: str, *, zone: ZoneInfo, now: datetime) -> Found | AddressList:
    """Return what to collect from: the address itself if it lists events, else the best of what it leads to.

    Calendars of other sites are only proposed, unless the page declares or embeds them. Raises NothingFound.
    """
    search = _Search(client, zone, now)
    page = await search.fetch(address)
    if page is None:
        offers = [Candidate(feed.url, feed.why) for feed in feeds_of_address(address)]
    elif is_source_list(page):
        return address_list(page.body)
    else:
        offers = candidates(page)
        own = await search.read(address, page)
        if own is not None:
            search.keep(Candidate(address, ""), page, own)
    await search.follow(offers)
    return search.found(address)


class _Search:
    """One examination: what was asked, what it gave, and the best so far."""

    def __init__(self, client: Fetcher, zone: ZoneInfo, now: datetime) -> None:
        self._client = client
        self._zone = zone
        self._now = now
        self._asked: set[str] = set()
        self._hosts: set[str] = set()
        self._offers: list[Candidate] = []
        self._tried: list[Tried] = []
        self._best: tuple[Candidate, Page, Reading] | None = None

    @property
    def has_events(self) -> bool:
        return self._best is not None and self._best[2].listed > 0

    async def fetch(self, url: str) -> Page | None:
        """Return the page, or None, with the reason noted; an address is asked once."""
        if url in self._asked or len(self._asked) == MOST_FETCHES:
            return None
        self._asked.add(url)
        host = urlsplit(url).netloc
        try:
            if host in self._hosts:
                await asyncio.sleep(min(await self._client.pause(url), LONGEST_PAUSE))
            self._hosts.add(host)
            page = await self._client.fetch(url)
        except FetchError as error:
            self._tried.append(Tried(url, error.code, error.message, has_answered=False))
            return None
        assert not isinstance(page, NotModified)  # nothing conditional was asked
        self._asked.add(page.url)
        return page

    async def read(self, url: str, page: Page) -> Reading | None:
        try:
            return await read_page(page, zone=self._zone, now=self._now)
        except Unreadable as error:
            self._tried.append(Tried(url, error.code, error.message))
            return None

    def keep(self, candidate: Candidate, page: Page, reading: Reading) -> None:
        """Remember a reading; one without events only until there is one with some."""
        if self._best is None or (reading.listed and not self.has_events):
            self._best = (candidate, page, reading)
        if not reading.listed:
            self._tried.append(Tried(candidate.url or page.url, "nothing_listed", "it can be read, but lists no event"))

    async def follow(self, offers: list[Candidate], *, hops: int = 1) -> None:
        """Try the candidates in their order until one has events; look behind pages once."""
        self._offers += [each for each in offers if hops or each.kind == "feed"]
        for candidate in offers:
            if self.has_events:
                return
            if candidate.is_elsewhere or (candidate.kind == "page" and not hops):
                continue
            page = await self.fetch(candidate.url)
            if page is None:
                continue
            reading = await self.read(candidate.url, page)
            if reading is not None:
                self.keep(candidate, page, reading)
            if candidate.kind == "page" and not self.has_events:
                await self.follow(candidates(page), hops=hops - 1)

    def found(self, address: str) -> Found:
        passed = {address, *(each.url for each in self._tried if each.code != "nothing_listed")}
        taken = self._best[0].url if self._best else ""
        unique = {each.url: each for each in reversed(self._offers)}
        others = tuple(each for each in reversed(unique.values()) if each.url != taken and each.url not in passed)
        if self._best is None:
            raise NothingFound(address, self._tried, others)
        candidate, page, reading = self._best
        tried = tuple(each for each in self._tried if each.url != taken)
        return Found(candidate.url, page, reading, candidate.why, others, tried)
