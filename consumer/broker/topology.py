"""Exchanges and queues: looked for first, made when they are not there.

Declaring an exchange of Trove's with another durability than Trove does makes every cast in its
API fail (measured on oslo.messaging 18.3.1), so nothing is declared that is there already.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from consumer.broker.link import Wire, code_of

#: Looking at a dead letter counts as a delivery. RabbitMQ 4 drops a message after 20 of them.
_NEVER = 1_000_000

_REFUSED, _NOT_FOUND, _PRECONDITION = 403, 404, 406


class Topology(msgspec.Struct, frozen=True, kw_only=True):
    """Where commands come in, and where bad ones go.

    The queue's name is also its routing key, on both exchanges. `delivery_limit` is a backstop:
    after so many returns (a worker that died with it, for example) the broker dead-letters.
    """

    exchange: str = "trove.resources"
    queue: str = "trove.resources.commands"
    dead_exchange: str = "trove.resources.dead"
    dead_queue: str = "trove.resources.commands.dead"
    delivery_limit: int = 20

    def arguments(self) -> dict[str, Any]:
        """Of the queue. They are fixed for its life: what may change belongs in a policy."""
        return {
            "x-queue-type": "quorum",
            "x-dead-letter-exchange": self.dead_exchange,
            "x-dead-letter-routing-key": self.queue,
            "x-delivery-limit": self.delivery_limit,
            "x-overflow": "reject-publish",
            "x-dead-letter-strategy": "at-least-once",
        }


class Notices(msgspec.Struct, frozen=True, kw_only=True):
    """Where events go: a topic exchange and the queue of each `<topic>.<priority>`.

    These names are usually shared with other OpenStack services. `durable` and `quorum` are what
    those have in `amqp_durable_queues` and `rabbit_quorum_queue`, and only matter for what is not
    there yet.
    """

    exchange: str = "openstack"
    topics: tuple[str, ...] = ("notifications",)
    durable: bool = False
    quorum: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Routing keys, and names of the queues."""
        return tuple(f"{topic}.{priority}" for topic in self.topics for priority in _PRIORITIES)


_PRIORITIES = ("info", "error")


def declare(wire: Wire, topology: Topology) -> tuple[str, ...]:
    """Make what is missing; returns remarks about what is there but not as we would make it."""
    remarks: list[str] = []
    for exchange in (topology.dead_exchange, topology.exchange):
        remarks += _exchange(wire, exchange, "direct", durable=True, verify=True)
    dead = {"x-queue-type": "quorum", "x-delivery-limit": _NEVER}
    remarks += _queue(wire, topology.dead_queue, dead)
    remarks += _bind(wire, topology.dead_queue, topology.dead_exchange, topology.queue)
    remarks += _queue(wire, topology.queue, topology.arguments())
    remarks += _bind(wire, topology.queue, topology.exchange, topology.queue)
    return tuple(remarks)


def declare_notices(wire: Wire, notices: Notices) -> tuple[str, ...]:
    """Make the exchange and the queues of events where they are missing; returns remarks."""
    durable = notices.durable or notices.quorum
    remarks = _exchange(wire, notices.exchange, "topic", durable=durable, verify=False)
    arguments = {"x-queue-type": "quorum"} if notices.quorum else {}
    for key in notices.keys:
        if not _queue_there(wire, key):
            _make_queue(wire, key, arguments, durable=durable)
        remarks += _bind(wire, key, notices.exchange, key)
    return tuple(remarks)


def _exchange(wire: Wire, name: str, kind: str, *, durable: bool, verify: bool) -> list[str]:
    def make(channel: Any) -> None:
        channel.exchange_declare(exchange=name, type=kind, durable=durable, auto_delete=False)

    def look(channel: Any) -> None:
        channel.exchange_declare(exchange=name, type=kind, passive=True)

    if not _there(wire, look):
        _on_channel(wire, make)
        return []
    return _verify(wire, f"exchange {name}", make) if verify else []


def _queue(wire: Wire, name: str, arguments: dict[str, Any]) -> list[str]:
    if not _queue_there(wire, name):
        return _make_queue(wire, name, arguments, durable=True)
    return _verify(
        wire,
        f"queue {name}",
        lambda channel: channel.queue_declare(
            queue=name, durable=True, auto_delete=False, arguments=arguments
        ),
    )


def _make_queue(wire: Wire, name: str, arguments: dict[str, Any], *, durable: bool) -> list[str]:
    """Make a queue; a broker too old for at-least-once dead-lettering gets one without it."""

    def make(channel: Any, wanted: dict[str, Any]) -> None:
        channel.queue_declare(queue=name, durable=durable, auto_delete=False, arguments=wanted)

    try:
        _on_channel(wire, lambda channel: make(channel, arguments))
    except wire.channel_errors as error:
        optional = "x-dead-letter-strategy"
        if code_of(error) != _PRECONDITION or optional not in arguments:
            raise
        less = {key: value for key, value in arguments.items() if key != optional}
        _on_channel(wire, lambda channel: make(channel, less))
        return [f"queue {name}: made without {optional}, which this broker refuses ({error})"]
    return []


def _verify(wire: Wire, what: str, declare_again: Callable[[Any], None]) -> list[str]:
    """Whether a thing that is there is as we would make it; declaring it again changes nothing."""
    try:
        _on_channel(wire, declare_again)
    except wire.channel_errors as error:
        if code_of(error) == _REFUSED:  # an account that may not declare cannot tell either
            return []
        if code_of(error) != _PRECONDITION:
            raise
        return [f"{what} is used as it is, though not as it should be: {error}"]
    return []


def _bind(wire: Wire, queue: str, exchange: str, key: str) -> list[str]:
    try:
        _on_channel(
            wire,
            lambda channel: channel.queue_bind(queue=queue, exchange=exchange, routing_key=key),
        )
    except wire.channel_errors as error:
        if code_of(error) != _REFUSED:
            raise
        return [f"queue {queue} could not be bound to {exchange} by {key}: {error}"]
    return []


def _queue_there(wire: Wire, name: str) -> bool:
    return _there(wire, lambda channel: channel.queue_declare(queue=name, passive=True))


def _there(wire: Wire, look: Callable[[Any], object]) -> bool:
    try:
        _on_channel(wire, look)
    except wire.channel_errors as error:
        if code_of(error) != _NOT_FOUND:
            raise
        return False
    return True


def _on_channel(wire: Wire, ask: Callable[[Any], object]) -> None:
    """Ask on a channel of its own: a refusal closes the channel, and nothing else may be on it."""
    channel = wire.channel()
    try:
        ask(channel)
    finally:
        channel.close()
