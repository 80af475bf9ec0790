"""Step 2, reading: whether a page is all there: some servers cut an answer off, and call it complete."""

from __future__ import annotations

import re

_ROOT = re.compile(rb"<(html|rss|feed|rdf:rdf)[\s>]", re.IGNORECASE)
_BEGINNING = 4096  # bytes in which the root element begins


def is_cut_off(body: bytes) -> bool:
    """Tell whether an HTML page or a news feed ends before its root element does.

    HTML may leave `</html>` out (WHATWG HTML §13.1.2.4); of 413 saved pages three do, and all those end with `</body>`.
    """
    text = body.replace(b"\0", b"")  # UTF-16 has one beside each letter of a tag
    root = _ROOT.search(text[:_BEGINNING])
    if root is None:
        return False
    text = text.lower()
    return text.rfind(b"</" + root[1].lower()) < 0 and text.rfind(b"</body") < 0
