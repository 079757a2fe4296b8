"""What a migration does next: a pure function of what the ledger says of it.

Whoever works it out, and however often, it is the same; only the first one to write it makes it
true. A command is promised in its item first and offered to the ledger afterwards: an item whose
command the ledger does not know yet is offered again, whatever the migration's status, so that no
promise is left open when somebody dies in between. Only the end of its command moves an item on.
"""

from msgspec.structs import replace

from consumer.fleet.analysis import Verdict, judge
from consumer.fleet.draft import Draft, Step, View
from consumer.fleet.following import as_recorded, followed, settled, soaked
from consumer.fleet.limits import Room, one_more
from consumer.fleet.moves import (
    Verb,
    back,
    changed_since,
    forward,
    in_flight,
    is_gone,
    offer_of,
    verb_of,
)
from consumer.ledger.base import Offer
from consumer.ledger.fleet import Item, Stage, Status
from handlers.errors import Reason
from handlers.events import MigrationKind
from handlers.operation import Phase

#: Stages that count towards `max_failures`.
FAILURES = (Stage.FAILED, Stage.ROLLED_BACK)

#: Stages of an instance that was moved, and could be moved back.
MOVED = (Stage.VERIFIED, Stage.SOAKING, Stage.COMMITTED)

_FINAL = tuple(stage for stage in Stage if stage.is_final)


def advance(view: View) -> Step:
    """The next step; one without anything in it when there is nothing to do."""
    draft = Draft.of(view)
    if draft.migration.status.is_final:
        return draft.step()
    _follow(draft)
    match draft.migration.status:
        case Status.RUNNING:
            _run(draft)
        case Status.ABORTING:
            _abort(draft)
        case Status.ROLLING_BACK:
            _roll_back(draft)
    step = draft.step(_cancels(draft))
    return replace(step, offers=_promised(draft))


def _follow(draft: Draft) -> None:
    """Bring the items up to their operations."""
    for item in list(draft.items.values()):
        operation = draft.view.operations.get(item.operation)
        if in_flight(item) and operation is not None:
            after = followed(draft.migration, item, operation, draft.now)
            if after.stage in FAILURES:
                after = as_recorded(draft.migration, after, draft.view.record(item.subject))
            draft.put(after)
        else:
            draft.put(settled(draft.migration, item))


def _promised(draft: Draft) -> tuple[Offer, ...]:
    """The commands of items under way that the ledger does not know."""
    known = draft.view.operations
    return tuple(
        offer_of(draft.migration, item) for item in draft.flying() if item.operation not in known
    )


# -- running ------------------------------------------------------------------------------------


def _run(draft: Draft) -> None:
    if not draft.migration.judged and not _judge(draft):
        return
    limit = draft.migration.settings.max_failures
    failures = draft.count(*FAILURES)
    if draft.migration.judged and failures > limit:
        text = f"{failures} instances failed, more than max_failures ({limit})"
        draft.become(Status.PAUSED, MigrationKind.PAUSED, text)
        return
    room = Room.of(draft.migration, draft.flying(), draft.now)
    _commit(draft, room)
    _next_batch(draft)
    _begin(draft, room)
    if sum(draft.stages.values()) == draft.count(*_FINAL):
        if draft.migration.batch > 0:
            _end_of_batch(draft)
        draft.become(Status.DONE, MigrationKind.DONE)


def _judge(draft: Draft) -> bool:
    """Whether the migration goes on: the canary is under way, or was passed just now."""
    canary = [item for item in draft.items.values() if item.batch == 0]
    verdict, text = judge(draft.migration, canary, draft.now) if canary else (Verdict.PASSED, "")
    if verdict is Verdict.WAIT:
        return not any(item.stage in FAILURES for item in canary)
    draft.migration = replace(draft.migration, judged=True)
    if not canary:
        return True
    _end_of_batch(draft)
    if verdict is Verdict.FAILED:
        draft.become(Status.PAUSED, MigrationKind.CANARY_FAILED, text)
        return False
    draft.tell(MigrationKind.CANARY_PASSED, 0, text)
    if draft.migration.settings.hold and draft.at(Stage.PLANNED):
        draft.become(Status.HELD, MigrationKind.HELD, f"the canary passed ({text}): approve it")
        return False
    return True


