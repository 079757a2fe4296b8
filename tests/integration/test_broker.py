"""The broker itself: topology, publishing with proof, consuming, looking."""

import pytest

from consumer.broker.deadletters import DeadLetters, NoQueue, peek
from consumer.broker.inbox import Delivery, Inbox
from consumer.broker.link import Brokers
from consumer.broker.publisher import Nacked, Publisher, Unroutable
from consumer.broker.topology import Notices, Topology, declare, declare_notices
from tests.support.broker import Sending, wait_for


@pytest.fixture
def brokers(rabbitmq_url: str) -> Brokers:
    return Brokers([rabbitmq_url], connect_timeout=2, patience=3)


@pytest.fixture
def inbox(brokers: Brokers, topology: Topology) -> Inbox:
    inbox = Inbox(brokers, topology)
    inbox.open()
    inbox.listen(50)
    return inbox


def take(inbox: Inbox, count: int) -> list[Delivery]:
    """Exactly so many deliveries."""
    found: list[Delivery] = []

    def enough() -> bool:
        found.extend(inbox.take(count - len(found), 0.2))
        return len(found) >= count

    wait_for(enough)
    return found


# -- topology -------------------------------------------------------------------------------------


def test_topology_is_made_once_and_found_again(brokers: Brokers, topology: Topology) -> None:
    wire = brokers.connect()
    assert declare(wire, topology) == ()
    assert declare(wire, topology) == ()
    wire.close()


def test_queue_that_is_there_otherwise_is_used_and_told(
    brokers: Brokers, topology: Topology
) -> None:
    wire = brokers.connect()
    wire.channel().queue_declare(queue=topology.queue, durable=True, auto_delete=False)
    (remark,) = declare(wire, topology)
    assert topology.queue in remark
    wire.close()


@pytest.mark.parametrize("durable", [True, False])
def test_exchange_of_another_service_is_left_as_it_is(
    brokers: Brokers, notices: Notices, durable: bool
) -> None:
    wire = brokers.connect()
    theirs = {"exchange": notices.exchange, "type": "topic", "auto_delete": False}
    wire.channel().exchange_declare(durable=durable, **theirs)
    assert declare_notices(wire, notices) == ()
    wire.channel().exchange_declare(durable=durable, **theirs)  # raises when it was changed
    wire.close()


def test_queue_of_another_service_is_bound_and_left_as_it_is(
    brokers: Brokers, notices: Notices
) -> None:
    wire = brokers.connect()
    arguments = {"x-queue-type": "quorum"}
    key = notices.keys[0]
    wire.channel().queue_declare(queue=key, durable=True, auto_delete=False, arguments=arguments)
    declare_notices(wire, notices)
    publisher = Publisher(brokers)
    publisher.publish(b"x", exchange=notices.exchange, routing_key=key)
    assert [each.body for each in peek(brokers, key, 5)] == [b"x"]
    publisher.close()
    wire.close()


def test_looking_into_a_queue_that_nobody_made_says_so(brokers: Brokers) -> None:
    with pytest.raises(NoQueue, match="nowhere"):
        peek(brokers, "test.nowhere", 1)


# -- publishing -----------------------------------------------------------------------------------


def test_message_that_no_queue_takes_is_an_error(
    brokers: Brokers, topology: Topology, inbox: Inbox
) -> None:
    publisher = Publisher(brokers)
    with pytest.raises(Unroutable, match="nowhere"):
        publisher.publish(b"x", exchange=topology.exchange, routing_key="nowhere")
    publisher.publish(b"y", exchange=topology.exchange, routing_key=topology.queue)
    assert [each.body for each in take(inbox, 1)] == [b"y"]
    publisher.close()
    inbox.close()


def test_exchange_that_is_not_there_is_an_error(brokers: Brokers) -> None:
    publisher = Publisher(brokers)
    with pytest.raises(Unroutable, match="nowhere"):
        publisher.publish(b"x", exchange="test.nowhere", routing_key="x")


def test_full_queue_is_an_error(brokers: Brokers, topology: Topology) -> None:
    wire = brokers.connect()
    wire.channel().queue_declare(
        queue=topology.queue,
        durable=True,
        auto_delete=False,
        arguments={"x-max-length": 1, "x-overflow": "reject-publish"},
    )
    publisher = Publisher(brokers)
    publisher.publish(b"1", exchange="", routing_key=topology.queue)
    with pytest.raises(Nacked):
        publisher.publish(b"2", exchange="", routing_key=topology.queue)
    publisher.close()
    wire.close()


