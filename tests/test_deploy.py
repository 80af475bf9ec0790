"""What is deployed with: compose file, image, units and proxies say what the documentation promises."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from app.cli.commands import cli

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
KNOWN = {  # of the compose specification, as far as it is used here
    *(
        "build",
        "cap_drop",
        "command",
        "depends_on",
        "deploy",
        "env_file",
        "environment",
        "healthcheck",
        "image",
        "init",
    ),
    *("logging", "networks", "ports", "read_only", "restart", "security_opt", "shm_size", "stop_grace_period", "tmpfs"),
    *("user", "volumes"),
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def test_services_are_those_of_the_documentation(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"db", "migrate", "api", "worker"}
    for name, service in compose["services"].items():
        assert set(service) <= KNOWN, name
        assert set(service["networks"]) <= set(compose["networks"])
        assert {mount.partition(":")[0] for mount in service["volumes"]} <= set(compose["volumes"])


def test_services_are_confined(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert {"cpus", "memory"} <= set(service["deploy"]["resources"]["limits"]), name
        assert not any(re.search(r"privileged|network_mode|docker\.sock", key) for key in map(str, service.items()))
    assert "ports" not in compose["services"]["db"]
    assert compose["services"]["api"]["ports"] == ["127.0.0.1:${ADJACENT_PORT:-8000}:8000"]
    assert compose["services"]["db"]["networks"] == ["inside"]
    assert compose["networks"]["inside"] == {"internal": True}


def test_services_start_in_order_and_say_how_they_fare(compose: dict[str, Any]) -> None:
    services = compose["services"]
    healthy, done = {"condition": "service_healthy"}, {"condition": "service_completed_successfully"}
    assert services["migrate"]["depends_on"] == {"db": healthy}
    for name in ("api", "worker"):
        assert services[name]["depends_on"] == {"db": healthy, "migrate": done}
    for name in ("db", "api", "worker"):
        assert services[name]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
        assert services[name]["restart"] == "unless-stopped"


def test_commands_that_are_started_exist(compose: dict[str, Any]) -> None:
    command = get_command(cli)
    started = [service["command"] for name, service in compose["services"].items() if name != "db"]
    started.append(compose["services"]["worker"]["healthcheck"]["test"][2:])
    for unit in DEPLOY.glob("*.service"):
        lines = re.findall(r"^Exec\w+=\S+/adjacent (.+)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
        started += [line.split() for line in lines]
    assert len(started) >= 7
    for name, *options in started:
        known = {
            one for parameter in command.commands[name].params for one in (*parameter.opts, *parameter.secondary_opts)
        }
        assert {option for option in options if option.startswith("--")} <= known, name


def test_one_file_of_settings_is_enough(compose: dict[str, Any]) -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    offered = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    wanted = set(re.findall(r"\$\{([A-Z_]+):\?", text))
    assert wanted <= offered
    documented = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    assert {name for name in offered if name.startswith("ADJACENT_") and name not in documented} == {"ADJACENT_PORT"}
    for name, service in compose["services"].items():
        assert name == "db" or service["env_file"] == ".env"


def test_image_is_built_in_stages_and_runs_as_nobody_special() -> None:
    steps = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert len(re.findall(r"^FROM \S+:\S+", steps, re.MULTILINE)) == 2
    last = steps.rpartition("\nFROM ")[2]
    assert re.search(r"^USER \d+$", last, re.MULTILINE)
    assert "--require-hashes" in steps
    copied = {
        line.removeprefix("!").rstrip("/")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert {"alembic", "app", "recommender", "scrapers", "pyproject.toml", "requirements.txt"} <= copied
    assert all((ROOT / name).exists() for name in copied)


def checker(name: str) -> str:
    """Return the path of a checker: a wheel of the environment brings it, or the machine has it."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return shutil.which(name, path=places) or pytest.skip(f"{name} is not installed")


def test_hadolint_finds_nothing() -> None:
    subprocess.run([checker("hadolint"), ROOT / "Dockerfile"], check=True)


def test_compose_file_is_valid_by_the_schema_of_compose() -> None:
    compose_spec = ["--builtin-schema", "vendor.compose-spec"]
    subprocess.run([checker("check-jsonschema"), *compose_spec, ROOT / "docker-compose.yml"], check=True)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    adjacent = tmp_path / "adjacent"
    adjacent.write_text("#!/bin/sh\n")
    adjacent.chmod(0o755)
    for unit in DEPLOY.glob("*.service"):
        text = unit.read_text(encoding="utf-8").replace("/srv/adjacent/.venv/bin/adjacent", str(adjacent))
        copied = tmp_path / unit.name.replace("@", "@1")
        copied.write_text(text, encoding="utf-8")
        told = subprocess.run(["systemd-analyze", "verify", copied], capture_output=True, text=True, check=False)
        assert "adjacent" not in told.stderr.replace(str(tmp_path), ""), told.stderr


def test_proxies_replace_what_visitors_claim_and_close_the_metrics() -> None:
    nginx, caddy = ((DEPLOY / name).read_text(encoding="utf-8") for name in ("nginx.conf", "Caddyfile"))
    assert "X-Forwarded-For $remote_addr" in nginx
    assert nginx.count("{") == nginx.count("}")
    assert caddy.count("{") == caddy.count("}")
    assert re.search(r"location = /metrics \{\s+deny all;", nginx)
    assert "respond @metrics 404" in caddy


def test_every_document_that_is_named_exists() -> None:
    for page in (
        ROOT / "docs" / "operating.md",
        ROOT / "docs" / "security.md",
        ROOT / "SECURITY.md",
    ):
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} names {target}"
    for test in re.findall(r"`(test_\w+\.py)`", (ROOT / "docs" / "security.md").read_text(encoding="utf-8")):
        assert (ROOT / "tests" / test).exists(), test
