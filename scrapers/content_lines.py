"""The first half of reading a calendar: bytes become components, components become content lines (RFC 5545 §3.1)."""

from __future__ import annotations

import quopri
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

_SOFT_BREAKS = re.compile(rb"\n[^\n:]*QUOTED-PRINTABLE[^\n]*=\n(?:[^\n]*=\n)*", re.IGNORECASE)
_NOT_A_LINE = re.compile(r"\n(?![A-Za-z0-9.-]+[ \t]*[;:])")
_MARK = re.compile(r"\n(BEGIN|END):[ \t]*([A-Z0-9-]+)[ \t]*(?=\n)", re.IGNORECASE)
_LINE = re.compile(r"\n([A-Za-z0-9-]+)[ \t]*([:;])(.*)")
_QUOTED_PARAMETERS = re.compile(r'((?:[^":]|"[^"]*")*):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';?([A-Za-z0-9-]+)=("[^"]*"|[^;]*)')
_ESCAPED = re.compile(r"\\([nN,;:\\\"])")
_CALENDAR_START = re.compile(r"^[ \t]*BEGIN:[ \t]*(?:VCALENDAR|VEVENT)\b", re.IGNORECASE | re.MULTILINE)
LOOKED_AT = 4096  # octets in which a calendar has to begin, whatever was printed before it
DEEPEST = 8  # components inside each other; iCalendar needs 3

# Components that stand directly in a calendar: one that begins inside another shows that the other lost its END.
_TOP_LEVEL = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VTIMEZONE", "VFREEBUSY"})


@dataclass(slots=True)
class Component:
    name: str
    text: str = ""  # its own content lines, each after a "\n"; those of components inside it are not among them
    inside: list[Component] = field(default_factory=list)

    def lines(self, wanted: Collection[str]) -> dict[str, list[Property]]:
        """Return the properties of these upper-case names, in the order in which they were written."""
        found: dict[str, list[Property]] = {}
        for name, mark, rest in _LINE.findall(self.text):
            name = name.upper()  # noqa: PLW2901 (this loop is where the time goes)
            if name in wanted:
                prop = Property("", rest) if mark == ":" else _with_parameters(rest)
                if prop is not None:
                    found.setdefault(name, []).append(prop)
        return found

    def write(self, wanted: Collection[str]) -> str:
        """Return the lines of these names as they were read, each after a line break."""
        return "".join(
            f"\n{name}{mark}{rest}" for name, mark, rest in _LINE.findall(self.text) if name.upper() in wanted
        )


class Property(NamedTuple):
    parameters: str  # as written, without the first ";"
    value: str  # as written: escaped, perhaps quoted-printable

    def parameter(self, name: str) -> str | None:
        if not self.parameters:
            return None
        for found, value in _PARAMETER.findall(self.parameters):
            if found.upper() == name:
                return str(value).strip('"')
        return None

    @property
    def bare(self) -> str:
        """The value of a property that is no text; junk lines that were glued to it are cut off."""
        return self.value.partition("\\n")[0].strip()

    @property
    def text(self) -> str:
        """The value of a TEXT property, unescaped."""
        value = self.value
        if self.parameters and "QUOTED-PRINTABLE" in self.parameters.upper():
            value = _unquote(value, self.parameter("CHARSET"))
        return unescape(value) if "\\" in value else value

    @property
    def texts(self) -> list[str]:
        """The values of a comma-separated list of TEXT."""
        parts = re.split(r"(?<!\\),", self.value)
        return [unescape(part) for part in parts]


def looks_like_calendar(body: bytes) -> bool:
    """Tell whether a calendar begins near the start of these bytes, whatever the server called them."""
    head = decode(body[:LOOKED_AT])
    return not head.lstrip().startswith(("<", "{", "[")) and _CALENDAR_START.search(head) is not None


def decode(body: bytes) -> str:
    """Return unfolded text in which every line stands after a line break; encoding, line ends and folding are repaired.

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
    octets = octets.replace(b"\n ", b"").replace(b"\n\t", b"")
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = "\n".join(map(_decode_line, octets.split(b"\n")))
    # Writers that forget to escape a line break leave lines that are none; they belong to the line before.
    return "\n" + _NOT_A_LINE.sub(r"\\n", text.strip("\n\x00")) + "\n"


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
        stack[-1].text += text[position : mark.start()]
        position = mark.end()
        name = mark[2].upper()
        if mark[1].upper() == "BEGIN":
            _close_unfinished(stack, name)
            if len(stack) > DEEPEST:
                continue
            component = Component(name)
            stack[-1].inside.append(component)
            stack.append(component)
        elif any(component.name == name for component in stack[1:]):
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


def _with_parameters(rest: str) -> Property | None:
    parameters, colon, value = rest.partition(":")
    if '"' in parameters:  # a quoted parameter may hold the colon
        quoted = _QUOTED_PARAMETERS.fullmatch(rest)
        if quoted is not None:
            return Property(quoted[1], quoted[2])
    return Property(parameters, value) if colon else None


def unescape(text: str) -> str:
    return _ESCAPED.sub(lambda escape: "\n" if escape[1] in "nN" else escape[1], text)


def _unquote(value: str, charset: str | None) -> str:
    octets = quopri.decodestring(value.encode())
    try:
        return octets.decode(charset or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return octets.decode("cp1252", errors="replace")
