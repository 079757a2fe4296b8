"""What must hold after a fleet has moved, or has not. Each check yields what is wrong, in words."""

from collections.abc import Callable, Iterator

from consumer.fleet.moves import Verb, back, verb_of
from consumer.ledger.fleet import Item, Stage, Status
from handlers.events import EventKind
from handlers.instance import Instance, State
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR
from handlers.resources import Kind
from tests.chaos.fleet import Fleet


def it_ends(fleet: Fleet) -> Iterator[str]:
    """The migration is over, and every item is final, or adopted where somebody aborted it."""
    if not fleet.migration.status.is_final:
        yield f"the migration is still {fleet.migration.status}: {fleet.migration.reason}"
        return
    for item in fleet.items:
        soaks = item.stage is Stage.SOAKING and fleet.migration.status is Status.ABORTED
        if not item.stage.is_final and not soaks:
            yield f"an item is still {item.stage}"


def limits_hold(fleet: Fleet) -> Iterator[str]:
    """Never more at once, in all, of a project or in a minute, than it was told."""
    yield from dict.fromkeys(fleet.crowds)


def no_command_is_lost(fleet: Fleet) -> Iterator[str]:
    """Every command has ended, and its end was told once; those of the migration, too."""
    for op in (*fleet.ledger.operations(limit=10_000),):
        if not op.phase.is_final:
            yield f"{op.command.name} is still {op.phase}"
        ends = {
            event.id
            for event in fleet.world.published
            if event.data.operation == op.id and not event.type.endswith(f".{EventKind.START}")
        }
        if len(ends) != 1:
            yield f"{op.command.name} was told {len(ends)} ends"
    for command in fleet.world.sent:
        if fleet.ledger.operation(command.id) is None:
            yield f"{command.name} was lost"


def nothing_is_harmed(fleet: Fleet) -> Iterator[str]:
    """What nobody deleted is there, and no move restarts it."""
    for subject in fleet.subjects:
        now, record = fleet.look(subject), fleet.record(subject)
        if record.state is State.DELETED:
            yield from (f"a deletion left {what}" for what, there in now.items() if there)
        elif record.state is State.ACTIVE and now != fleet.before[subject]:
            yield f"an instance was {fleet.before[subject]} and is {now}"
        elif subject not in fleet.deleted and now["servers"] != fleet.before[subject]["servers"]:
            yield "a server is gone"
    yield from fleet.harmed


def it_is_adopted_or_native(fleet: Fleet) -> Iterator[str]:
    """A live instance has exactly the stack that its record names, or none."""
    for subject in fleet.subjects:
        record = fleet.record(subject)
        if record.state is not State.ERROR:
            wanted = set(record.ids(Kind.STACK))
            if fleet.stacks(subject) != wanted or bool(wanted) != _is_stack(record):
                yield f"{record.manager} has {len(fleet.stacks(subject))} stacks, {wanted} recorded"


def items_say_where_it_is(fleet: Fleet) -> Iterator[str]:
    """What is told of an instance in the end is where it is."""
    for item in fleet.items:
        record = fleet.record(item.subject)
        if record.state is not State.ACTIVE or item.stage is Stage.SKIPPED:
            continue
        if not fleet.migration.status.is_final or record.manager == _expected(fleet, item):
            continue
        yield f"an item is {item.stage} ({item.message}), and {record.manager} has it"


def _is_stack(record: Instance) -> bool:
    return record.state is State.ACTIVE and record.manager == ORCHESTRATOR


def _expected(fleet: Fleet, item: Item) -> str:
    """The manager that an instance has at the end of its item."""
    direction = fleet.direction
    moved = item.stage in (Stage.COMMITTED, Stage.SOAKING)
    if item.stage is Stage.FAILED and verb_of(item) in (Verb.COMMIT, back(direction)):
        moved = True
    return ORCHESTRATOR if moved == (direction == "adopt") else NATIVES


CHECKS: tuple[Callable[[Fleet], Iterator[str]], ...] = (
    it_ends,
    limits_hold,
    no_command_is_lost,
    nothing_is_harmed,
    it_is_adopted_or_native,
    items_say_where_it_is,
)


def problems_of(fleet: Fleet) -> list[str]:
    """Everything that is wrong after a play; empty when all is well."""
    return [f"{check.__name__}: {problem}" for check in CHECKS for problem in check(fleet)]


def play(seed: int) -> list[str]:
    """Play a seed, and say what is wrong."""
    fleet = Fleet(seed)
    fleet.play()
    return problems_of(fleet)
