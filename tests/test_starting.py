"""A service starts without what it does not need."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
