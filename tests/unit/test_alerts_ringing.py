"""When the alerts of migrations ring, as promtool plays it: one sample a minute."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from tests.house.tree import ROOT
from tests.support.services import PROMTOOL, need

FILE = ROOT / "etc/prometheus/alerts.yml"
MIGRATIONS = "trove_resources_fleet_migrations"
INSTANCES = "trove_resources_fleet_migration_instances"
FAILURES = "trove_resources_fleet_migration_failures"
RATE = "trove_resources_fleet_migration_rate"

WAITS, STANDS, FAIL = "MigrationWaitsForPeople", "MigrationStandsStill", "MigrationInstancesFail"


class Case(msgspec.Struct, frozen=True):
    """`series` by selector, in promtool's notation; `rings`: what rings at which minute."""

    series: Mapping[str, str]
    rings: Mapping[int, Sequence[str]]


def ending(status: str, moved: str, left: str) -> dict[str, str]:
    """A migration of that status: instances that are through, and those that are not."""
    return {
        f'{MIGRATIONS}{{direction="adopt", status="{status}"}}': "1x150",
        f'{INSTANCES}{{direction="adopt", stage="planned"}}': "0x150",
        f'{INSTANCES}{{direction="adopt", stage="rolled_back"}}': moved,
        f'{INSTANCES}{{direction="adopt", stage="rolling_back"}}': left,
        f'{RATE}{{direction="adopt"}}': "0x150",
    }


def running(rate: str, planned: str = "9x150") -> dict[str, str]:
    return {
        f'{MIGRATIONS}{{direction="release", status="running"}}': "1x150",
        f'{INSTANCES}{{direction="release", stage="planned"}}': planned,
        f'{RATE}{{direction="release"}}': rate,
    }


def failures(**workers: str) -> dict[str, str]:
    """What each worker says about one reason."""
    labels = 'direction="adopt", reason="quota"'
    return {f'{FAILURES}{{{labels}, instance="{name}"}}': said for name, said in workers.items()}


CASES = {
    "paused": Case(
        {f'{MIGRATIONS}{{direction="adopt", status="paused"}}': "1x120"}, {5: [], 15: [WAITS]}
    ),
    # the last instances begin in minute 30
    "running, none begins": Case(running("5x30 0x120"), {30: [], 57: [], 63: [STANDS]}),
    "running, one begins now and then": Case(
        running("0x20 1x0 0x20 1x0 0x20 1x0 0x20 1x0 0x20"), {40: [], 63: [], 90: []}
    ),
    "running, none is left": Case(running("5x30 0x120", "9-1x9 0x140"), {63: [], 120: []}),
    # the last one is moved back in minute 30
    "rolling back, stands": Case(
        ending("rolling_back", "0+1x30 30x120", "2x150"), {30: [], 57: [], 63: [STANDS]}
    ),
    "aborting, stands": Case(
        ending("aborting", "0+1x30 30x120", "2x150"), {30: [], 57: [], 63: [STANDS]}
    ),
    "rolling back, goes on": Case(
        ending("rolling_back", "0+1x150", "2x150"), {35: [], 63: [], 120: []}
    ),
    "rolled back": Case(ending("rolled_back", "30x150", "0x150"), {63: [], 120: []}),
    "the first failures": Case(failures(a="0x10 3x60"), {9: [], 12: [FAIL], 30: []}),
    "two failures, as two workers say": Case(failures(a="0x10 2x60", b="0x10 2x60"), {12: []}),
    "failures that trickle": Case(failures(a="0x10 1x20 2x20 3x20 4x20"), {32: [], 53: [], 75: []}),
    "failures of the migration after one with many": Case(
        failures(a="7x20 0x1 3x30"), {19: [], 23: [FAIL], 50: []}
    ),
    "a worker that starts after the failures": Case(
        failures(a="7x60", b="_x20 7x40"), {22: [], 40: []}
    ),
}


@pytest.mark.integration
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_they_ring_when_they_should(case: Case, tmp_path: Path) -> None:
    series = [{"series": name, "values": values} for name, values in case.series.items()]
    expected = [_rings(f"{minute}m", names) for minute, names in case.rings.items()]
    cases = {
        "rule_files": [str(FILE)],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": expected}],
    }
    (tmp_path / "cases.yml").write_text(yaml.safe_dump(cases))

    _promtool("test", "rules", str(tmp_path / "cases.yml"))


@pytest.mark.integration
def test_promtool_takes_the_rules() -> None:
    _promtool("check", "rules", str(FILE))


def _promtool(*action: str) -> None:
    command = [need(PROMTOOL), *action]
    done = subprocess.run(command, check=False, capture_output=True, timeout=60)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def _rings(at: str, names: Sequence[str]) -> dict[str, Any]:
    """Which alerts ring at that time."""
    return {
        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": at,
        "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in names],
    }
