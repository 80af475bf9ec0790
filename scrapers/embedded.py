"""Step 2, reading: the JSON that web applications put into their pages, to go on from in the browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from selectolax.lexbor import LexborHTMLParser

MOST_DOCUMENTS = 20  # of each kind
_DATA_SCRIPTS = 'script#__NEXT_DATA__, script#wix-warmup-data, script[type="application/json"]'
_ASSIGNED = re.compile(r"__(?:SERVER_DATA|APOLLO_STATE|INITIAL_STATE|PRELOADED_STATE)__\s*=\s*(?=\{)")
_DECODER = json.JSONDecoder(strict=False)


def has_data_scripts(text: str) -> bool:
    return "application/json" in text or "__NEXT_DATA__" in text or "wix-warmup-data" in text


def data_scripts(page: LexborHTMLParser) -> Iterator[Any]:
    """Yield the documents that Next.js, Wix and others embed."""
    return _documents(script.text() for script in page.css(_DATA_SCRIPTS))


def has_assignments(text: str) -> bool:
    return "_STATE__" in text or "SERVER_DATA__" in text


def assigned(page: LexborHTMLParser) -> Iterator[Any]:
    """Yield what scripts assign to the well-known names of such data."""
    scripts = (script.text() for script in page.css("script:not([src])"))
    return _documents(code[found.end() :] for code in scripts if (found := _ASSIGNED.search(code)))


def _documents(texts: Iterable[str]) -> Iterator[Any]:
    decoded = map(_decoded, texts)
    return islice((document for document in decoded if document is not None), MOST_DOCUMENTS)


def _decoded(text: str) -> Any:
    """Return the JSON that a text starts with; None where it is no JSON, as most scripts are."""
    try:
        return _DECODER.raw_decode(text.lstrip())[0]
    except (ValueError, RecursionError):
        return None
