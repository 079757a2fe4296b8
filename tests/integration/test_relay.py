"""Events on a real RabbitMQ: readable by any oslo.messaging listener, never lost in silence."""

import time
from collections.abc import Iterator
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import oslo_messaging  # type: ignore[import-untyped]
import pytest
from msgspec.structs import replace
from oslo_config import cfg

from consumer.broker.link import Brokers
from consumer.broker.tap import Tap
from consumer.broker.topology import Notices, Topology, declare_notices
from consumer.client import Client, Door
from consumer.codec.documents.samples import events
from consumer.codec.events import to_payload
from consumer.ledger.memory import MemoryLedger
from consumer.listening import Heard
from consumer.notifications import Notifier, from_amqp
from consumer.relay import NotSent, Pace, Relay
from handlers.events import Event, News
from tests.support.broker import Recorder, Sending, resize, wait_for, wall_clock
from tests.support.tcp_proxy import TcpProxy

SAMPLES = tuple(events())
FAILED = next(event for event in SAMPLES if event.priority == "error")
ENDED = next(event for event in SAMPLES if event.type.endswith(".end"))
QUICK = Pace(batch=10, poll=0.05, first_pause=0.02, last_pause=0.1)


class Outbox(MemoryLedger):
    """Only the outbox of a ledger, filled by hand."""

    def __init__(self, *waiting: Event) -> None:
        super().__init__(wall_clock)
        self.waiting = list(waiting)

    def unsent(self, limit: int) -> tuple[Event, ...]:
        return tuple(self.waiting[:limit])

    def sent(self, events: Any) -> None:
        self.waiting = [event for event in self.waiting if event.id not in events]


def notifier_to(url: str, notices: Notices, timeout: float = 2.0, direct: str = "") -> Notifier:
    """`direct` is where exchange and queues are declared, `url` where events go."""
    brokers = Brokers([direct or url], connect_timeout=2, patience=2)

    def prepare() -> None:
        wire = brokers.connect()
        with wire.guarded("declare"):
            declare_notices(wire, notices)
        wire.close()

    return Notifier(
        [from_amqp(url)],
        exchange=notices.exchange,
        topics=notices.topics,
        publisher_id="trove-resources.test",
        timeout=timeout,
        prepare=prepare,
    )


@pytest.fixture
def notifier(rabbitmq_url: str, notices: Notices) -> Iterator[Notifier]:
    notifier = notifier_to(rabbitmq_url, notices)
    yield notifier
    notifier.close()


@pytest.fixture
def tap(rabbitmq_url: str, notices: Notices) -> Iterator[Heard]:
    """Every event from now on."""
    heard = Heard(Tap(Brokers([rabbitmq_url]), notices))
    heard.open()
    yield heard
    heard.close()


