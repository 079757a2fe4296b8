"""What is right at the end of a move, and would be wrong at the end of anything else."""

from handlers.commands import ReleaseInstance
from handlers.migration import MOVES
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR
from handlers.resources import Kind, Server
from tests.chaos.watch import End, Sight


def is_move(end: End) -> bool:
    return isinstance(end.op.command.body, MOVES)


def let_go(end: End) -> set[str]:
    """The stack of an instance that is native by now: what came after that has failed."""
    if not isinstance(end.op.command.body, ReleaseInstance) or end.record is None:
        return set()
    gone = set(end.before) - set(end.after)
    return {each for each in gone if end.before[each].kind is Kind.STACK}


def ill_doomed(end: End) -> set[str]:
    """The volumes that go with their server and should not, or the other way round: as before, but
    where an instance has left its stack as it was before that. Then no stack should be there."""
    basis, wanted = end.op.basis, _doomed(end.before)
    if basis and end.record and (basis.manager, end.record.manager) == (ORCHESTRATOR, NATIVES):
        wanted = set(basis.ids(Kind.VOLUME)) if basis.doomed else set()
        wanted |= {each for each, thing in end.after.items() if thing.kind is Kind.STACK}
    return (wanted ^ _doomed(end.after)) & set(end.after)


def _doomed(sight: Sight) -> set[str]:
    """The volumes that go with their server."""
    servers = (each for each in sight.values() if isinstance(each, Server))
    return {volume for each in servers for volume in each.doomed}
