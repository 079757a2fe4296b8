"""Listening to events on a queue of one's own, which vanishes with the connection."""

import time
from typing import Any

from consumer.broker.inbox import delivery_of
from consumer.broker.link import Brokers, Down, Wire
from consumer.broker.topology import Notices, declare_notices


class Tap:
    """A copy of every notification from `open` on. One thread; methods raise Down."""

    def __init__(self, brokers: Brokers, notices: Notices) -> None:
        self._brokers = brokers
        self._notices = notices
        self._wire: Wire | None = None
        self._arrived: list[bytes] = []

    def open(self) -> None:
        """Returns when the queue is bound: nothing that is published later is missed."""
        self._wire = self._brokers.connect()
        with self._wire.guarded("listen to events"):
            declare_notices(self._wire, self._notices)
            channel = self._wire.channel()
            queue = channel.queue_declare(queue="", exclusive=True, auto_delete=True).queue
            for key in self._notices.keys:
                channel.queue_bind(queue=queue, exchange=self._notices.exchange, routing_key=key)
            channel.basic_consume(
                queue=queue, no_ack=True, consumer_tag="tap", callback=self._receive
            )

    def take(self, seconds: float) -> bytes | None:
        """The body of the next notification, or None when none came in time."""
        if self._wire is None:
            raise Down("the tap is closed")
        end = time.monotonic() + seconds
        with self._wire.guarded("listen to events"):
            while not self._arrived and (left := end - time.monotonic()) > 0:
                self._wire.beat()
                self._wire.drain(min(left, self._wire.heartbeat / 4 or left))
        return self._arrived.pop(0) if self._arrived else None

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _receive(self, message: Any) -> None:
        self._arrived.append(delivery_of(message, 0).body)
