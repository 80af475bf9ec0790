"""Before step 1: where known platforms keep the feed behind a page: from the address alone, or from signs in the page.

Every pattern was seen in use in public code. Only documented or published feeds are proposed, no private interfaces.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qs, quote, urljoin, urlsplit

from scrapers.text import clean_url


class Feed(NamedTuple):
    url: str
    why: str  # for people


_LOCALE = re.compile(r"[a-z]{2}-[A-Z]{2}")
_MEETUP_GROUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,}")
_MEETUP_PAGES = re.compile(
    "about|account|apps|api|blog|careers|cities|contact|find|groups|help|home|how-to-group-start|join|login|media|"
    "meetup-pro|meetup_api|membership|messages|notifications|privacy|pro|register|settings|sitemap|start|terms|topics|"
    "your-events",
    re.IGNORECASE,
)
_LUMA_CALENDAR = re.compile(r"\bcal-[A-Za-z0-9]{8,}")
_LUMA_CITY = re.compile(r"\bdiscplace-[A-Za-z0-9]{8,}")
_BEVY_CHAPTER = re.compile(r"""Globals\.chapter_id\s*=\s*["']?([0-9]+)|/api/event_slim/for_chapter/([0-9]+)""")
_BEVY_FIELDS = "title,start_date,end_date,event_type_title,url,description_short,venue_name,venue_city"
_TRIBE = re.compile(r"tribe-events|/plugins/the-events-calendar/")
_WORDPRESS = re.compile(r"""https?://[^\s"'<>]{3,200}?(?=/wp-content/)""")
_NEXTCLOUD = re.compile(r"(.*?)(?:/index\.php)?/apps/calendar/(?:p|embed)/([A-Za-z0-9]+)(?:/.*)?")
_INDICO_CATEGORY = re.compile(r"(.*)/category/([0-9]+)(?:/.*)?")
_SQUARESPACE_EVENTS = re.compile(r"collection-type-events|\beventlist\b")
_CALENDAR_HOSTS = re.compile(
    r"(?:calendar\.google\.com|(?:ics\.)?teamup\.com|api2?\.lu\.?ma(?:\.com)?|meetup\.com|outlook\.(?:office365|live|office)\.com"
    r"|p\d+-cal(?:endars|dav)\.icloud\.com|tockify\.com|trumba\.com|export\.kalender\.digital|webcal\.fi|addevent\.com)"
)
_FIRST_BYTES = 300_000  # where signs of a platform are looked for


def is_calendar_host(url: str) -> bool:
    """Tell whether an address is on a host where people keep calendars for their own sites."""
    return _CALENDAR_HOSTS.fullmatch((urlsplit(url).hostname or "").removeprefix("www.")) is not None


