"""Step 2, reading: whose clocks an event without an offset means: those of its venue, as far as the address tells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from scrapers.draft import Venue
from scrapers.times import zone_at
from scrapers.zone_names import resolve_zone

# The zone of most people in countries that have several; the others come after it.
_MAIN_ZONES = {
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "MX": "America/Mexico_City",
    "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon",
    "UA": "Europe/Kyiv",
}
_NAMES_OF_COUNTRIES = {
    "america": "US",
    "belgique": "BE",
    "belgië": "BE",
    "brasil": "BR",
    "czechia": "CZ",
    "danmark": "DK",
    "deutschland": "DE",
    "england": "GB",
    "españa": "ES",
    "great britain": "GB",
    "holland": "NL",
    "italia": "IT",
    "méxico": "MX",
    "nederland": "NL",
    "northern ireland": "GB",
    "norge": "NO",
    "polska": "PL",
    "russia": "RU",
    "schweiz": "CH",
    "scotland": "GB",
    "south korea": "KR",
    "suisse": "CH",
    "sverige": "SE",
    "the netherlands": "NL",
    "türkiye": "TR",
    "u.s.": "US",
    "u.s.a.": "US",
    "uk": "GB",
    "united kingdom": "GB",
    "united states of america": "US",
    "usa": "US",
    "vietnam": "VN",
    "wales": "GB",
    "österreich": "AT",
}
_REGIONS = {
    "US": {
        "America/New_York": "CT Connecticut, DC District of Columbia, DE Delaware, FL Florida, GA Georgia, IN Indiana,"
        " KY Kentucky, MA Massachusetts, MD Maryland, ME Maine, MI Michigan, NC North Carolina, NH New Hampshire,"
        " NJ New Jersey, NY New York, OH Ohio, PA Pennsylvania, RI Rhode Island, SC South Carolina, VA Virginia,"
        " VT Vermont, WV West Virginia",
        "America/Chicago": "AL Alabama, AR Arkansas, IA Iowa, IL Illinois, KS Kansas, LA Louisiana, MN Minnesota,"
        " MO Missouri, MS Mississippi, ND North Dakota, NE Nebraska, OK Oklahoma, SD South Dakota, TN Tennessee,"
        " TX Texas, WI Wisconsin",
        "America/Denver": "CO Colorado, ID Idaho, MT Montana, NM New Mexico, UT Utah, WY Wyoming",
        "America/Phoenix": "AZ Arizona",
        "America/Los_Angeles": "CA California, NV Nevada, OR Oregon, WA Washington",
        "America/Anchorage": "AK Alaska",
        "Pacific/Honolulu": "HI Hawaii",
    },
    "CA": {
        "America/Toronto": "ON Ontario, QC Quebec, QC Québec",
        "America/Vancouver": "BC British Columbia",
        "America/Edmonton": "AB Alberta",
        "America/Winnipeg": "MB Manitoba",
        "America/Regina": "SK Saskatchewan",
        "America/Halifax": "NB New Brunswick, NS Nova Scotia, PE Prince Edward Island",
        "America/St_Johns": "NL Newfoundland and Labrador",
    },
    "AU": {
        "Australia/Sydney": "ACT Australian Capital Territory, NSW New South Wales",
        "Australia/Melbourne": "VIC Victoria",
        "Australia/Brisbane": "QLD Queensland",
        "Australia/Adelaide": "SA South Australia",
        "Australia/Perth": "WA Western Australia",
        "Australia/Darwin": "NT Northern Territory",
        "Australia/Hobart": "TAS Tasmania",
    },
}
_ALSO = {  # states whose smaller part lives by other clocks
    "FL": "America/Chicago",
    "ID": "America/Los_Angeles",
    "IN": "America/Chicago",
    "KY": "America/Chicago",
    "ND": "America/Denver",
    "NE": "America/Denver",
    "OR": "America/Denver",
    "SD": "America/Denver",
    "TN": "America/New_York",
    "TX": "America/Denver",
}
_REGION = re.compile(
    r"(?:^|,)\s*(?P<region>[^\W\d][\w. ]*?)\s*(?P<code>\b\d{4,5}(?:-\d{4})?|\b[A-Z]\d[A-Z] ?\d[A-Z]\d)?"
    r"(?:,\s*(?:USA?|United States(?: of America)?|Canada|Australia))?\s*$"
)
_SEASONS = tuple(datetime(2026, month, 15, tzinfo=UTC) for month in (1, 3, 7, 11))


def zone_of(venue: Venue | None, fallback: ZoneInfo) -> ZoneInfo:
    """Return the zone in which people read the clock at a venue; `fallback` where that is not told.

    Where an address leaves several zones open, `fallback` decides if it is one of them.
    """
    if venue is None:
        return fallback
    if placed := zone_at(venue.lat, venue.lon):
        return placed
    open_ = [ZoneInfo(key) for key in _candidates(venue.city or "", venue.address or "", venue.country or "")]
    if not open_ or any(_clocks(zone) == _clocks(fallback) for zone in open_):
        return fallback
    return open_[0]


def _candidates(city: str, address: str, country: str) -> Sequence[str]:
    """Return the IANA names that an address leaves open, the likeliest first."""
    code = _code_of(country)
    if country and code is None:
        return []
    region = _REGION.search(address)
    if region and (code or region["code"] or len(region["region"]) > 3):
        found = _regions(code or "US").get(region["region"].strip(" .").casefold())
        if found:
            return found
    if code is None:
        named = resolve_zone(city) if len(city) > 3 else None
        return [named.key] if named and "/" in named.key else []
    zones = _zones_of_countries().get(code, [])
    in_city = [zone for zone in zones if zone.rpartition("/")[2].replace("_", " ").casefold() == city.casefold()]
    if in_city:
        return in_city
    if code in _MAIN_ZONES:
        return [_MAIN_ZONES[code], *zones]
    return zones[:1] if len({_clocks(ZoneInfo(zone)) for zone in zones}) == 1 else []


def _code_of(country: str) -> str | None:
    name = country.strip(" .").casefold()
    return _NAMES_OF_COUNTRIES.get(country.strip().casefold()) or _codes().get(name)


@cache
def _codes() -> dict[str, str]:
    """Return the code of each country by its English name and by the code itself, in lower case."""
    rows = [line.split("\t") for line in _table("iso3166.tab")]
    return {word.casefold(): code for code, name in rows for word in (code, name)}


@cache
def _zones_of_countries() -> dict[str, list[str]]:
    zones: dict[str, list[str]] = {}
    for line in _table("zone.tab"):
        code, _, zone, *_ = line.split("\t")
        zones.setdefault(code, []).append(zone)
    return zones


def _table(name: str) -> list[str]:
    text = (files("tzdata") / "zoneinfo" / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@cache
def _regions(country: str) -> dict[str, list[str]]:
    """Return the zones of a country's states by name and abbreviation, in lower case."""
    found: dict[str, list[str]] = {}
    for zone, listed in _REGIONS.get(country, {}).items():
        for each in listed.split(", "):
            short, _, name = each.strip().partition(" ")
            zones = [zone, *([_ALSO[short]] if country == "US" and short in _ALSO else [])]
            found[short.casefold()] = found[name.casefold()] = zones
    return found


@cache
def _clocks(zone: ZoneInfo) -> tuple[object, ...]:
    return tuple(moment.astimezone(zone).utcoffset() for moment in _SEASONS)
