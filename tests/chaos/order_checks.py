"""What must hold of the order in which things are taken, done and taken back."""

from collections.abc import Iterator

from consumer.ledger.base import Verdict
from handlers.admission import supersedes
from handlers.instance import Instance
from handlers.operation import SECOND, Phase
from tests.chaos.afterwards import idle_of, operations_of
from tests.chaos.stage import UNDO, Stage


def answers_repeat(stage: Stage) -> Iterator[str]:
    """The same content again is known, other content is a conflict."""
    first: dict[str, object] = {}
    for command, verdict in stage.book.verdicts:
        known = first.setdefault(command.id, command)
        seen = verdict is not Verdict.NEW
        if seen and (verdict is Verdict.KNOWN) != (known == command):
            yield f"a repeated {command.name} was answered with {verdict}"


def subjects_keep_their_order(stage: Stage) -> Iterator[str]:
    """Operations of one subject run one after the other, in order of acceptance."""
    accepted = [op.id for op in reversed(stage.ledger.operations(subject=stage.subject))]
    opened = [name for what, name in stage.book.order if what == "open"]
    if opened != [name for name in accepted if name in set(opened)]:
        yield "operations opened out of order"
    running: set[str] = set()
    for what, name in stage.book.order:
        running.discard(name)
        if what == "open":
            if running:
                yield "two operations of one subject ran at a time"
            running.add(name)


def the_basis_is_the_last_record(stage: Stage) -> Iterator[str]:
    """What one operation leaves is what the next one starts from."""
    last: Instance | None = None
    for index, end in enumerate(stage.book.ends):
        if index and end.op.basis != last:
            yield f"{end.op.command.name} started from another record than the last one"
        last = end.record


def deletes_supersede(stage: Stage) -> Iterator[str]:
    """What a delete finds queued or open is undone at once, and not carried on to its end."""
    idle = idle_of(stage)
    ops = list(reversed(operations_of(stage)))
    for index, op in enumerate(ops):
        later = [o for o in ops[index + 1 :] if supersedes(o.command)]
        if not later or supersedes(op.command) or not op.phase.is_final:
            continue
        waited = (op.finished - max(later[0].accepted, op.opened)) / SECOND
        if waited > idle + (3 if op.phase is Phase.SUCCEEDED else UNDO + 30):
            yield f"{op.command.name} went on for {waited:.0f} s after the delete had come"
