"""Relay: the outbox becomes notifications, at least once, in order for each subject."""

import random
from threading import Event as Flag
from typing import NamedTuple, Protocol

from consumer.ledger.base import Ledger, Unavailable
from consumer.telemetry.base import Telemetry
from handlers.events import News


class NotSent(Exception):
    """The event was not, or not provably, taken by anybody: publish it again."""


class Announcer(Protocol):
    """Publishes one event."""

    def publish(self, event: News) -> None:
        """Returns when the event is safe with the broker; raises NotSent."""
        ...


class Pace(NamedTuple):
    """How much at once and how long to wait, in seconds.

    `poll` is the longest that an event waits whose worker died before it could publish it.
    """

    batch: int = 100
    poll: float = 1.0
    first_pause: float = 0.2
    last_pause: float = 15.0


class Relay:
    """Publishes what the outbox holds until it is stopped.

    An event is marked as sent after it is confirmed, so it may go out twice, always with the same
    id. An event that cannot be sent holds up later ones of its subject only.
    """

    def __init__(
        self, ledger: Ledger, announcer: Announcer, telemetry: Telemetry, pace: Pace | None = None
    ) -> None:
        self._ledger = ledger
        self._announcer = announcer
        self._telemetry = telemetry
        self._pace = pace or Pace()
        self._kicked = Flag()
        self._stopped = Flag()
        self._troubles = 0

    @property
    def is_ready(self) -> bool:
        """Whether the last round went well."""
        return not self._troubles

    def run(self) -> None:
        """Publish until `stop`."""
        while not self._stopped.is_set():
            self._kicked.clear()
            try:
                full = self.turn() >= self._pace.batch
                self._troubles = 0
            except (NotSent, Unavailable) as error:
                self._telemetry.publish_failed(error)
                self._pause()
                continue
            if not full:  # with jitter: several workers look at one outbox
                self._kicked.wait(self._pace.poll * random.uniform(0.7, 1.3))  # noqa: S311

    def stop(self) -> None:
        """Finish the event under way and leave `run`. From any thread."""
        self._stopped.set()
        self._kicked.set()

    def kick(self) -> None:
        """There is something to publish. From any thread."""
        self._kicked.set()

    def turn(self) -> int:
        """One round over the outbox; returns how many events it sent.

        Raises Unavailable when the ledger is, and NotSent when nothing got through at all.
        """
        events = self._ledger.unsent(self._pace.batch)
        sent: list[str] = []
        failed: dict[str, NotSent] = {}
        try:
            for event in events:
                if self._stopped.is_set() or (len(failed) > 1 and not sent):
                    break
                if event.subject in failed:
                    continue
                try:
                    self._announcer.publish(event)
                except NotSent as error:
                    failed[event.subject] = error
                else:
                    sent.append(event.id)
                    self._telemetry.published(event.type)
        finally:
            if sent:
                self._ledger.sent(sent)
        for failure in failed.values():
            if not sent:
                raise failure
            self._telemetry.publish_failed(failure)
        return len(sent)

    def _pause(self) -> None:
        ceiling = self._pace.first_pause * 2 ** min(self._troubles, 10)
        self._troubles += 1
        self._stopped.wait(min(self._pace.last_pause, ceiling) * random.uniform(0.5, 1.0))  # noqa: S311
