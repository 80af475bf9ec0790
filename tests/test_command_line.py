"""The command line as a whole; each command has its tests beside what it does."""

from __future__ import annotations

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
