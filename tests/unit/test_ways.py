"""The table of the ways out: what a run measured goes into it, what it did not is kept."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, cast

import msgspec
import pytest

from tests.contract.managers.scenarios import SCENARIOS, STACK_SCENARIOS
from tests.support.ways import CONFORMANCE, SECONDS, WAY, Way, WaysPlugin

STUCK = Way(state="IN_PROGRESS", made="the engine dies", exit="cancelled")
FAILED = Way(state="FAILED", made="quota", exit="undone")


class Terminal:
    """Takes what the plug-in prints."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def section(self, title: str) -> None:
        self.lines.append(title)

    def write_line(self, line: str) -> None:
        self.lines.append(line)


def run(page: Path | None, *measured: tuple[Way, str, bool]) -> list[str]:
    """A run of tests, each with its way, its seconds and its verdict; what is printed after it."""
    plugin, terminal = WaysPlugin(page), Terminal()
    for number, (way, took, passed) in enumerate(measured):
        for when in ("setup", "call", "teardown"):
            said: list[tuple[str, object]] = [(WAY, msgspec.to_builtins(way))]
            said += [(SECONDS, took)] if took else []
            outcome: Literal["passed", "failed"] = "passed" if passed else "failed"
            plugin.pytest_runtest_logreport(_report(f"test-{number}", when, outcome, said))
    plugin.pytest_terminal_summary(cast(pytest.TerminalReporter, terminal))
    return terminal.lines


def _report(name: str, when: Any, outcome: Any, said: list[tuple[str, object]]) -> Any:
    where = (name, 1, name)
    return pytest.TestReport(
        name, where, {}, outcome, None, when, user_properties=said, duration=7.0
    )


def test_a_run_without_ways_prints_nothing(tmp_path: Path) -> None:
    assert run(tmp_path / "page.md") == []
    assert not (tmp_path / "page.md").exists()


def test_a_way_is_a_line_with_what_it_took() -> None:
    lines = run(None, (STUCK, "61", True), (FAILED, "", True))
    assert lines[-2:] == [
        "| FAILED | quota | undone | 7 in all |",
        "| IN_PROGRESS | the engine dies | cancelled | 61 |",
    ]


def test_a_way_that_was_not_found_is_told() -> None:
    assert run(None, (STUCK, "61", False))[-1].endswith("| ✗ |")


def test_a_page_keeps_what_a_run_did_not_measure(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    run(page, (STUCK, "61", True), (FAILED, "5", True))
    run(page, (STUCK, "60", True))
    rows = [line for line in page.read_text().splitlines() if line.startswith("| ")]
    assert rows == [
        "| state | came about | exit | seconds |",
        "| FAILED | quota | undone | 5 |",
        "| IN_PROGRESS | the engine dies | cancelled | 60 |",
    ]


@pytest.mark.parametrize(
    ("place", "manager", "known"),
    [("openstack", "orchestrator", True), ("simulator", "orchestrator", False)],
)
def test_the_conformance_suite_counts_where_heat_is_real(
    place: str, manager: str, known: bool
) -> None:
    properties: list[tuple[str, object]] = []
    item = SimpleNamespace(
        get_closest_marker=lambda name: None,
        user_properties=properties,
        callspec=SimpleNamespace(
            params={"place": place, "manager": manager, "scenario": STACK_SCENARIOS[1]}
        ),
    )
    WaysPlugin(None).pytest_runtest_setup(cast(pytest.Item, item))
    assert [name for name, _ in properties] == ([WAY] if known else [])


def test_every_way_of_the_conformance_suite_is_a_scenario_of_it() -> None:
    names = {each.__name__ for each in (*SCENARIOS, *STACK_SCENARIOS)}
    assert CONFORMANCE.keys() <= names
