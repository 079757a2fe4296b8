"""The scheduler between threads: whatever runs in between, nothing is lost and nothing hangs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from consumer.holdings import Held, Holdings
from consumer.ledger.base import Offer, Unavailable
from consumer.ledger.memory import MemoryLedger
from consumer.observer import Observer
from consumer.reconciler import Reconciler
from consumer.scheduler import Scheduler
from consumer.telemetry.base import Silent
from handlers.clouds.memory import CloudState, MemoryCloud, MemoryClouds
from handlers.commands import Body, Command, CreateSecurityGroup, DeleteInstance
from handlers.instance import Scope
from handlers.operation import Micros, Operation, Phase
from handlers.registry import Registry, managers
from handlers.resources import Service
from tests.support.world import POLICY, TTL, VirtualClock

WORKER = "w1"
SUBJECT = "5f7ad9a6-0f3f-4d43-8d0b-111111111111"
OTHER = "5f7ad9a6-0f3f-4d43-8d0b-222222222222"
SCOPE = Scope(cloud="cloud", region="region", project="tenant")


@dataclass
class Hands:
    """Pools whose work begins when the test says so."""

    looks: dict[Service, list[Callable[[], None]]] = field(default_factory=dict)
    calls: list[Callable[[], None]] = field(default_factory=list)

    def look(self, service: Service, work: Callable[..., None], *args: Any) -> None:
        self.looks.setdefault(service, []).append(lambda: work(*args))

    def submit(self, service: Service, work: Callable[..., None], *args: Any) -> None:
        self.calls.append(lambda: work(*args))

    def stop(self) -> None:
        """Nothing runs on its own here."""

    def see(self, *services: Service) -> None:
        for service in services or Service:
            for work in self.looks.pop(service, []):
                work()

    def run(self) -> None:
        while self.calls:
            self.calls.pop(0)()


class Clock(VirtualClock):
    """Lets something happen when it is asked next."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[Callable[[], None]] = []

    def now(self) -> Micros:
        while self.meanwhile:
            self.meanwhile.pop()()
        return super().now()


class Ledger(MemoryLedger):
    """Does not answer saves while `away`; lets something happen after it said what is owned."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock.now)
        self.away = False
        self.clock = clock
        self.meanwhile: list[Callable[[], None]] = []

    def save(self, op: Operation) -> Operation:
        if self.away:
            raise Unavailable("away")
        return super().save(op)

    def owned(self, worker: str) -> tuple[Operation, ...]:
        self.clock.meanwhile, self.meanwhile = self.meanwhile, []
        return super().owned(worker)


class Bench:
    """One worker whose threads are turned by hand."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.state = CloudState(now=self.clock.now, sleep=self.clock.sleep)
        clouds = MemoryClouds({"": MemoryCloud(self.state)})
        self.ledger = Ledger(self.clock)
        self.ledger.register(WORKER, "test")
        self.hands = Hands()
        telemetry, registry = Silent(), Registry(managers(), "natives")
        eyes = {each: Observer(each, clouds, POLICY, self.clock.now, telemetry) for each in Service}
        self.scheduler = Scheduler(
            worker=WORKER,
            ledger=self.ledger,
            registry=registry,
            reconciler=Reconciler(
                ledger=self.ledger,
                registry=registry,
                clouds=clouds,
                eyes=eyes,
                policy=POLICY,
                clock=self.clock,
                telemetry=telemetry,
                random=Random(1),
            ),
            eyes=eyes,
            pools=self.hands,
            policy=POLICY,
            clock=self.clock,
            telemetry=telemetry,
            ttl=TTL,
        )

    def send(self, body: Body, subject: str = SUBJECT, name: str = "c1") -> None:
        command = Command(id=name, subject=subject, source="test", body=body)
        self.ledger.accept([Offer(command, SCOPE)], WORKER)

    def phase(self, name: str = "c1") -> Phase:
        op = self.ledger.operation(name)
        assert op is not None
        return op.phase

    def turn(self, *services: Service) -> None:
        """A tick, the looks of these services, and all calls that come of it."""
        self.scheduler.tick()
        self.hands.see(*services)
        self.hands.run()
        self.clock.sleep(1)


GROUP = CreateSecurityGroup(project="tenant", name="group")


def held(subject: str = SUBJECT) -> tuple[Holdings, Held]:
    command = Command(id="c1", subject=subject, source="test", body=GROUP)
    op = Operation(command=command, scope=SCOPE, accepted=1, phase=Phase.FORWARD)
    holdings = Holdings()
    return holdings, holdings.hold(op, 0, Service.NETWORK)


def test_the_waits_of_what_a_thread_works_on_are_its_own() -> None:
    holdings, one = held()
    holdings.enter(one)
    one.wait(Service.COMPUTE, 5)

    assert holdings.due(Service.COMPUTE, 5) == []
    assert holdings.next_due(frozenset(Service)) is None
    assert not holdings.anything_due(Service.COMPUTE, 5)
    holdings.leave(one)
    assert holdings.due(Service.COMPUTE, 5) == [one]


def test_a_thread_does_not_begin_what_was_let_go() -> None:
    holdings, one = held()
    holdings.drop(one)

    assert not holdings.enter(one)


def test_what_a_lane_lets_go_while_the_ledger_is_asked_is_taken_again() -> None:
    """The ledger comes back just as one lane still fails: nobody may own what nobody holds."""
    bench = Bench()
    bench.send(GROUP, name="c1")
    bench.send(GROUP, subject=OTHER, name="c2")
    bench.scheduler.tick()
    bench.hands.see()
    bench.ledger.away = True
    bench.hands.calls.pop()()  # the second is let go, the first is on its way

    def meanwhile() -> None:
        bench.hands.run()
        bench.ledger.away = False

    bench.ledger.meanwhile.append(meanwhile)
    for _ in range(60):
        bench.turn()

    assert (bench.phase("c1"), bench.phase("c2")) == (Phase.SUCCEEDED, Phase.SUCCEEDED)


def test_a_service_that_hangs_does_not_delay_what_needs_another_one() -> None:
    """Here the network does not answer: its look never comes back."""
    bench = Bench()
    bench.send(GROUP)
    bench.turn(Service.COMPUTE)
    bench.send(DeleteInstance(project="tenant"), subject=OTHER, name="c2")
    for _ in range(3):
        bench.turn(Service.COMPUTE)

    assert bench.state.counts[Service.COMPUTE, "find_server"] == 1