def _commit(draft: Draft, room: Room) -> None:
    """Commit what has soaked; the canary not before it was judged."""
    if not draft.migration.judged:
        return
    for item in draft.at(Stage.SOAKING):
        if in_flight(item) or not soaked(draft.migration, item, draft.now):
            continue
        if not room.takes(item, start=False):
            continue
        if is_gone(draft.view.record(item.subject)):
            draft.put(_skipped(item))
        else:
            draft.send(item, Verb.COMMIT, Stage.SOAKING)


def _next_batch(draft: Draft) -> None:
    """The next batch begins when every item of this one is past its freeze."""
    planned = draft.at(Stage.PLANNED)
    batch = draft.migration.batch
    if not draft.migration.judged or _is_busy(draft):
        return
    if not planned or planned[0].batch <= batch:
        return
    if batch > 0:
        _end_of_batch(draft)
    draft.migration = replace(draft.migration, batch=planned[0].batch)
    draft.tell(MigrationKind.BATCH_START, planned[0].batch)


def _is_busy(draft: Draft) -> bool:
    """Whether something of the batch still moves; commits belong to the soak."""
    return any(
        (in_flight(item) and item.stage is not Stage.SOAKING) or item.stage is Stage.VERIFIED
        for item in draft.items.values()
    )


def _end_of_batch(draft: Draft) -> None:
    draft.tell(MigrationKind.BATCH_END, draft.migration.batch)


def _begin(draft: Draft, room: Room) -> None:
    """Begin what the limits allow of this batch, each compared with its record once more."""
    first = draft.count(Stage.PLANNED) == sum(draft.stages.values())
    for item in draft.at(Stage.PLANNED):
        if item.batch > draft.migration.batch:
            break
        if not room.takes(item, start=True):
            continue
        record = draft.view.record(item.subject)
        if record is None or is_gone(record):
            draft.put(_skipped(item))
            continue
        why = changed_since(draft.migration.direction, record)
        if why:
            reason = Reason.OPERATOR if record.pinned else Reason.DRIFT
            failed = replace(item, stage=Stage.FAILED, reason=str(reason), message=why)
            draft.put(replace(failed, since=draft.now))
            continue
        draft.send(item, forward(draft.migration.direction), Stage.OBSERVED)
        draft.migration = one_more(draft.migration, draft.now)
    if first and draft.changed and draft.migration.batch == 0:
        draft.tell(MigrationKind.BATCH_START, 0)


# -- ending early -------------------------------------------------------------------------------


def _abort(draft: Draft) -> None:
    """Nothing new; what was adopted stays, not committed: going back costs nothing."""
    _leave_the_rest(draft)
    if _is_still(draft):
        draft.become(Status.ABORTED, MigrationKind.DONE, draft.migration.reason)


def _roll_back(draft: Draft) -> None:
    """Move back all that was moved, within the same limits."""
    _leave_the_rest(draft)
    room = Room.of(draft.migration, draft.flying(), draft.now)
    for item in draft.at(*MOVED):
        if in_flight(item) or not room.takes(item, start=True):
            continue
        if is_gone(draft.view.record(item.subject)):
            draft.put(_skipped(item))
            continue
        draft.send(item, back(draft.migration.direction), Stage.ROLLING_BACK)
        draft.migration = one_more(draft.migration, draft.now)
    if _is_still(draft) and not draft.count(*MOVED):
        draft.become(Status.ROLLED_BACK, MigrationKind.DONE, draft.migration.reason)


def _leave_the_rest(draft: Draft) -> None:
    for item in draft.at(Stage.PLANNED):
        draft.put(replace(item, stage=Stage.SKIPPED, since=draft.now))


def _is_still(draft: Draft) -> bool:
    moving = any(True for _ in draft.flying())
    return not moving and not draft.count(Stage.PLANNED, Stage.VERIFIED)


def _cancels(draft: Draft) -> list[str]:
    """What an end that is wanted early calls back: moves, and commits that have not begun."""
    if draft.migration.status not in (Status.ABORTING, Status.ROLLING_BACK):
        return []
    names = []
    for item in draft.flying():
        verb = verb_of(item)
        operation = draft.view.operations.get(item.operation)
        if operation is None or operation.cancelled or operation.phase.is_final:
            continue
        moves = verb is forward(draft.migration.direction)
        if moves or (verb is Verb.COMMIT and operation.phase is Phase.QUEUED):
            names.append(item.operation)
    return names


def _skipped(item: Item) -> Item:
    text = "the instance was deleted since the plan"
    return replace(item, stage=Stage.SKIPPED, reason=str(Reason.DELETED), message=text)
