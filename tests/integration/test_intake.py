"""The intake on a real RabbitMQ: nothing lost, nothing doubled, never stopped by a message."""

import json
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

from consumer.broker.deadletters import DETAIL, REASON
from consumer.broker.link import Brokers
from consumer.broker.topology import Topology
from consumer.dlq import letters
from handlers.commands import RebuildInstance
from tests.support.broker import PROJECT, Front, Sending, resize, wait_for
from tests.support.tcp_proxy import TcpProxy

CANARY = "canary-7e31"


@pytest.fixture
def proxy(rabbitmq_url: str) -> Iterator[TcpProxy]:
    """Between the worker and the broker."""
    parts = urlsplit(rabbitmq_url)
    with TcpProxy(parts.hostname or "127.0.0.1", parts.port or 5672) as proxy:
        yield proxy


def through(proxy: TcpProxy, url: str) -> str:
    parts = urlsplit(url)
    userinfo = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{userinfo}@127.0.0.1:{proxy.port}").geturl()


GOOD: dict[str, Any] = {
    "specversion": "1.0",
    "type": RebuildInstance.TYPE,
    "id": "poison",
    "source": "tests",
    "subject": "7f1c6d0e-3b0f-4a53-9a59-6f0f4f6f2d11",
    "data": {"project": PROJECT, "image": "i", "user_data": CANARY},
}


def changed(**changes: Any) -> bytes:
    return json.dumps(GOOD | changes).encode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"\x80\x02}q\x00.", "not_json", id="pickle"),
        pytest.param(b"x" * 300_000, "oversize", id="oversize"),
        pytest.param(b'{"a":' * 40_000, "not_json", id="deep"),
        pytest.param(b"{}", "not_cloudevent", id="no attributes"),
        pytest.param(changed(type="trove.resources.instance.explode"), "unknown_type", id="type"),
        pytest.param(changed(specversion="0.3"), "wrong_version", id="version"),
        pytest.param(changed(data=GOOD["data"] | {"imagge": 1}), "invalid_data", id="field"),
    ],
)
def test_poison_is_dead_lettered_while_the_worker_goes_on(
    rabbitmq_url: str, topology: Topology, sending: Sending, body: bytes, reason: str
) -> None:
    before, after = resize(), resize()
    with Front(rabbitmq_url, topology) as front:
        sending.send(before)
        sending.raw(body, content_type="application/x-python", headers={"compression": "bzip2"})
        sending.send(after)
        wait_for(lambda: front.has(before, after) and sending.dead())
        told = front.telemetry.text
    (letter,) = sending.dead()
    assert (letter.body, letter.headers[REASON]) == (body, reason)
    assert letter.properties["content_type"] == "application/x-python"
    assert CANARY not in told + repr(letter.headers) + repr(letters(lambda limit: (letter,)))
    assert sending.waiting() == 0


def test_duplicates_and_a_conflict(rabbitmq_url: str, topology: Topology, sending: Sending) -> None:
    first = resize(10)
    with Front(rabbitmq_url, topology) as front:
        sending.send(first, first, first)
        sending.send(resize(20, subject=first.subject, command_id=first.id))
        wait_for(sending.dead)
        wait_for(lambda: len(front.telemetry.told("received")) == 4)
        assert len(front.ledger.operations()) == 1
    verdicts = [verdict for _, verdict in front.telemetry.told("received")]
    assert verdicts == ["new", "known", "known", "conflict"]
    (letter,) = sending.dead()
    assert letter.headers[REASON] == "conflict"
    assert first.id in letter.headers[DETAIL]


def test_thousand_commands_through_cut_and_reset_connections(
    rabbitmq_url: str, topology: Topology, sending: Sending, proxy: TcpProxy
) -> None:
    commands, done = [resize() for _ in range(1000)], Event()

    def publish() -> None:
        sending.send(*commands)
        done.set()

    with Front(through(proxy, rabbitmq_url), topology, batch=10) as front:
        Thread(target=publish, daemon=True).start()
        faults = 0
        while not done.wait(0.05):
            (proxy.reset if faults % 2 else proxy.cut)()
            faults += 1
        wait_for(lambda: front.has(*commands), 30)
        assert len(front.ledger.operations(limit=2000)) == 1000
        wait_for(lambda: sending.waiting() == 0)
    assert faults >= 3
    assert sending.dead() == ()


def test_stalled_broker_is_noticed_and_left(
    rabbitmq_url: str, topology: Topology, sending: Sending, proxy: TcpProxy
) -> None:
    command = resize()
    with Front(through(proxy, rabbitmq_url), topology, heartbeat=1.0) as front:
        proxy.stall()
        wait_for(lambda: not front.intake.is_ready, 10)
        sending.send(command)
        proxy.heal()
        proxy.cut()
        wait_for(lambda: front.has(command))


def test_broker_that_refuses_connections_is_tried_again(
    rabbitmq_url: str, topology: Topology, sending: Sending, proxy: TcpProxy
) -> None:
    command = resize()
    with Front(through(proxy, rabbitmq_url), topology) as front:
        proxy.refuse()
        proxy.reset()
        wait_for(lambda: not front.intake.is_ready)
        sending.send(command)
        wait_for(lambda: len(front.telemetry.told("broker_connected")) > 3)
        assert not front.intake.is_ready
        proxy.heal()
        wait_for(lambda: front.has(command) and front.intake.is_ready)


def test_deleted_queue_is_made_again(
    rabbitmq_url: str, topology: Topology, sending: Sending
) -> None:
    command = resize()
    with Front(rabbitmq_url, topology) as front:
        wire = Brokers([rabbitmq_url]).connect()
        wire.channel().queue_delete(topology.queue)  # the broker sends basic.cancel
        wire.close()
        wait_for(lambda: front.telemetry.told("broker_connected")[-1][0] is False)
        wait_for(lambda: front.intake.is_ready)
        sending.send(command)
        wait_for(lambda: front.has(command))


def test_commands_of_a_worker_that_died_with_them_reach_the_next(
    rabbitmq_url: str, topology: Topology, sending: Sending, proxy: TcpProxy
) -> None:
    dying = Front(through(proxy, rabbitmq_url), topology)
    commands = [resize() for _ in range(5)]
    dying.inbox.open()
    dying.inbox.listen(10)
    sending.send(*commands)
    taken = dying.inbox.take(10, 2)
    assert taken
    proxy.reset()
    with Front(rabbitmq_url, topology) as front:
        wait_for(lambda: front.has(*commands))


def test_bad_message_stays_in_the_queue_while_there_is_nowhere_to_put_it(
    rabbitmq_url: str, topology: Topology, sending: Sending
) -> None:
    command = resize()
    nowhere = Topology(exchange="x", queue="x", dead_exchange="test.nowhere", dead_queue="x")
    with Front(rabbitmq_url, topology, dead=nowhere) as front:
        sending.raw(b"poison")
        sending.send(command)
        wait_for(lambda: front.has(command))
    assert sending.dead() == ()
    with Front(rabbitmq_url, topology):
        wait_for(sending.dead)
    (letter,) = sending.dead()
    assert letter.body == b"poison"
