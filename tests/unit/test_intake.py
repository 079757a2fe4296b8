"""The intake over kombu's in-memory transport and a ledger in memory."""

import json
from collections.abc import Sequence
from threading import Event, Thread

import pytest

from consumer.broker.deadletters import DETAIL, REASON
from consumer.broker.topology import Topology
from consumer.ledger.base import Offer, Unavailable, Verdict
from consumer.ledger.memory import MemoryLedger
from consumer.secrets import Vault
from handlers.commands import Command, DeleteInstance, RebuildInstance
from handlers.errors import Stale
from handlers.instance import Scope
from handlers.secret import Secret
from tests.support.broker import (
    PROJECT,
    WORKER,
    Front,
    Sending,
    fresh_topology,
    resize,
    wait_for,
    wall_clock,
)

URL = "memory://"
CANARY = "canary-5b1f"


@pytest.fixture
def topology() -> Topology:
    return fresh_topology()


@pytest.fixture
def sending(topology: Topology) -> Sending:
    return Sending(URL, topology)


def reasons(sending: Sending) -> list[str]:
    return [str(delivery.headers[REASON]) for delivery in sending.dead()]


def test_command_becomes_an_operation_in_the_configured_place(
    topology: Topology, sending: Sending
) -> None:
    command = resize()
    with Front(URL, topology) as front:
        sending.send(command)
        wait_for(lambda: front.has(command))
        operation = front.ledger.operation(command.id)
    assert operation is not None
    assert operation.command == command
    assert operation.scope == Scope("cloud", "region", PROJECT)
    assert front.telemetry.told("received") == [(command, "new")]
    assert front.woken == 1


def test_second_delivery_creates_nothing(topology: Topology, sending: Sending) -> None:
    command = resize()
    with Front(URL, topology) as front:
        sending.send(command, command)
        wait_for(lambda: len(front.telemetry.told("received")) == 2)
        assert len(front.ledger.operations()) == 1
    assert [verdict for _, verdict in front.telemetry.told("received")] == ["new", "known"]


def test_same_id_with_other_content_is_dead_lettered(topology: Topology, sending: Sending) -> None:
    first = resize(10)
    with Front(URL, topology) as front:
        sending.send(first)
        wait_for(lambda: front.has(first))
        sending.send(resize(20, subject=first.subject, command_id=first.id))
        wait_for(sending.dead)
        operation = front.ledger.operation(first.id)
        assert operation is not None
        assert operation.command == first
    assert reasons(sending) == ["conflict"]


def test_delete_cancels_what_is_open_on_its_subject(topology: Topology, sending: Sending) -> None:
    first = resize()
    delete = Command(
        id="d1", subject=first.subject, source="tests", body=DeleteInstance(project=PROJECT)
    )
    with Front(URL, topology) as front:
        sending.send(first, delete)
        wait_for(lambda: front.has(first, delete))
        cancelled = front.ledger.operation(first.id)
        assert cancelled is not None
        assert cancelled.cancelled == "d1"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\x00\xff", "not_json"),
        (b"x" * 300_000, "oversize"),
        (b"[" * 50_000, "not_json"),
        (b"{}", "not_cloudevent"),
    ],
    ids=["bytes", "oversize", "deep", "no attributes"],
)
def test_poison_is_dead_lettered_and_the_worker_goes_on(
    topology: Topology, sending: Sending, body: bytes, reason: str
) -> None:
    command = resize()
    with Front(URL, topology) as front:
        sending.raw(body, message_id="m1", headers={"theirs": "kept"})
        sending.send(command)
        wait_for(lambda: front.has(command) and sending.dead())
        assert front.intake.is_ready
    (letter,) = sending.dead()
    assert letter.body == body
    assert letter.headers[REASON] == reason
    assert letter.headers["theirs"] == "kept"
    assert letter.properties["message_id"] == "m1"
    assert [why for why, _ in front.telemetry.told("dead_lettered")] == [reason]


def secret_command(**data: object) -> bytes:
    """A rebuild with a secret; `data` is added to its fields."""
    return json.dumps(
        {
            "specversion": "1.0",
            "type": RebuildInstance.TYPE,
            "id": "s1",
            "source": "tests",
            "subject": resize().subject,
            "data": {"project": PROJECT, "image": "i", "user_data": CANARY, **data},
        }
    ).encode()


def test_secret_without_a_key_is_refused_with_what_to_configure(
    topology: Topology, sending: Sending
) -> None:
    with Front(URL, topology, vault=Vault()) as front:
        sending.raw(secret_command())
        wait_for(sending.dead)
        assert front.ledger.operations() == ()
    (letter,) = sending.dead()
    assert letter.headers[REASON] == "no_secret_key"
    assert "key" in letter.headers[DETAIL]


