"""What all tests share: the folder of third-party data, the switch for the long ones, and where services are run.

Tests that run the service do so on SQLite; with --all on PostgreSQL, too. ADJACENT_TEST_DATABASE=postgresql (or sqlite)
chooses one of them.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
from service import Service, serving

SHARED = Path(__file__).parent.parent.parent / "shared"

# Few tests that take long each: begun first, so that no processor waits for another at the end.
SLOWEST = (
    "test_browser",
    "test_guide",
    "test_faults",
    "test_collect",
    "test_first_start",
    "test_digest_form",
    "test_backup",
)

# Pretty tracebacks took seconds each of the event loop's time, in which locks ran out that others waited for.
structlog.configure(
    processors=[structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)],
    cache_logger_on_first_use=False,
)

OF_ITS_OWN = {"database_url", "empty_url"}  # fixtures that name a test's database: they have both kinds themselves


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="also the tests marked long, and services on PostgreSQL")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: SLOWEST.index(item.path.stem) if item.path.stem in SLOWEST else len(SLOWEST))
    for item in items:
        if "long" in item.keywords and not config.getoption("--all"):
            item.add_marker(pytest.mark.skip(reason="long: run with --all"))
        if "shared" in item.keywords and not SHARED.is_dir():
            item.add_marker(pytest.mark.skip(reason="../shared is not here"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    named = metafunc.fixturenames
    runs_service = ("service" in named or hasattr(metafunc.module, "serving")) and OF_ITS_OWN.isdisjoint(named)
    if runs_service and not any(metafunc.definition.iter_markers("sqlite")):
        every = ("sqlite", "postgresql") if metafunc.config.getoption("--all") else ("sqlite",)
        chosen = os.environ.get("ADJACENT_TEST_DATABASE")
        metafunc.parametrize("served_on", (chosen,) if chosen else every, indirect=True)


@pytest.fixture(autouse=True)
def served_on(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where services of this test have their data: sqlite or postgresql."""
    kind: str = getattr(request, "param", "sqlite")
    if kind != "sqlite":
        monkeypatch.setattr("service.SERVED_ON", kind)
    return kind


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of third-party data; a test that asks for it is marked `shared`."""
    return SHARED


@pytest.fixture
async def service(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Service]:
    """The service as it is set up by default, with an empty database: that of `database_url` for tests that use it."""
    changes = {}
    if "database_url" in request.fixturenames:
        changes["ADJACENT_DATABASE_URL"] = request.getfixturevalue("database_url")
    async with serving(tmp_path, **changes) as running:
        yield running
