"""Step 2, reading: the JSON-LD scripts of a page, each for itself, repaired where it can be."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from scrapers.draft import Problem

_STRING_OR_COMMENT = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_STRING_OR_COMMA = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|,(?=\s*[}\]])')
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_GAP = re.compile(r"(?:[\s;,\ufeff]|<!--|-->|<!\[CDATA\[|\]\]>)*")  # around and between documents


def has_scripts(text: str) -> bool:
    """Tell whether a page may hold JSON-LD; some writers escape the plus sign of its type."""
    return ("json" in text and ("ld+json" in text or ";json" in text)) or "LD+JSON" in text


def read_scripts(tree: LexborHTMLParser) -> tuple[list[Any], list[Problem]]:
    """Return the documents of a page's JSON-LD scripts, and which of the scripts had to be repaired or left out."""
    documents, problems = [], []
    for number, script in enumerate(tree.css('script[type*="ld+json" i]'), start=1):
        text = script.text()
        if not text.strip():
            continue
        subject = f"script {number}"
        try:
            documents.append(json.loads(text, strict=False))
            continue
        except (ValueError, RecursionError) as error:
            fault = str(error)
        try:
            documents += repaired(text)
            problems.append(Problem("script_repaired", subject, f"its JSON was repaired ({fault})"))
        except (ValueError, RecursionError):
            problems.append(Problem("script_broken", subject, f"its JSON cannot be read ({fault}); left out"))
    return documents, problems


def repaired(text: str) -> list[Any]:
    """Return the documents in a script, in spite of comments, CDATA, entities, trailing commas and bad escapes."""
    if "&quot;" in text and '"' not in text:
        text = html.unescape(text)
    text = _STRING_OR_COMMENT.sub(lambda found: _kept_string(found[0]), text)
    text = _STRING_OR_COMMA.sub(lambda found: "" if found[0] == "," else found[0], text)
    decoder = json.JSONDecoder(strict=False)
    documents, position = [], _after_gap(text, 0)
    while position < len(text):
        document, end = decoder.raw_decode(text, position)
        documents.append(document)
        position = _after_gap(text, end)
    return documents


def _after_gap(text: str, position: int) -> int:
    gap = _GAP.match(text, position)
    return gap.end() if gap else position


def _kept_string(token: str) -> str:
    return _ESCAPE.sub(_kept_escape, token) if token.startswith('"') else " "


def _kept_escape(found: re.Match[str]) -> str:
    escape = found[1]
    return found[0] if escape in '"\\/bfnrt' or len(escape) == 5 else escape
