"""The command line as a whole; each command has its tests beside what it does."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.commands import cli

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def test_version_is_that_of_the_project() -> None:
    version = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"]
    told = CliRunner().invoke(cli, ["--version"])
    assert (told.exit_code, told.output) == (0, f"adjacent {version}\n")


@pytest.mark.parametrize("asked", [["nonsense"], ["--nonsense"], ["stats", "--nonsense"], ["sources", "nonsense"]])
def test_wrong_usage_ends_with_two(asked: list[str]) -> None:
    assert CliRunner().invoke(cli, asked).exit_code == 2


def test_parse_prints_events_and_tells_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADJACENT_DATA", str(tmp_path))
    calendar, broken = tmp_path / "a.ics", tmp_path / "b.xml"
    event = "BEGIN:VEVENT\nUID:1\nDTSTART:20261201T170000Z\nSUMMARY:Walk\nEND:VEVENT\n"
    calendar.write_text(f"BEGIN:VCALENDAR\nVERSION:2.0\n{event}END:VCALENDAR\n", encoding="utf-8")
    broken.write_text("<rss><channel><item><title>News</title></item></channel></rss>", encoding="utf-8")
    told = CliRunner().invoke(cli, ["parse", str(calendar), str(broken), "--from", "2026-12-01"])
    (walk,) = map(json.loads, told.stdout.splitlines())
    assert (told.exit_code, walk["title"], walk["starts_at"]) == (1, "Walk", "2026-12-01T17:00:00+00:00")
    message = "no post of the 1 in this feed says when anything takes place"
    assert json.loads(told.stderr) == {
        "occurrences": 1,
        "series": 1,
        "problems": [{"code": "no_events", "subject": str(broken), "message": message}],
    }
