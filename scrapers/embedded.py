"""Step 2, reading: the JSON that web applications put into their pages, to go on from in the browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from selectolax.lexbor import LexborHTMLParser

MOST_DOCUMENTS = 20
_DATA_SCRIPTS = 'script#__NEXT_DATA__, script#wix-warmup-data, script[type="application/json"]'
_ASSIGNED = re.compile(r"\b(?:__SERVER_DATA__|__APOLLO_STATE__|__INITIAL_STATE__|__PRELOADED_STATE__)\s*=\s*(?=\{)")
_DECODER = json.JSONDecoder(strict=False)


def embedded_documents(page: LexborHTMLParser) -> Iterator[Any]:
    """Yield what Next.js, Wix and others embed, and what scripts assign to the well-known names of such data."""
    count = 0
    for script in page.css(_DATA_SCRIPTS):
        if count < MOST_DOCUMENTS and (document := _decoded(script.text())) is not None:
            count += 1
            yield document
    for script in page.css("script:not([src])"):
        text = script.text()
        if count < MOST_DOCUMENTS and (assigned := _ASSIGNED.search(text)):
            document = _decoded(text[assigned.end() :])
            if document is not None:
                count += 1
                yield document


def _decoded(text: str) -> Any:
    """Return the JSON that a text starts with; None where it is no JSON, as most scripts are."""
    try:
        return _DECODER.raw_decode(text.lstrip())[0]
    except (ValueError, RecursionError):
        return None