class Endpoint:
    """What an operator's listener looks like."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str, Any, Any]] = []

    def info(self, ctxt: Any, publisher: str, kind: str, payload: Any, meta: Any) -> None:
        self.heard.append(("info", publisher, kind, payload, meta))

    def error(self, ctxt: Any, publisher: str, kind: str, payload: Any, meta: Any) -> None:
        self.heard.append(("error", publisher, kind, payload, meta))


def listen(url: str, notices: Notices, endpoint: Endpoint, **options: str) -> Any:
    conf = cfg.ConfigOpts()
    conf(args=[], default_config_files=[])
    query = "&".join(f"{name}={value}" for name, value in options.items())
    transport = oslo_messaging.get_notification_transport(conf, url=f"{from_amqp(url)}?{query}")
    targets = [
        oslo_messaging.Target(exchange=notices.exchange, topic=topic) for topic in notices.topics
    ]
    listener = oslo_messaging.get_notification_listener(
        transport, targets, [endpoint], executor="threading"
    )
    listener.start()
    return listener


@pytest.mark.parametrize(
    ("quorum", "options"),
    [(False, {}), (True, {"rabbit_quorum_queue": "1"})],
    ids=["defaults", "quorum"],
)
def test_plain_listener_reads_what_the_relay_publishes(
    rabbitmq_url: str, notices: Notices, quorum: bool, options: dict[str, str]
) -> None:
    notices = replace(notices, quorum=quorum)
    notifier, endpoint = notifier_to(rabbitmq_url, notices), Endpoint()
    Relay(Outbox(ENDED, FAILED), notifier, Recorder(), QUICK).turn()
    listener = listen(rabbitmq_url, notices, endpoint, **options)
    try:
        wait_for(lambda: len(endpoint.heard) == 2)
    finally:
        listener.stop()
        listener.wait()
        notifier.close()
    by_priority = {heard[0]: heard for heard in endpoint.heard}
    assert set(by_priority) == {"info", "error"}
    _, publisher, kind, payload, meta = by_priority["error"]
    assert (publisher, kind) == ("trove-resources.test", FAILED.type)
    assert payload == to_payload(FAILED)
    assert meta["message_id"] == FAILED.id


def test_event_that_no_queue_takes_is_an_error_and_then_sent(
    rabbitmq_url: str, notices: Notices, notifier: Notifier
) -> None:
    notifier.publish(ENDED)
    wire = Brokers([rabbitmq_url]).connect()
    for key in notices.keys:
        wire.channel().queue_delete(key)
    with pytest.raises(NotSent, match="MessageUndeliverable"):
        notifier.publish(ENDED)
    notifier.publish(ENDED)
    count = wire.channel().queue_declare(queue=notices.keys[0], passive=True).message_count
    assert count == 1
    wire.close()


def test_two_copies_of_an_event_have_one_id(notifier: Notifier, tap: Heard) -> None:
    notifier.publish(ENDED)
    notifier.publish(ENDED)
    first, second = tap.take(5), tap.take(5)
    assert first == second == ENDED


@pytest.fixture
def proxy(rabbitmq_url: str) -> Iterator[TcpProxy]:
    parts = urlsplit(rabbitmq_url)
    with TcpProxy(parts.hostname or "127.0.0.1", parts.port or 5672) as proxy:
        yield proxy


def through(proxy: TcpProxy, url: str) -> str:
    parts = urlsplit(url)
    userinfo = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{userinfo}@127.0.0.1:{proxy.port}").geturl()


def test_frozen_broker_is_an_error_in_bounded_time(
    rabbitmq_url: str, notices: Notices, proxy: TcpProxy
) -> None:
    notifier = notifier_to(through(proxy, rabbitmq_url), notices, 1.0, rabbitmq_url)
    notifier.publish(ENDED)
    proxy.stall()
    began = time.monotonic()
    with pytest.raises(NotSent):
        notifier.publish(ENDED)
    assert time.monotonic() - began < 15
    proxy.heal()
    proxy.cut()
    notifier.publish(ENDED)
    notifier.close()


def test_relay_loses_nothing_while_connections_break(
    rabbitmq_url: str, notices: Notices, proxy: TcpProxy, tap: Heard
) -> None:
    waiting = [replace(ENDED, id=f"e{n}", subject=f"s{n % 7}") for n in range(300)]
    outbox, told = Outbox(*waiting), Recorder()
    notifier = notifier_to(through(proxy, rabbitmq_url), notices, 1.0, rabbitmq_url)
    relay = Relay(outbox, notifier, told, QUICK)
    thread = Thread(target=relay.run, daemon=True)
    thread.start()
    faults = 0
    while outbox.waiting and faults < 15:
        time.sleep(0.05)
        (proxy.reset if faults % 2 else proxy.cut)()
        faults += 1
    wait_for(lambda: not outbox.waiting)
    relay.stop()
    thread.join(20)
    notifier.close()
    heard: list[News] = list(iter(lambda: tap.take(0.5), None))
    assert {event.id for event in heard} == {event.id for event in waiting}
    for subject in {event.subject for event in waiting}:
        order = list(dict.fromkeys(e.id for e in heard if e.subject == subject))
        assert order == [e.id for e in waiting if e.subject == subject]


def test_client_hears_the_end_of_its_command(
    rabbitmq_url: str, topology: Topology, notices: Notices, notifier: Notifier, sending: Sending
) -> None:
    command = resize()
    end = replace(
        ENDED, id="end-1", data=replace(ENDED.data, operation=command.id, subject=command.subject)
    )

    class Answering(Door):
        def send(self, body: bytes, command: Any) -> None:
            notifier.publish(ENDED)
            notifier.publish(end)

    client = Client(
        Answering(sending.publisher, topology),
        "tests",
        lambda: Heard(Tap(Brokers([rabbitmq_url]), notices)),
    )
    assert client.run(command, 10) == end
