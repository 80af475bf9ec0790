"""Step 2, calendars: where an event takes place: a line of free text, a position, a link, or several of them."""

from __future__ import annotations

import re
from functools import lru_cache

from scrapers.draft import Mode, Venue
from scrapers.text import clean_text, clean_url, one_line

LONGEST_LOCATION = 1_000

_MEETING_HOSTS = (
    r"(?:[\w-]+\.)*zoom\.(?:us|com)|meet\.google\.com|teams\.(?:microsoft|live)\.com|(?:[\w-]+\.)*webex\.com"
    r"|(?:meet\.)?[\w-]*jitsi[\w.-]*|meet\.jit\.si|whereby\.com|(?:[\w-]+\.)*gotomeet(?:ing)?\.(?:com|me)"
    r"|(?:bbb|meet|bigbluebutton)\.[\w.-]+|discord\.(?:gg|com)|streamyard\.com|(?:www\.)?twitch\.tv"
    r"|(?:[\w-]+\.)*hopin\.com|app\.gather\.town|hangouts\.google\.com"
)
_MEETING_URL = re.compile(rf"https?://(?:{_MEETING_HOSTS})(?::\d+)?/[^\s<>\"'\])]*", re.IGNORECASE)
_ANY_URL = re.compile(r"https?://[^\s<>\"'\])]+", re.IGNORECASE)
_IN_WORDS = (
    r"(?:online|virtual|virtuell|remote|webinar|zoom|google meet|microsoft teams|ms teams|jitsi|livestream|live stream"
    r"|internet|en ligne|en línea|(?:en )?visio(?:conférence)?|videokonferenz)(?:[ -](?:event|meeting|meetup|only|call|webinar|conference))?"
)
_ONLINE_WORDS = re.compile(_IN_WORDS, re.IGNORECASE)
_AND = r"(?:[&+/]|\b(?:and|or|und|oder|et|ou|y|o)\b)"
_ALSO_ONLINE = re.compile(
    rf"\s*(?:[,;\n]|{_AND})\s*(?:also |auch |aussi )?(?:via |on |per )?{_IN_WORDS}(?:\s*\([^()]*\))?\s*$", re.IGNORECASE
)
_HERE = r"(?:in[ -]person|on[ -]?site|vor ort|sur place|presencial)"
_THERE = r"(?:online|virtual(?:ly)?|virtuell|remote(?:ly)?|livestream|en ligne|en línea|(?:https?://\S{0,40})?zoom|google meet)"
_BOTH = re.compile(
    rf"\bhybrid(?:[ -](?:event|format|meeting|meetup|session|talk|veranstaltung))\b|[(\[]hybrid[)\]]"
    rf"|\b{_HERE}\s*{_AND}\s*(?:via |on |per |über )?{_THERE}|\b{_THERE}\s*{_AND}\s*{_HERE}\b",
    re.IGNORECASE,
)
_SIGNS_OF_ONLINE = (
    "online",
    "virtu",
    "remote",
    "stream",
    "ligne",
    "línea",
    "zoom",
    "google meet",
    "webinar",
    "teams",
    "jitsi",
    "internet",
    "visio",
    "videokonferenz",
)
_SIGNS_OF_BOTH = ("hybrid", *_SIGNS_OF_ONLINE[:8])
_LONGEST_ENDING = 80  # characters of ", and on Zoom (the link is sent in the morning)"
_FIRST_WORDS = 1_000  # characters of a description in which it says that people may come in both ways
_COUNTRIES = {
    name.casefold(): name
    for name in [
        "Argentina",
        "Australia",
        "Austria",
        "Belgium",
        "Brazil",
        "Bulgaria",
        "Canada",
        "Chile",
        "China",
        "Colombia",
        "Croatia",
        "Cyprus",
        "Czechia",
        "Czech Republic",
        "Denmark",
        "Deutschland",
        "Egypt",
        "Estonia",
        "Finland",
        "France",
        "Germany",
        "Ghana",
        "Greece",
        "Hong Kong",
        "Hungary",
        "Iceland",
        "India",
        "Indonesia",
        "Ireland",
        "Israel",
        "Italy",
        "Italia",
        "Japan",
        "Kenya",
        "Latvia",
        "Lithuania",
        "Luxembourg",
        "Malaysia",
        "Malta",
        "Mexico",
        "Netherlands",
        "The Netherlands",
        "Nederland",
        "New Zealand",
        "Nigeria",
        "Norway",
        "Österreich",
        "Pakistan",
        "Peru",
        "Philippines",
        "Poland",
        "Polska",
        "Portugal",
        "Romania",
        "Schweiz",
        "Serbia",
        "Singapore",
        "Slovakia",
        "Slovenia",
        "South Africa",
        "South Korea",
        "Spain",
        "España",
        "Suisse",
        "Sweden",
        "Switzerland",
        "Taiwan",
        "Thailand",
        "Turkey",
        "UK",
        "Ukraine",
        "United Arab Emirates",
        "United Kingdom",
        "United States",
        "United States of America",
        "Uruguay",
        "US",
        "USA",
        "Vietnam",
    ]
}
# Every state of the US, since many write it out and nobody writes the country.
_STATES = frozenset(
    name.casefold()
    for name in [
        "Alabama",
        "Alaska",
        "Arizona",
        "Arkansas",
        "California",
        "Colorado",
        "Connecticut",
        "Delaware",
        "Florida",
        "Georgia",
        "Hawaii",
        "Idaho",
        "Illinois",
        "Indiana",
        "Iowa",
        "Kansas",
        "Kentucky",
        "Louisiana",
        "Maine",
        "Maryland",
        "Massachusetts",
        "Michigan",
        "Minnesota",
        "Mississippi",
        "Missouri",
        "Montana",
        "Nebraska",
        "Nevada",
        "New Hampshire",
        "New Jersey",
        "New Mexico",
        "North Carolina",
        "North Dakota",
        "Ohio",
        "Oklahoma",
        "Oregon",
        "Pennsylvania",
        "Rhode Island",
        "South Carolina",
        "South Dakota",
        "Tennessee",
        "Texas",
        "Utah",
        "Vermont",
        "Virginia",
        "Washington State",
        "West Virginia",
        "Wisconsin",
        "Wyoming",
    ]
)
_SEPARATORS = re.compile(r"[,\n;|]|\s[-–—@]\s")
_MAIL = re.compile(r"\S+@\S+\.\w+")
_NO_PLACE = re.compile(
    rf"{_IN_WORDS}|\d{{1,2}}(?:[:.]\d\d)?\s*(?:[ap]\.?m\.?)?|t\.?b\.?[acd]\.?|to be (?:announced|confirmed|decided|determined)"
    r"|(?:see|check) (?:the )?(?:website|description|details|link)|anywhere|various(?: locations)?|private|n/?a|none|unknown",
    re.IGNORECASE,
)
_REGION = re.compile(r"([A-Z]{2}|[A-Z][a-z]+)(?:\s+\d{5}(?:-\d{4})?)|[A-Z]{2}")  # "TN 37203", "TN"
_POSTCODE = re.compile(
    r"^(?:[A-Z]{1,2}-)?\d{4,6}(?:\s?[A-Z]{2}\b)?\s*(?=[^\W\d])|\s+(?:\d{4,6}|[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2})$"
)
_GLUED_COUNTRY = re.compile(rf"(.+) ({'|'.join(map(re.escape, _COUNTRIES))})\.?", re.IGNORECASE)
_STREET = re.compile(
    r"^\d+[\w/-]*\s|\s\d+\s*[a-z]?(?:\s*[-/]\s*\d+)?$|(?<=\w\s)(?:street|st|road|rd|avenue|ave|blvd|suite|floor)\b\.?"
    r"|(?:straße|strasse|str\.|weg|platz|gasse|allee)\b",
    re.IGNORECASE,
)


