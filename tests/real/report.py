"""What came of the run, as Markdown."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median

import msgspec

from handlers.commands import Command
from handlers.operation import SECOND, Operation
from tests.real.targets import BOUNDARIES, ENDS, Death, Target

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
    `owners` maps instances to managers, `terminal` has how often each terminal event id of a
    command was heard, `made` how many servers and stacks there ever were, `wrong` one line for
    everything that is.
    """

    owners: Mapping[str, str]
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
    made: Mapping[str, int]
    trusts: int
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
        named = by_name.get((death.target.subject, death.target.crossing.command), [])
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
        f"{len(report.owners)} instances were created, resized both ways, got other rules and were "
        "deleted, while workers killed themselves (SIGKILL) at the crossings below, and some were "
        "killed from outside. Half of the instances were made while workers had NATIVES for new "
        "ones; then the workers were started anew with ORCHESTRATOR, and any worker carried out "
        f"any command. A worker counts as dead after {report.lease:.0f} s; a lost call is over "
        f"after {report.quiet:.0f} s, and nobody makes it anew before."
    )
    yield ""
    yield from table(("what", "figure"), _figures(report))
    yield ""
    yield (
        "Kills by step and boundary; in brackets the seconds until another process went on with "
        "the operation, further kills in between included. Two threads of one process may have "
        "been at two crossings when it was killed."
    )
    yield ""
    for manager in dict.fromkeys(report.owners.values()):
        yield from _of_manager(report, manager)
    if report.wrong:
        yield ""
        yield "What is wrong:"
        yield ""
        yield from (f"* {line}" for line in report.wrong)


def _of_manager(report: Report, manager: str) -> Iterator[str]:
    mine = [each for each in report.recoveries if each.target.crossing.manager == manager]
    yield f"## {manager.upper()}"
    yield ""
    yield (
        f"{len(mine)} kills; taken over after {spread(each.taken for each in mine)}; "
        f"went on after {spread(each.going for each in mine)}."
    )
    yield ""
    for boundaries in (BOUNDARIES, ENDS):
        yield from table(("command", "step", *boundaries), kills_of(mine, boundaries))
        yield ""


def _figures(report: Report) -> Iterator[tuple[str, str]]:
    heard = [sum(report.terminal[each.id].values()) for each in report.commands]
    ids = [len(report.terminal[each.id]) for each in report.commands]
    managers = Counter(report.owners.values())
    owned = ", ".join(f"{number} of {name.upper()}" for name, number in managers.items())
    yield "instances", owned
    yield "commands", str(len(report.commands))
    yield "crossings at which a process was killed", str(len(report.recoveries))
    yield "processes killed there, and from outside", f"{report.killed}, {report.strays}"
    yield "worker processes started", str(report.starts)
    yield "lost", str(report.count("lost"))
    yield "doubled", str(report.count("doubled"))
    yield "leaked", str(report.count("leaked"))
    yield "servers that Nova ever made", str(report.made["servers"])
    yield "stacks that Heat ever made", str(report.made["stacks"])
    yield "trusts that are left", str(report.trusts)
    yield "terminal event ids per command", f"{min(ids)} to {max(ids)}"
    yield "copies of a terminal event heard", f"{min(heard)} to {max(heard)}"
    yield "taken over after", spread(each.taken for each in report.recoveries)
    yield "went on after", spread(each.going for each in report.recoveries)
    yield "duration", f"{report.seconds:.0f} s"
    yield "all else that is wrong", str(len(report.wrong) - sum(map(report.count, _KINDS)))


_KINDS = ("lost", "doubled", "leaked")


def spread(seconds: Iterable[float | None]) -> str:
    known = [each for each in seconds if each is not None]
    if not known:
        return "-"
    return f"median {median(known):.1f} s, max {max(known):.1f} s"


def kills_of(some: Sequence[Recovery], boundaries: Sequence[str]) -> Iterator[Sequence[str]]:
    """A row for each command and step that has any of these boundaries, with a column for each."""
    crossings = [each.target.crossing for each in some]
    rows = dict.fromkeys((at.command, at.step) for at in crossings if at.boundary in boundaries)
    for command, step in sorted(rows):
        yield (command, step, *(_cell(some, command, step, each) for each in boundaries))


def _cell(some: Sequence[Recovery], command: str, step: str, boundary: str) -> str:
    hits = [
        each
        for each in some
        if (each.target.crossing.command, each.target.crossing.step, each.target.crossing.boundary)
        == (command, step, boundary)
    ]
    times = ", ".join(f"{each.going:.0f}" for each in hits if each.going is not None)
    return f"{len(hits)}" + (f" ({times})" if times else "")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
