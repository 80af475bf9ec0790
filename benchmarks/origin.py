"""A small HTTP origin on loopback whose every path is a calendar: `python origin.py` prints its port and serves."""

from __future__ import annotations

import asyncio
from itertools import count

_ANSWERS = count()


async def main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while request := await reader.readline():
        while (await reader.readline()).strip():
            pass
        path = request.split()[1].decode()
        found = path.endswith(".ics")
        body = _calendar(path) if found else b""
        writer.write(
            f"HTTP/1.1 {'200 OK' if found else '404 Not Found'}\r\n"
            f"Content-Type: text/calendar\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await writer.drain()
    writer.close()


def _calendar(path: str) -> bytes:
    """Return a calendar of three events of its own, under a stamp that no answer had before."""
    name = path.strip("/").removesuffix(".ics")
    stamp = f"{next(_ANSWERS):06}"
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN", f"X-WR-CALNAME:Group {name}"]
    for number in range(3):
        lines += [
            "BEGIN:VEVENT",
            f"UID:{number}@{name}.example",
            f"DTSTAMP:20260101T{stamp}Z",
            f"DTSTART;TZID=Europe/Berlin:2026{7 + number:02}{int(name) % 28 + 1:02}T{8 + int(name) % 14:02}0000",
            f"SUMMARY:Evening {number} of group {name}",
            f"LOCATION:Hall {name}\\, Street 1\\, 10115 Berlin\\, Germany",
            "END:VEVENT",
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


if __name__ == "__main__":
    asyncio.run(main())
