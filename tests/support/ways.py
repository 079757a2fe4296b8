"""The table of the ways out: the state, how it came about, the exit, and how long that took.

A test says with the marker `way` which state it leaves by which exit; a scenario of the conformance
suite that does so stands in `CONFORMANCE`. The table is printed after a run, and written to a page
where `--ways-out=FILE` says so: rows that the run did not measure anew are kept.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

WAY, SECONDS = "way", "way-seconds"

_HEAD = ("state", "came about", "exit", "seconds")

_PAGE = """# The ways out

`make cloud` wrote this page. Each row is a test that produced the state on the real OpenStack of
`tests/cloud` (Heat 27, Nova 34, Cinder 29, Neutron 29, Keystone 30), and left it by the worker
with the manager `orchestrator`, or while it moved an instance into a stack (adopt, commit) or out
of one (release). At the end of each test the cloud was asked that nothing is left: no stack,
server, volume, port, group or trust; where an instance moved, also that its server, volume, ports
and group are the same, and that Nova was asked nothing. Seconds are from the command to its end,
where the test measured that; "in all" is a whole test, with the instance's life before and after.

"""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A state of a stack, or of what it owns; how it came about; how it is left."""

    state: str
    made: str
    exit: str


#: By scenario of tests/contract/managers, on the real OpenStack, with ORCHESTRATOR.
CONFORMANCE = {
    "a_server_that_goes_to_error_is_undone": Way(
        state="CREATE_FAILED",
        made="the host cannot spawn the server (Heat tries five times)",
        exit="fails with Nova's fault; the stack is deleted, nothing is left",
    ),
    "a_volume_that_goes_to_error_is_undone": Way(
        state="CREATE_FAILED",
        made="Cinder cannot make the volume (Heat tries five times)",
        exit="fails; the stack is deleted, then natively the volume that it left",
    ),
    "over_quota_ends_clearly_and_leaves_nothing": Way(
        state="CREATE_FAILED",
        made="quota of volumes, ports, groups",
        exit="fails as `quota`; the stack is deleted, nothing is left",
    ),
    "what_the_cloud_does_not_know_is_refused_in_its_words": Way(
        state="refused",
        made="unknown flavor, image, network, volume type, zone",
        exit="fails in Heat's or Nova's words, nothing is left",
    ),
    "a_delete_overtakes_a_create_that_is_open": Way(
        state="CREATE_IN_PROGRESS",
        made="a delete arrives",
        exit="the create ends as superseded, the stack is deleted while Heat creates it",
    ),
    "a_resize_that_fails_on_the_host_is_set_back": Way(
        state="UPDATE_FAILED",
        made="the host cannot resize the server, which goes to ERROR",
        exit="fails with Nova's fault; server reset, old values given again; the next resize works",
    ),
    "a_server_is_resized_up_and_down_in_place": Way(
        state="refused",
        made="unknown flavor for a resize",
        exit="fails in Heat's words, the stack is untouched",
    ),
    "a_volume_grows_in_use_and_never_shrinks": Way(
        state="refused",
        made="the volume shall shrink",
        exit="fails as `invalid`, neither Cinder nor Heat is asked",
    ),
    "an_extension_that_fails_in_cinder_is_set_back": Way(
        state="volume in error",
        made="Cinder cannot extend it",
        exit="fails; the status is set back, Heat is not asked",
    ),
    "a_server_that_somebody_else_deleted_is_missed_and_no_other_is_made": Way(
        state="server missing",
        made="somebody deleted it natively",
        exit="a resize fails as `not_found` and changes nothing; a delete ends well",
    ),
    "a_delete_that_cannot_finish_says_what_is_left_and_can_be_repeated": Way(
        state="volume in error",
        made="Cinder cannot delete what the stack has retained",
        exit="fails and names the volume; repeated, it ends well",
    ),
    "a_stack_that_somebody_deleted_takes_no_data_along": Way(
        state="stack missing",
        made="somebody deleted it",
        exit="changes fail as `not_found`; the data volume is kept until the delete",
    ),
    "an_abandoned_stack_is_missed_and_its_instance_can_be_deleted": Way(
        state="stack missing",
        made="somebody abandoned it",
        exit="changes fail as `not_found`; a delete finishes natively",
    ),
    "a_flavor_that_somebody_changed_ends_as_the_command_says": Way(
        state="flavor differs",
        made="somebody resized the server natively",
        exit="the server is resized back natively, then by Heat",
    ),
    "a_volume_that_somebody_grew_is_grown_further_or_taken_as_it_is": Way(
        state="volume size differs",
        made="somebody extended it natively",
        exit="extended further, or taken as it is; Heat is told",
    ),
    "a_stack_name_that_is_taken_is_refused_and_left_alone": Way(
        state="name taken",
        made="a stack of that name is somebody else's",
        exit="fails as `exists`, theirs is untouched",
    ),
    "an_update_that_would_replace_something_fails_and_harms_nothing": Way(
        state="UPDATE_FAILED",
        made="somebody's update would replace the server",
        exit="Heat refuses; once its values are good again, the next resize works",
    ),
    "a_command_waits_for_somebody_elses_update": Way(
        state="UPDATE_IN_PROGRESS",
        made="somebody's update runs when a command arrives",
        exit="the command waits for its end",
    ),
}


class WaysPlugin:
    """Collects, prints and writes the table."""

    def __init__(self, page: Path | None) -> None:
        self._page = page
        self._calls: dict[str, pytest.TestReport] = {}
        self._rows: dict[tuple[str, str], tuple[str, ...]] = {}

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Say it where the test runs: pytest-xdist takes user properties along."""
        way = _way_of(item)
        if way:
            item.user_properties.append((WAY, msgspec.to_builtins(way)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self._calls[report.nodeid] = report
        said = dict(report.user_properties)
        if report.when != "teardown" or WAY not in said:
            return
        call = self._calls.pop(report.nodeid, None)
        if call is None or call.skipped:
            return
        way = msgspec.convert(said[WAY], Way)
        took = str(said.get(SECONDS, "")) or f"{call.duration:.0f} in all"
        cell = took if call.passed and report.passed else "✗"
        self._rows[way.state, way.made] = (way.state, way.made, way.exit, cell)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._rows:
            return
        terminalreporter.section("ways out")
        for line in _table(self._rows.values()):
            terminalreporter.write_line(line)
        if self._page:
            kept = _rows_in(self._page.read_text()) if self._page.exists() else {}
            rows = {**kept, **self._rows}
            self._page.write_text(_PAGE + "\n".join(_table(rows.values())) + "\n")


def _way_of(item: pytest.Item) -> Way | None:
    marker = item.get_closest_marker(WAY)
    if marker:
        return Way(**marker.kwargs)
    params: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    if params.get("place") != "openstack" or params.get("manager") != "orchestrator":
        return None
    return CONFORMANCE.get(getattr(params.get("scenario"), "__name__", ""))


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _line(_HEAD)
    yield "|" + "---|" * len(_HEAD)
    yield from map(_line, sorted(rows))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _rows_in(page: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """The rows of a page that was written before."""
    lines = (line for line in page.splitlines() if line.startswith("| "))
    rows = [tuple(line.strip("| ").split(" | ")) for line in lines]
    return {(row[0], row[1]): row for row in rows if len(row) == len(_HEAD) and row != _HEAD}


def plugin(config: pytest.Config) -> WaysPlugin:
    """The plug-in for a run."""
    config.addinivalue_line(
        "markers", f"{WAY}(state, made, exit): a state of a stack and how it is left"
    )
    page = config.getoption("--ways-out")
    return WaysPlugin(Path(page) if page else None)
