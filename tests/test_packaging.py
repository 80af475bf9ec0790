"""What the project says it needs is what its locked requirements bring."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def names(requirements: list[str]) -> set[str]:
    """Return normalised names of distributions (PEP 503)."""
    found = (re.match(r"[A-Za-z0-9._-]+", requirement) for requirement in requirements)
    return {re.sub(r"[-_.]+", "-", one.group()).lower() for one in found if one is not None}


def locked(file: str) -> set[str]:
    return names((ROOT / file).read_text(encoding="utf-8").splitlines())


def test_locked_requirements_hold_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [name for group in project["optional-dependencies"].values() for name in group]
    assert names(project["dependencies"]) - locked("requirements.txt") == set()
    assert names([*project["dependencies"], *extras]) - locked("requirements-dev.txt") == set()


def test_locked_requirements_carry_hashes_and_no_addresses() -> None:
    for file in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / file).read_text(encoding="utf-8")
        assert "://" not in text
        assert text.count("==") <= text.count("--hash=sha256:")
