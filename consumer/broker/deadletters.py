"""The dead-letter queue: putting refused messages there, and looking at them."""

from collections.abc import Callable
from typing import Any, Protocol
from uuid import uuid4

from consumer.broker.inbox import Delivery, delivery_of
from consumer.broker.link import Brokers, Down, Wire, code_of
from consumer.broker.publisher import Publisher
from consumer.broker.topology import Topology

#: Headers that say why a message is here.
PREFIX = "x-trove-resources-"
REASON, DETAIL, LETTER, AT = (PREFIX + name for name in ("reason", "detail", "letter", "at"))

#: Characters of a detail that are kept.
_MOST_DETAIL = 512

#: CC and BCC would route copies to other queues; the count is the broker's own.
_DROPPED_HEADERS = frozenset({"CC", "BCC", "x-delivery-count"})

#: Properties that are kept. Not `user_id`, which must be ours, nor `expiration`, which would
#: empty the queue.
_KEPT = (
    "content_type",
    "content_encoding",
    "correlation_id",
    "reply_to",
    "message_id",
    "timestamp",
    "type",
    "app_id",
    "priority",
)


#: What the broker says of a queue that it does not have.
_NOT_FOUND = 404


class NoQueue(Exception):
    """The broker has no such queue: no worker has ever made it."""


class Morgue(Protocol):
    """Where refused messages go."""

    def put(self, delivery: Delivery, reason: str, detail: str) -> None:
        """Keep the message; returns when a queue has it, raises Down, Unroutable or Nacked."""
        ...


class DeadLetters:
    """Publishes refused messages, body and properties as they came, with the reason as headers."""

    def __init__(self, publisher: Publisher, topology: Topology, now: Callable[[], str]) -> None:
        """`now` gives the time as text (RFC 3339)."""
        self._publisher = publisher
        self._topology = topology
        self._now = now

    def put(self, delivery: Delivery, reason: str, detail: str) -> None:
        """Returns when the dead-letter queue has the message; raises Down, Unroutable, Nacked."""
        kept = {k: v for k, v in delivery.headers.items() if k not in _DROPPED_HEADERS}
        self._publisher.publish(
            delivery.body,
            exchange=self._topology.dead_exchange,
            routing_key=self._topology.queue,
            headers={
                **kept,
                REASON: reason,
                DETAIL: detail[:_MOST_DETAIL],
                LETTER: str(uuid4()),
                AT: self._now(),
            },
            properties={
                name: delivery.properties[name] for name in _KEPT if name in delivery.properties
            },
        )

    def close(self) -> None:
        self._publisher.close()


def peek(brokers: Brokers, queue: str, limit: int) -> tuple[Delivery, ...]:
    """Up to `limit` messages from the front of a queue, which keeps them; raises Down, NoQueue.

    They are fetched on a connection of their own and given back unacknowledged, so others do not
    see them for that moment. A quorum queue without a delivery limit puts them back in their place;
    with one, as here, they go to its end, in the order in which they were.
    """
    wire = brokers.connect()
    try:
        found = _fetched(wire, queue, limit)
    except Down as down:
        if code_of(down.__cause__) == _NOT_FOUND:
            raise NoQueue(f"{wire.peer} has no queue {queue!r}") from None
        raise
    wire.close()
    return found


def _fetched(wire: Wire, queue: str, limit: int) -> tuple[Delivery, ...]:
    found: list[Delivery] = []
    with wire.guarded(f"look into queue {queue}"):
        channel = wire.channel()
        while len(found) < limit:
            message: Any = channel.basic_get(queue, no_ack=False)
            if message is None:
                break
            found.append(delivery_of(message, wire.epoch))
        if wire.in_memory:  # kombu's in-memory channel forgets what was not acknowledged
            for delivery in found:
                channel.basic_reject(delivery.tag, requeue=True)
    return tuple(found)
