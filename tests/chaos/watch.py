"""What the checker saw: the cloud at the opening and at the end of every operation."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from consumer.ledger.base import Ending, Ledger, Offer, Verdict
from handlers.clouds.memory import CloudState
from handlers.clouds.memory.views import resource_of
from handlers.commands import Command
from handlers.events import Event
from handlers.instance import Instance
from handlers.operation import Operation
from handlers.resources import Resource
from tests.chaos.crossings import LEDGER_CALLS
from tests.chaos.stacks import is_gone, stored_view

#: Everything that belongs to a subject, by cloud id.
Sight = dict[str, Resource]


def look(state: CloudState, subject: str, ids: Collection[str] = ()) -> Sight:
    """What carries the subject's identity now, or is known to be its own."""
    core = state.core
    with core.lock:
        core.advance()
        return {
            thing.id: resource_of(thing)
            for store in (core.servers, core.volumes, core.ports, core.groups)
            for thing in store.values()
            if thing.subject == subject or thing.id in ids
        } | {
            stack.id: replace(resource_of(stack), outputs=stored_view(stack))
            for stack in core.stacks.values()
            if stack.subject == subject and not is_gone(stack)
        }


@dataclass(frozen=True, slots=True)
class End:
    """How one operation ended, and what there was in the cloud before and after."""

    op: Operation
    event: Event
    record: Instance | None
    before: Sight
    after: Sight
    in_flight: bool  # a call had not landed yet


@dataclass(slots=True)
class Book:
    """Openings and ends, in their order."""

    look: Callable[[str], Sight]
    in_flight: Callable[[], bool]
    verdicts: list[tuple[Command, Verdict]] = field(default_factory=list)
    opened: dict[str, Sight] = field(default_factory=dict)
    ends: list[End] = field(default_factory=list)
    order: list[tuple[str, str]] = field(default_factory=list)

    def accept(self, offers: Sequence[Offer], verdicts: Sequence[Verdict]) -> None:
        commands = (offer.command for offer in offers)
        self.verdicts.extend(zip(commands, verdicts, strict=True))

    def open(self, op: Operation) -> None:
        self.opened.setdefault(op.id, self.look(op.subject))
        self.order.append(("open", op.id))

    def end(self, ending: Ending, op: Operation) -> None:
        """A second save of the same end is the first one's repetition."""
        if any(each.op == op for each in self.ends):
            return
        sight = self.look(op.subject)
        before = self.opened.get(op.id, sight)
        end = End(op, ending.event, ending.record, before, sight, self.in_flight())
        self.ends.append(end)
        self.order.append(("end", op.id))


class WatchedLedger:
    """A ledger whose calls are places, and whose openings and ends are written into a book."""

    def __init__(self, inner: Ledger, cross: Callable[[str], None], book: Book) -> None:
        self._inner = inner
        self._cross = cross
        self._book = book

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        return self._watched(name, method) if name in LEDGER_CALLS else method

    def _watched(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            self._cross(f"before-{name}")
            answer = method(*args)
            self._write(name, args, answer)
            self._cross(f"after-{name}")
            return answer

        return call

    def _write(self, name: str, args: tuple[Any, ...], answer: Any) -> None:
        if name == "accept":
            self._book.accept(args[0], answer)
        elif name == "open":
            for op in answer:
                self._book.open(op)
        elif name == "finish":
            self._book.end(args[0], answer)
