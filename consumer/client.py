"""For publishers: send a command, and wait for what became of it.

client = Client(publisher, source="trove-taskmanager/host1", events=...)
command = client.command(ResizeVolume(project=project, size=20), subject=instance)
client.send(command)            # again with the same command, if it raises Down
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol
from uuid import uuid4

from consumer.broker.link import Brokers, Tls
from consumer.broker.publisher import Publisher
from consumer.broker.tap import Tap
from consumer.broker.topology import Notices, Topology
from consumer.codec import commands as codec
from consumer.codec.cloudevents import CONTENT_TYPE
from consumer.listening import Heard, Source
from handlers.commands import Body, Command
from handlers.events import Event, EventKind


class TimedOut(Exception):
    """No terminal event came in time. The command may still be on its way: its id stays valid."""


class Sender(Protocol):
    """Takes the bytes of a command."""

    def send(self, body: bytes, command: Command) -> None:
        """Returns when the queue has it; raises Down, Unroutable or Nacked."""
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

    def close(self) -> None:
        self.publisher.close()


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
            id=str(uuid4()) if command_id is None else command_id,
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

    def close(self) -> None:
        self._sender.close()

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
        if not isinstance(event, Event) or event.data.operation != command or event.id in seen:
            continue
        seen.add(event.id)
        on_event(event)
        if is_terminal(event):
            return event
    raise TimedOut(f"no end of command {command} was heard of in time; it may still come")


def is_terminal(event: Event) -> bool:
    """Whether the event tells how its command ended."""
    return event.type.rpartition(".")[2] in (EventKind.END, EventKind.ERROR)


def connect(
    urls: Sequence[str],
    source: str,
    *,
    tls: Tls | None = None,
    topology: Topology | None = None,
    notices: Notices | None = None,
) -> Client:
    """A client of workers with default names; nothing is sent yet. `urls`: AMQP, one per host."""
    brokers = Brokers(urls, tls=tls, name=source)
    return Client(
        Door(Publisher(brokers), topology or Topology()),
        source,
        events=lambda: Heard(Tap(brokers, notices or Notices())),
    )
