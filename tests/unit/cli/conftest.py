"""The command line with collaborators of the test's own."""

import io
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from consumer.broker.inbox import Delivery
from consumer.cli.main import Main
from consumer.cli.tools import Finding
from consumer.client import Client
from consumer.codec.commands import decode
from consumer.config import Settings
from consumer.imports.rows import Row
from consumer.ledger.base import Ending, Ledger, Offer
from consumer.ledger.memory import MemoryLedger
from consumer.listening import Board
from handlers.base import Clouds, Probe
from handlers.clouds.memory import MemoryClouds
from handlers.commands import Body, Command
from handlers.errors import Reason
from handlers.events import Event, EventKind, event_of
from handlers.instance import Instance, Ref, Scope
from handlers.operation import SECOND, Failure, Operation
from handlers.resources import Kind
from handlers.secret import Secret
from tests.support.small_cloud import SmallCloud

SCOPE = Scope(cloud="trove", region="RegionOne", project="project-1")
START = 1_700_000_000 * SECOND


class Done(NamedTuple):
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


class Bench:
    """Implements Tools over a ledger in memory, and fills it."""

    def __init__(self) -> None:
        self.time = START
        self.memory = MemoryLedger(lambda: self.time)
        self.memory.register("worker-1", "host-1")
        self.settings = Settings()
        self.asked_with: tuple[str, ...] = ()
        self.refused: list[Delivery] = []
        self.found: list[Finding] = []
        self.outcome = 0
        self.stdin = ""
        self.sent: list[Command] = []
        self.board = Board()
        self.in_trove: tuple[Row, ...] = ()
        self.asked_trove: list[Secret] = []
        self.small = SmallCloud()
        self.sky: Clouds = MemoryClouds({SCOPE.cloud: self.small.cloud})
        self.answers: Callable[[Command], list[Event]] = lambda command: []

    def ledger(self) -> Ledger:
        return self.memory

    def client(self) -> Client:
        return Client(self, "test", events=self.board.reader)

    def send(self, body: bytes, command: Command) -> None:
        """As the broker: takes a command; whoever listens hears the answers."""
        self.sent.append(decode(body))
        for event in self.answers(command):
            self.board.publish(event)

    def close(self) -> None:
        """Nothing is open."""

    def clouds(self, probe: Probe | None = None) -> Clouds:
        return self.sky

    def trove(self, url: Secret) -> tuple[Row, ...]:
        self.asked_trove.append(url)
        return self.in_trove

    def peek(self, limit: int) -> tuple[Delivery, ...]:
        return tuple(self.refused[:limit])

    def upgrade(self) -> tuple[str, str]:
        return "nothing", "0001"

    def findings(self) -> Iterator[Finding]:
        yield from self.found

    def work(self) -> int:
        return self.outcome

    def run(self, *argv: str) -> Done:
        out, err = io.StringIO(), io.StringIO()

        def tools(files: tuple[str, ...]) -> Bench:
            self.asked_with = files
            return self

        try:
            code = Main(tools, out, err, io.StringIO(self.stdin)).run(list(argv))
        except SystemExit as left:
            code = int(left.code or 0)
        return Done(code, out.getvalue(), err.getvalue())

    def accept(self, name: str, subject: str, body: Body) -> None:
        command = Command(id=name, subject=subject, source="test", body=body)
        self.memory.accept([Offer(command, SCOPE)], "worker-1")

    def open(self, limit: int = 10) -> tuple[Operation, ...]:
        def opening(op: Operation, basis: Instance | None, now: int) -> Operation:
            return op.opening(
                basis=basis, manager="NATIVES", revision=1, now=now, deadline=now + 600 * SECOND
            )

        return self.memory.open("worker-1", opening, limit)

    def fail(self, op: Operation) -> Operation:
        failure = Failure(
            reason=Reason.QUOTA,
            message="Quota exceeded for cores: [not a tag]",
            service="compute",
            request_id="req-7",
        )
        op = op.note(self.time, "acted", "port/user-0", request_id="req-6")
        op = self.memory.save(op.to_undo(failure, self.time + 60 * SECOND))
        ended = op.end(self.time, [Ref(kind=Kind.PORT, id="port-1", note="still in use")])
        event = event_of(ended, EventKind.ERROR, self.time, None)
        return self.memory.finish(Ending(ended, event, None))

    def succeed(self, op: Operation) -> Operation:
        record = Instance(
            id=op.subject,
            scope=SCOPE,
            manager="NATIVES",
            resources={"server": Ref(kind=Kind.SERVER, id="server-1")},
            flavor="2",
            volume_size=5,
        )
        ended = op.end(self.time)
        event = event_of(ended, EventKind.END, self.time, record)
        return self.memory.finish(Ending(ended, event, record))


@pytest.fixture
def bench() -> Bench:
    return Bench()
