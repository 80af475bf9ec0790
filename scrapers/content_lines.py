"""Step 2, calendars, the first half: bytes become components, components become content lines (RFC 5545 §3.1)."""

from __future__ import annotations

import quopri
import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import NamedTuple

_SOFT_BREAKS = re.compile(rb"\n[^\n:]*QUOTED-PRINTABLE[^\n]*=\n(?:[^\n]*=\n)*", re.IGNORECASE)
_ODD_LINE = re.compile(r"\n(?![A-Z0-9.-]+[;:])")
_NOT_A_LINE = re.compile(r"\n(?![A-Za-z0-9.-]+[ \t]*[;:])")
_SMALL_NAME = re.compile(r"\n(?=[A-Z0-9.-]*[a-z])[A-Za-z0-9.-]+(?=[ \t]*[:;])")
_MARK = re.compile(r"\n(BEGIN|END):[ \t]*([A-Za-z0-9-]+)[ \t]*(?=\n)")
_QUOTED_PARAMETERS = re.compile(r'((?:[^":]|"[^"]*")*):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';?([A-Za-z0-9-]+)=("[^"]*"|[^;]*)')
_ESCAPES = (("\\n", "\n"), ("\\N", "\n"), ("\\,", ","), ("\\;", ";"), ("\\:", ":"), ('\\"', '"'))
_BARE_SEMICOLON = re.compile(r"(?<!\\);")
_INDENTED_MARK = re.compile(rb"\n[ \t]+(?:BEGIN|END):V", re.IGNORECASE)
_INDENTED_LINE = re.compile(rb"\n[ \t]+(?=[A-Za-z][A-Za-z0-9-]*[;:])")
_PAGE_START = re.compile(r"[{[]|<(?:!doctype|\?xml|html|head|body|rss|feed)\b|<!--", re.IGNORECASE)
_CALENDAR_START = re.compile(r"^[ \t]*BEGIN:[ \t]*(?:VCALENDAR|VEVENT)\b", re.IGNORECASE | re.MULTILINE)
LOOKED_AT = 4096  # octets in which a calendar has to begin, whatever was printed before it
LONGEST_PARAMETERS = 4096  # characters of one line's
DEEPEST = 8  # components inside each other; iCalendar needs 3

# Components that stand directly in a calendar: one that begins inside another shows that the other lost its END.
_TOP_LEVEL = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VTIMEZONE", "VFREEBUSY"})


@dataclass(slots=True)
class Component:
    name: str
    text: str = ""  # its own content lines, each after a "\n"; those of components inside it are not among them
    inside: list[Component] = field(default_factory=list)

    def lines(self, wanted: Names) -> dict[str, list[Property]]:
        """Return the properties of these upper-case names, in the order in which they were written."""
        found: dict[str, list[Property]] = {}
        for name, mark, rest in _line_of(wanted).findall(self.text):
            prop = Property("", rest) if mark == ":" else _with_parameters(rest)
            if prop is None:
                continue
            if name in found:
                found[name].append(prop)
            else:
                found[name] = [prop]
        return found

    def write(self, wanted: Names) -> str:
        """Return the lines of these names, each after a line break."""
        return "".join(f"\n{name}{mark}{rest}" for name, mark, rest in _line_of(wanted).findall(self.text))


Names = frozenset[str] | tuple[str, ...]


@cache
def _line_of(wanted: Names) -> re.Pattern[str]:
    return re.compile(rf"\n({'|'.join(map(re.escape, sorted(wanted)))})[ \t]*([:;])(.*)")


class Property(NamedTuple):
    parameters: str  # as written, without the first ";"
    value: str  # as written: escaped, perhaps quoted-printable

    def parameter(self, name: str) -> str | None:
        return read_parameters(self.parameters).get(name) if self.parameters else None

    @property
    def bare(self) -> str:
        """The value of a property that is no text; junk lines that were glued to it are cut off."""
        return self.value.partition("\\n")[0].strip()

    def up_to(self, length: int) -> Property:
        return self if len(self.value) <= length else Property(self.parameters, self.value[:length])

    @property
    def text(self) -> str:
        """The value of a TEXT property, unescaped."""
        value = self.value
        if self.parameters and "QUOTED-PRINTABLE" in self.parameters.upper():
            value = _unquote(value, self.parameter("CHARSET"))
        return unescape(value)

    @property
    def texts(self) -> list[str]:
        """The values of a list of TEXT, parted by commas, and in vCalendar 1.0 by semicolons; not by those of entities."""
        value = self.value if "&" in self.value else _BARE_SEMICOLON.sub(",", self.value)
        parts = re.split(r"(?<!\\),", value) if "\\" in value else value.split(",")
        return [unescape(part) for part in parts]


def looks_like_calendar(body: bytes) -> bool:
    """Tell whether a calendar begins near the start of these bytes, whatever the server called them."""
    head = body[:LOOKED_AT]
    if b"BEGIN" not in head.replace(b"\0", b"").upper():  # in UTF-16, too
        return False
    text = decode(head)
    return _PAGE_START.match(text.lstrip()) is None and _CALENDAR_START.search(text) is not None


def decode(body: bytes) -> str:
    """Return unfolded lines, each after a line break, their names in capitals; encoding and line ends are repaired.

    Unfolding comes before decoding, since writers that count octets fold inside a character (RFC 5545 §3.1).
    """
    octets = b"\n" + _as_octets(body)
    octets = octets.replace(b"\r\n", b"\n")
    if b"\r" in octets:
        octets = re.sub(rb"\r*\n|\r", b"\n", octets)
    if b"QUOTED-PRINTABLE" in octets or b"quoted-printable" in octets:
        octets = _SOFT_BREAKS.sub(lambda soft: soft[0].replace(b"=\n", b""), octets)
    if b"\n\n" in octets:
        octets = re.sub(rb"\n\n+", b"\n", octets)
    if _INDENTED_MARK.search(octets):  # whole components were indented: what looks like a line is one, and no fold
        octets = _INDENTED_LINE.sub(b"\n", octets)
    octets = octets.replace(b"\n ", b"").replace(b"\n\t", b"")
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = "\n".join(map(_decode_line, octets.split(b"\n")))
    text = text.strip("\n\x00")
    if _ODD_LINE.search("\n" + text):
        # Writers that forget to escape a line break leave lines that are none; they belong to the line before.
        text = _NOT_A_LINE.sub(r"\\n", text)
        return _SMALL_NAME.sub(lambda name: name[0].upper(), f"\n{text}\n")
    return f"\n{text}\n"


def _as_octets(body: bytes) -> bytes:
    """Return the body in a superset of ASCII, without byte order mark."""
    if body.startswith(b"\xef\xbb\xbf"):
        return body[3:]
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", errors="replace").encode(errors="replace")
    if body[1:4:2] == b"\0\0":
        return body.decode("utf-16-le", errors="replace").encode(errors="replace")
    if body[0:3:2] == b"\0\0":
        return body.decode("utf-16-be", errors="replace").encode(errors="replace")
    return body


def _decode_line(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")


def components(text: str) -> list[Component]:
    """Return what stands at the top of decoded text; a missing or foreign END does no harm to its neighbours."""
    top = Component("")
    stack = [top]
    position = 0
    for mark in _MARK.finditer(text):
        if position < (begun := mark.start()):
            stack[-1].text += text[position:begun]
        position = mark.end()
        verb, name = mark[1], mark[2].upper()
        if verb == "BEGIN":
            _close_unfinished(stack, name)
            if len(stack) > DEEPEST:
                continue
            component = Component(name)
            stack[-1].inside.append(component)
            stack.append(component)
        elif stack[-1].name == name or any(component.name == name for component in stack[1:]):
            while stack.pop().name != name:
                pass
    stack[-1].text += text[position:]
    return top.inside


def _close_unfinished(stack: list[Component], name: str) -> None:
    if name == "VCALENDAR":
        del stack[1:]
    elif name in _TOP_LEVEL:
        while stack[-1].name not in ("", "VCALENDAR"):
            stack.pop()


@lru_cache(maxsize=1024)
def read_parameters(text: str) -> dict[str, str]:
    """Return parameters by upper-case name; of those that are repeated, the first."""
    found: dict[str, str] = {}
    for name, value in _PARAMETER.findall(text[:LONGEST_PARAMETERS]):
        found.setdefault(name.upper(), value.strip('"'))
    return found


def _with_parameters(rest: str) -> Property | None:
    parameters, colon, value = rest.partition(":")
    if '"' in parameters:  # a quoted parameter may hold the colon
        quoted = _QUOTED_PARAMETERS.fullmatch(rest)
        if quoted is not None:
            return Property(quoted[1], quoted[2])
    return Property(parameters, value) if colon else None


def unescape(text: str) -> str:
    r"""Return what a TEXT means (RFC 5545 §3.3.11); `\:` and `\"` are escapes of some writers only."""
    if "\\\\" in text:
        return "\\".join(map(unescape, text.split("\\\\")))
    for written, meant in _ESCAPES if "\\" in text else ():
        text = text.replace(written, meant)
    return text


def _unquote(value: str, charset: str | None) -> str:
    octets = quopri.decodestring(value.encode())
    try:
        return octets.decode(charset or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return octets.decode("cp1252", errors="replace")
