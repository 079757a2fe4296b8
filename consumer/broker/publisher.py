"""Publishing with proof: a call that returns means that a queue has the message.

Confirms, the mandatory flag and no handler for returned messages: with such a handler py-amqp
lets an unroutable message pass as published, and without a time limit on the confirm a frozen
broker blocks for ever (both measured on py-amqp 5.4.2).
"""

from collections.abc import Mapping
from threading import Lock
from typing import Any

from amqp.exceptions import MessageNacked  # type: ignore[import-untyped]
from kombu.messaging import Producer

from consumer.broker.link import Brokers, Down, Wire, code_of

#: What the broker says when no queue takes a message, and when there is no such exchange.
_NO_ROUTE = frozenset({312, 404})


class Unroutable(Exception):
    """There is no such exchange, or no queue is bound there for this key: nothing was stored."""


class Nacked(Exception):
    """The broker refused the message (the queue is full, for example): nothing was stored."""


class Publisher:
    """Publishes from any thread, one message at a time."""

    def __init__(self, brokers: Brokers, *, confirm_timeout: float = 10.0) -> None:
        """`confirm_timeout`: seconds until a missing confirm is an error."""
        self._brokers = brokers
        self._confirm_timeout = confirm_timeout
        self._lock = Lock()
        self._wire: Wire | None = None
        self._producer: Producer | None = None

    def publish(
        self,
        body: bytes,
        *,
        exchange: str,
        routing_key: str,
        headers: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        """Publish one persistent message; raises Unroutable, Nacked or Down.

        After Down it may be stored or not: publish it again, with the same id. A connection that
        has gone stale since the last message is replaced once without a word.
        """
        message = {
            "content_type": "application/octet-stream",
            "content_encoding": "utf-8",
            **(properties or {}),
            "headers": dict(headers or {}),
            "exchange": exchange,
            "routing_key": routing_key,
        }
        with self._lock:
            fresh = self._wire is None or not self._wire.is_open
            try:
                self._send(body, message)
            except Down:
                if fresh:
                    raise
                self._send(body, message)

    def close(self) -> None:
        with self._lock:
            wire, self._wire, self._producer = self._wire, None, None
            if wire is not None:
                wire.close()

    def _send(self, body: bytes, message: dict[str, Any]) -> None:
        wire, producer = self._connected()
        try:
            with wire.guarded("publish"):
                producer.publish(
                    body,
                    delivery_mode=2,
                    mandatory=True,
                    confirm_timeout=self._confirm_timeout,
                    timeout=self._confirm_timeout,
                    **message,
                )
        except Down as down:  # the wire is gone: a confirm may still be under way on it
            if isinstance(down.__cause__, MessageNacked):
                raise Nacked(f"{wire.peer} refused a message: is its queue full?") from None
            if code_of(down.__cause__) in _NO_ROUTE:
                raise Unroutable(
                    f"no queue takes messages of exchange {message['exchange']!r} with routing key"
                    f" {message['routing_key']!r}"
                ) from None
            raise

    def _connected(self) -> tuple[Wire, Producer]:
        if self._wire is None or self._producer is None or not self._wire.is_open:
            self._wire = self._brokers.connect(heartbeat=False)
            with self._wire.guarded("open a channel"):
                self._producer = Producer(self._wire.channel(), auto_declare=False)
        return self._wire, self._producer
