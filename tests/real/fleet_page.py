"""What came of moving a fleet, as Markdown."""

from collections.abc import Iterator, Mapping
from statistics import median

import msgspec

from tests.real.report import table


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One migration: the seconds that `planning` (with `asked` requests) and all of it took, what
    `plan`, `watch` and `report` printed, `freezes` in seconds, ascending, and `most`, the longest
    that was allowed."""

    name: str
    instances: int
    seconds: float
    planning: float
    asked: int
    plan: str
    freezes: tuple[float, ...]
    most: int
    watched: str
    report: str


class Disturbed(msgspec.Struct, frozen=True, kw_only=True):
    """An ordinary command for an instance on the move: how long it `waited`, whether it `ended`
    well."""

    move: str
    waited: float
    ended: bool


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The run's figures; `news` counts the events of migrations by type."""

    instances: int
    trove: int
    shapes: int
    commands: int
    seconds: float
    moves: tuple[Move, ...]
    disturbed: tuple[Disturbed, ...]
    news: Mapping[str, int]
    wrong: tuple[str, ...]


def markdown(figures: Figures, picture: str) -> Iterator[str]:
    """The whole page."""
    yield "# A fleet that moves"
    yield ""
    yield (
        "`make fleet` wrote this page. Two worker processes, RabbitMQ, MariaDB and the OpenStack "
        f"of `tests/cloud`: {figures.instances} native instances of {figures.shapes} shapes, "
        f"{figures.trove} of them made as Trove made them and imported, were moved into stacks by "
        "`trove-resources migrate`, 4 at a time, then resized up and down through their stacks "
        "(every other one with its volume); half was moved back and resized natively; all were "
        "deleted. Before and after each move Nova's launch time and list of actions, all ids, "
        "addresses, attachments, sizes and rules of every instance were compared."
    )
    yield ""
    yield f"![Instances per manager over time]({picture})"
    yield ""
    yield from table(("what", "figure"), _figures(figures))
    yield ""
    head = ("migration", "instances", "seconds", "freeze: median", "95 %", "longest", "allowed")
    yield from table(head, (_move(each) for each in figures.moves))
    yield ""
    for move in figures.moves:
        yield from _said(f"What `migrate plan` said before {move.name}", move.plan)
        yield from _said(f"What `migrate watch` said during {move.name}", move.watched)
        yield from _said(f"What `migrate report` said after {move.name}", move.report)
    if figures.wrong:
        yield "## What is wrong"
        yield ""
        yield from (f"* {line}" for line in figures.wrong)


def _figures(figures: Figures) -> Iterator[tuple[str, str]]:
    waits = [each.waited for each in figures.disturbed]
    well = sum(each.ended for each in figures.disturbed)
    yield "instances, of them made as Trove did", f"{figures.instances}, {figures.trove}"
    yield "commands besides the migrations'", str(figures.commands)
    for move in figures.moves:
        yield (
            f"planning {move.name} of {move.instances}",
            f"{move.asked} requests, {move.planning:.1f} s",
        )
    yield "commands for instances on the move, ended well", f"{len(waits)}, {well}"
    if waits:
        yield "these waited", f"median {median(waits):.1f} s, longest {max(waits):.1f} s"
    yield "leaked", str(sum(line.startswith("leaked") for line in figures.wrong))
    yield "events of migrations", _counted(figures.news)
    yield "all that is wrong", str(len(figures.wrong))
    yield "duration", f"{figures.seconds:.0f} s"


def _counted(news: Mapping[str, int]) -> str:
    told = (f"{kind.removeprefix('trove.resources.migration.')} {n}" for kind, n in news.items())
    return ", ".join(told)


def _move(move: Move) -> tuple[str, ...]:
    last = len(move.freezes) - 1
    at = (last // 2, round(last * 0.95), last)
    shown = (f"{move.freezes[each]:.1f} s" for each in at)
    return (move.name, str(move.instances), f"{move.seconds:.0f}", *shown, f"{move.most} s")


def _said(title: str, text: str) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield "```text"
    yield from (line.rstrip() for line in text.strip().splitlines())
    yield "```"
    yield ""