def test_secret_shows_in_no_header_and_no_telemetry(topology: Topology, sending: Sending) -> None:
    with Front(URL, topology) as front:
        sending.raw(secret_command())
        sending.raw(secret_command(unknown=1))
        sending.raw(secret_command(image=[CANARY]))
        wait_for(lambda: len(sending.dead()) == 2 and front.ledger.operation("s1"))
        told = front.telemetry.text
    assert CANARY not in told
    assert all(CANARY not in repr(letter.headers) for letter in sending.dead())


class Flaky(MemoryLedger):
    """Loses touch with its database as long as it is told to."""

    def __init__(self) -> None:
        super().__init__(wall_clock, Vault([Vault.new_key()]))
        self.up = Event()
        self.up.set()
        self.refused = 0
        self.poison = ""

    def heartbeat(self, worker: str) -> int:
        self._reach()
        return super().heartbeat(worker)

    def accept(self, offers: Sequence[Offer], worker: str) -> tuple[Verdict, ...]:
        if not self.up.is_set():
            self.refused += 1
        self._reach()
        if self.poison in [offer.command.id for offer in offers]:
            raise ValueError(CANARY)
        return super().accept(offers, worker)

    def _reach(self) -> None:
        if not self.up.is_set():
            raise Unavailable("gone")


def test_ledger_outage_stops_consuming_and_loses_nothing(
    topology: Topology, sending: Sending
) -> None:
    ledger, command = Flaky(), resize()
    with Front(URL, topology, ledger=ledger) as front:
        ledger.up.clear()
        sending.send(command)
        wait_for(lambda: ledger.refused and not front.intake.is_ready)
        assert not front.inbox.is_listening
        ledger.up.set()
        wait_for(lambda: front.has(command) and front.intake.is_ready)
    assert ledger.refused == 1, "while the ledger is away nothing is taken from the queue"
    assert (False,) in front.telemetry.told("ledger_up")
    assert front.telemetry.told("ledger_up")[-1] == (True,)
    assert sending.dead() == ()


def test_command_that_the_ledger_cannot_store_does_not_stop_the_others(
    topology: Topology, sending: Sending
) -> None:
    ledger, commands = Flaky(), [resize() for _ in range(4)]
    ledger.poison = commands[1].id
    front = Front(URL, topology, ledger=ledger)
    front.inbox.open()
    sending.send(*commands)
    with front:
        wait_for(lambda: front.has(commands[0], commands[2], commands[3]) and sending.dead())
    assert reasons(sending) == ["unacceptable"]
    assert CANARY not in front.telemetry.text


def test_without_room_nothing_is_consumed(topology: Topology, sending: Sending) -> None:
    room, commands = [2], [resize() for _ in range(6)]
    ledger = MemoryLedger(wall_clock, Vault([Vault.new_key()]))

    def taken() -> int:
        return len(ledger.operations())

    with Front(URL, topology, ledger=ledger, room=lambda: room[0] - taken()) as front:
        sending.send(*commands)
        wait_for(lambda: taken() >= 2)
        wait_for(lambda: not front.inbox.is_listening)
        assert taken() <= 4, "overdrawn by one prefetch at most"
        room[0] = 100
        wait_for(lambda: front.has(*commands))


def test_worker_that_was_taken_for_dead_leaves(topology: Topology, sending: Sending) -> None:
    ledger = Flaky()
    front = Front(URL, topology, ledger=ledger)
    front.inbox.open()
    sending.send(resize())
    ledger.up.clear()
    ledger.retire(WORKER)
    ends: list[BaseException] = []

    def run() -> None:
        try:
            front.intake.run()
        except Stale as stale:
            ends.append(stale)

    thread = Thread(target=run)
    thread.start()
    wait_for(lambda: ledger.refused)
    ledger.up.set()
    thread.join(10)
    assert len(ends) == 1


def test_a_batch_is_one_commit(topology: Topology, sending: Sending) -> None:
    class Counting(Flaky):
        def accept(self, offers: Sequence[Offer], worker: str) -> tuple[Verdict, ...]:
            sizes.append(len(offers))
            return super().accept(offers, worker)

    sizes: list[int] = []
    front = Front(URL, topology, ledger=Counting())
    front.inbox.open()
    commands = [resize() for _ in range(20)]
    sending.send(*commands)
    with front:
        wait_for(lambda: front.has(*commands))
    assert sizes == [20]


def test_stop_gives_back_what_was_not_taken(topology: Topology, sending: Sending) -> None:
    with Front(URL, topology) as front:
        pass
    command = resize()
    sending.send(command)
    assert not front.has(command)
    with Front(URL, topology) as second:
        wait_for(lambda: second.has(command))


def test_secret_type_is_what_the_ledger_gets(topology: Topology, sending: Sending) -> None:
    with Front(URL, topology) as front:
        sending.raw(secret_command())
        wait_for(lambda: front.ledger.operation("s1"))
        operation = front.ledger.operation("s1")
    assert operation is not None
    assert operation.command.body.user_data == Secret(CANARY)  # type: ignore[attr-defined]