def meeting_url(text: str) -> str | None:
    """Return the first link in a text that leads into a video meeting."""
    found = _MEETING_URL.search(text) if "://" in text else None
    return clean_url(found[0].rstrip(".,;")) if found else None


def first_url(text: str) -> str | None:
    found = _ANY_URL.search(text) if "://" in text else None
    return clean_url(found[0].rstrip(".,;")) if found else None


def is_online_in_words(text: str) -> bool:
    return _ONLINE_WORDS.fullmatch(text.strip(" .()[]")) is not None


def without_online_part(location: str) -> tuple[str, bool]:
    """Return a location line without an ending like ", and on Zoom", and whether it had one."""
    ending = location[-_LONGEST_ENDING:]
    if _tells(ending, _SIGNS_OF_ONLINE):  # the pattern takes seconds for a page of blanks
        found = _ALSO_ONLINE.search(ending)
        if found and (place := location[: len(location) - len(found[0])]).strip():
            return place, True
    return location, False


def tells_of_both_ways(title: str, description: str) -> bool:
    """Tell whether a text invites people to a place and online; that it names either is no evidence."""
    text = f"{title}\n{description[:_FIRST_WORDS]}"
    return _tells(text, _SIGNS_OF_BOTH) and _BOTH.search(text) is not None


