"""docker-compose.yml without Docker: its programs, with its environment, on this machine."""

import json
import os
import re
import socket
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
import yaml

from tests.house.tree import ROOT
from tests.support.broker import corner
from tests.support.processes import Programs, programs, wait_until
from tests.support.services import PROMETHEUS, need

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())[
    "services"
]
BIN = Path(sys.executable).parent
DASHBOARD_QUERIES = [
    target["expr"]
    for path in sorted((ROOT / "dashboards").glob("*.json"))
    for panel in json.loads(path.read_text())["panels"]
    for target in panel.get("targets", ())
]

#: What a round in which all goes well does not count, or no longer holds when it is over.
MAY_BE_EMPTY = re.compile(
    r"failure|dead_letters|faults_total|duplicates|defects|code!~"
    r"|fleet_operations|orchestration|migration"
)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, ConnectionError, TimeoutError):
        return False


def command(service: str) -> list[str]:
    """What the service runs, as the image's entry point would."""
    entry = SERVICES[service].get("entrypoint", ["trove-resources"])
    return [*entry, *SERVICES[service].get("command", ["worker"])]


@pytest.fixture
def deployed(tmp_path: Path, rabbitmq_url: str, mariadb_url: str) -> Iterator[Programs]:
    """Ways to start the services with the environment of the file; names and hosts are ours."""
    with corner(rabbitmq_url) as (topology, notices):
        environment = {
            **SERVICES["worker"]["environment"],
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "OS_BROKER__URL": rabbitmq_url,
            "OS_BROKER__EXCHANGE": topology.exchange,
            "OS_BROKER__QUEUE": topology.queue,
            "OS_BROKER__DEAD_LETTER_EXCHANGE": topology.dead_exchange,
            "OS_BROKER__DEAD_LETTER_QUEUE": topology.dead_queue,
            "OS_NOTIFICATIONS__EXCHANGE": notices.exchange,
            "OS_NOTIFICATIONS__TOPICS": ",".join(notices.topics),
            "OS_LEDGER__URL": mariadb_url,
            "OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml"),
            "OS_TELEMETRY__BIND": "127.0.0.1",
        }
        with programs(tmp_path, environment) as started:
            yield started


def start_simulator(deployed: Programs, folder: Path) -> None:
    port = free_port()
    deployed.start("simulator", [sys.executable, "-m", "simulator", "--port", str(port)])
    text = (ROOT / "etc/compose/clouds.yaml").read_text()
    (folder / "clouds.yaml").write_text(text.replace("simulator:5000", f"127.0.0.1:{port}"))
    assert wait_until(partial(answers, f"http://127.0.0.1:{port}/identity/v3/"), 30)


def start_workers(deployed: Programs) -> list[str]:
    """As many as the file says; gives the addresses of their metrics."""
    assert deployed.run("db-upgrade", command("db-upgrade"), 60) == 0
    ports = [free_port() for _ in range(SERVICES["worker"]["deploy"]["replicas"])]
    for port in ports:
        deployed.start(f"worker-{port}", command("worker"), OS_TELEMETRY__PORT=str(port))
    for port in ports:
        assert wait_until(partial(answers, f"http://127.0.0.1:{port}/readyz"), 60)
    return [f"127.0.0.1:{port}" for port in ports]


def start_prometheus(deployed: Programs, folder: Path, targets: list[str]) -> str:
    """The real one, on the scrape file of etc/ with targets of ours; gives its URL."""
    settings = yaml.safe_load((ROOT / "etc/prometheus/prometheus.yml").read_text())
    settings["global"]["scrape_interval"] = "1s"
    del settings["scrape_configs"][0]["dns_sd_configs"]
    settings["scrape_configs"][0]["static_configs"] = [{"targets": targets}]
    path, address = folder / "prometheus.yml", f"127.0.0.1:{free_port()}"
    path.write_text(yaml.safe_dump(settings))
    flags = {"config.file": path, "storage.tsdb.path": folder, "web.listen-address": address}
    arguments = [f"--{name}={value}" for name, value in flags.items()]
    deployed.start("prometheus", [need(PROMETHEUS), *arguments])
    assert wait_until(partial(answers, f"http://{address}/-/ready"), 30)
    return f"http://{address}"


def ask(prometheus: str, query: str) -> list[Any]:
    """What a panel would get; Prometheus refuses a query that makes no sense with a 400."""
    text = quote(query.replace("$__rate_interval", "1m"))
    with urlopen(f"{prometheus}/api/v1/query?query={text}", timeout=10) as answer:
        found: list[Any] = json.loads(answer.read())["data"]["result"]
    return found


def test_what_compose_starts_works_through_a_round_of_its_publisher(
    deployed: Programs, tmp_path: Path
) -> None:
    start_simulator(deployed, tmp_path)
    prometheus = start_prometheus(deployed, tmp_path, start_workers(deployed))

    publish = ["sh", str(ROOT / "etc/compose/publish.sh")]
    code = deployed.run("publisher", publish, 240, ROUNDS="1")
    assert code == 0, deployed.log("publisher").read_text()

    ended = "sum by (outcome) (trove_resources_commands_finished_total)"
    assert wait_until(lambda: ask(prometheus, ended)[0]["value"][1] == "5", 20)
    assert [each["metric"] for each in ask(prometheus, ended)] == [{"outcome": "success"}]
    empty = {query for query in DASHBOARD_QUERIES if not ask(prometheus, query)}
    assert not {query for query in empty if not MAY_BE_EMPTY.search(query)}
