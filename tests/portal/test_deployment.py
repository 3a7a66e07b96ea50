"""The files that put the portal on a machine: make, compose, the image and the checks of a change."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

TOP = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((TOP / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_compose_has_no_secret_of_its_own() -> None:
    for name in ("SECRET_KEY", "PORTAL_KEYS", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "EMAIL_URL"):
        uses = re.findall(rf"\$\{{{name}([^}}]*)\}}", (TOP / "docker-compose.yml").read_text())
        assert uses and all(use.startswith(":?") and len(use) > 10 for use in uses), name


# What has no meaning behind a proxy, with its own database and Redis, or is refused in production.
LOCAL = {"PORT", "PORTAL_DATA", "PORTAL_REDIS", "PORTAL_DEMO", "PORTAL_DEBUG", "PORTAL_ALLOW_LOOPBACK_DESTINATIONS"}


def test_compose_passes_on_every_setting() -> None:
    documented = set(re.findall(r"^### `(\w+)`$", (TOP / "docs" / "settings.md").read_text(), re.MULTILINE))
    assert documented > LOCAL
    for name in ("web", "worker", "beat", "migrate"):
        assert set(SERVICES[name]["environment"]) == documented - LOCAL, name


def test_compose_waits_for_the_database_to_be_brought_up_to_date() -> None:
    for name in ("web", "worker", "beat"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_compose_publishes_the_web_on_loopback_only() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert list(published) == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in published["web"])


def test_compose_keeps_the_database_in_a_volume_and_durable() -> None:
    database = SERVICES["postgres"]
    assert database["image"] == "postgres:18" and database["volumes"] == ["postgres:/var/lib/postgresql"]
    assert "--builtin-locale=C.UTF-8" in database["environment"]["POSTGRES_INITDB_ARGS"]
    assert not re.search(r"fsync|synchronous_commit", " ".join(database["command"]))
    assert set(COMPOSE["volumes"]) == {"postgres", "redis"}


def test_image_runs_as_an_ordinary_user() -> None:
    lines = (TOP / "Dockerfile").read_text().splitlines()
    assert lines.index("USER portal") < next(number for number, line in enumerate(lines) if line.startswith("CMD"))


def test_secrets_and_data_stay_out_of_repository_and_image() -> None:
    for name in (".gitignore", ".dockerignore"):
        ignored = {line.rstrip("/") for line in (TOP / name).read_text().splitlines()}
        assert {".env", ".data", ".venv"} <= ignored, name


@pytest.mark.parametrize("target", ["run", "test", "bench", "chaos", "doctor", "lint", "types", "setup", "setup-dev"])
def test_make_knows_the_target(target: str) -> None:
    subprocess.run(["make", "--dry-run", target], cwd=TOP, check=True, capture_output=True)


def test_checks_are_a_sound_script() -> None:
    script = TOP / ".ci/run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_doctor_answers_in_sentences() -> None:
    done = subprocess.run([sys.executable, "portal/engines/doctor.py"], cwd=TOP, env={**os.environ, "PORT": "x"}, capture_output=True, text=True)
    assert done.returncode == 1
    assert "MISSING  PORT is 'x'" in done.stdout and "ok       Python" in done.stdout


def test_requirements_are_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (TOP / name).read_text().splitlines():
            assert not line or line.startswith(("#", "-r ")) or "==" in line, line
