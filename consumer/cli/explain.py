"""`operations explain`: an operation's story."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from consumer.cli.render import lasted, when
from handlers.errors import REMEDY
from handlers.events import Event
from handlers.operation import Micros, Operation, Phase


def explanation(op: Operation, events: Sequence[Event], at: Micros) -> Iterator[RenderableType]:
    """What it is, what happened and when, what was told, what to do; for rich's console."""
    by = f", by {op.manager}" if op.manager else ""
    yield f"[bold]{op.command.name}[/] of {escape(op.subject)}, operation {escape(op.id)}{by}"
    yield _standing(op, at)
    yield from _timeline(op)
    for event in events:
        yield f"event: {event.type} {event.id}"
    yield from _end(op)


def _standing(op: Operation, at: Micros) -> str:
    took = lasted(op.finished - op.accepted)
    match op.phase:
        case Phase.QUEUED:
            return (
                f"queued for {lasted(at - op.accepted)}: it waits until the instance's earlier "
                f"operations have ended ('operations list --instance {op.subject} --open')"
            )
        case Phase.SUCCEEDED:
            return f"[green]succeeded[/] after {took}"
        case Phase.FAILED:
            return f"[red]failed[/] after {took}"
        case Phase.UNDO:
            doing = "undoing what was done"
        case _:
            doing = "open"
    return (
        f"{doing} for {lasted(at - op.opened)}, owned by {op.owner or 'nobody'}, "
        f"until {when(op.deadline)} at most"
    )


def _timeline(op: Operation) -> Iterator[RenderableType]:
    """When (after acceptance), what, at which step, with which answer."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("after", "what", "step", "detail", "request id"):
        table.add_column(column, overflow="fold")
    table.add_row("0s", "accepted", "", f"from {escape(op.command.source)}", "")
    for entry in op.timeline:
        table.add_row(
            lasted(entry.at - op.accepted),
            escape(entry.what),
            escape(entry.step),
            escape(entry.detail),
            entry.request_id or "",
        )
    yield table


def _end(op: Operation) -> Iterator[str]:
    trouble = op.failure or op.trouble
    if trouble is not None:
        by = f" ({trouble.service})" if trouble.service else ""
        request = f", request {trouble.request_id}" if trouble.request_id else ""
        yield f"reason: {trouble.reason}{by}: {escape(trouble.message)}{request}"
    if op.failure is not None:
        yield f"what to do: {REMEDY[op.failure.reason]}"
    for ref in op.left:
        yield f"left behind: {escape(str(ref))}"
