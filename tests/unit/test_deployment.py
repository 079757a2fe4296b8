"""docker-compose.yml, Dockerfile, etc/ and the systemd unit speak of what exists."""

import configparser
import re
import subprocess
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from consumer.cli.main import COMMANDS
from consumer.config import options
from consumer.config.settings import Settings, Telemetry, Worker
from simulator import clouds_yaml
from tests.house.tree import ROOT
from tests.support.services import PROMTOOL, need

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
IMAGE = COMPOSE["x-image"]["image"]
OURS = [name for name, service in SERVICES.items() if service["image"] == IMAGE]
DOCKERFILE = (ROOT / "Dockerfile").read_text()

#: Variables of the libraries below us.
LIBRARY_VARIABLES = {"OS_CLIENT_CONFIG_FILE"}


def option_variables() -> set[str]:
    """Every environment variable that sets an option: OS_<GROUP>__<OPTION>."""
    return {
        f"OS_{group.name.upper()}__{option.dest.upper()}"
        for group, struct in options.groups()
        for option in options.options(group.name, struct)
    }


def mounts(service: dict[str, Any]) -> list[tuple[Path, str]]:
    """What is mounted from the tree: (path here, path there)."""
    pairs = [volume.split(":") for volume in service.get("volumes", ())]
    return [(ROOT / pair[0], pair[1]) for pair in pairs if pair[0].startswith(".")]


def unit() -> dict[str, str]:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(ROOT / "etc/systemd/trove-resources-worker@.service")
    return dict(parser["Service"])


def test_the_deployment_has_all_its_parts() -> None:
    parts = {"rabbitmq", "mariadb", "db-upgrade", "worker", "simulator", "prometheus", "grafana"}
    assert set(SERVICES) >= parts
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


def test_the_image_is_built_once() -> None:
    assert [name for name, service in SERVICES.items() if "build" in service] == ["worker"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_file_that_is_mounted_exists(name: str) -> None:
    assert [str(here) for here, _ in mounts(SERVICES[name]) if not here.exists()] == []


@pytest.mark.parametrize("name", SERVICES)
def test_every_volume_and_every_dependency_is_declared(name: str) -> None:
    named = {volume.split(":")[0] for volume in SERVICES[name].get("volumes", ())}
    assert {volume for volume in named if not volume.startswith(".")} <= set(COMPOSE["volumes"])
    for other, wanted in SERVICES[name].get("depends_on", {}).items():
        if wanted["condition"] == "service_healthy":
            checked = SERVICES[other].get("healthcheck") or "HEALTHCHECK" in DOCKERFILE
            assert checked not in (False, {"disable": True})


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_this_machine_only(name: str) -> None:
    for port in SERVICES[name].get("ports", ()):
        assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize("name", OURS)
def test_every_option_that_is_set_exists(name: str) -> None:
    variables = {name for name in SERVICES[name]["environment"] if name.startswith("OS_")}
    assert variables <= option_variables() | LIBRARY_VARIABLES


@pytest.mark.parametrize("name", [name for name in OURS if "entrypoint" not in SERVICES[name]])
def test_every_command_that_is_run_exists(name: str) -> None:
    default = re.search(r'^CMD \["(\w+)"\]$', DOCKERFILE, re.MULTILINE)
    assert default
    assert " ".join(SERVICES[name].get("command", default.groups())) in COMMANDS


def test_a_variable_that_sets_nothing_is_rejected() -> None:
    assert "OS_LEDGER__COLOUR" not in option_variables()


def test_the_simulator_is_started_as_the_workers_are_told() -> None:
    assert SERVICES["simulator"]["entrypoint"] == ["python", "-m", "simulator"]
    assert find_spec("simulator.__main__")
    clouds = yaml.safe_load((ROOT / "etc/compose/clouds.yaml").read_text())["clouds"]
    port = SERVICES["simulator"]["command"][-1]
    told = clouds_yaml(f"http://simulator:{port}")["clouds"]
    default = Settings().clouds.default
    assert clouds == {default: told[default]}


def test_the_image_is_built_of_what_is_there_and_runs_as_nobody() -> None:
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert users
    assert users[-1] not in ("root", "0")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    allowed = (ROOT / ".dockerignore").read_text()
    for path in " ".join(copied).split():
        assert (ROOT / path).exists()
        assert f"!{path}\n" in allowed


def test_the_image_is_checked_where_the_worker_answers() -> None:
    assert f"http://127.0.0.1:{Telemetry().port}/healthz" in DOCKERFILE
    assert f"EXPOSE {Telemetry().port}" in DOCKERFILE


def test_prometheus_scrapes_the_workers_port() -> None:
    settings = yaml.safe_load((ROOT / "etc/prometheus/prometheus.yml").read_text())
    (job,) = settings["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    assert found["names"] == ["worker"]
    assert found["port"] == Telemetry().port
    assert SERVICES["worker"]["environment"]["OS_TELEMETRY__BIND"] == "0.0.0.0"


def test_promtool_accepts_the_scrape_configuration() -> None:
    command = [need(PROMTOOL), "check", "config", str(ROOT / "etc/prometheus/prometheus.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_grafana_finds_its_data_source_and_its_dashboards() -> None:
    provisioning = ROOT / "etc/grafana/provisioning"
    source = yaml.safe_load((provisioning / "datasources/prometheus.yaml").read_text())
    provider = yaml.safe_load((provisioning / "dashboards/trove-resources.yaml").read_text())
    inside = {there: here for here, there in mounts(SERVICES["grafana"])}
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]

    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    assert inside["/etc/grafana/provisioning"] == provisioning
    folder = provider["providers"][0]["options"]["path"]
    assert inside[folder] == ROOT / "dashboards"
    assert (inside[folder] / home.removeprefix(folder + "/")).exists()


def test_the_unit_runs_a_command_that_exists() -> None:
    program, command = unit()["ExecStart"].split()
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert Path(program).name in scripts
    assert command in COMMANDS
    assert unit()["Environment"].split("=")[0] in option_variables()


def test_whoever_stops_a_worker_waits_longer_than_it_takes() -> None:
    grace = (unit()["TimeoutStopSec"], SERVICES["worker"]["stop_grace_period"])
    assert min(float(text.rstrip("s")) for text in grace) > Worker().stop_timeout