def _tells(text: str, signs: tuple[str, ...]) -> bool:
    lowered = text.casefold()
    return any(sign in lowered for sign in signs)


def mode_of(venue: Venue | None, *, is_online: bool) -> Mode:
    if venue is not None:
        return "hybrid" if is_online else "in_person"
    return "online" if is_online else "unknown"


def read_venue(text: str, position: tuple[float, float] | None = None) -> Venue | None:
    """Return the venue that a location line names; links and words like "Online" are none.

    Understands "Hall, Am Kai 7, 20457 Hamburg, Germany" and "Hall, 5 Elm St, Nashville, TN 37203, USA"; what it
    cannot tell apart stays in the name or the address.
    """
    return _read_venue(text[:LONGEST_LOCATION], position)


@lru_cache(maxsize=512)  # most calendars know few places
def _read_venue(text: str, position: tuple[float, float] | None) -> Venue | None:
    lat, lon = position or (None, None)
    words = clean_text(_ANY_URL.sub(" ", text) if "://" in text else text)
    told = (one_line(part).strip(" \\") for part in _SEPARATORS.split(_MAIL.sub(" ", words) if "@" in words else words))
    parts = [part for part in told if (bare := part.strip(" .-–()[]")) and not _NO_PLACE.fullmatch(bare)]
    if not parts:
        return Venue(lat=lat, lon=lon) if position else None
    name = None if _STREET.search(parts[0]) and len(parts) > 1 else parts[0]
    rest = parts if name is None else parts[1:]
    country = city = None
    if rest and (known := _COUNTRIES.get(rest[-1].casefold().strip(" .)"))):
        country, rest = known, rest[:-1]
    elif rest and (glued := _GLUED_COUNTRY.fullmatch(rest[-1])) and _is_region(glued[1]):
        country, rest = _COUNTRIES[glued[2].casefold()], [*rest[:-1], glued[1]]
    if len(parts) == 2 and country is None and rest and _is_state(rest[-1]):
        return Venue(address=", ".join(parts), city=parts[0], lat=lat, lon=lon)
    region = rest[-1] if len(rest) > 1 and _is_region(rest[-1]) else None
    places = rest[:-1] if region else rest
    if places and not (len(places) == 1 and _STREET.search(_POSTCODE.sub("", places[0]))):
        city = _POSTCODE.sub("", places[-1]).strip(" ()") or None
    if city and (any(char.isdigit() for char in city) or len(city) > 60):
        city = None
    address = ", ".join(rest) or None
    return Venue(name=name, address=address, city=city, country=country, lat=lat, lon=lon)


def _is_region(part: str) -> bool:
    return _REGION.fullmatch(part) is not None or _is_state(part)


def _is_state(part: str) -> bool:
    return part.casefold() in _STATES or (part.isupper() and part.isalpha() and len(part) == 2)


def read_position(text: str) -> tuple[float, float] | None:
    """Return latitude and longitude of a GEO value or geo: address, where they are on this planet and not 0, 0."""
    parts = re.split(r"[;,]", text.removeprefix("geo:"))
    try:
        lat, lon = float(parts[0]), float(parts[1])
    except (ValueError, IndexError):
        return None
    return (lat, lon) if abs(lat) <= 90 and abs(lon) <= 180 and (lat or lon) else None
