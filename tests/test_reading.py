"""The door: bytes of any kind in, a Reading or an Unreadable out, within a budget."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pace import within

from scrapers import Reading, Unreadable, Window, read, read_here, workers

WINDOW = Window(datetime(2026, 11, 25, tzinfo=UTC), datetime(2027, 11, 25, tzinfo=UTC))
URL = "https://a.example/events"
CALENDAR = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//A//EN\r\nBEGIN:VEVENT\r\nUID:1@a.example\r\nDTSTAMP:20261101T000000Z\r\n"
    b"DTSTART:20261201T180000Z\r\nSUMMARY:Tea\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
SCRIPT = (
    b'<script type="application/ld+json">{"@type": "Event", "name": "%s", "startDate": "2026-12-01T18:00:00Z"}</script>'
)
CONFERENCES = b'[{"name": "Web Days", "url": "https://days.example", "startDate": "2027-03-04"}]'
BOMB = b"<p itemscope>" + b"<div>" * 100_000  # minutes of tree building in a hundred kilobytes


def kind(body: bytes, content_type: str | None = None) -> str:
    return read_here(body, url=URL, content_type=content_type, window=WINDOW).kind


def code(body: bytes, content_type: str | None = None) -> str:
    with pytest.raises(Unreadable) as caught:
        read_here(body, url=URL, content_type=content_type, window=WINDOW)
    return caught.value.code


@pytest.mark.parametrize("content_type", ["text/calendar", "text/plain", "text/html; charset=utf-8", None])
def test_calendar_is_a_calendar_whatever_its_type_says(content_type: str | None):
    assert kind(CALENDAR, content_type) == "icalendar"


@pytest.mark.parametrize("content_type", ["text/html", "text/calendar", "application/json", None])
def test_bytes_tell_a_page_and_json_apart(content_type: str | None):
    assert kind(CONFERENCES, content_type) == "conferences"
    if content_type != "application/json":
        assert kind(b"<!doctype html>" + SCRIPT % b"A", content_type) == "jsonld"


def test_page_behind_thousands_of_blank_lines_is_read_at_once():
    with within(0.5):
        assert kind(b"\n \n" * 20_000 + b"<!doctype html>" + SCRIPT % b"A") == "jsonld"


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        (b"<html><body>" + SCRIPT % b"A", ["truncated"]),
        (b"<html><body>" + SCRIPT % b"A" + b"</body>", []),
        (b"<rss><channel><title>A</title>", ["truncated"]),
        (("\ufeff<html><body>" + (SCRIPT % b"A").decode()).encode("utf-16-le"), ["truncated"]),
        (("\ufeff<html><body>" + (SCRIPT % b"A").decode() + "</body>").encode("utf-16-le"), []),
    ],
)
def test_page_that_breaks_off_says_so(body: bytes, problems: list[str]):
    reading = read_here(body, url=URL, window=WINDOW)
    assert [problem.code for problem in reading.problems] == problems


def test_json_ld_document_is_read_without_a_page():
    assert kind(b'{"@graph": [{"@type": "MusicEvent", "name": "A", "startDate": "2026-12-01"}]}') == "jsonld"


def test_page_instead_of_a_calendar_says_what_came():
    login = b"<html><form><input type='password' name=p></form></html>"
    assert code(login, "text/calendar") == "not_a_calendar"
    with pytest.raises(Unreadable, match="a login page came"):
        read_here(login, url=URL, content_type="text/calendar", window=WINDOW)
    with pytest.raises(Unreadable, match="a web page without events came"):
        read_here(b"<html><h1>Moved</h1></html>", url=URL, content_type="text/calendar", window=WINDOW)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"Not found", "unknown_format"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "unknown_format"),
        (b"<html></html>", "no_events"),
        (b"[NaN, Infinity]", "no_events"),
        (b'{"events": [{"name": "a"', "broken_json"),
        (b"[" + b"9" * 100_000 + b"]", "broken_json"),
        (b"[" * 100_000, "broken_json"),
        (b"<rss version='2.0'><channel><item><title>Post</title></item></channel></rss>", "no_events"),
        (b" " * (20 * 2**20 + 1), "too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unreadable_bytes_have_a_code(body: bytes, expected: str):
    assert code(body) == expected


@pytest.mark.parametrize(
    ("prefix", "encoding", "content_type"),
    [
        (b"", "utf-8", None),
        (b"\xef\xbb\xbf", "utf-8", "text/html; charset=latin-1"),
        (b"\xff\xfe", "utf-16-le", "text/html"),
        (b"", "cp1252", None),
        (b"", "iso8859-2", "text/html; charset=ISO-8859-2"),
        (b"<meta charset='windows-1251'>", "cp1251", "text/html"),
        (b"<meta charset=utf-16>", "utf-8", "text/html"),
        (b"", "utf-8", "text/html; charset=zlib"),
        (b"", "utf-8", "text/html; charset=idna"),
    ],
)
def test_text_is_decoded_by_mark_header_meta_and_guess(prefix: bytes, encoding: str, content_type: str | None):
    name = "Чай" if encoding == "cp1251" else "Größe"
    page = prefix + (SCRIPT.decode() % name).encode(encoding)
    (draft,) = read_here(page, url=URL, content_type=content_type, window=WINDOW).events
    assert draft.title == name


def test_torn_characters_do_not_spoil_the_others():
    page = b"<meta charset=utf-8>" + SCRIPT % "Größe".encode() + b"\xff\xfe"
    (draft,) = read_here(page, url=URL, window=WINDOW).events
    assert draft.title == "Größe"


def test_door_gives_what_the_pure_function_gives():
    for body in (CALENDAR, SCRIPT % b"A", CONFERENCES):
        here = read_here(body, url=URL, window=WINDOW, zone=ZoneInfo("Asia/Tokyo"))
        assert read(body, url=URL, window=WINDOW, zone=ZoneInfo("Asia/Tokyo")) == here
    with pytest.raises(Unreadable) as caught:
        read(b"Not found", url=URL, window=WINDOW)
    assert caught.value.code == "unknown_format"


def test_budget_of_time_is_kept_and_the_next_job_is_read():
    with pytest.raises(Unreadable) as caught:
        read(BOMB, url=URL, window=WINDOW, cpu_seconds=0.2)
    assert caught.value.code == "too_expensive"
    assert read(CONFERENCES, url=URL, window=WINDOW).listed == 1


def test_budget_is_counted_for_each_job_anew():
    page = SCRIPT % b"A" + b"<p>text</p>" * 20_000
    assert {read(page, url=URL, window=WINDOW, cpu_seconds=1.0).listed for _ in range(30)} == {1}


def test_budget_of_memory_is_kept_and_the_next_job_is_read():
    with pytest.raises(Unreadable) as caught:
        read(b"[" + b"[]," * 2_000_000 + b"0]", url=URL, window=WINDOW, memory_mb=256, cpu_seconds=5)
    assert (caught.value.code, caught.value.message) == ("too_expensive", "reading it takes more than 256 MB of memory")
    assert read(CONFERENCES, url=URL, window=WINDOW).listed == 1


def test_fault_of_a_reader_comes_out_as_unreadable():
    with pytest.raises(Unreadable) as caught:
        read(CONFERENCES, url=None, window=WINDOW)  # type: ignore[arg-type]
    assert caught.value.code == "reader_failed"


def test_threads_read_side_by_side():
    bodies = [SCRIPT % str(number).encode() for number in range(60)]
    with ThreadPoolExecutor(12) as threads:
        readings = list(threads.map(lambda body: read(body, url=URL, window=WINDOW), bodies))
    assert [each.events[0].title for each in readings] == [str(number) for number in range(60)]


def test_killed_processes_are_replaced():
    read(CONFERENCES, url=URL, window=WINDOW)
    forkserver, _ = workers.WORKERS._forkserver
    killed = _children(forkserver.pid)
    for pid in (*killed, forkserver.pid):
        os.kill(pid, signal.SIGKILL)
    forkserver.wait()
    time_limit = time.monotonic() + 60
    while any(map(_is_running, killed)) and time.monotonic() < time_limit:
        pass
    assert read(CONFERENCES, url=URL, window=WINDOW).listed == 1


def _children(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in listed.stdout.split()]


def _is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def test_forked_process_reads_with_workers_of_its_own():
    read(CONFERENCES, url=URL, window=WINDOW)
    pid = os.fork()
    if pid == 0:
        is_good = read(CONFERENCES, url=URL, window=WINDOW).listed == 1
        workers.WORKERS.close()
        os._exit(0 if is_good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert read(CONFERENCES, url=URL, window=WINDOW).listed == 1


PLAIN_SCRIPT = """
import sys
from datetime import UTC, datetime
from functools import partial
from scrapers import Window, read
print("once")
window = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
print(len(read(sys.stdin.buffer.read(), url="https://a.example/", window=window).events))
"""


def test_script_without_main_guard_runs_once_and_ends(tmp_path: Path):
    script = tmp_path / "plain.py"
    script.write_text(PLAIN_SCRIPT)
    done = subprocess.run(
        [sys.executable, "-W", "error", script], input=CONFERENCES, capture_output=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"once\n1\n", b"")


def test_workers_see_no_secrets_and_write_no_files(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ADJACENT_SMTP_URL", "smtp://user:secret@mail.example")
    workers.WORKERS.close()
    assert read(CONFERENCES, url=URL, window=WINDOW).listed == 1
    forkserver, _ = workers.WORKERS._forkserver
    assert b"secret" not in Path(f"/proc/{forkserver.pid}/environ").read_bytes()


def test_answer_of_a_taken_over_worker_is_no_way_out():
    import pickle

    class Evil:
        def __reduce__(self):
            return os.system, ("echo taken over",)

    ours, theirs = workers.socket.socketpair()
    with ours, theirs:
        theirs.sendall(pickle.dumps(Evil()))
        with pytest.raises(pickle.UnpicklingError, match="system is no part of a reading"):
            workers._ask(ours, b"", seconds=1)


@pytest.mark.shared
@pytest.mark.parametrize("folder", ["html", "json", "rss", "dates"])
def test_hostile_bytes_end_within_the_budget(shared: Path, folder: str):
    paths = sorted((shared / "hostile" / folder).iterdir())
    with ThreadPoolExecutor(workers.MOST_WORKERS) as threads:
        outcomes = list(threads.map(partial(_outcome, cpu_seconds=1.0), paths))
    for path, outcome in zip(paths, outcomes, strict=True):
        assert isinstance(outcome, Reading) or outcome.code != "reader_failed", (path.name, outcome)
        text = repr(outcome)
        assert not any(sign in text for sign in ("\\x00", "\\ud800", "javascript:", "root:")), path.name


def _outcome(path: Path, *, cpu_seconds: float = 2.0) -> Reading | Unreadable:
    try:
        return read(path.read_bytes(), url=URL, window=WINDOW, cpu_seconds=cpu_seconds)
    except Unreadable as error:
        return error


@pytest.mark.shared
@pytest.mark.parametrize("name", ["billion_laughs.xml", "quadratic_blowup.xml", "xxe_file.xml", "xxe_param.xml"])
def test_hostile_entities_are_refused(shared: Path, name: str):
    assert code((shared / "hostile" / "rss" / name).read_bytes()) == "unsafe_xml"


@pytest.mark.shared
@pytest.mark.parametrize("folder", ["feeds", "json"])
def test_captured_feeds_and_payloads_never_break_a_reader(shared: Path, folder: str):
    for path in sorted((shared / "corpus" / folder).iterdir()):
        outcome = _outcome(path, cpu_seconds=10)  # a loaded machine's seconds are short
        assert isinstance(outcome, Reading) or outcome.code not in ("reader_failed", "too_expensive"), (
            path.name,
            outcome,
        )