def test_publisher_survives_that_its_idle_connection_went(
    rabbitmq_url: str, topology: Topology, inbox: Inbox
) -> None:
    sending = Sending(rabbitmq_url, topology)
    sending.raw(b"1")
    publisher = sending.publisher
    publisher._wire._raw.sock.close()  # type: ignore[union-attr]
    sending.raw(b"2")
    assert [each.body for each in take(inbox, 2)] == [b"1", b"2"]
    sending.close()
    inbox.close()


# -- consuming ------------------------------------------------------------------------------------


def test_prefetch_limits_what_is_unsettled(sending: Sending, inbox: Inbox) -> None:
    inbox.listen(2)
    for number in range(5):
        sending.raw(b"%d" % number)
    first = take(inbox, 2)
    assert inbox.take(5, 0.3) == []
    inbox.ack(first)
    assert [each.body for each in take(inbox, 2)] == [b"2", b"3"]
    inbox.close()


def test_paused_inbox_is_sent_nothing(sending: Sending, inbox: Inbox) -> None:
    inbox.pause()
    sending.raw(b"1")
    assert inbox.take(5, 0.3) == []
    assert not inbox.is_listening
    inbox.listen(5)
    assert [each.body for each in take(inbox, 1)] == [b"1"]
    inbox.close()


def test_acknowledging_a_part_leaves_the_rest(sending: Sending, inbox: Inbox) -> None:
    for number in range(4):
        sending.raw(b"%d" % number)
    batch = take(inbox, 4)
    assert inbox.ack([batch[1], batch[3]]) == 2
    assert inbox.ack(batch) == 2, "settled ones are not settled twice"
    inbox.close()
    assert sending.waiting() == 0


def test_unsettled_deliveries_come_back_when_the_connection_goes(
    sending: Sending, inbox: Inbox
) -> None:
    sending.raw(b"1")
    take(inbox, 1)
    inbox.close()
    inbox.open()
    inbox.listen(5)
    (again,) = take(inbox, 1)
    assert (again.body, again.redelivered) == (b"1", True)
    inbox.close()


def test_delivery_of_an_older_connection_settles_nothing(sending: Sending, inbox: Inbox) -> None:
    sending.raw(b"old")
    (old,) = take(inbox, 1)
    inbox.close()
    inbox.open()
    inbox.listen(5)
    (again,) = take(inbox, 1)
    assert again.tag == old.tag, "tags start anew: a stale one names another message"
    assert inbox.ack([old]) == 0
    inbox.close()
    assert sending.waiting() == 1


def test_compression_header_decompresses_nothing(sending: Sending, inbox: Inbox) -> None:
    sending.raw(b"not bzip2", headers={"compression": "bzip2"}, content_encoding="rot13")
    assert [each.body for each in take(inbox, 1)] == [b"not bzip2"]
    inbox.close()


# -- dead letters ---------------------------------------------------------------------------------


def test_looking_takes_nothing_away(
    brokers: Brokers, topology: Topology, sending: Sending, inbox: Inbox
) -> None:
    inbox.close()
    dead = DeadLetters(sending.publisher, topology, lambda: "now")
    for number in range(3):
        dead.put(Delivery(epoch=0, tag=0, body=b"%d" % number), "not_json", "sentence")
    for _ in range(25):  # more often than RabbitMQ 4's own delivery limit
        assert len(sending.dead()) == 3
    assert {each.body for each in sending.dead()} == {b"0", b"1", b"2"}


def test_dead_letter_leaves_out_what_would_move_or_expire_it(
    topology: Topology, sending: Sending, inbox: Inbox
) -> None:
    sending.raw(
        b"x",
        headers={"CC": [topology.queue], "theirs": "kept"},
        message_id="m",
        expiration=100,
        user_id="guest",
    )
    (delivery,) = take(inbox, 1)
    DeadLetters(sending.publisher, topology, lambda: "now").put(delivery, "r", "d" * 9999)
    (letter,) = sending.dead()
    assert letter.properties["message_id"] == "m"
    assert not {"expiration", "user_id"} & set(letter.properties)
    assert letter.headers["theirs"] == "kept"
    assert "CC" not in letter.headers
    assert len(letter.headers["x-trove-resources-detail"]) == 512
    inbox.close()


def test_delivery_limit_ends_in_the_dead_letter_queue(
    brokers: Brokers, topology: Topology, sending: Sending
) -> None:
    inbox = Inbox(brokers, topology)
    inbox.open()
    sending.raw(b"poison")
    for _ in range(topology.delivery_limit + 1):
        inbox.listen(1)
        take(inbox, 1)
        inbox.close()
        inbox.open()
    wait_for(sending.dead)
    (letter,) = sending.dead()
    assert letter.headers["x-death"][0]["reason"] == "delivery_limit"
    inbox.close()
