"""Servers that stand on loopback while they are measured, each a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import stock

ADJACENT = str(Path(sys.executable).parent / "adjacent")
FEW, MANY, MOST = 5_000, 100_000, 1_000_000  # stored events
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    address: str
    process: int

    def cpu(self) -> float:
        """Return the CPU seconds it has taken so far."""
        return cpu_of(self.process)


def cpu_of(process: int) -> float:
    """Return the CPU seconds a process has taken so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK  # utime, stime: proc_pid_stat(5)


@contextmanager
def adjacent(folder: Path, events: int) -> Iterator[Server]:
    """Serve that many events by one worker that does nothing else."""
    port = free_port()
    stocked(folder, events, port)
    environment = environment_of(folder, port, ADJACENT_NOW=stock.NOW.isoformat())
    with running([ADJACENT, "serve", "--no-worker", "--port", str(port)], port, environment) as server:
        yield server


def stocked(folder: Path, events: int, port: int) -> None:
    """Make a data folder with that many events, for a service on that port."""
    folder.mkdir()
    asyncio.run(stock.lay(folder / "adjacent.sqlite3", events, base_url=f"http://127.0.0.1:{port}"))


def environment_of(folder: Path, port: int, **more: str) -> dict[str, str]:
    return {**os.environ, "ADJACENT_DATA": str(folder), "ADJACENT_BASE_URL": f"http://127.0.0.1:{port}", **more}


@contextmanager
def program(source: str, *arguments: str) -> Iterator[Server]:
    """Run a program that takes its port as the last argument."""
    port = free_port()
    with running([sys.executable, "-c", source, *arguments, str(port)], port, os.environ) as server:
        yield server


@contextmanager
def running(command: list[str], port: int, environment: Mapping[str, str]) -> Iterator[Server]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, f"{' '.join(command)} ended by itself"
            time.sleep(0.1)
        else:
            raise TimeoutError(f"{' '.join(command)} did not listen within a minute")
        yield Server(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
