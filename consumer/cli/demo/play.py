"""The demo's publisher: sends commands, hears events, and sends what comes next."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import msgspec

from consumer.cli.demo.story import Life, Line
from consumer.cli.tools import Mistake
from consumer.client import Client, is_terminal
from consumer.codec.events import to_payload
from consumer.listening import Source
from consumer.telemetry.base import Silent
from handlers.base import Next
from handlers.commands import Command
from handlers.events import Event
from handlers.operation import Operation

#: Requests by (service, method).
Counts = Mapping[tuple[str, str], int]


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How one command ended; `seconds` from its acceptance."""

    id: str
    command: str
    instance: str
    outcome: str
    reason: str
    seconds: float
    expected: bool


class Actor:
    """One instance on the stage: where it stands, for whoever draws it."""

    def __init__(self, life: Life) -> None:
        self.name = life.name
        self.subject = life.subject
        self.todo = [life.create, *life.rest]
        self.sent: tuple[Command, Line] | None = None
        self.doing = "waits"
        self.step = ""
        self.volume = self.flavor = ""
        self.done = 0
        self.of = len(self.todo)


class View(Protocol):
    """Shows how far things are. Called from one thread."""

    def start(self) -> None: ...

    def told(self, name: str, event: Event) -> None:
        """An event came; `name` is the instance's."""
        ...

    def turn(self) -> None:
        """A moment has passed."""
        ...

    def stop(self) -> None: ...


class Steps(Silent):
    """Told by the worker which step each instance is at; implements Telemetry."""

    def __init__(self, actors: Mapping[str, Actor]) -> None:
        self._actors = actors

    def acted(self, op: Operation, step: str, seconds: float) -> None:
        self._actors[op.subject].step = f"{step}: called"

    def done(self, op: Operation, step: str, verdict: Next) -> None:
        self._actors[op.subject].step = f"{step}: done"


class Outcome(NamedTuple):
    """What came of the play."""

    ended: list[Ended]
    events: list[dict[str, object]]
    before: Counts
    created: Counts
    after: Counts
    creates: int


class Play:
    """Instances that live are created first, so that the calls for that can be counted; then each
    goes on by itself."""

    def __init__(self, actors: Mapping[str, Actor], client: Client, view: View) -> None:
        self._actors = actors
        self._client = client
        self._view = view
        self._ended: list[Ended] = []
        self._events: dict[str, Event] = {}

    def run(self, source: Source, counts: Callable[[], Counts], seconds: float) -> Outcome:
        """Play it all; raises Mistake when it is not over after `seconds`."""
        end = time.monotonic() + seconds
        before = counts()
        self._round(source, end, lambda actor: actor.done < 1 < actor.of)
        created = counts()
        self._round(source, end, lambda actor: bool(actor.todo))
        return Outcome(
            ended=self._ended,
            events=[to_payload(event) for event in self._events.values()],
            before=before,
            created=created,
            after=counts(),
            creates=sum(actor.of > 1 for actor in self._actors.values()),
        )

    def _round(self, source: Source, end: float, goes_on: Callable[[Actor], bool]) -> None:
        """Send to every actor that goes on, one command at a time, until none does."""
        for actor in self._actors.values():
            if goes_on(actor):
                self._send(actor)
        while any(actor.sent for actor in self._actors.values()):
            if time.monotonic() > end:
                late = ", ".join(a.name for a in self._actors.values() if a.sent)
                raise Mistake(f"The demo took too long; still at work: {late}.")
            event = source.take(0.1)
            self._view.turn()
            if not isinstance(event, Event) or event.id in self._events:
                continue
            self._events[event.id] = event
            actor = self._actors[event.subject]
            self._hear(actor, event)
            if actor.sent is None and goes_on(actor):
                self._send(actor)

    def _send(self, actor: Actor) -> None:
        line = actor.todo.pop(0)
        command = self._client.command(line.body, actor.subject)
        actor.sent, actor.doing, actor.step = (command, line), command.name, "sent"
        self._client.send(command)
        if line.twice:
            self._client.send(command)

    def _hear(self, actor: Actor, event: Event) -> None:
        self._view.told(actor.name, event)
        if not is_terminal(event) or actor.sent is None:
            return
        (command, line), actor.sent = actor.sent, None
        error, data = event.data.error, event.data
        actor.done += 1
        actor.doing = f"{command.name} {'failed' if error else 'done'}"
        actor.step = str(error.reason) if error else f"{data.duration:.1f} s"
        actor.flavor, actor.volume = data.flavor, str(data.volume_size or "")
        self._ended.append(
            Ended(
                id=command.id,
                command=command.name,
                instance=actor.name,
                outcome="error" if error else "end",
                reason=str(error.reason) if error else "",
                seconds=round(data.duration, 3),
                expected=(error.reason if error else None) == line.fails and not data.left_behind,
            )
        )
