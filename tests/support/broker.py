"""A broker's corner of one's own, and a worker's front half running in it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from typing import Any, Self
from uuid import uuid4

from consumer.broker.deadletters import DeadLetters, peek
from consumer.broker.inbox import Delivery, Inbox
from consumer.broker.link import Brokers
from consumer.broker.publisher import Publisher
from consumer.broker.topology import Notices, Topology
from consumer.client import Client, Door
from consumer.intake import Intake, Pace, Place
from consumer.ledger.base import Ledger
from consumer.ledger.memory import MemoryLedger
from consumer.secrets import Vault
from handlers.commands import Command, ResizeVolume

PROJECT = "p1"
WORKER = "w1"


def fresh_topology() -> Topology:
    """Names that nobody else uses."""
    mark = f"test.{uuid4().hex[:10]}"
    return Topology(
        exchange=f"{mark}.commands",
        queue=f"{mark}.commands",
        dead_exchange=f"{mark}.dead",
        dead_queue=f"{mark}.dead",
    )


def fresh_notices() -> Notices:
    mark = f"test.{uuid4().hex[:10]}"
    return Notices(exchange=f"{mark}.notices", topics=(f"{mark}.notices",))


@contextmanager
def corner(url: str) -> Iterator[tuple[Topology, Notices]]:
    """Fresh names on a broker; what was made under them is removed."""
    topology, notices = fresh_topology(), fresh_notices()
    try:
        yield topology, notices
    finally:
        wire = Brokers([url]).connect()
        channel = wire.channel()
        for queue in (topology.queue, topology.dead_queue, *notices.keys):
            with suppress(Exception):
                channel.queue_delete(queue)
        for exchange in (topology.exchange, topology.dead_exchange, notices.exchange):
            with suppress(Exception):
                channel.exchange_delete(exchange)
        wire.close()


def wait_for(holds: Callable[[], object], seconds: float = 20.0) -> None:
    """Fail unless it holds within the time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)


class Recorder:
    """Telemetry that remembers: `told("dead_lettered")` are the arguments of each call."""

    def __init__(self) -> None:
        self._calls: list[tuple[str, tuple[Any, ...]]] = []
        self._lock = Lock()

    def __getattr__(self, moment: str) -> Callable[..., None]:
        def tell(*args: object, **named: object) -> None:
            with self._lock:
                self._calls.append((moment, (*args, *named.values())))

        return tell

    def told(self, moment: str) -> list[tuple[Any, ...]]:
        with self._lock:
            return [args for name, args in self._calls if name == moment]

    @property
    def text(self) -> str:
        """All that was told, to look for what must not be there."""
        with self._lock:
            return repr(self._calls)


def resize(size: int = 10, subject: str = "", command_id: str = "") -> Command:
    """A small valid command."""
    return Command(
        id=command_id or str(uuid4()),
        subject=subject or str(uuid4()),
        source="tests",
        body=ResizeVolume(project=PROJECT, size=size),
    )


def wall_clock() -> int:
    return time.time_ns() // 1000


class Front:
    """A worker's front half: an intake in a thread of its own over a ledger in memory."""

    def __init__(
        self,
        url: str,
        topology: Topology,
        *,
        ledger: Ledger | None = None,
        vault: Vault | None = None,
        room: Callable[[], int] = lambda: 1000,
        batch: int = 50,
        heartbeat: float = 4.0,
        dead: Topology | None = None,
    ) -> None:
        vault = vault or Vault([Vault.new_key()])
        self.ledger: Ledger = ledger or MemoryLedger(wall_clock, vault)
        self.ledger.register(WORKER, "host")
        self.telemetry = Recorder()
        self.woken = 0
        self.topology = topology
        brokers = Brokers([url], heartbeat=heartbeat, connect_timeout=2, patience=2)
        publisher = Publisher(brokers, confirm_timeout=2)
        self.inbox = Inbox(brokers, topology)
        self.intake = Intake(
            self.inbox,
            DeadLetters(publisher, dead or topology, lambda: "2026-01-02T03:04:05Z"),
            self.ledger,
            worker=WORKER,
            place=Place("cloud", "region"),
            telemetry=self.telemetry,
            admit=vault.admit,
            room=room,
            wake=self._wake,
            pace=Pace(batch=batch, wait=0.05, first_pause=0.02, last_pause=0.2),
        )
        self._thread = Thread(target=self.intake.run, name="intake", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        wait_for(lambda: self.intake.is_ready)
        return self

    def start(self) -> None:
        """Without waiting until it is ready."""
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self.intake.stop()
        self._thread.join(20)
        assert not self._thread.is_alive()

    def has(self, *commands: Command) -> bool:
        return all(self.ledger.operation(command.id) for command in commands)

    def _wake(self) -> None:
        self.woken += 1


class Sending:
    """A publisher, with raw access for what a well-behaved client would never send."""

    def __init__(self, url: str, topology: Topology) -> None:
        self.brokers = Brokers([url], connect_timeout=2, patience=2)
        self.topology = topology
        self.publisher = Publisher(self.brokers, confirm_timeout=2)
        self.client = Client(Door(self.publisher, topology), "tests")

    def send(self, *commands: Command) -> None:
        for command in commands:
            self.client.send(command)

    def raw(self, body: bytes, **properties: Any) -> None:
        headers = properties.pop("headers", None)
        self.publisher.publish(
            body,
            exchange=self.topology.exchange,
            routing_key=self.topology.queue,
            headers=headers,
            properties=properties,
        )

    def dead(self, limit: int = 100) -> tuple[Delivery, ...]:
        return peek(self.brokers, self.topology.dead_queue, limit)

    def waiting(self) -> int:
        """Ready messages in the command queue."""
        wire = self.brokers.connect()
        count = wire.channel().queue_declare(queue=self.topology.queue, passive=True).message_count
        wire.close()
        return int(count)

    def close(self) -> None:
        self.publisher.close()
