"""What came of the kills, as Markdown."""

from collections.abc import Iterator

import msgspec

from tests.real.mines import AFTER_ASK, AFTER_SAVE, BEFORE_ASK, BEFORE_SAVE
from tests.real.report import Recovery, kills_of, spread, table
from tests.real.targets import BOUNDARIES, ENDS, Crossing


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """Moves that were made at the same time. After it so many of their instances were `adopted`, so
    many `native`; `wrong` counts everything that was not as it must be."""

    name: str
    moves: int
    kills: int
    called_back: int
    adopted: int
    native: int
    wrong: int


class Killed(msgspec.Struct, frozen=True, kw_only=True):
    """The run's figures: `recoveries` one for every crossing at which a process was killed, `pools`
    how often all were, `exits` how many processes died of SIGKILL. `missed` are crossings that
    nobody came to in the end: a kill elsewhere took the process before."""

    instances: int
    doomed: int
    commands: int
    seconds: float
    recoveries: tuple[Recovery, ...]
    pools: int
    exits: int
    starts: int
    lots: tuple[Lot, ...]
    missed: tuple[Crossing, ...]
    wrong: tuple[str, ...]


_SAVES = (BEFORE_SAVE, AFTER_SAVE)
_ASKS = (BEFORE_ASK, AFTER_ASK)


def markdown(killed: Killed) -> Iterator[str]:
    """The whole page."""
    yield "# Kills while instances change hands"
    yield ""
    yield (
        "`make kills` wrote this page. Two worker processes, RabbitMQ, MariaDB and the OpenStack "
        f"of `tests/cloud`: {killed.instances} instances, {killed.doomed} of them as Trove "
        "made them (their volume is deleted with the server) and imported, were moved into stacks "
        "and back, while workers killed themselves (SIGKILL) at the crossings below, and now and "
        "then all of them at once. A move that was called back lost its worker at a crossing and "
        "was cancelled while nobody had it. After every round each instance was compared with what "
        "it was before: launch time, Nova's list of actions, ids, addresses, attachments, sizes, "
        "rules, delete_on_termination; its record with its stack; and what the stack holds and "
        "retains."
    )
    yield ""
    yield from table(("what", "figure"), _figures(killed))
    yield ""
    head = ("round", "moves", "kills", "given back", "adopted then", "native then", "wrong")
    yield from table(head, (tuple(str(each) for each in _row(lot)) for lot in killed.lots))
    yield ""
    yield (
        "Kills by step and boundary; in brackets the seconds until another process went on with "
        "the operation. `back:` are steps of the way back."
    )
    yield ""
    for boundaries in (BOUNDARIES, ENDS, _SAVES, _ASKS):
        rows = list(kills_of(killed.recoveries, boundaries))
        if rows:
            yield from table(("command", "step", *boundaries), rows)
            yield ""
    yield (
        "The last two tables are the conductor's: what it writes by direction and stage, and what "
        "it asks for by command."
    )
    if killed.wrong:
        yield ""
        yield "What is wrong:"
        yield ""
        yield from (f"* {line}" for line in killed.wrong)


def _row(lot: Lot) -> tuple[object, ...]:
    return (
        lot.name,
        lot.moves,
        lot.kills,
        lot.called_back,
        lot.adopted,
        lot.native,
        lot.wrong,
    )


def _figures(killed: Killed) -> Iterator[tuple[str, str]]:
    lots = killed.lots
    yield "instances, of them made as Trove did", f"{killed.instances}, {killed.doomed}"
    yield "moves", str(sum(lot.moves for lot in lots))
    yield (
        "moves that were called back or took too long",
        str(sum(each.called_back for each in lots)),
    )
    yield "crossings at which a process was killed", str(len(killed.recoveries))
    yield "crossings that nobody came to again", _missed(killed)
    yield "times that all workers were killed at once", str(killed.pools)
    yield "processes killed in all", str(killed.exits)
    yield "worker processes started", str(killed.starts)
    yield "taken over after", spread(each.taken for each in killed.recoveries)
    yield "went on after", spread(each.going for each in killed.recoveries)
    yield "instances between two managers", str(_count(killed, "between"))
    yield "leaked", str(sum(line.startswith("leaked") for line in killed.wrong))
    yield "all that is wrong", str(len(killed.wrong))
    yield "duration", f"{killed.seconds:.0f} s"


def _count(killed: Killed, word: str) -> int:
    return sum(f": {word}:" in line for line in killed.wrong)


def _missed(killed: Killed) -> str:
    told = (f"{each.command} {each.step} {each.boundary}" for each in killed.missed)
    return "; ".join(told) or "none"
