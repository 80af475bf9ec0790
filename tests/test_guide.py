"""docs/guide.md does what it says: its blocks run in order against the real service with the demonstration city."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from origin import Origin
from test_jobs import CALENDAR

GUIDE = Path(__file__).parent.parent / "docs" / "guide.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PARTED = "\x1e"  # written after each block, so that the output of one can be told from the next
PATIENCE = 120  # seconds for the demonstration to load on a busy machine


@dataclass(frozen=True)
class Block:
    language: str
    text: str


def blocks() -> list[Block]:
    return [Block(*match) for match in BLOCK.findall(GUIDE.read_text("utf-8"))]


def answered() -> list[tuple[str, Block | None]]:
    """Return the shell blocks, each with what the guide says it prints."""
    told: list[tuple[str, Block | None]] = []
    for block in blocks():
        if block.language == "sh":
            told.append((block.text, None))
        elif block.language in ("json", "text"):
            told[-1] = (told[-1][0], block)
    return told


def is_like(shown: Any, told: Any) -> bool:
    """Whether an answer is what the guide tells of it: `…` is anything, unnamed members of objects are left out."""
    if told == "…":
        return True
    if isinstance(told, dict):
        return isinstance(shown, dict) and all(name in shown and is_like(shown[name], told[name]) for name in told)
    if isinstance(told, list):
        if not isinstance(shown, list):
            return False
        if told[-1:] == ["…"] and len(told) > 1:  # and any number more
            return len(shown) >= len(told) - 1 and all(map(is_like, shown, told[:-1]))
        return len(shown) == len(told) and all(map(is_like, shown, told))
    if isinstance(told, str) and isinstance(shown, str):
        return re.fullmatch(".*".join(map(re.escape, told.split("…"))), shown, re.DOTALL) is not None
    return bool(shown == told)


@dataclass(frozen=True)
class Running:
    base: str
    folder: Path  # with `run` in it, as in the repository
    environment: dict[str, str]


@pytest.fixture(scope="module")
def allowed() -> int:
    """A port that the service may collect from."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, allowed: int) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("guide")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {
        "ADJACENT_DATA": str(folder / "data"),
        "ADJACENT_NOW": "2026-12-01T09:00:00Z",
        "ADJACENT_ALLOW_HOSTS": f"127.0.0.1:{allowed}",
        "BASE": f"http://127.0.0.1:{port}",
        "CALENDAR": f"http://127.0.0.1:{allowed}/a.ics",
    }
    command = [sys.executable, "-c", "from app.cli import main; main()"]
    script = folder / "run"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from app.cli import main; main()" "$@"\n', "utf-8")
    script.chmod(0o755)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "serve", "--port", str(port)], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        ready = [
            "curl",
            "-fsS",
            "--retry",
            str(PATIENCE),
            "--retry-delay",
            "1",
            "--retry-connrefused",
            "-o",
            "/dev/null",
        ]
        subprocess.run([*ready, f"{environment['BASE']}/readyz"], check=True, timeout=PATIENCE, capture_output=True)
        yield Running(environment["BASE"], folder, environment)
    finally:
        server.terminate()
        server.wait()


async def run(command: list[str], given: str, running: Running) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=running.folder,
        env=running.environment,
    )
    out, err = await asyncio.wait_for(process.communicate(given.encode()), PATIENCE)
    return process.returncode, out.decode(), err.decode()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the guide uses curl")
async def test_shell_blocks_print_what_the_guide_says(running: Running, allowed: int) -> None:
    told = answered()
    script = "set -euo pipefail\n" + "".join(f"{text}printf '\\036'\n" for text, _ in told)
    async with Origin() as origin:
        # The service may collect from one port, known before it started.
        server = await asyncio.start_server(origin._accept, "127.0.0.1", allowed)
        origin.serve("/a.ics", CALENDAR, content_type="text/calendar")
        status, out, err = await run(["bash"], script, running)
        server.close()  # the origin ends the connections
    shown = out.split(PARTED)
    assert (status, len(shown) - 1) == (0, len(told)), f"{told[len(shown) - 1][0]}\n{shown[-1]}\n{err}"
    for (text, block), printed in zip(told, shown, strict=False):
        if block is None:
            assert printed == "", text
        elif block.language == "text":
            assert printed == block.text, text
        else:
            assert is_like(json.loads(printed), json.loads(block.text)), f"{text}\n{printed}"


@pytest.mark.skipif(shutil.which("node") is None, reason="the guide's JavaScript is for browsers and for node")
async def test_javascript_blocks_run(running: Running) -> None:
    script = "".join(block.text for block in blocks() if block.language == "js")
    status, out, err = await run(["node", "--input-type=module", "-"], script, running)
    assert status == 0, err
    assert re.search(r"^.+ – .+ → .+$", out, re.MULTILINE)
    assert out.splitlines()[-2:] == ["304", "0"]


def test_every_task_is_shown_in_both_languages() -> None:
    tasks = re.split(r"^## \d+\. ", GUIDE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    assert len(tasks) == 10
    for task in tasks:
        assert {"sh", "js"} <= {language for language, _ in BLOCK.findall(task)}
