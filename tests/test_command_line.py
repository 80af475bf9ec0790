"""The command line as a whole; each command has its tests beside what it does."""

from __future__ import annotations

import json
import socket
import tomllib
from errno import ENOSPC
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from app.cli import main, printing
from app.cli.commands import cli
from app.cli.failing import Failed, one_line
from app.cli.opening import run_as_it_is
from app.db import Database
from app.settings import Settings

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


def told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[object, str, str]:
    """Run a command as the console script does; return its exit code and both streams."""
    monkeypatch.setattr("sys.argv", ["adjacent", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, *capsys.readouterr()


def test_what_is_logged_meanwhile_stays_out_of_the_answer(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADJACENT_DATA", str(tmp_path))

    async def work(_: Settings, __: Database) -> None:
        structlog.get_logger().info("going on")
        structlog.get_logger().warning("not sent", to="ada@example.org")
        printing.as_json([])

    run_as_it_is(work)
    out, err = capsys.readouterr()
    logged = json.loads(err)
    assert (out, logged["event"], logged["to"], logged["level"]) == ("[]\n", "not sent", "…@…", "warning")


@pytest.mark.parametrize("command", [["recommend", "--know", "Chess"], ["communities", "recommend", "--know", "Chess"]])
def test_misspelt_place_is_told_with_those_it_may_mean(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADJACENT_DATA", str(tmp_path))
    for near, meant in (("Nashvile", ". Did you mean Nashville, TN, US?"), ("zzqx", "")):
        ended = CliRunner().invoke(cli, [*command, "--near", near])
        assert isinstance(ended.exception, Failed)
        reason = f"no city of 15,000 or more people is called '{near}'; try a larger one nearby, or LAT,LON"
        assert str(ended.exception) == f"--near: {reason}{meant}"


def test_database_that_does_not_answer_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADJACENT_DATA", str(tmp_path))
    for where in ("127.0.0.1:1/adjacent", "/adjacent?host=/no/such/socket"):
        monkeypatch.setenv("ADJACENT_DATABASE_URL", f"postgresql://ada:secret@{where}")
        code, out, err = told(capsys, monkeypatch, "stats")
        assert (code, out, err.count("\n"), "secret" in err) == (1, "", 1, False)
        assert err.startswith("adjacent: the database does not answer: ")
    (tmp_path / "text").write_text("no database at all, and longer than the header of one " * 20)
    monkeypatch.setenv("ADJACENT_DATABASE_URL", f"sqlite:///{tmp_path / 'text'}")
    assert told(capsys, monkeypatch, "stats") == (
        1,
        "",
        "adjacent: the database does not answer: file is not a database; `adjacent doctor` says more\n",
    )


def test_service_says_in_one_line_why_it_does_not_start(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADJACENT_DATA", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, _, err = told(capsys, monkeypatch, "serve", "--port", port)
    reason = "Address already in use; choose another --port or --host"
    assert (code, err) == (1, f"adjacent: 127.0.0.1:{port} cannot be served at: {reason}\n")
    key = tmp_path / "key.pem"
    key.write_text("no key")
    monkeypatch.setenv("ADJACENT_DKIM_KEY", str(key))
    for command in (["serve", "--port", port], ["worker"]):
        code, _, err = told(capsys, monkeypatch, *command)
        assert (code, err.count("\n")) == (1, 1)
        assert err.startswith(f"adjacent: ADJACENT_DKIM_KEY: {key}: no unencrypted private key in PEM form")
    monkeypatch.setenv("ADJACENT_DKIM_KEY", str(tmp_path / "none.pem"))
    none = f"adjacent: {tmp_path / 'none.pem'}: No such file or directory\n"
    assert [told(capsys, monkeypatch, *command) for command in (["serve", "--port", port], ["worker"])] == 2 * [
        (1, "", none)
    ]


def test_full_disk_is_told_without_numbers_of_errors() -> None:
    told = "No space left on device; `adjacent doctor` says where"
    assert one_line(OSError(ENOSPC, "No space left on device")) == told
    assert one_line(OSError(ENOSPC, "No space left on device", "/data/all.tar.gz")) == f"/data/all.tar.gz: {told}"


def test_schema_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADJACENT_DATA", str(tmp_path))
    ended = CliRunner().invoke(cli, ["migrate", "0099"])
    assert (ended.exit_code, "choose head, base or 0001 to" in ended.stderr) == (2, True)
