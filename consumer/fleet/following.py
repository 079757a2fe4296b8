"""Where an item stands by what has become of its command. Pure."""

from msgspec.structs import replace

from consumer.fleet.moves import Verb, back, verb_of
from consumer.ledger.fleet import LOST, Direction, Item, Migration, Stage
from handlers.errors import Reason
from handlers.instance import Instance, State
from handlers.keys import STACK
from handlers.natives import NAME as NATIVES
from handlers.operation import SECOND, Failure, Micros, Operation, Phase

#: So many commits of one instance are sent, where they fail for something that passes.
COMMITS = 3

#: ... and not sooner than after this.
COMMIT_PAUSE: Micros = 30 * SECOND

#: Failures which say that the owner deleted the instance: nobody has to look at them.
_GONE = frozenset({Reason.SUPERSEDED, Reason.DELETED})

#: Failures after which an instance that was given back counts as rolled back.
_CALLED_BACK = frozenset({Reason.DEADLINE, Reason.OPERATOR})


def followed(migration: Migration, item: Item, op: Operation, now: Micros) -> Item:
    """The item as its operation has it; the same object when that says nothing new."""
    if op.phase.is_final:
        return _ended(migration, item, op, now)
    if op.phase is Phase.QUEUED or verb_of(item) is Verb.COMMIT:
        return item
    stage = _under_way(migration, item, op)
    return item if stage is item.stage else replace(item, stage=stage, since=now)


def settled(migration: Migration, item: Item) -> Item:
    """What becomes of an item whose move is verified: an adoption soaks, a release is final."""
    if item.stage is not Stage.VERIFIED:
        return item
    soaks = migration.direction is Direction.ADOPT
    return replace(item, stage=Stage.SOAKING if soaks else Stage.COMMITTED)


def as_recorded(migration: Migration, item: Item, record: Instance | None) -> Item:
    """A release that failed when its stack was gone has moved the instance all the same."""
    failed = item.stage in LOST and verb_of(item) is Verb.RELEASE
    if not failed or record is None or record.state is not State.ACTIVE:
        return item
    moves = migration.direction is Direction.RELEASE
    stage = Stage.COMMITTED if moves else Stage.ROLLED_BACK
    return replace(item, stage=stage) if record.manager == NATIVES else item


def soaked(migration: Migration, item: Item, now: Micros) -> bool:
    """Whether an adopted item has waited long enough for its commit."""
    pause = COMMIT_PAUSE if item.message else 0
    wait = max(migration.settings.soak * SECOND, pause)
    return item.stage is Stage.SOAKING and item.since + wait <= now


def _under_way(migration: Migration, item: Item, op: Operation) -> Stage:
    if op.phase is Phase.UNDO or verb_of(item) is back(migration.direction):
        return Stage.ROLLING_BACK
    if STACK in op.done:
        return Stage.ADOPTED
    return Stage.ADOPTING if op.touched(STACK) else Stage.FROZEN


def _ended(migration: Migration, item: Item, op: Operation, now: Micros) -> Item:
    freeze = op.finished - op.opened if op.opened else 0
    item = replace(item, freeze=max(item.freeze, freeze), since=op.finished or now)
    if op.failure is not None:
        return _failed(migration, item, op, op.failure)
    verb = verb_of(item)
    if verb is Verb.COMMIT:
        stage = Stage.COMMITTED
    elif verb is back(migration.direction):
        stage = Stage.ROLLED_BACK
    else:
        stage = Stage.VERIFIED
    return replace(item, stage=stage, reason="", message="")


def _failed(migration: Migration, item: Item, op: Operation, failure: Failure) -> Item:
    item = replace(item, reason=str(failure.reason), message=failure.told)
    if failure.reason in _GONE:
        return replace(item, stage=Stage.SKIPPED)
    verb = verb_of(item)
    if verb is Verb.COMMIT:
        return _not_committed(item, failure)
    if verb is back(migration.direction):
        return replace(item, stage=Stage.FAILED, message=f"not moved back: {failure.told}")
    if op.left:
        left = ", ".join(map(str, op.left))
        text = f"not wholly given back: {failure.told} (left: {left})"
        return replace(item, stage=Stage.FAILED, message=text)
    as_before = op.ended_in is Phase.UNDO or not (op.learned or op.quiet)
    given_back = failure.reason in _CALLED_BACK and as_before
    return replace(item, stage=Stage.ROLLED_BACK if given_back else Stage.FAILED)


def _not_committed(item: Item, failure: Failure) -> Item:
    """It soaks again: until it is committed, going back costs nothing."""
    called_back = failure.reason is Reason.OPERATOR
    if called_back or (failure.worth_a_retry and item.attempt <= COMMITS):
        return replace(item, operation="")
    text = f"adopted, but not committed: {failure.told}"
    return replace(item, stage=Stage.FAILED, message=text)
