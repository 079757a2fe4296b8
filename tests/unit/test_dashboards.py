"""Every dashboard asks only for what exists, in queries that parse, and explains what it shows."""

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
from prometheus_client import CollectorRegistry

from consumer.ledger.base import Backlog
from consumer.telemetry.catalogue import FAMILIES, PREFIX, Family
from consumer.telemetry.gauges import Fleet, Moves
from consumer.telemetry.metrics import Metrics
from tests.house.tree import ROOT

FILES = sorted((ROOT / "dashboards").glob("*.json"))

#: What Grafana puts in place of its variables.
VARIABLES = {"$__rate_interval": "5m", "$__range": "1h"}

Panel = dict[str, Any]


def panels(dashboard: dict[str, Any]) -> Iterator[Panel]:
    """All panels, those in collapsed rows too, without the rows."""
    for panel in dashboard["panels"]:
        yield from panels(panel) if panel.get("panels") else ()
        if panel["type"] != "row":
            yield panel


def queries(dashboard: dict[str, Any]) -> Iterator[str]:
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield target["expr"]


def parsed(query: str) -> promql_parser.Expr:
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return promql_parser.parse(query)


def selectors(query: str) -> Iterator[tuple[str, set[str]]]:
    """Each metric of a query, with the labels that it is matched on."""
    for name, matchers in re.findall(rf"({PREFIX}\w+)(?:\{{([^}}]*)\}})?", query):
        yield name, set(re.findall(r"(\w+)\s*[=!]", matchers))


def exported() -> dict[str, set[str]]:
    """Every sample name of the real registry, with its labels."""
    registry = CollectorRegistry()
    Metrics(registry, "0")
    registry.register(Fleet(Backlog, 1))
    registry.register(Moves(tuple, 1))
    names: set[str] = set(registry._names_to_collectors)
    return {name: labels(family) for family in FAMILIES for name in samples(family) & names}


def samples(family: Family) -> set[str]:
    suffixes = ("_bucket", "_sum", "_count") if family.kind == "histogram" else ("",)
    return {family.full_name + suffix for suffix in suffixes}


def labels(family: Family) -> set[str]:
    return set(family.labels) | ({"le"} if family.kind == "histogram" else set())


def grouped(query: str) -> set[str]:
    """The labels that a query groups by."""
    found = re.findall(r"\bby \(([^)]*)\)", query)
    return {label.strip() for labels in found for label in labels.split(",")}


def unknown(query: str) -> list[str]:
    """What a query asks for that no worker exports; `instance` is Prometheus's own label."""
    known = exported()
    strange = [
        f"{name}{sorted(matched - known.get(name, set()))}"
        for name, matched in selectors(query)
        if name not in known or not matched <= known[name]
    ]
    offered = set().union(*(known.get(name, set()) for name, _ in selectors(query)), {"instance"})
    return strange + sorted(grouped(query) - offered)


def faults_of(dashboard: dict[str, Any]) -> Iterator[str]:
    """What a dashboard leaves unsaid."""
    if not (dashboard.get("uid") and dashboard.get("title") and dashboard.get("description")):
        yield "the dashboard needs uid, title and description"
    found = list(panels(dashboard))
    for field in ("id", "title"):
        if len({panel.get(field) for panel in found}) < len(found):
            yield f"panels share a {field}"
    for panel in found:
        said = panel.get("title") and panel.get("description")
        if not (said and panel.get("fieldConfig", {}).get("defaults", {}).get("unit")):
            yield f"panel {panel.get('id')} needs title, description and unit"
        if panel.get("datasource", {}).get("uid") != "${datasource}":
            yield f"panel {panel.get('id')} names a data source of its own"


@pytest.fixture(params=FILES, ids=lambda path: str(path.name))
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(request.param.read_text())
    return loaded


def test_every_query_parses(dashboard: dict[str, Any]) -> None:
    for query in queries(dashboard):
        parsed(query)


def test_every_metric_exists_with_the_labels_that_are_matched(dashboard: dict[str, Any]) -> None:
    assert [unknown(query) for query in queries(dashboard) if unknown(query)] == []


def test_every_panel_says_what_it_shows(dashboard: dict[str, Any]) -> None:
    assert list(faults_of(dashboard)) == []


def test_fleet_gauges_are_never_added_up_over_workers(dashboard: dict[str, Any]) -> None:
    """Every worker exports the same figure: it is taken, as max, or added within one instance."""
    for query in queries(dashboard):
        if "fleet_" in query:
            assert re.search(r"max( by \([\w, ]+\))? ?\(", query), query


def test_what_the_first_dashboard_must_show_is_there() -> None:
    overview = json.loads((ROOT / "dashboards/overview.json").read_text())
    shown = {
        name.removeprefix(PREFIX) for query in queries(overview) for name, _ in selectors(query)
    }
    assert shown >= {
        "commands_received_total",
        "commands_finished_total",
        "fleet_operations",
        "fleet_oldest_operation_seconds",
        "fleet_instances",
        "cloud_requests_total",
        "cloud_request_duration_seconds_bucket",
        "fleet_outbox_events",
        "fleet_workers",
    }


def test_what_the_dashboard_of_migrations_must_show_is_there() -> None:
    board = json.loads((ROOT / "dashboards/migration.json").read_text())
    shown = {name.removeprefix(PREFIX) for query in queries(board) for name, _ in selectors(query)}
    assert shown >= {
        "fleet_instances",
        "fleet_migration_instances",
        "fleet_migration_rate",
        "fleet_migration_eta_seconds",
        "fleet_migration_failures",
        "migration_freeze_seconds_bucket",
    }


def test_uids_are_unique() -> None:
    uids = [json.loads(path.read_text())["uid"] for path in FILES]
    assert len(set(uids)) == len(uids) > 0


def test_a_query_that_does_not_parse_is_rejected() -> None:
    with pytest.raises(ValueError):
        parsed("sum by (x (trove_resources_ledger_up)")


def test_a_metric_that_nobody_exports_is_rejected() -> None:
    assert unknown("sum(trove_resources_unicorns_total)")


def test_a_label_that_the_metric_does_not_have_is_rejected() -> None:
    assert unknown('sum(trove_resources_faults_total{colour="red"})')


def test_grouping_by_a_label_that_the_metric_does_not_have_is_rejected() -> None:
    assert unknown("sum by (colour) (trove_resources_faults_total)")


def test_a_panel_without_unit_and_description_is_rejected() -> None:
    panel = {"id": 1, "type": "stat", "title": "x", "targets": []}
    assert list(faults_of({"uid": "x", "title": "x", "description": "x", "panels": [panel]}))
