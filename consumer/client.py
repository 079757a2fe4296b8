"""For publishers: send a command, and wait for what became of it.

client = Client(publisher, source="trove-taskmanager/host1", events=...)
command = client.command(ResizeVolume(project=project, size=20), subject=instance)
client.send(command)            # again with the same command, if it raises Down
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition
from typing import NamedTuple, Protocol
from uuid import uuid4

from consumer.broker.publisher import Publisher
from consumer.broker.tap import Tap
from consumer.broker.topology import Topology
from consumer.codec import commands as codec
from consumer.codec.cloudevents import CONTENT_TYPE
from consumer.notifications import unwrap
from handlers.commands import Body, Command
from handlers.events import Event, EventKind


class TimedOut(Exception):
    """No terminal event came in time. The command may still be on its way: its id stays valid."""


class Sender(Protocol):
    """Takes the bytes of a command."""

    def send(self, body: bytes, command: Command) -> None:
        """Returns when the queue has it; raises Down, Unroutable or Nacked."""
        ...


class Source(Protocol):
    """A stream of events."""

    def open(self) -> None:
        """Returns when no later event can be missed; raises Down."""
        ...

    def take(self, seconds: float) -> Event | None:
        """The next event, or None when none came in time; raises Down."""
        ...

    def close(self) -> None: ...


class Door(NamedTuple):
    """The worker's own door: its exchange on the broker; implements Sender."""

    publisher: Publisher
    topology: Topology

    def send(self, body: bytes, command: Command) -> None:
        self.publisher.publish(
            body,
            exchange=self.topology.exchange,
            routing_key=self.topology.queue,
            properties={
                "content_type": CONTENT_TYPE,
                "message_id": command.id,
                "type": command.type,
            },
        )


class Client:
    """Sends commands and follows them. Use one per thread when waiting."""

    def __init__(
        self, sender: Sender, source: str, events: Callable[[], Source] | None = None
    ) -> None:
        """`source` names the publisher (CloudEvents `source`). `events` makes a stream of events,
        which waiting needs.
        """
        self._sender = sender
        self._source = source
        self._events = events

    def command(
        self, body: Body, subject: str, command_id: str | None = None, trace: str | None = None
    ) -> Command:
        """A valid command; raises Refused with a sentence that says what to correct.

        `subject` is a UUID in lower case. Keep the command and send it again as it is when you do
        not know whether it arrived: the same id makes the worker carry it out once.
        """
        command = Command(
            id=command_id or str(uuid4()),
            subject=subject,
            source=self._source,
            body=body,
            trace=trace,
        )
        return codec.decode(codec.encode(command))

    def send(self, command: Command) -> None:
        """Returns when the queue has the command; raises Down, Unroutable, Nacked or Refused.

        After Down it may have arrived: send the same command again.
        """
        body = codec.encode(command)
        codec.decode(body)
        self._sender.send(body, command)

    def run(
        self,
        command: Command,
        timeout: float,
        on_event: Callable[[Event], None] = lambda event: None,
    ) -> Event:
        """Send, and return the terminal event; raises TimedOut after `timeout` seconds.

        `on_event` is told of every event of the command, each once. Listening starts before
        sending, so that not even the quickest end is missed.
        """
        with self._listening() as source:
            self.send(command)
            return _terminal(source, command.id, time.monotonic() + timeout, on_event)

    @contextmanager
    def _listening(self) -> Iterator[Source]:
        if self._events is None:
            raise ValueError("this client was made without events to listen to")
        source = self._events()
        try:
            source.open()
            yield source
        finally:
            source.close()


def _terminal(source: Source, command: str, end: float, on_event: Callable[[Event], None]) -> Event:
    seen: set[str] = set()
    while (left := end - time.monotonic()) > 0:
        event = source.take(left)
        if event is None or event.data.operation != command or event.id in seen:
            continue
        seen.add(event.id)
        on_event(event)
        if is_terminal(event):
            return event
    raise TimedOut(f"no end of command {command} was heard of in time; it may still come")


def is_terminal(event: Event) -> bool:
    """Whether the event tells how its command ended."""
    return event.type.rpartition(".")[2] in (EventKind.END, EventKind.ERROR)


class Heard:
    """Events from the broker; implements Source. Other notifications are passed over."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap

    def open(self) -> None:
        self._tap.open()

    def take(self, seconds: float) -> Event | None:
        end = time.monotonic() + seconds
        while (body := self._tap.take(max(0.0, end - time.monotonic()))) is not None:
            try:
                return unwrap(body)
            except ValueError:  # another service's notification: the topic is shared
                continue
        return None

    def close(self) -> None:
        self._tap.close()


class Board:
    """Events within one process, for the demo and tests; implements relay's Announcer."""

    def __init__(self) -> None:
        self._readers: list[Reader] = []

    def publish(self, event: Event) -> None:
        for reader in tuple(self._readers):
            reader.put(event)

    def reader(self) -> "Reader":
        return Reader(self._readers)


class Reader:
    """One reader of a Board; implements Source."""

    def __init__(self, readers: "list[Reader]") -> None:
        self._readers = readers
        self._waiting: deque[Event] = deque()
        self._changed = Condition()

    def open(self) -> None:
        self._readers.append(self)

    def put(self, event: Event) -> None:
        with self._changed:
            self._waiting.append(event)
            self._changed.notify_all()

    def take(self, seconds: float) -> Event | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting, timeout=seconds)
            return self._waiting.popleft() if self._waiting else None

    def close(self) -> None:
        if self in self._readers:
            self._readers.remove(self)
