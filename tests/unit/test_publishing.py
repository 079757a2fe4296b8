"""The publisher's client, events within a process, notifications as bytes."""

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest
from msgspec.structs import replace

from consumer.broker.link import Tls, hosts
from consumer.client import Client, TimedOut, connect
from consumer.codec.commands import decode
from consumer.codec.documents.samples import events
from consumer.codec.refusal import Refusal, Refused
from consumer.listening import Board
from consumer.notifications import Notifier, envelope, from_amqp, per_host, to_amqp, unwrap
from consumer.relay import NotSent
from handlers.commands import Command, ResizeVolume
from handlers.events import Event, EventData
from tests.support.broker import PROJECT, Front, Sending, fresh_topology, resize, wait_for

SUBJECT = "7f1c6d0e-3b0f-4a53-9a59-6f0f4f6f2d11"


class Worker:
    """Takes commands and tells their events on a board, as it is told to."""

    def __init__(self, board: Board, *told: str) -> None:
        self._board = board
        self._told = told
        self.got: list[bytes] = []

    def send(self, body: bytes, command: Command) -> None:
        self.got.append(body)
        for kind in self._told:
            self._board.publish(event_of(command.id, kind))

    def close(self) -> None:
        pass


def event_of(command: str, kind: str) -> Event:
    return Event(
        id=f"{command}/{kind}",
        type=f"trove.resources.volume.resize.{kind}",
        source="tests",
        subject=SUBJECT,
        time=1,
        data=EventData(
            operation=command,
            subject=SUBJECT,
            project=PROJECT,
            cloud="c",
            region="r",
            manager="NATIVES",
        ),
    )


def client_of(board: Board, *told: str) -> Client:
    return Client(Worker(board, *told), "tests", board.reader)


def test_command_gets_an_id_and_keeps_a_given_one() -> None:
    client = client_of(Board())
    body = ResizeVolume(project=PROJECT, size=1)
    assert client.command(body, SUBJECT).id != client.command(body, SUBJECT).id
    assert client.command(body, SUBJECT, "mine").id == "mine"


@pytest.mark.parametrize(
    ("size", "subject", "reason"),
    [(0, SUBJECT, Refusal.INVALID_DATA), (1, "orders", Refusal.NOT_CLOUDEVENT)],
)
def test_wrong_command_is_refused_before_it_is_sent(
    size: int, subject: str, reason: Refusal
) -> None:
    with pytest.raises(Refused) as refused:
        client_of(Board()).command(ResizeVolume(project=PROJECT, size=size), subject)
    assert refused.value.reason is reason


def test_same_command_is_sent_as_the_same_bytes() -> None:
    worker = Worker(Board())
    client, command = Client(worker, "tests"), resize()
    client.send(command)
    client.send(command)
    first, second = worker.got
    assert first == second
    assert decode(first) == command


def test_run_returns_the_end_and_tells_each_event_once() -> None:
    client, told = client_of(Board(), "start", "start", "end"), list[Event]()
    command = resize()
    end = client.run(command, 5, told.append)
    assert end.id == f"{command.id}/end"
    assert [event.id.rpartition("/")[2] for event in told] == ["start", "end"]


def test_run_passes_over_events_of_others_and_times_out() -> None:
    board = Board()
    client = client_of(board, "start")
    Timer(0.05, lambda: board.publish(event_of("another", "end"))).start()
    with pytest.raises(TimedOut):
        client.run(resize(), 0.3)


def test_run_without_a_stream_of_events_says_so() -> None:
    with pytest.raises(ValueError, match="without events"):
        Client(Worker(Board()), "tests").run(resize(), 1)


def test_reader_hears_nothing_after_it_closed() -> None:
    board = Board()
    reader = board.reader()
    reader.open()
    reader.close()
    board.publish(event_of("c", "end"))
    assert reader.take(0.01) is None


def samples() -> Iterator[Event]:
    return events()


def test_notification_is_read_back_from_oslo_messagings_envelope() -> None:
    for event in samples():
        inner = json.dumps(envelope(event, "trove-resources.h") | {"_unique_id": "u"})
        outer = json.dumps({"oslo.version": "2.0", "oslo.message": inner}).encode()
        assert unwrap(outer) == event


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"oslo.message": "{}"}', b'{"oslo.message": 5}'])
def test_other_notifications_are_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        unwrap(raw)


def test_every_copy_of_an_event_has_one_message_id() -> None:
    event = next(samples())
    assert envelope(event, "a")["message_id"] == envelope(event, "b")["message_id"] == event.id
    assert envelope(event, "a")["priority"] == "INFO"


def test_notifier_without_a_broker_raises() -> None:
    notifier = Notifier(
        ["rabbit://guest:guest@127.0.0.1:1/"], exchange="e", topics=["t"], publisher_id="p"
    )
    with pytest.raises(NotSent, match="refused"):
        notifier.publish(next(samples()))


def test_notifier_speaks_to_the_fake_transport() -> None:
    notifier = Notifier(["fake://"], exchange="e", topics=["t"], publisher_id="p")
    notifier.publish(replace(next(samples()), id="x"))
    notifier.close()


def test_notifier_whose_preparation_fails_raises_not_sent() -> None:
    def prepare() -> None:
        raise OSError("no exchange")

    notifier = Notifier(["fake://"], exchange="e", topics=["t"], publisher_id="p", prepare=prepare)
    with pytest.raises(NotSent, match="no exchange"):
        notifier.publish(next(samples()))


def test_urls_are_translated_and_split_by_host() -> None:
    assert from_amqp("amqp://u:p%40@h:5672//") == "rabbit://u:p%40@h:5672/"
    assert from_amqp("amqps://u:p@h:5671/vhost") == "rabbit://u:p@h:5671/vhost"
    assert per_host("rabbit://u:p%40@h1:1,u:p@h2/v?ssl=1") == (
        "rabbit://u:p%40@h1:1/v?ssl=1",
        "rabbit://u:p@h2:5672/v?ssl=1",
    )
    assert to_amqp("rabbit://u:p@h1:1,u:p@h2/") == ("amqp://u:p@h1:1//", "amqp://u:p@h2:5672//")
    assert hosts("amqp://a ; amqp://b;") == ("amqp://a", "amqp://b")


def test_tls_always_checks_chain_and_name() -> None:
    options = Tls(ca="ca.pem", cert="c.pem", key="k.pem").options("broker-2")
    assert options["server_hostname"] == "broker-2"
    assert options["cert_reqs"].name == "CERT_REQUIRED"
    assert (options["ca_certs"], options["certfile"]) == ("ca.pem", "c.pem")


def test_example_of_the_publishers_page_works() -> None:
    page = (Path(__file__).parents[2] / "docs" / "publishers.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    topology = fresh_topology()
    scope: dict[str, object] = {}
    code = code.replace("amqps://trove:password@rabbit.example.org:5671//trove", "memory://")
    code = code.replace("connect(urls,", "connect(urls, topology=topology,")
    scope["topology"] = topology
    with Front("memory://", topology) as front:
        exec(compile(code, "docs/publishers.md", "exec"), scope)
        command = scope["command"]
        assert isinstance(command, Command)
        wait_for(lambda: front.has(command))


def test_connect_makes_a_client_of_the_default_names() -> None:
    topology = fresh_topology()
    with Front("memory://", topology) as front:
        client = connect(["memory://"], "tests", topology=topology)
        command = client.command(ResizeVolume(project=PROJECT, size=2), SUBJECT)
        client.send(command)
        wait_for(lambda: front.has(command))
        client.close()
    assert Sending("memory://", topology).dead() == ()
