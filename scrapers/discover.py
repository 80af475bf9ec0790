"""Before step 1: from any address to the feeds behind it: lists of addresses, and the calendars a page leads to."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urldefrag, urlsplit

from selectolax.lexbor import LexborHTMLParser

from scrapers.draft import Page
from scrapers.platforms import feeds_of_address, feeds_of_page, is_calendar_host
from scrapers.text import clean_url, one_line

LARGEST_PAGE = 2_000_000  # characters looked at
LARGEST_LIST = 100_000  # addresses
MOST_TAGS = 5_000
MOST_PAGES = 3  # other pages proposed
LABEL = 300  # characters behind a link in which its words are looked for
LONGEST_SHOWN = 100  # characters of a line that holds no address
ONE_BY_ONE = 3  # more .ics files than this side by side are single events, each with a file of its own

_OPML = re.compile(rb"<opml[\s>]", re.IGNORECASE)
_XML_URL = re.compile(r"""\sxmlUrl\s*=\s*(["'])(.{1,4096}?)\1""", re.IGNORECASE)
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|a|div|link)[\s>]", re.IGNORECASE)
_PASSWORD = re.compile(rb"<input[^<>]{0,300}\btype\s*=\s*[\"']?password", re.IGNORECASE)
_TAG = re.compile(r"<(a|link|iframe|meta|base)\s([^<>]{1,2000})>", re.IGNORECASE)
_MARKUP = re.compile(r"<[^<>]*>?|>")
_FEED_TYPES = {"application/rss+xml": "RSS feed", "application/atom+xml": "Atom feed"}
_CALENDAR_PATHS = (".ics", ".ical", "/ical", "/ics", "/ical_subscribe.php")
_CALENDAR_QUERIES = {  # of The Events Calendar, Modern Events Calendar, All-in-One Event Calendar, CivicPlus
    "ical=1",
    "mec-ical-feed=1",
    "controller=ai1ec_exporter_controller",
    "feed=calendar",
}
_DOCUMENT = re.compile(
    r"\.(?:pdf|docx?|xlsx?|pptx?|ashx|png|jpe?g)(?:$|\?)|[?&](?:file|event_|clip_|meeting_?|agenda)?id=[0-9]"
    r"|/(?:viewfile|showprimarydocument)/|/agenda/_?[0-9]",
    re.IGNORECASE,
)
_EVENTS_PAGE = re.compile(
    r"(?:(?:upcoming|our|all|full|community|public|next|view|see|alle|unsere|nos|tous les) )*"
    r"(?:events?|calendar|meetings?|meetups?|agenda|schedule|programme?|what.?s[ -]on|workshops|"
    r"veranstaltungen|veranstaltungskalender|termine|kalender|[ée]v[ée]nements|calendrier|eventos|calendario|eventi|"
    r"programma|evenementen|arrangement(?:er)?|evenemang|tapahtumat|wydarzenia|kalendarz|akce|etkinlikler|activiteiten)"
    r"(?:[ -](?:calendar|list|overview|schedule|page))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address that may hold what a page is about; a `page` has to be looked behind in its turn."""

    url: str
    why: str  # for people
    kind: Literal["feed", "page"] = "feed"
    is_elsewhere: bool = False  # of another site, and nothing says that it belongs to this page


@dataclass(frozen=True, slots=True)
class _Link:
    """A reference as it stands in the page; `words` are what people read or hear of it."""

    tag: str
    url: str
    rel: frozenset[str]
    type: str
    words: str
    is_webcal: bool


def is_source_list(page: Page) -> bool:
    """Tell whether a page is a list of addresses: OPML, or plain text whose lines mostly start with an address."""
    if _OPML.search(page.body[:2048]):
        return True
    if page.content_type is not None and "text/plain" not in page.content_type.lower():
        return False
    lines = [line for line in _lines(page.body) if line and not line.startswith("#")]
    listed = sum(_listed(line) is not None for line in lines)
    return listed * 2 > len(lines)  # the first line of a table may name its columns


def parse_source_list(body: bytes) -> list[str]:
    """Return the addresses of a list in its order, each once; what else stands on their lines is skipped.

    `webcal:` stays as it is: whether it means https or http is known when it is fetched.
    """
    if _OPML.search(body[:2048]):
        found = (clean for address in _outlines(body) if (clean := _listed(address)) is not None)
    else:
        found = (clean for line in _lines(body) if (clean := _listed(line)) is not None)
    addresses: dict[str, str] = {}
    for address in found:
        addresses.setdefault(re.sub(r"^webcals?:", "https:", address), address)
        if len(addresses) == LARGEST_LIST:
            break
    return list(addresses.values())


def candidates(page: Page) -> list[Candidate]:
    """Return the feeds behind an HTML page, best first; nothing for a page that is itself a feed.

    First what a platform keeps for this very address, then calendars the page declares, those of the program that
    made it, those it embeds and links, then groups elsewhere, news feeds, and last pages called events or calendar.
    A calendar of another site is the page's own where it is declared, embedded, or the only one that is linked on a
    platform for calendars; any other may be a neighbour's.
    """
    if not _is_html(page):
        return []
    source = page.body.decode("utf-8", "replace")[:LARGEST_PAGE]
    links, generator = _links(source, page.url)
    found = [
        *(Candidate(feed.url, feed.why) for feed in feeds_of_address(page.url)),
        *_declared_calendars(links),
        *(Candidate(feed.url, feed.why) for feed in feeds_of_page(page.url, source, generator)),
        *_linked_calendars(links, page.url),
        *_calendars_elsewhere(links, page.url),
        *_news_feeds(links),
        *_event_pages(links, page.url),
    ]
    own = urldefrag(page.url).url
    unique: dict[str, Candidate] = {}
    for candidate in found:
        if candidate.url != own:
            unique.setdefault(candidate.url, candidate)
    return list(unique.values())


def unlisted_lines(body: bytes) -> list[tuple[int, str]]:
    """Return the lines of a list that were meant to be addresses and are none, with their numbers from 1 on."""
    if _OPML.search(body[:2048]):
        text = body.decode("utf-8-sig", "replace")
        told = ((text.count("\n", 0, found.start(2)) + 1, html.unescape(found[2])) for found in _XML_URL.finditer(text))
    else:
        told = ((number, line) for number, line in enumerate(_lines(body), 1) if line and not line.startswith("#"))
    return [(number, one_line(line)[:LONGEST_SHOWN]) for number, line in told if _listed(line) is None]


def asks_to_sign_in(page: Page) -> bool:
    """Tell whether a page is a form for a password, as sites answer to strangers instead of their calendar."""
    is_html = _is_html(page) or _HTML.search(page.body[:2048]) is not None  # some call it a calendar all the same
    return is_html and _PASSWORD.search(page.body[:LARGEST_PAGE]) is not None


def _lines(body: bytes) -> list[str]:
    return [line.strip() for line in body.decode("utf-8-sig", "replace").splitlines()]


def _listed(line: str) -> str | None:
    """Return the address a line of a list starts with."""
    address, *_ = line.split(maxsplit=1) or [""]
    scheme, colon, rest = address.partition(":")
    if scheme.lower() in {"webcal", "webcals"}:
        return f"webcal:{rest}" if clean_url(f"https{colon}{rest}") is not None else None
    clean = clean_url(address)
    return None if clean is None else urldefrag(clean).url


def _outlines(body: bytes) -> Iterator[str]:
    # One attribute is all that is wanted, and what no XML parser sees can neither load nor blow up anything.
    for _, address in _XML_URL.findall(body.decode("utf-8-sig", "replace")):
        yield html.unescape(address)


def _is_html(page: Page) -> bool:
    if page.content_type is not None and page.content_type.strip():
        return "html" in page.content_type.lower()
    return _HTML.search(page.body[:2048]) is not None


def _links(source: str, url: str) -> tuple[list[_Link], str]:
    """Return the page's references, made absolute, and the name of the program that made it (lower case).

    Only tags that carry references are handed to the parser: on whole pages every HTML parser at hand takes time
    in the square of some length (selectolax 2.4 s for 200 KB of nested <div>), and this runs on pages of strangers.
    """
    skeleton = []
    for number, tag in enumerate(_TAG.finditer(source)):
        if number == MOST_TAGS:
            break
        name, attributes = tag[1].lower(), tag[2].rstrip("/")
        words = ""
        if name == "a":
            end = source.find("</a", tag.end(), tag.end() + LABEL)
            words = _MARKUP.sub(" ", source[tag.end() : end if end >= 0 else tag.end() + LABEL])
        skeleton.append(f"<{name} {attributes}>{words}</{name}>")
    base, generator = url, ""
    links = []
    for node in LexborHTMLParser("".join(skeleton)).css("base, meta, a, link, iframe"):
        attributes_of = {name: value or "" for name, value in node.attributes.items()}
        if node.tag == "meta":
            if attributes_of.get("name", "").lower() == "generator":
                generator = attributes_of.get("content", "").lower()
            continue
        address = attributes_of.get("href") or attributes_of.get("src") or attributes_of.get("data-src") or ""
        if node.tag == "base":
            base = clean_url(address, url) or base
            continue
        absolute = _absolute(address, base)
        if absolute is not None:
            links.append(
                _Link(
                    tag=node.tag or "",
                    url=absolute,
                    rel=frozenset(attributes_of.get("rel", "").lower().split()),
                    type=attributes_of.get("type", "").partition(";")[0].strip().lower(),
                    words=one_line(
                        node.text(deep=True) or attributes_of.get("aria-label") or attributes_of.get("title") or ""
                    ),
                    is_webcal=address.strip().lower().startswith("webcal"),
                )
            )
    return links, generator


def _absolute(address: str, base: str) -> str | None:
    """Return the http(s) address of a reference; `webcal:` is https, or http on the page's own http site."""
    scheme, colon, rest = address.strip().partition(":")
    if colon and scheme.lower() in {"webcal", "webcals"}:
        own = urlsplit(base)
        is_own = own.scheme == "http" and urlsplit(f"https:{rest}").netloc == own.netloc
        address = f"{'http' if is_own else 'https'}:{rest}"
    clean = clean_url(address, base)
    return None if clean is None else urldefrag(clean).url


def _declared_calendars(links: list[_Link]) -> Iterator[Candidate]:
    for link in links:
        if link.tag == "link" and "alternate" in link.rel and link.type == "text/calendar":
            yield Candidate(link.url, "calendar the page declares")


def _linked_calendars(links: list[_Link], url: str) -> Iterator[Candidate]:
    """Yield calendars the page embeds or links; a row of .ics files is single events, which the page itself tells."""
    for link in links:
        if link.tag == "iframe":
            yield from (Candidate(feed.url, f"{feed.why}, embedded") for feed in feeds_of_address(link.url))
    linked = {link.url: link for link in links if _is_calendar(link)}
    side_by_side = Counter(_folder(url) for url in linked)
    hosted = [link.url for link in linked.values() if is_calendar_host(link.url)]
    for link in linked.values():
        if side_by_side[_folder(link.url)] <= ONE_BY_ONE:
            why = f"calendar link “{link.words}”" if link.words else "calendar link"
            is_own = _is_same_site(link.url, url) or hosted == [link.url]
            yield Candidate(link.url, why, is_elsewhere=not is_own)


def _is_calendar(link: _Link) -> bool:
    if link.tag != "a":
        return False
    parts = urlsplit(link.url)
    path = parts.path.lower().rstrip("/")
    return link.is_webcal or path.endswith(_CALENDAR_PATHS) or not _CALENDAR_QUERIES.isdisjoint(parts.query.split("&"))


def _folder(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path.rstrip('/').rpartition('/')[0]}"


def _calendars_elsewhere(links: list[_Link], url: str) -> Iterator[Candidate]:
    """Yield feeds of the groups and calendars a page links to, unless it is one of the same platform itself."""
    elsewhere = (link.url for link in links if link.tag == "a" and not _is_same_site(link.url, url))
    feeds = {feed.url: feed.why for address in elsewhere for feed in feeds_of_address(address)}
    for address, why in feeds.items():
        yield Candidate(address, f"{why}, linked", is_elsewhere=len(feeds) > 1)


def _news_feeds(links: list[_Link]) -> Iterator[Candidate]:
    declared = [link for link in links if link.tag == "link" and "alternate" in link.rel and link.type in _FEED_TYPES]
    posts = [link for link in declared if "comment" not in link.words.lower() and "/comments/" not in link.url]
    for link in sorted(posts, key=lambda link: "event" not in f"{link.words} {link.url}".lower()):
        yield Candidate(link.url, f"{_FEED_TYPES[link.type]} “{link.words}”" if link.words else _FEED_TYPES[link.type])


def _event_pages(links: list[_Link], url: str) -> Iterator[Candidate]:
    pages: dict[str, str] = {}
    for link in links:
        if link.tag != "a" or _is_calendar(link) or _DOCUMENT.search(link.url) or not _is_same_site(link.url, url):
            continue
        last = urlsplit(link.url).path.rstrip("/").rpartition("/")[2].removesuffix(".html")
        if _EVENTS_PAGE.fullmatch(link.words) or _EVENTS_PAGE.fullmatch(last):
            pages.setdefault(link.url, link.words or last)
    # In English, an agenda is mostly of one meeting, and a paper.
    for address in sorted(pages, key=lambda address: (pages[address].casefold() == "agenda", len(address)))[
        :MOST_PAGES
    ]:
        yield Candidate(address, f"page “{pages[address]}”", "page")


def _is_same_site(one: str, other: str) -> bool:
    hosts = [(urlsplit(url).hostname or "").removeprefix("www.") for url in (one, other)]
    return hosts[0] == hosts[1] or hosts[0].endswith(f".{hosts[1]}") or hosts[1].endswith(f".{hosts[0]}")
