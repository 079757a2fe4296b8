"""The matrix command × manager × cloud, made of what the conformance suite measured.

A test hands its measures over as user properties, which pytest-xdist brings along. The matrix is
printed after the run. A run of the whole suite fails when a registered command has no good cell in
a column: nobody can add a command without saying what every manager does with it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from statistics import median
from typing import Any

import msgspec
import pytest

from handlers.resources import Service

CELL = "matrix"

Column = tuple[str, str]


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One command that came to the end that was expected, and what it took.

    `outcome` is `done`, `refused` or `unsupported`; `calls` counts all requests to the cloud,
    `changes` those of them that change something, `requests` those beside listings, by service.
    """

    manager: str
    cloud: str
    command: str
    outcome: str
    seconds: float
    calls: int
    changes: int
    requests: dict[str, int] = {}


class Matrix:
    """Measures by command and column (manager, cloud)."""

    def __init__(self, commands: Collection[str]) -> None:
        self._commands = commands
        self._good: dict[tuple[str, Column], list[Measure]] = defaultdict(list)
        self._bad: set[tuple[str, Column]] = set()
        self.columns: set[Column] = set()

    def add(self, measure: Measure, passed: bool) -> None:
        """Take what a test measured; `passed` says whether all of the test went well."""
        column = measure.manager, measure.cloud
        self.columns.add(column)
        if passed:
            self._good[measure.command, column].append(measure)
        else:
            self._bad.add((measure.command, column))

    def missing(self) -> list[str]:
        """Cells without a command that was done, or that was refused as unsupported."""
        return [
            f"{command} of {column[0]} on {column[1]}"
            for column in sorted(self.columns)
            for command in self._commands
            if not self._kept(command, column)
        ]

    def lines(self) -> Iterable[str]:
        """As a Markdown table."""
        columns = sorted(self.columns)
        yield "| command | " + " | ".join(f"{name} on {cloud}" for name, cloud in columns) + " |"
        yield "|---|" + "---|" * len(columns)
        for command in self._commands:
            cells = (self._cell(command, column) for column in columns)
            yield f"| {command} | " + " | ".join(cells) + " |"

    def _kept(self, command: str, column: Column) -> list[Measure]:
        return [each for each in self._good[command, column] if each.outcome != "refused"]

    def _cell(self, command: str, column: Column) -> str:
        kept = self._kept(command, column)
        if (command, column) in self._bad:
            return "✗"
        if not kept:
            return "missing"
        done = [each for each in kept if each.outcome == "done"]
        if not done:
            return "✓ unsupported"
        seconds, calls = median(e.seconds for e in done), median(e.calls for e in done)
        changes = median(each.changes for each in done)
        heat = max(each.requests.get(Service.ORCHESTRATION, 0) for each in done)
        more = f", Heat ≤ {heat}" if heat else ""
        return f"✓ {len(done)}×, {seconds:.1f} s, {calls:.0f} calls ({changes:.0f} changes{more})"


class MatrixPlugin:
    """Prints the matrix; fails the run when it is `whole` and a cell is missing."""

    def __init__(self, matrix: Matrix, whole: bool) -> None:
        self._matrix = matrix
        self._whole = whole
        self._passed: dict[str, bool] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Measures come with the teardown's report, the verdict with the call's."""
        if report.when == "call":
            self._passed[report.nodeid] = report.passed
        if report.when != "teardown":
            return
        passed = self._passed.pop(report.nodeid, False) and report.passed
        for name, value in report.user_properties:
            if name == CELL:
                self._matrix.add(msgspec.convert(value, Measure), passed)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._missing() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._matrix.columns:
            return
        terminalreporter.section("command × manager × cloud (medians)")
        for line in self._matrix.lines():
            terminalreporter.write_line(line)
        for cell in self._missing():
            terminalreporter.write_line(f"missing: {cell}", red=True)

    def _missing(self) -> list[str]:
        return self._matrix.missing() if self._whole else []


def plugin(config: pytest.Config, commands: Iterable[str]) -> MatrixPlugin:
    """The plug-in for a run; it is whole when nobody chose single tests."""
    options: Any = config.option
    chosen = options.keyword or config.args_source is not pytest.Config.ArgsSource.TESTPATHS
    return MatrixPlugin(Matrix(tuple(commands)), whole=not chosen)
