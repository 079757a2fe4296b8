"""Every alert asks only for what exists, in a query that parses, and leads to a remedy."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.house.tree import ROOT
from tests.support.services import PROMTOOL, need
from tests.unit.test_dashboards import parsed, selectors, unknown

FILE = ROOT / "etc/prometheus/alerts.yml"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]
]


@pytest.fixture(params=RULES, ids=lambda rule: str(rule["alert"]))
def rule(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = request.param
    return found


def test_the_query_parses_and_its_metrics_exist(rule: dict[str, Any]) -> None:
    parsed(rule["expr"])

    assert list(selectors(rule["expr"]))
    assert unknown(rule["expr"]) == []


def test_fleet_gauges_are_never_added_up_over_workers(rule: dict[str, Any]) -> None:
    for name in re.findall(r"(sum[^(]*)\((?:\w+\()?trove_resources_fleet_\w+", rule["expr"]):
        pytest.fail(f"{name} adds up what every worker says")


def test_it_says_what_is_wrong_and_where_the_remedy_stands(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert rule["annotations"]["summary"] and rule["annotations"]["description"]
    path, _, anchor = rule["annotations"]["runbook"].partition("#")
    heads = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(), re.MULTILINE)
    assert anchor in {re.sub(r"[^a-z0-9 -]", "", head.lower()).replace(" ", "-") for head in heads}


def test_prometheus_reads_the_file() -> None:
    settings = yaml.safe_load((FILE.parent / "prometheus.yml").read_text())

    assert settings["rule_files"] == [FILE.name]


@pytest.mark.integration
def test_promtool_lets_them_ring_when_they_should(tmp_path: Path) -> None:
    gauge = "trove_resources_fleet_migrations"
    rate = "trove_resources_fleet_migration_rate"
    waiting = "trove_resources_fleet_migration_instances"
    series = [
        {"series": f'{gauge}{{direction="adopt", status="paused"}}', "values": "1x120"},
        {"series": f'{gauge}{{direction="release", status="running"}}', "values": "1x120"},
        {"series": f'{waiting}{{direction="release", stage="planned"}}', "values": "9x120"},
        {"series": f'{rate}{{direction="release"}}', "values": "0x120"},
    ]
    cases = {
        "rule_files": [str(FILE)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": series,
                "promql_expr_test": [
                    _rings("5m", []),
                    _rings("15m", ["MigrationWaitsForPeople"]),
                    _rings("40m", ["MigrationStandsStill", "MigrationWaitsForPeople"]),
                ],
            }
        ],
    }
    (tmp_path / "cases.yml").write_text(yaml.safe_dump(cases))

    for action in (["check", "rules", str(FILE)], ["test", "rules", str(tmp_path / "cases.yml")]):
        command = [need(PROMTOOL), *action]
        done = subprocess.run(command, check=False, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


def _rings(at: str, names: list[str]) -> dict[str, Any]:
    """Which alerts ring at that time."""
    return {
        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": at,
        "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in names],
    }
