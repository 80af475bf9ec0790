"""A service starts without what it does not need."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import until

from app.cli.unseen import unseen

PROGRAM = """
import sys, uvicorn
from app.cli.serving import serve
uvicorn.Server.run = lambda *_: None
serve(port=0, host="127.0.0.1", worker=True)
print(*sorted(sys.modules.keys() & set(sys.argv[1:])))
"""


def test_unseen_modules_are_not_found_until_they_may_be() -> None:
    with unseen("this", "json"), pytest.raises(ModuleNotFoundError):
        import this  # noqa: F401
    assert "this" not in sys.modules
    assert sys.modules["json"] is not None  # was loaded before


def test_service_that_answers_has_loaded_no_readers_no_queue_and_no_colours(tmp_path) -> None:
    spared = ["alembic", "dateparser", "icalendar", "pgqueuer", "pydantic.v1", "rich", "scrapers.reading", "uvicorn"]
    command, environment = [sys.executable, "-c", PROGRAM, *spared], {"ADJACENT_DATA": str(tmp_path)}
    loaded = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (loaded.stdout, loaded.returncode) == ("uvicorn\n", 0), loaded.stderr


@pytest.mark.long
@pytest.mark.sqlite
async def test_service_that_is_told_to_stop_while_it_starts_stops(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", port]
    file = tmp_path / "adjacent.sqlite3"

    async def has_begun() -> bool:
        try:
            with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
                return connection.execute("SELECT count(*) FROM event").fetchone() > (0,)
        except sqlite3.OperationalError:
            return False

    with subprocess.Popen(command, env={"ADJACENT_DATA": str(tmp_path)}, stderr=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220
        await until(has_begun)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=10)
    assert (process.returncode, "Traceback" in told, "answers at" in told) == (0, False, False)
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT value FROM setting WHERE name = 'demonstration'").fetchone() == ("loaded",)