def feeds_of_address(url: str) -> Iterator[Feed]:
    """Yield the feeds that an address on a known platform stands for; nothing of the page is needed."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    segments = [segment for segment in parts.path.split("/") if segment]
    if host == "meetup.com":
        yield from _meetup(segments)
    elif host in {"lu.ma", "luma.com"}:
        yield from _luma(parts.path)
    elif host in {"calendar.google.com", "google.com"} and "calendar" in url:
        yield from _google(parts)
    elif host == "teamup.com" and segments and segments[0].startswith("ks"):
        yield Feed(f"https://ics.teamup.com/feed/{segments[0]}/0.ics", "Teamup calendar")
    elif host == "tockify.com" and segments and segments[0] not in {"api", "i", "auth"}:
        yield Feed(f"https://tockify.com/api/feeds/ics/{segments[0]}", "Tockify calendar")
    elif host == "trumba.com" and len(segments) == 2 and segments[0] == "calendars" and "." not in segments[1]:
        yield Feed(f"https://www.trumba.com/calendars/{segments[1]}.ics", "Trumba calendar")
    elif host in {"outlook.office365.com", "outlook.live.com"} and parts.path.endswith("/calendar.html"):
        yield Feed(url.replace("/calendar.html", "/calendar.ics"), "published Outlook calendar")
    elif host.endswith(".libcal.com"):
        for number in parse_qs(parts.query).get("cid", [])[:1]:
            if number.isdigit() and number != "-1":
                yield Feed(f"https://{host}/ical_subscribe.php?src=p&cid={number}", "LibCal calendar")
    elif host.endswith(".whofi.com"):
        yield Feed(f"https://{host}/calendar/ical", "library calendar on WhoFi")
    elif (shared := _NEXTCLOUD.fullmatch(parts.path)) is not None:
        calendar = f"{shared[1]}/remote.php/dav/public-calendars/{shared[2]}/?export"
        yield Feed(f"{parts.scheme}://{parts.netloc}{calendar}", "shared Nextcloud calendar")
    elif host.startswith("indico."):
        yield from _indico(parts)
    elif host in {"github.com", "gitlab.com", "codeberg.org"} and len(segments) == 2:
        yield _repository(host, *segments)


def feeds_of_page(url: str, html: str, generator: str) -> Iterator[Feed]:
    """Yield the feeds of the platform that made a page; `generator` is what its meta element of that name says."""
    head = html[:_FIRST_BYTES]
    parts = urlsplit(url)
    root = f"{parts.scheme}://{parts.netloc}"
    if (parts.hostname or "").removeprefix("www.") in {"lu.ma", "luma.com"}:
        yield from _luma(html)
    if (chapter := _BEVY_CHAPTER.search(html)) is not None:
        listed = f"/api/event_slim/for_chapter/{chapter[1] or chapter[2]}/?status=Live&page_size=50&order=start_date"
        yield Feed(f"{root}{listed}&fields={_BEVY_FIELDS}", "chapter on Bevy")
    if generator.startswith("discourse"):
        yield Feed(f"{root}/discourse-post-event/events.ics", "events of a Discourse forum")
    if "joinmobilizon.org" in head:
        yield from _mobilizon(root, parts.path)
    if "gancio.org" in head and "/feed/rss" in head:  # the name alone stands on pages about Gancio, too
        yield _gancio(root, parts.path)
    if _TRIBE.search(head) is not None:
        site = _WORDPRESS.search(head)
        home = site[0] if site is not None and urlsplit(site[0]).netloc == parts.netloc else root
        yield Feed(f"{home}/events/?ical=1", "The Events Calendar of a WordPress site")
    if "squarespace" in head and _SQUARESPACE_EVENTS.search(html) is not None:
        yield Feed(urljoin(url, f"{parts.path}?format=json"), "events of a Squarespace site")
    if "localist" in head:
        yield Feed(f"{root}/calendar/1.ics", "Localist calendar")
    if "livewhale" in head:
        yield Feed(f"{root}/live/ical/events", "LiveWhale calendar")
    if "indico" in generator or "getindico.io" in head:
        yield from _indico(parts)


def _meetup(segments: list[str]) -> Iterator[Feed]:
    if segments and _LOCALE.fullmatch(segments[0]):
        segments = segments[1:]
    if segments and _MEETUP_GROUP.fullmatch(segments[0]) and not _MEETUP_PAGES.fullmatch(segments[0]):
        yield Feed(f"https://www.meetup.com/{segments[0]}/events/ical/", "group on Meetup")


def _luma(text: str) -> Iterator[Feed]:
    if (calendar := _LUMA_CALENDAR.search(text)) is not None:
        yield Feed(f"https://api.lu.ma/ics/get?entity=calendar&id={calendar[0]}", "calendar on Luma")
    elif (city := _LUMA_CITY.search(text)) is not None:
        yield Feed(f"https://api.lu.ma/ics/get?entity=discover&id={city[0]}", "a city's events on Luma")


def _google(parts: SplitResult) -> Iterator[Feed]:
    query = parse_qs(parts.query)
    for name in (*query.get("src", ()), *query.get("cid", ())):
        if name.startswith(("webcal:", "http:", "https:")):
            feed = clean_url(re.sub(r"^webcal:", "https:", name))
            if feed is not None:
                yield Feed(feed, "linked through Google Calendar")
        elif (calendar := _google_name(name)) is not None:
            ical = f"https://calendar.google.com/calendar/ical/{quote(calendar, safe='')}/public/basic.ics"
            yield Feed(ical, "public Google calendar")


def _google_name(name: str) -> str | None:
    """Return the calendar's name, which newer links carry in base64; None for holidays and address books."""
    if "@" in name:
        return None if "#" in name else name
    try:
        decoded = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return decoded if "@" in decoded and "#" not in decoded and decoded.isprintable() else None


def _mobilizon(root: str, path: str) -> Iterator[Feed]:
    if (group := re.match(r"/@[A-Za-z0-9_.-]+", path)) is not None:
        yield Feed(f"{root}{group[0]}/feed/ics", "group on Mobilizon")
    elif path.strip("/") in {"", "events", "search"}:
        yield Feed(f"{root}/feed/instance/ics", "all groups of a Mobilizon site")


def _gancio(root: str, path: str) -> Feed:
    if (part := re.fullmatch(r"/(tag|collection)/([^/]{1,100})/?", path)) is not None:
        return Feed(f"{root}/feed/ics/{part[1]}/{part[2]}", f"{part[1]} of a Gancio agenda")
    return Feed(f"{root}/feed/ics", "Gancio agenda")


def _indico(parts: SplitResult) -> Iterator[Feed]:
    if (category := _INDICO_CATEGORY.fullmatch(parts.path)) is not None:
        export = urljoin(f"{parts.scheme}://{parts.netloc}", f"{category[1]}/export/categ/{category[2]}.ics?from=-7d")
        yield Feed(export, "category on Indico")


def _repository(host: str, owner: str, name: str) -> Feed:
    """Return the archive of what a repository holds now; community files are kept in such (docs/communities.md)."""
    name = name.removesuffix(".git")
    archive = {
        "github.com": f"https://codeload.github.com/{owner}/{name}/zip/HEAD",
        "gitlab.com": f"https://gitlab.com/{owner}/{name}/-/archive/HEAD/{name}-HEAD.zip",
        "codeberg.org": f"https://codeberg.org/{owner}/{name}/archive/main.zip",
    }[host]
    return Feed(archive, "communities kept in a repository")
