"""Where a city is, offline: a reduced table of 34,000 cities (GeoNames, CC BY 4.0; see data/NOTICE.md)."""

from __future__ import annotations

import gzip
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

CITIES = Path(__file__).parent / "data" / "cities.tsv.gz"
COUNTRIES = Path(__file__).parent / "data" / "countries.tsv"
DOMINANCE = 8  # a city this many times larger than its namesakes is what people mean (Paris, Nashville)
EARTH_RADIUS_KM = 6371.0088  # mean radius, IUGG


class UnknownPlace(ValueError):  # noqa: N818
    """No city has that name, or several have; the message says which there are."""


@dataclass(frozen=True, slots=True)
class City:
    name: str
    country: str  # ISO 3166-1 alpha-2
    region: str  # GeoNames admin1 code; for the US "TN/Tennessee"
    lat: float
    lon: float
    population: int
    zone: str

    @property
    def label(self) -> str:
        region = self.region.partition("/")[0] if self.country == "US" else ""
        return ", ".join(filter(None, (self.name, region, self.country)))


def key(name: str) -> str:
    """Return the form in which place names are compared: case, accents, spaces and signs do not count."""
    text = name.casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    elif text.isalnum():
        return text
    return "".join(character for character in text if character.isalnum())


@cache
def _cities() -> dict[str, list[City]]:
    table: dict[str, list[City]] = {}
    for line in gzip.decompress(CITIES.read_bytes()).decode().splitlines():
        name, country, region, lat, lon, population, zone, aliases = line.split("\t")
        city = City(name, country, region, float(lat), float(lon), int(population), zone)
        for known_as in (name, *filter(None, aliases.split("|"))):
            table.setdefault(key(known_as), []).append(city)
    return table  # largest first, as the file is


def cities_called(text: str) -> list[City]:
    """Return the cities that `Name[, region][, country]` may mean, largest first."""
    name, *details = [part.strip() for part in text.split(",")]
    wanted = [key(detail) for detail in details if detail]
    spellings = _spellings(name)
    named = [city for spelling in spellings for city in _cities().get(spelling, [])]
    found = {city: None for city in named if all(_lies_in(city, detail) for detail in wanted)}
    # Of a city that is called so abroad people think where it is large beside those that are called so at home.
    at_home = [city.population for city in found if key(city.name) in spellings]
    least = DOMINANCE * max(at_home, default=0)
    meant = (city for city in found if key(city.name) in spellings or city.population >= least)
    return sorted(meant, key=lambda city: -city.population)


_SHORTENED = {"saint": "st", "fort": "ft", "mount": "mt"}


def _spellings(name: str) -> list[str]:
    """Return the keys a name may stand under: as it is, "Saint" cut short, and where that is nothing, written out, or
    "ue" for "ü".
    """
    plain = key(name)
    spellings = [plain, *(_begun_with(short, name, instead_of=long) for long, short in _SHORTENED.items())]
    if not any(spelling in _cities() for spelling in spellings):
        spellings += [_begun_with(long, name, instead_of=short) for long, short in _SHORTENED.items()]
        spellings.append(re.sub("([aou])e", r"\1", plain))
    return list(dict.fromkeys(spellings))


def _begun_with(word: str, name: str, *, instead_of: str) -> str:
    return key(re.sub(rf"^{instead_of}\b", word, name.strip(), flags=re.IGNORECASE))


def cities_like(text: str, limit: int = 6) -> list[City]:
    """Return cities that `Name[, region][, country]` may have meant: of that name, else of a name spelled like it."""
    name, separator, details = text.partition(",")
    names = [name] if cities_called(text) else get_close_matches(key(name), _cities(), n=limit, cutoff=0.75)
    found = [city for other in names for city in cities_called(f"{other}{separator}{details}")]
    return list(dict.fromkeys(found))[:limit]


def _lies_in(city: City, detail: str) -> bool:
    return detail in {key(part) for part in city.region.split("/")} or country_code(detail) == city.country


