"""What becomes of an operation at the ledger's own hands: pure, the same in every ledger."""

from msgspec.structs import replace

from consumer.ledger.base import Opener
from consumer.secrets import was_wiped, wipe
from handlers.commands import AdoptInstance, ReleaseInstance
from handlers.errors import Reason
from handlers.events import Event, EventKind, event_of
from handlers.instance import Instance
from handlers.operation import SECOND, Failure, Micros, Operation, Phase


def opened(
    op: Operation, basis: Instance | None, opener: Opener, worker: str, now: Micros
) -> tuple[Operation, Event]:
    """A queued operation as it opens, and its start event."""
    first = replace(op, phase=Phase.FORWARD, basis=basis, opened=now, owner=worker)
    after = replace(opener(first, basis, now), owner=worker, version=op.version + 1)
    return after, event_of(after, EventKind.START, now, basis)


def expired(op: Operation, now: Micros) -> tuple[Operation, Event]:
    """A queued operation that waited too long, without secrets, and its error event."""
    seconds = (now - op.accepted) // SECOND
    failure = Failure(reason=Reason.QUEUE_TIMEOUT, message=f"not opened within {seconds} s")
    noted = replace(op, failure=failure).note(now, "expired", detail=failure.message)
    after = replace(noted.end(now), version=op.version + 1, command=wipe(op.command))
    return after, event_of(after, EventKind.ERROR, now, None)


def resumed(op: Operation, worker: str, deadline: Micros, now: Micros) -> Operation:
    """A failed operation as it goes on; raises ValueError when it cannot.

    The mark that ended it is gone: who resumes has the last word.
    """
    if op.phase is not Phase.FAILED:
        raise ValueError(f"operation {op.id} is {op.phase}: only a failed one can be resumed")
    if op.ended_in is None or not op.ended_in.is_open:
        raise ValueError(f"operation {op.id} never opened: send the command again")
    forward = op.ended_in is Phase.FORWARD
    if forward and was_wiped(op.command):
        raise ValueError(f"the secrets of operation {op.id} are wiped: send the command again")
    return replace(
        op.anew(),
        phase=op.ended_in,
        ended_in=None,
        failure=None if forward else op.failure,
        trouble=None,
        cancelled=None,
        finished=0,
        acted=now,  # what was asked before its end is no measure of how long anything takes
        left=(),
        deadline=deadline,
        owner=worker,
        version=op.version + 1,
    ).note(now, "resumed")


def rebased(after: Operation, finished: Micros, found: tuple[Instance, Micros] | None) -> Operation:
    """A resumed operation, which had ended at `finished`, on its subject's record as it is `found`:
    with the time at which that was written. A pin that was set since counts.

    Raises ValueError when the operation did not leave this record behind: its end would overwrite
    one that was imported; and where a pin forbids a move, which would stop half-way.
    """
    if found is None:
        return after
    record, written = found
    if written != finished:
        raise ValueError(f"the record of {after.subject} was imported since")
    if after.basis is None:
        if record.pinned:
            raise ValueError(f"{after.subject} was pinned since: send the command again")
        return after
    if record.pinned and isinstance(after.command.body, AdoptInstance | ReleaseInstance):
        raise ValueError(f"{after.subject} was pinned since: unpin it first, then resume")
    return replace(after, basis=replace(after.basis, pinned=record.pinned))


def terminal_kind(phase: Phase) -> EventKind | None:
    """The event that told of the end; None before it."""
    return {Phase.SUCCEEDED: EventKind.END, Phase.FAILED: EventKind.ERROR}.get(phase)
