"""How fast real pages are read, all syntaxes and platforms, beside selectolax's bare parse; needs ../shared/corpus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from benchmarks.measure import Row, seconds, table
from scrapers import Unreadable, Window, read_here
from scrapers.charset import decode

CORPUS = Path(__file__).parent.parent.parent / "shared" / "corpus"
EVER = Window(datetime(1990, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC))


def rows() -> Iterator[Row]:
    bodies = {path.name: path.read_bytes() for path in sorted((CORPUS / "html").glob("*.html"))}
    texts = {name: decode(body, "text/html") for name, body in bodies.items()}
    bare, own = seconds(
        lambda: [LexborHTMLParser(text) for text in texts.values()],
        lambda: [_events(body) for body in bodies.values()],
        times=2,
    )
    size = f"{len(bodies)} pages, {sum(map(len, bodies.values())) / 1e6:.0f} MB"
    yield Row(
        f"{size}: all syntaxes and platforms",
        f"{len(bodies) / own:,.0f} pages/s",
        f"selectolax, parse only {len(bodies) / bare:,.0f} pages/s",
        f"{bare / own:.2f}",
    )
    reference = json.loads((CORPUS / "reference" / "html.json").read_text(encoding="utf-8"))
    # Several syntaxes of one page tell of the same events, and a broken page is "error".
    theirs = sum(
        max((len(found) for found in page["events"].values() if found != "error"), default=0)
        for name, page in reference.items()
        if name in bodies
    )
    ours = sum(map(_events, bodies.values()))
    yield Row(f"{size}: events found", f"{ours:,}", f"extruct {theirs:,}", f"{ours / theirs:.2f}")


def _events(body: bytes) -> int:
    try:
        return len(read_here(body, url="https://page.example/", content_type="text/html", window=EVER).events)
    except Unreadable:
        return 0


if __name__ == "__main__":
    print(table(rows()))
