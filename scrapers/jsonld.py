"""Step 2, reading: the JSON-LD scripts of a page, each for itself, repaired where it can be."""

from __future__ import annotations

import json
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from scrapers.draft import Problem
from scrapers.json_repair import repaired


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
            found = repaired(text)
        except (ValueError, RecursionError):
            problems.append(Problem("script_broken", subject, f"its JSON cannot be read ({fault}); left out"))
            continue
        documents += found.documents
        if found.breaks_off:
            problems.append(Problem("truncated", subject, f"its JSON breaks off ({fault}); its end may be missing"))
        else:
            problems.append(Problem("script_repaired", subject, f"its JSON was repaired ({fault})"))
    return documents, problems
