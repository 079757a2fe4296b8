"""Streams of events: from the broker, or within one process."""

import time
from collections import deque
from threading import Condition
from typing import Protocol

from consumer.broker.tap import Tap
from consumer.notifications import unwrap
from handlers.events import News


class Source(Protocol):
    """A stream of events."""

    def open(self) -> None:
        """Returns when no later event can be missed; raises Down."""
        ...

    def take(self, seconds: float) -> News | None:
        """The next event, or None when none came in time; raises Down."""
        ...

    def close(self) -> None: ...


class Heard:
    """Events from the broker; implements Source. Other notifications are passed over."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap

    def open(self) -> None:
        self._tap.open()

    def take(self, seconds: float) -> News | None:
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

    def publish(self, event: News) -> None:
        for reader in tuple(self._readers):
            reader.put(event)

    def reader(self) -> "Reader":
        return Reader(self._readers)


class Reader:
    """One reader of a Board; implements Source."""

    def __init__(self, readers: "list[Reader]") -> None:
        self._readers = readers
        self._waiting: deque[News] = deque()
        self._changed = Condition()

    def open(self) -> None:
        self._readers.append(self)

    def put(self, event: News) -> None:
        with self._changed:
            self._waiting.append(event)
            self._changed.notify_all()

    def take(self, seconds: float) -> News | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting, timeout=seconds)
            return self._waiting.popleft() if self._waiting else None

    def close(self) -> None:
        if self in self._readers:
            self._readers.remove(self)
