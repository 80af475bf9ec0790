"""Step 2, reading: JSON as people and templates write it, repaired where only one meaning is left."""

from __future__ import annotations

import html
import json
import re
from typing import Any, NamedTuple

MOST_UNCLOSED = 4  # a document, its list, an event in it and that event's place

# What has no end is taken as if it went on to the end of the text, so that nothing is looked at twice.
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*("?)'
_STRING_OR_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_STRING_OR_COMMA = re.compile(rf"{_STRING}|,(?=\s*[}}\]])", re.DOTALL)
_STRING_OR_BRACKET = re.compile(rf"{_STRING}|[{{}}\[\]]", re.DOTALL)
_STRING_OF_EITHER_KIND = re.compile(rf"{_STRING}|'(?P<inner>[^'\\]*(?:\\.[^'\\]*)*)'?", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
# Around and between documents; a comment of HTML is one where it holds no document.
_GAP = re.compile(r"(?:[\s;,\ufeff]|<!--[^{\[<]*-->|<!--|-->|<!\[CDATA\[|\]\]>)*")
# A text of an object, up to the quote behind which the object goes on or ends.
_TEXT = re.compile(r'("[@\w:.-]{1,60}"\s*:\s*")(?:([^\n]*?)"(?=\s*,\s*"[@\w:.-]{1,60}"\s*:|\s*(?:,\s*)?[}\]])|[^\n]*)')
_BARE_QUOTE = re.compile(r'(?<!\\)"')
_ESCAPED_QUOTE = r'\\"'  # as `re.sub` wants it
_CLOSING = {"{": "}", "[": "]"}


class Repaired(NamedTuple):
    documents: list[Any]
    breaks_off: bool = False  # brackets were missing at its end, and who knows what else


def repaired(text: str) -> Repaired:
    """Return the documents in a script, in spite of comments, CDATA, entities, trailing commas and bad escapes.

    Single quotes, bare quotes inside of a text and brackets that are missing at the end are mended where what comes
    out is JSON. Raises ValueError.
    """
    if "&quot;" in text and '"' not in text:
        text = html.unescape(text)
    if "'@type'" in text and '"@type"' not in text:
        text = _double_quoted(text)
    text = _STRING_OR_COMMENT.sub(lambda found: _kept_string(found[0]), text)
    text = _STRING_OR_COMMA.sub(lambda found: "" if found[0] == "," else found[0], text)
    try:
        return Repaired(_documents(text))
    except ValueError:
        requoted = _TEXT.sub(_escaped, text)
    try:
        return Repaired(_documents(requoted))
    except ValueError:
        closing = _closing(requoted)
        if not closing:
            raise
    return Repaired(_documents(requoted + closing), breaks_off=True)


def _documents(text: str) -> list[Any]:
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


def _double_quoted(text: str) -> str:
    return _STRING_OF_EITHER_KIND.sub(_in_double_quotes, text)


def _in_double_quotes(found: re.Match[str]) -> str:
    if found["inner"] is None:
        return found[0]
    inner = _BARE_QUOTE.sub(_ESCAPED_QUOTE, found["inner"].replace("\\'", "'"))
    return f'"{inner}"'


def _escaped(found: re.Match[str]) -> str:
    before, inner = found.groups()
    if inner is None or re.search(r'"\s*:', inner):  # a comma is missing: that is a name, and no quotation
        return found[0]
    return before + _BARE_QUOTE.sub(_ESCAPED_QUOTE, inner) + '"'


def _closing(text: str) -> str:
    """Return the brackets that are missing at the end; none where the text ends inside of a string."""
    missing: list[str] = []
    for found in _STRING_OR_BRACKET.finditer(text):
        match found[0]:
            case "{" | "[" as opening:
                missing.append(_CLOSING[opening])
            case "}" | "]" as closing:
                if not missing or missing.pop() != closing:
                    return ""
            case _ if not found[1]:  # a string without end
                return ""
    return "".join(reversed(missing)) if len(missing) <= MOST_UNCLOSED else ""
