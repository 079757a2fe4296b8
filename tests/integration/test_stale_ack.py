"""Why a channel error throws the whole connection away, and that it does.

py-amqp opens a channel again that the broker has closed. Delivery tags start anew on it, so an
acknowledgement that comes late names another message, which is then lost.
"""

from typing import Any

import pytest
from kombu.connection import Connection

from consumer.broker.inbox import Delivery, Inbox
from consumer.broker.link import Brokers, Down
from consumer.broker.topology import Topology
from tests.support.broker import Sending, wait_for


def take_one(inbox: Inbox) -> Delivery:
    found: list[Delivery] = []

    def came() -> bool:
        found.extend(inbox.take(1, 0.2))
        return bool(found)

    wait_for(came)
    return found[0]


def test_the_library_alone_loses_a_message(
    rabbitmq_url: str, topology: Topology, sending: Sending
) -> None:
    inbox = Inbox(Brokers([rabbitmq_url]), topology)
    inbox.open()
    inbox.close()
    connection = Connection(rabbitmq_url)
    channel: Any = connection.channel()
    sending.raw(b"A")
    first = channel.basic_get(topology.queue, no_ack=False)
    with pytest.raises(connection.channel_errors):
        channel.queue_declare(queue="test.nowhere", passive=True)  # the broker closes the channel
    assert channel.is_open, "and the library has opened it again"
    second = channel.basic_get(topology.queue, no_ack=False)
    assert first.delivery_tag == second.delivery_tag
    channel.basic_ack(first.delivery_tag)  # the handler of the first delivery ends late
    connection.close()
    assert sending.waiting() == 0, "the second delivery, never handled, is gone"


def test_the_inbox_does_not(rabbitmq_url: str, topology: Topology, sending: Sending) -> None:
    inbox = Inbox(Brokers([rabbitmq_url]), topology)
    inbox.open()
    inbox.listen(5)
    sending.raw(b"A")
    first = take_one(inbox)
    inbox._channel.basic_ack(999)  # the broker closes the channel
    with pytest.raises(Down):
        wait_for(lambda: inbox.take(1, 0.2))
    assert not inbox.is_open
    with pytest.raises(Down):
        inbox.ack([first])
    inbox.open()
    inbox.listen(5)
    second = take_one(inbox)
    assert (first.tag, first.body) == (second.tag, second.body)
    assert inbox.ack([first]) == 0
    inbox.close()
    assert sending.waiting() == 1
