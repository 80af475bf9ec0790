"""Step 2, reading: bytes become text the way a browser would decode them."""

from __future__ import annotations

import codecs
import re

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_IN_HEADER = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_IN_MARKUP = re.compile(
    rb"<meta[^>]{0,500}?charset\s*=\s*[\"']?([\w.:-]+)|^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]+)",
    re.IGNORECASE,
)
_SEARCHED = 4096  # the HTML standard looks at 1,024 bytes; pages with long heads put it later

# Labels come from strangers: "idna" is quadratic, "unicode_escape" makes bytes into code points of their choice.
_TRUSTED = re.compile(
    r"utf-8|utf-16(?:-le|-be)?|ascii|iso8859-\d+|cp125\d|cp866|cp874|cp932|cp949|koi8-[ru]|mac-\w+"
    r"|shift_jis|euc_jp|iso2022_jp|euc_kr|gb2312|gbk|gb18030|big5|tis-620"
)


def decode(body: bytes, content_type: str | None) -> str:
    """Return the text of a body: byte order mark, then the header's charset, then its own, UTF-8, Windows-1252."""
    for mark, codec in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(codec, "replace")
    declared = _declared_in_header(content_type) or _declared_in_markup(body)
    if declared is not None and declared != "utf-8":
        return body.decode(declared, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        # A page that says it is UTF-8 and has a few torn characters is better read with gaps than as Windows-1252.
        return body.decode("utf-8" if declared else "cp1252", "replace")


def _declared_in_header(content_type: str | None) -> str | None:
    found = _IN_HEADER.search(content_type or "")
    return _codec(found[1]) if found else None


def _declared_in_markup(body: bytes) -> str | None:
    found = _IN_MARKUP.search(body[:_SEARCHED])
    codec = _codec((found[1] or found[2]).decode("ascii", "replace")) if found else None
    # What could be read as ASCII up to here is no UTF-16, whatever it says (HTML standard, prescan a byte stream).
    return "utf-8" if codec and codec.startswith("utf-16") else codec


def _codec(label: str) -> str | None:
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return None
    if not _TRUSTED.fullmatch(name):
        return None
    return "cp1252" if name in ("ascii", "iso8859-1") else name  # as the Encoding standard has it
