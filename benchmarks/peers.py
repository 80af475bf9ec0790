"""What else serves calendars: Radicale, and open-web-calendar, which reads one and gives it on.

PEERS names virtual environments that have them, like a PATH; what is in none of them is left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

from benchmarks.servers import Server, free_port, running

HEAD = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Adjacent//Events next door//EN\r\n"


def standing(stack: ExitStack, folder: Path, body: bytes, feed: str) -> Iterator[tuple[str, Server, str]]:
    """Yield the name of each peer that is there, its server, and the path of the same calendar."""
    if (radicale := _python_of("radicale")) is not None:
        storage, port = folder / "radicale", free_port()
        collection = storage / "collection-root" / "peer" / "calendar"
        collection.mkdir(parents=True)
        (collection / ".Radicale.props").write_text('{"tag": "VCALENDAR"}')
        events = body.partition(b"END:VCALENDAR")[0].split(b"BEGIN:VEVENT")[1:]
        for number, event in enumerate(events):
            (collection / f"{number}.ics").write_bytes(HEAD + b"BEGIN:VEVENT" + event + b"END:VCALENDAR\r\n")
        rights = folder / "rights"
        rights.write_text("[everybody]\nuser: .*\ncollection: .*\npermissions: Rr\n")
        configuration = folder / "radicale.conf"
        configuration.write_text(f"""
[server]
hosts = 127.0.0.1:{port}
max_connections = 100
[auth]
type = none
[rights]
type = from_file
file = {rights}
[storage]
filesystem_folder = {storage}
[logging]
level = error
""")
        command = [radicale, "-m", "radicale", "-C", str(configuration)]
        yield "Radicale", stack.enter_context(running(command, port, os.environ)), "/peer/calendar/"
    if (web := _python_of("open_web_calendar")) is not None:
        port = free_port()
        environment = {**os.environ, "ALLOWED_HOSTS": "*", "CACHE_REQUESTED_URLS_FOR_SECONDS": "600"}
        serve = f"from open_web_calendar.app import app; app.run(port={port}, threaded=True)"
        server = stack.enter_context(running([web, "-c", serve], port, environment))
        yield "open-web-calendar", server, f"/calendar.ics?url={quote(feed, safe='')}"


def _python_of(package: str) -> str | None:
    """Return the interpreter of an environment that has a package."""
    for environment in filter(None, os.environ.get("PEERS", "").split(os.pathsep)):
        if any(Path(environment).glob(f"lib/python3*/site-packages/{package}")):
            return str(Path(environment) / "bin" / "python")
    return None
