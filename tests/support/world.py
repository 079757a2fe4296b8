"""A whole deployment in virtual time: workers, one ledger, one cloud, no threads and no waiting."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

from consumer.fleet.conductor import Conductor
from consumer.hands import Checkpoint
from consumer.ledger.base import Ledger, Offer, Unavailable, Verdict
from consumer.ledger.memory import MemoryLedger
from consumer.observer import Observer
from consumer.policy import Policy
from consumer.pools import Inline
from consumer.reconciler import Reconciler
from consumer.scheduler import Scheduler
from consumer.telemetry.base import Silent, Telemetry
from handlers.admission import supersedes
from handlers.base import Clouds, ResourceManager
from handlers.commands import Body, Command
from handlers.errors import Stale
from handlers.events import Event, MigrationEvent
from handlers.instance import Scope
from handlers.operation import SECOND, Micros, Operation
from handlers.registry import Registry, managers
from handlers.resources import Service

#: Virtual time begins here, so that no time is zero.
EPOCH: Micros = 1_700_000_000 * SECOND

#: Short times, in the proportions of real ones.
POLICY = Policy(
    call_timeout=10 * SECOND,
    slack=2 * SECOND,
    lag=3 * SECOND,
    limit=600 * SECOND,
    undo_budget=600 * SECOND,
)

TTL = 30 * SECOND


class VirtualClock:
    """Time that passes only when somebody lets it."""

    def __init__(self, start: Micros = EPOCH) -> None:
        self._now = start

    def now(self) -> Micros:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += int(seconds * SECOND)

    def advance_to(self, at: Micros) -> None:
        self._now = max(self._now, at)


class Turns(Inline):
    """Looks at once; what is submitted has its turn at once too, or afterwards: threads may do
    either."""

    def __init__(self, *, at_once: bool) -> None:
        self._at_once = at_once
        self._waiting: deque[Callable[[], None]] = deque()

    def submit(self, service: Service, work: Callable[..., None], *args: Any) -> None:
        if self._at_once:
            work(*args)
        else:
            self._waiting.append(partial(work, *args))

    def run(self) -> None:
        """Let everything have its turn."""
        while self._waiting:
            self._waiting.popleft()()


class Crash(BaseException):
    """The process died: nothing after it runs."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What workers are built from; the ablation run takes one safety idea out at a time.

    `asks_lease`: a worker that may have lost its lease stops before a call. `acks_first`: the
    intake settles a delivery before the ledger has the command. `checkpoint` is every worker's.
    `conducts`: every worker carries migrations on.
    """

    observer: type[Observer] = Observer
    reconciler: type[Reconciler] = Reconciler
    registry: type[Registry] = Registry
    managers: Callable[[], Iterable[ResourceManager]] = managers
    asks_lease: bool = True
    acks_first: bool = False
    conducts: bool = False
    checkpoint: Checkpoint = lambda name, op, step: None


class WorkerDouble:
    """One worker process, run inline: intake, scheduler, conductor and relay. It can die, pause and
    stop."""

    def __init__(self, name: str, world: "World") -> None:
        self.name = name
        self.alive = True
        self._stopping = False
        self._world = world
        self._beat = world.ledger.register(name, "test")
        self._turns = Turns(at_once=world.at_once)
        parts = world.parts
        eyes = {
            service: parts.observer(
                service, world.clouds, world.policy, world.clock.now, world.telemetry
            )
            for service in Service
        }
        registry = parts.registry(parts.managers(), world.manager)
        reconciler = parts.reconciler(
            ledger=world.ledger,
            registry=registry,
            clouds=world.clouds,
            eyes=eyes,
            policy=world.policy,
            clock=world.clock,
            telemetry=world.telemetry,
            sure=self._sure if parts.asks_lease else lambda: True,
            checkpoint=parts.checkpoint,
            random=Random(name),
        )
        self.scheduler = Scheduler(
            worker=name,
            ledger=world.ledger,
            registry=registry,
            reconciler=reconciler,
            eyes=eyes,
            pools=self._turns,
            policy=world.policy,
            clock=world.clock,
            telemetry=world.telemetry,
            ttl=TTL,
        )
        self._conductor = Conductor(
            world.ledger, worker=name, clock=world.clock, telemetry=world.telemetry
        )

    def _sure(self) -> bool:
        return self._world.clock.now() - self._beat < TTL * 2 // 3

    def beat(self) -> None:
        """A heartbeat; a worker that was taken over finds out and ends."""
        try:
            self._beat = self._world.ledger.heartbeat(self.name)
        except Stale:
            self.alive = False

    def stop(self) -> None:
        """Asked to end: the call that runs comes to its end, then others may take over."""
        self.scheduler.stop()
        self._stopping = True

    def go_on(self) -> None:
        """While a call of its own hangs: what does not wait for it."""
        try:
            if self.alive:
                self._round()
        except Stale:
            self.alive = False

    def tick(self) -> None:
        """One round; a crash ends the worker, and so does a lost lease."""
        self._world.running.append(self)
        try:
            self.beat()
            if self.alive:
                self._intake()
                self._round()
                if self._world.parts.conducts:
                    self._conductor.tick()
                self._relay()
            if self._stopping:
                self._world.ledger.retire(self.name)
                self.alive = False
        except (Crash, Stale):
            self.alive = False
        except Unavailable:
            pass  # the broker keeps what was not acked, the outbox what was not sent
        finally:
            self._world.running.remove(self)

    def _round(self) -> None:
        self._turns.run()
        self.scheduler.tick()
        self._turns.run()

    def _intake(self) -> None:
        """A delivery is settled when the ledger has the command, and not before."""
        inbox = self._world.inbox
        while inbox:
            command = inbox[0]
            if self._world.parts.acks_first:
                inbox.pop(0)
            self._world.deliver(command, self.name)
            if command in inbox:  # not delivered to another one in the meantime
                inbox.remove(command)

    def _relay(self) -> None:
        """At least once: published first, marked as sent afterwards."""
        events = self._world.ledger.unsent(100)
        if events:
            self._world.published.extend(e for e in events if isinstance(e, Event))
            self._world.news.extend(e for e in events if isinstance(e, MigrationEvent))
            self._world.ledger.sent([event.id for event in events])


class World:
    """Publishers, workers, a ledger and a cloud; `run` lets time pass until all is quiet.

    `running` are the workers inside their tick: more than one while one of them is paused.
    """

    def __init__(
        self,
        clouds: Clouds,
        clock: VirtualClock,
        *,
        ledger: Ledger | None = None,
        policy: Policy = POLICY,
        telemetry: Telemetry | None = None,
        manager: str = "natives",
        seed: int = 0,
        parts: Parts = Parts(),
        keep: int = 0,
    ) -> None:
        """`keep`: so many workers are kept alive; one that died is started anew. `seed`: an odd
        one lets lanes look before anything has its turn."""
        self.clock = clock
        self.clouds = clouds
        self.policy = policy
        self.manager = manager
        self.parts = parts
        self.keep = keep
        self.telemetry: Telemetry = telemetry or Silent()
        self.ledger: Ledger = ledger or MemoryLedger(clock.now)
        self.random = Random(seed)
        self.at_once = seed % 2 == 0
        self.workers: list[WorkerDouble] = []
        self.running: list[WorkerDouble] = []
        self.sent: list[Command] = []
        self.inbox: list[Command] = []
        self.published: list[Event] = []
        self.news: list[MigrationEvent] = []

    def uuid(self) -> str:
        """A new id, the same in every run of the same seed."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def worker(self) -> WorkerDouble:
        """Start one more worker."""
        one = WorkerDouble(f"worker-{len(self.workers)}", self)
        self.workers.append(one)
        return one

    # -- commands -------------------------------------------------------------------------------

    def command(self, subject: str, body: Body, command_id: str = "") -> Command:
        return Command(id=command_id or self.uuid(), subject=subject, source="test", body=body)

    def send(self, subject: str, body: Body, command_id: str = "") -> Command:
        """A command arrives and is accepted by the first living worker."""
        command = self.command(subject, body, command_id)
        self.deliver(command)
        self.sent.append(command)
        return command

    def publish(self, command: Command) -> None:
        """A command lies in the queue until a worker's intake has taken it."""
        self.sent.append(command)
        self.inbox.append(command)

    def deliver(self, command: Command, owner: str = "") -> Verdict:
        """Offer a command to the ledger, as the intake does."""
        scope = Scope(cloud="cloud", region="region", project=command.body.project)
        cancels = supersedes(command)
        owner = owner or next((each.name for each in self.workers if each.alive), "worker-0")
        return self.ledger.accept([Offer(command, scope, cancels)], owner)[0]

    # -- time -----------------------------------------------------------------------------------

    def run(self, seconds: float = 3600, until: Callable[[], bool] | None = None) -> None:
        """Let workers tick until every command has ended, `until` says so, or time is up."""
        end = self.clock.now() + int(seconds * SECOND)
        while self.clock.now() < end:
            for _ in range(self.keep - sum(each.alive for each in self.workers)):
                self.worker()
            for each in self.workers:
                if each.alive and each not in self.running:
                    each.tick()
            if until() if until else self.is_quiet():
                return
            self.clock.advance_to(min(self._next(), end))

    def is_quiet(self) -> bool:
        """Whether every command that was sent has ended."""
        ops = (self.ledger.operation(each.id) for each in self.sent)
        return not self.inbox and all(op is not None and op.phase.is_final for op in ops)

    def _next(self) -> Micros:
        """The next moment at which a worker has something to do; a tick at the latest."""
        now = self.clock.now()
        awake = (each for each in self.workers if each.alive and each not in self.running)
        dues: Iterable[Micros | None] = (each.scheduler.next_due() for each in awake)
        soonest = min((due for due in dues if due is not None), default=now + SECOND)
        return min(max(soonest, now + 1000), now + SECOND)

    # -- what came of it ------------------------------------------------------------------------

    def operation(self, command: Command) -> Operation:
        op = self.ledger.operation(command.id)
        assert op is not None, f"command {command.id} was lost"
        return op

    def events(self, command: Command) -> list[str]:
        """The kinds of the events of a command: `start`, `end`, `error`."""
        return [each.type.rpartition(".")[2] for each in self.ledger.events(command.id)]

    def event(self, command: Command) -> Event:
        """The terminal event of a command; fails when there is not exactly one."""
        final = [e for e in self.ledger.events(command.id) if not e.type.endswith(".start")]
        assert len(final) == 1, f"{len(final)} terminal events: {final}"
        return final[0]
