"""Consuming: deliveries out, settlements in, one connection at a time."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from consumer.broker.link import Brokers, Down, Wire
from consumer.broker.topology import Topology, declare

#: Seconds that a batch waits for one more delivery after it has the first.
LINGER = 0.01


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it came. `epoch` names the connection that alone may settle it."""

    epoch: int
    tag: int | str
    body: bytes
    headers: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    exchange: str = ""
    routing_key: str = ""
    redelivered: bool = False


class Inbox:
    """The consumer of the command queue. All of it belongs to the one thread that calls it.

    Every method but `close` raises Down when the connection broke, a channel was closed, the
    consumer was cancelled (`basic.cancel`: the queue was deleted) or the broker fell silent. The
    connection is gone then, everything unsettled goes back to the queue, and `open` starts anew.
    """

    def __init__(self, brokers: Brokers, topology: Topology) -> None:
        self._brokers = brokers
        self._topology = topology
        self._wire: Wire | None = None
        self._channel: Any = None
        self._tag = ""
        self._consumers = 0
        self._arrived: list[Delivery] = []
        self._held: dict[int | str, None] = {}
        self.prefetch = 0

    @property
    def is_open(self) -> bool:
        return self._wire is not None and self._wire.is_open

    @property
    def is_listening(self) -> bool:
        """Whether the broker has confirmed a consumer and may send."""
        return self.is_open and bool(self._tag)

    @property
    def peer(self) -> str:
        """Host and port of the broker, or nothing."""
        return self._wire.peer if self._wire and self._wire.is_open else ""

    def open(self) -> tuple[str, ...]:
        """Connect and declare; returns the remarks of `declare`. Nothing is consumed yet."""
        self.close()
        self._wire = self._brokers.connect()
        with self._wire.guarded("declare"):
            remarks = declare(self._wire, self._topology)
            self._channel = self._wire.channel()
        return remarks

    def listen(self, prefetch: int) -> None:
        """Consume, with at most `prefetch` deliveries unsettled. Again to change the number."""
        if self._tag:
            self.pause()
        with self._connected().guarded("consume"):
            self._channel.basic_qos(0, prefetch, False)  # noqa: FBT003 - positional in kombu
            self._consumers += 1
            tag = f"{self._connected().epoch}.{self._consumers}"
            self._channel.basic_consume(
                queue=self._topology.queue,
                no_ack=False,
                consumer_tag=tag,
                callback=self._receive,
            )
            self._tag, self.prefetch = tag, prefetch

    def pause(self) -> None:
        """Stop consuming. What has arrived stays: take it."""
        with self._connected().guarded("cancel"):
            self._channel.basic_cancel(self._tag)
        self._tag, self.prefetch = "", 0

    def take(self, limit: int, seconds: float) -> list[Delivery]:
        """Up to `limit` deliveries; waits up to `seconds` for the first. Keeps heartbeats going."""
        wire = self._connected()
        if wire.heartbeat:
            seconds = min(seconds, wire.heartbeat / 4)
        with wire.guarded("consume"):
            wire.beat()
            if not self._arrived:
                wire.drain(seconds)
            while self._tag and 0 < len(self._arrived) < min(limit, self.prefetch):
                if not wire.drain(LINGER):
                    break
        taken, self._arrived = self._arrived[:limit], self._arrived[limit:]
        return taken

    def ack(self, deliveries: Sequence[Delivery]) -> int:
        """Settle; returns how many were. Deliveries of an older connection are left alone:
        they are back in the queue, and their tags mean other messages now.
        """
        wire = self._connected()
        tags = [each.tag for each in deliveries if each.epoch == wire.epoch]
        tags = [tag for tag in tags if tag in self._held]
        with wire.guarded("acknowledge"):
            if len(tags) > 1 and not wire.in_memory and self._are_first(tags):
                self._channel.basic_ack(max(tags), multiple=True)
            else:
                for tag in tags:
                    self._channel.basic_ack(tag)
        for tag in tags:
            del self._held[tag]
        return len(tags)

    def close(self) -> None:
        """Leave; what was not settled goes back to the queue."""
        wire, self._wire = self._wire, None
        if wire is not None and wire.is_open:
            if wire.in_memory:  # kombu's in-memory channel forgets what was not acknowledged
                for tag in self._held:
                    self._channel.basic_reject(tag, requeue=True)
            wire.close()
        self._channel, self._tag, self.prefetch = None, "", 0
        self._arrived.clear()
        self._held.clear()

    def _connected(self) -> Wire:
        if self._wire is None or not self._wire.is_open:
            raise Down("there is no connection to the broker")
        return self._wire

    def _are_first(self, tags: Collection[int | str]) -> bool:
        """Whether these are the oldest that are held: one acknowledgement settles all of them."""
        first = list(self._held)[: len(tags)]
        return set(first) == set(tags)

    def _receive(self, message: Any) -> None:
        delivery = delivery_of(message, self._connected().epoch)
        self._held[delivery.tag] = None
        self._arrived.append(delivery)


def delivery_of(message: Any, epoch: int) -> Delivery:
    """A client library's message (py-amqp's or kombu's) as a value."""
    info, body = message.delivery_info, message.body
    properties = dict(message.properties)
    headers = properties.pop("application_headers", None) or message.headers
    return Delivery(
        epoch=epoch,
        tag=message.delivery_tag,
        body=body.encode() if isinstance(body, str) else bytes(body),
        headers=dict(headers or {}),
        properties=properties,
        exchange=info.get("exchange") or "",
        routing_key=info.get("routing_key") or "",
        redelivered=bool(info.get("redelivered")),
    )
