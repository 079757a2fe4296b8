"""What must hold where an instance changes hands, beside what must hold everywhere."""

from collections.abc import Iterator

from handlers.admission import supersedes
from handlers.adoption import signature
from handlers.instance import Instance, State
from handlers.keys import STACK, VOLUME
from handlers.migration import MOVES
from handlers.natives import NAME as NATIVES
from handlers.operation import Phase
from handlers.orchestrator import NAME as ORCHESTRATOR
from handlers.resources import Kind, SecurityGroup, Server, Stack
from handlers.template import name_of
from tests.chaos.stacks import retained
from tests.chaos.stage import Stage
from tests.chaos.watch import End, Sight

#: What a committed stack retains.
_KEPT = {name_of(VOLUME)}


def a_move_harms_nothing(stage: Stage) -> Iterator[str]:
    """What there was is there after it: with the same ids, launched when it was, of the same size,
    attached to the same."""
    for end in moves_of(stage):
        before, after = _things(end.before), _things(end.after)
        if stage.harmless:
            yield from (
                f"{end.op.command.name}: a {before[each].kind} is gone or another one"
                for each in before
                if each not in after or _same(before, each) != _same(after, each)
            )


def it_is_adopted_or_native(stage: Stage) -> Iterator[str]:
    """Never between: the record of a move says one or the other, and of a native one no
    stack, unless it was told that one is left."""
    for end in moves_of(stage):
        record = end.record
        if record is None or record.manager not in (NATIVES, ORCHESTRATOR):
            yield f"{end.op.command.name} ends with {record and record.manager}"
        elif not end.op.left and not _is_sound(record) and _is_sound(end.op.basis):
            yield f"{end.op.command.name}: {record.manager}, with {sorted(record.resources)}"
        elif end.op.phase is Phase.SUCCEEDED:
            yield from _succeeded(end, record)


def _is_sound(record: Instance | None) -> bool:
    return record is not None and (record.manager == ORCHESTRATOR) == (STACK in record.resources)


def _succeeded(end: End, record: Instance) -> Iterator[str]:
    wanted = ORCHESTRATOR if end.op.command.name == "instance.adopt" else NATIVES
    if record.manager != wanted:
        yield f"{end.op.command.name} succeeded, and {record.manager} has it"
    stacks = [each for each in end.after.values() if isinstance(each, Stack)]
    if len(stacks) != (wanted == ORCHESTRATOR):
        yield f"{end.op.command.name} succeeded, and there are {len(stacks)} stacks"


def the_policies_are_as_recorded(stage: Stage) -> Iterator[str]:
    """A live instance's stack retains everything until it is committed, and its volume for ever."""
    record = _living(stage)
    if record is None or record.manager != ORCHESTRATOR:
        return
    for stack in stage.state.core.stacks.values():
        if stack.id in record.ids(Kind.STACK) and stack.resources:
            everything = set(stack.resources)
            kept = everything if record.soaking else _KEPT & everything
            if retained(stack) != kept:
                yield f"it retains {sorted(retained(stack))}, soaking: {record.soaking}"


def the_volume_goes_with_its_server_as_before(stage: Stage) -> Iterator[str]:
    """What Trove has made goes as it did, once it is native again; in a stack it stays."""
    record = _living(stage)
    if record is None:
        return
    native = record.manager == NATIVES
    for server in stage.state.core.servers.values():
        doomed = server.delete_with & set(record.ids(Kind.VOLUME))
        if server.id in record.ids(Kind.SERVER) and bool(doomed) != (native and stage.was_doomed):
            yield f"the volume of a server of {record.manager} goes with it: {bool(doomed)}"
    if not native and record.doomed != stage.was_doomed:
        yield "it is not recorded what was the volume's before"


def what_is_retained_stays(stage: Stage) -> Iterator[str]:
    """Nothing of an instance goes with a stack that retained everything, whoever deletes it."""
    if not (stage.is_bereft and stage.harmless):
        return
    if any(supersedes(command) for command in stage.world.sent) or not stage.book.ends:
        return
    before, now = _things(stage.book.ends[0].before), _things(stage.look(stage.subject))
    if set(before) - set(now):
        yield f"{len(set(before) - set(now))} things went with the stack"


def moves_of(stage: Stage) -> list[End]:
    """The ends of moves of what there was."""
    ends = (end for end in stage.book.ends if isinstance(end.op.command.body, MOVES))
    return [end for end in ends if end.op.basis and end.op.basis.state is not State.DELETED]


def _living(stage: Stage) -> Instance | None:
    """The record of a live instance that MIGRATION's scenarios are about."""
    record = stage.ledger.instance(stage.subject)
    is_live = record is not None and record.state is State.ACTIVE
    return record if is_live and moves_of(stage) else None


def _things(sight: Sight) -> Sight:
    return {each: thing for each, thing in sight.items() if not isinstance(thing, Stack)}


def _same(sight: Sight, one: str) -> object:
    thing = sight[one]
    if isinstance(thing, SecurityGroup):
        return {rule.id for rule in thing.rules}
    status = (thing.status, thing.task) if isinstance(thing, Server) else None
    return signature(thing), status
