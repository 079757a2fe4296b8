"""Every alert asks only for what exists, in a query that parses, and leads to a remedy."""

import re
from typing import Any

import pytest
import yaml

from tests.house.tree import ROOT
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
