"""What came of the run, as Markdown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median

import msgspec

from handlers.commands import Command
from handlers.operation import SECOND, Operation
from tests.real.targets import BOUNDARIES, END, ENDS, Death, Target

#: Lines of a timeline that show that an operation goes on.
_GOES_ON = frozenset({"acted", "done", "end", "error"})


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """A death, and how many seconds later another process had the operation, and went on with it.

    None when there was nothing to take over: the operation had ended.
    """

    target: Target
    taken: float | None
    going: float | None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The run's figures.

    `killed` processes died at crossings, `strays` were killed from outside. `lease` and `quiet`
    are the workers' settings: seconds until a worker counts as dead, and until a lost call is over.
    `terminal` has how often each terminal event id of a command was heard, `wrong` one line for
    everything that is.
    """

    instances: int
    workers: int
    seconds: float
    commands: tuple[Command, ...]
    recoveries: tuple[Recovery, ...]
    killed: int
    strays: int
    starts: int
    lease: float
    quiet: float
    terminal: Mapping[str, Mapping[str, int]]
    servers_made: int
    wrong: tuple[str, ...]

    def count(self, kind: str) -> int:
        """How many lines of `wrong` begin with the kind."""
        return sum(line.startswith(kind) for line in self.wrong)


def recoveries(deaths: Iterable[Death], operations: Iterable[Operation]) -> Iterator[Recovery]:
    """What the operations' timelines say about each death."""
    by_name: dict[tuple[str, str], list[Operation]] = {}
    for op in operations:
        by_name.setdefault((op.subject, op.command.name), []).append(op)
    for death in deaths:
        named = by_name.get((death.target.subject, death.target.command), [])
        opened = [each for each in named if each.opened <= death.at]
        yield _recovery(death, max(opened, key=lambda each: each.opened, default=None))


def _recovery(death: Death, op: Operation | None) -> Recovery:
    later = [entry for entry in op.timeline if entry.at > death.at] if op else []
    taken = next((entry.at for entry in later if entry.what == "taken over"), None)
    going = next(
        (each.at for each in later if taken and each.at >= taken and each.what in _GOES_ON), None
    )
    return Recovery(
        target=death.target,
        taken=(taken - death.at) / SECOND if taken else None,
        going=(going - death.at) / SECOND if going else None,
    )


def markdown(report: Report) -> Iterator[str]:
    """The whole page."""
    yield "# The real run"
    yield ""
    yield (
        f"`make real` wrote this page. {report.workers} worker processes, RabbitMQ, MariaDB and "
        "the OpenStack of `tests/cloud`, all real: "
        f"{report.instances} instances were created, resized both ways, got other rules and were "
        "deleted, while workers killed themselves (SIGKILL) at the crossings below, and some were "
        f"killed from outside. A worker counts as dead after {report.lease:.0f} s; a lost call is "
        f"over after {report.quiet:.0f} s, and nobody makes it anew before."
    )
    yield ""
    yield from _table(("what", "figure"), _figures(report))
    yield ""
    yield (
        "Kills by step and boundary; in brackets the seconds until another process went on with "
        "the operation, further kills in between included. Two threads of one process may have "
        "been at two crossings when it was killed."
    )
    yield ""
    yield from _table(("command", "step", *BOUNDARIES), _steps(report))
    yield ""
    yield from _table(("command", *ENDS), _ends(report))
    if report.wrong:
        yield ""
        yield "What is wrong:"
        yield ""
        yield from (f"* {line}" for line in report.wrong)


def _figures(report: Report) -> Iterator[tuple[str, str]]:
    heard = [sum(report.terminal[each.id].values()) for each in report.commands]
    ids = [len(report.terminal[each.id]) for each in report.commands]
    yield "instances, commands", f"{report.instances}, {len(report.commands)}"
    yield "crossings at which a process was killed", str(len(report.recoveries))
    yield "processes killed there, and from outside", f"{report.killed}, {report.strays}"
    yield "worker processes started", str(report.starts)
    yield "lost", str(report.count("lost"))
    yield "doubled", str(report.count("doubled"))
    yield "leaked", str(report.count("leaked"))
    yield "servers that Nova ever made", str(report.servers_made)
    yield "terminal event ids per command", f"{min(ids)} to {max(ids)}"
    yield "copies of a terminal event heard", f"{min(heard)} to {max(heard)}"
    yield "taken over after", _spread(each.taken for each in report.recoveries)
    yield "went on after", _spread(each.going for each in report.recoveries)
    yield "duration", f"{report.seconds:.0f} s"
    yield "all else that is wrong", str(len(report.wrong) - sum(map(report.count, _KINDS)))


_KINDS = ("lost", "doubled", "leaked")


def _spread(seconds: Iterable[float | None]) -> str:
    known = [each for each in seconds if each is not None]
    if not known:
        return "-"
    return f"median {median(known):.1f} s, max {max(known):.1f} s"


def _steps(report: Report) -> Iterator[Sequence[str]]:
    targets = [each.target for each in report.recoveries]
    rows = dict.fromkeys((each.command, each.step) for each in targets if each.step != END)
    for command, step in sorted(rows):
        yield (command, step, *(_cell(report, command, step, each) for each in BOUNDARIES))


def _ends(report: Report) -> Iterator[Sequence[str]]:
    targets = [each.target for each in report.recoveries]
    for command in sorted({each.command for each in targets if each.step == END}):
        yield (command, *(_cell(report, command, END, each) for each in ENDS))


def _cell(report: Report, command: str, step: str, boundary: str) -> str:
    hits = [
        each
        for each in report.recoveries
        if (each.target.command, each.target.step, each.target.boundary)
        == (command, step, boundary)
    ]
    times = ", ".join(f"{each.going:.0f}" for each in hits if each.going is not None)
    return f"{len(hits)}" + (f" ({times})" if times else "")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
