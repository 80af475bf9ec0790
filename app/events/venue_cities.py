"""Step 4, placing: the city a venue's words mean, in whatever way they are written, told from its namesakes by its address."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app import places
from app.places import City
from scrapers import Venue

_POSTCODE = re.compile(
    r"^(?:[A-Z]{1,2}-)?\d{3,6}(?:\s\d{2})?\s+(?=\D)"
)  # "1010 Wien", "D-20457 Hamburg", "111 22 Stockholm"
_DISTRICT = re.compile(
    r",?\s+(?:"
    r"\d{1,6}\.?(?i:er|e|è?me|th|st|nd|rd)?(?i:\s+arr(?:\.|ondissement)?)?"  # "Paris 11e", "Praha 1", "Wien 1010"
    r"|[A-Z]{1,2}\d[A-Z\d]{0,2}(?:\s+[A-Z\d]{3,4})?"  # "London SE1 9GF", "Dublin D02 X285"
    r"|[A-ZÆØÅ]{1,2}|[IVX]+\.?|(?i:cedex)(?:\s+\d+)?"  # "København NV", "Budapest XIII.", "Lyon Cedex 3"
    r")$"
)
_STATE = re.compile(r"\s+([A-Z]{2,3})$")  # "Portland ME"
_MUNICIPALITY = re.compile(r"(?<=[\u3400-\u9fff])[市都府縣县]$")  # 大阪市

# GeoNames numbers the states of these countries; people write letters.
_STATES = {
    "AU": {"01": "ACT", "02": "NSW", "03": "NT", "04": "QLD", "05": "SA", "06": "TAS", "07": "VIC", "08": "WA"},
    "CA": {"01": "AB", "02": "BC", "03": "MB", "04": "NB", "05": "NL", "07": "NS", "08": "ON", "09": "PE", "10": "QC", "11": "SK"},
}  # fmt: skip


def city_of(venue: Venue) -> City | None:
    """Return the city a venue is in, or None where nobody could be sure of it."""
    for name in dict.fromkeys(_readings(venue.city or "", venue.country)):
        if found := places.cities_called(", ".join(filter(None, (name, venue.country)))):
            return places.sure_of([city for city in found if _is_told(city, venue.address or "")] or found)
    return None


def is_one_city(here: Venue, there: Venue) -> bool:
    """Whether two venues are in one city, in whatever language it is named."""
    country, other_country = (places.country_code(venue.country or "") for venue in (here, there))
    if country and other_country and country != other_country:
        return False
    if places.key(here.city or "") == places.key(there.city or ""):
        return True
    city = city_of(here)
    return city is not None and city == city_of(there)


def _readings(city: str, country: str | None) -> Iterator[str]:
    """Yield what may be a city's name, as long as nothing is called so: what stands beside it is taken off."""
    yield city.replace(",", ", ")
    yield _STATE.sub(r", \1", city)
    plain = _MUNICIPALITY.sub("", _DISTRICT.sub("", _POSTCODE.sub("", city.strip())))
    yield plain.replace(",", ", ")
    if country:  # "Paris, Ontario" without one is not the Paris of France
        yield plain.partition(",")[0]


def _is_told(city: City, address: str) -> bool:
    """Whether an address names a city's state, as in "5 Elm St, Portland, ME 04101"."""
    code, _, name = city.region.partition("/")
    names = (code, name) if city.country == "US" else (_STATES.get(city.country, {}).get(code, ""),)
    return any(re.search(rf"[,\s]{re.escape(name)}(?=,|\s+\d|\s+[A-Z]\d[A-Z]|\s*$)", address) for name in names if name)