# What people write that is no country's English name.
COUNTRY_ALIASES = {
    "usa": "US",
    "us": "US",
    "unitedstatesofamerica": "US",
    "america": "US",
    "uk": "GB",
    "greatbritain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northernireland": "GB",
    "deutschland": "DE",
    "osterreich": "AT",
    "schweiz": "CH",
    "suisse": "CH",
    "espana": "ES",
    "italia": "IT",
    "nederland": "NL",
    "thenetherlands": "NL",
    "holland": "NL",
    "czechrepublic": "CZ",
    "turkiye": "TR",
    "korea": "KR",
    "brasil": "BR",
    "uae": "AE",
}


@cache
def _country_codes() -> dict[str, str]:
    rows = (line.split("\t") for line in COUNTRIES.read_text("utf-8").splitlines())
    codes = {key(name): code for code, name in rows}
    return codes | {key(code): code for code in codes.values()} | COUNTRY_ALIASES


def country_code(name: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of a country's name or code, or None."""
    return _country_codes().get(key(name))


def find_city(text: str) -> City:
    """Return the city people mean by `Name[, region][, country]`.

    Raises UnknownPlace when no city is called so, or when several of like size are; the message lists them.
    """
    found = cities_called(text)
    if not found:
        raise UnknownPlace(f"no city of 15,000 or more people is called {text!r}; try a larger one nearby, or LAT,LON")
    city = sure_of(found)
    if city is None:
        choices = "; ".join(city.label for city in found[:6])
        raise UnknownPlace(f"{text!r} may mean several cities: {choices}. Write one of these")
    return city


def sure_of(found: Sequence[City]) -> City | None:
    """Return the one of several cities of a name, largest first, that people mean; None where they may mean another."""
    is_sure = len(found) == 1 or found[0].population >= DOMINANCE * found[1].population
    return found[0] if is_sure else None


def locate(city: str, country: str | None) -> City | None:
    """Return the city a venue's words name, or None where nobody could be sure of it."""
    try:
        return find_city(", ".join(filter(None, (city.replace(",", ", "), country))))
    except UnknownPlace:
        return None


@dataclass(frozen=True, slots=True)
class Spot:
    """A point people start from."""

    lat: float
    lon: float
    name: str
    zone: str | None = None


DEMONSTRATION = Spot(51.852, -8.298, "Port Ellery", "Europe/Dublin")  # invented: no gazetteer knows it


def find_spot(text: str) -> Spot:
    """Return the point a city's name or `LAT,LON` in degrees stands for; raises UnknownPlace."""
    if key(text) == key(DEMONSTRATION.name):
        return DEMONSTRATION
    first, _, second = text.partition(",")
    try:
        lat, lon = float(first), float(second)
    except ValueError:
        city = find_city(text)
        return Spot(city.lat, city.lon, city.label, city.zone)
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise UnknownPlace(f"{text!r} is no point on earth: latitude −90 … 90, longitude −180 … 180")
    return Spot(lat, lon, f"{lat:g},{lon:g}")


def distance_km(lat: float, lon: float, other_lat: Any, other_lon: Any) -> float:
    """Return the great-circle distance in kilometres (haversine; Sinnott 1984)."""
    p, q = math.radians(lat), math.radians(other_lat)
    h = math.sin((q - p) / 2) ** 2 + math.cos(p) * math.cos(q) * math.sin(math.radians(other_lon - lon) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(h)))


def box_around(lat: float, lon: float, radius_km: float) -> tuple[float, float, float, float]:
    """Return (south, north, west, east) in degrees of a box that holds the circle; an index finds it fast."""
    height = math.degrees(radius_km / EARTH_RADIUS_KM)
    width = min(180.0, height / max(0.01, math.cos(math.radians(min(89.0, abs(lat) + height)))))
    return lat - height, lat + height, lon - width, lon + width
