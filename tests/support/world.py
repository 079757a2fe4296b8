"""A whole deployment in virtual time: workers, one ledger, one cloud, no threads and no waiting."""

from collections.abc import Callable, Iterable
from random import Random
from uuid import UUID

from consumer.ledger.base import Ledger, Offer, Verdict
from consumer.ledger.memory import MemoryLedger
from consumer.observer import Observer
from consumer.policy import Policy
from consumer.pools import Inline
from consumer.reconciler import Checkpoint, Reconciler
from consumer.scheduler import Scheduler
from consumer.telemetry.base import Silent, Telemetry
from handlers.base import Clouds
from handlers.commands import Body, Command, DeleteInstance, DeleteSecurityGroup
from handlers.errors import Stale
from handlers.events import Event
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


class Crash(BaseException):
    """The process died: nothing after it runs."""


class WorkerDouble:
    """One worker process: a scheduler with its lanes, run inline. It can die and be paused."""

    def __init__(self, name: str, world: "World", checkpoint: Checkpoint) -> None:
        self.name = name
        self.alive = True
        self._world = world
        eyes = {
            service: Observer(service, world.clouds, world.policy, world.clock.now, world.telemetry)
            for service in Service
        }
        registry = Registry(managers(), world.manager)
        world.ledger.register(name, "test")
        reconciler = Reconciler(
            ledger=world.ledger,
            registry=registry,
            clouds=world.clouds,
            eyes=eyes,
            policy=world.policy,
            clock=world.clock,
            telemetry=world.telemetry,
            checkpoint=checkpoint,
            random=Random(name),
        )
        self.scheduler = Scheduler(
            worker=name,
            ledger=world.ledger,
            registry=registry,
            reconciler=reconciler,
            eyes=eyes,
            pools=Inline(),
            policy=world.policy,
            clock=world.clock,
            telemetry=world.telemetry,
            ttl=TTL,
        )

    def tick(self) -> None:
        """One round with a heartbeat; a crash ends the worker, a lost lease too."""
        try:
            self._world.ledger.heartbeat(self.name)
            self.scheduler.tick()
        except (Crash, Stale):
            self.alive = False


class World:
    """Publishers, workers, a ledger and a cloud; `run` lets time pass until all is quiet."""

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
    ) -> None:
        self.clock = clock
        self.clouds = clouds
        self.policy = policy
        self.manager = manager
        self.telemetry: Telemetry = telemetry or Silent()
        self.ledger: Ledger = ledger or MemoryLedger(clock.now)
        self.random = Random(seed)
        self.workers: list[WorkerDouble] = []
        self.sent: list[Command] = []

    def uuid(self) -> str:
        """A new id, the same in every run of the same seed."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def worker(self, checkpoint: Checkpoint = lambda name, op, step: None) -> WorkerDouble:
        """Start one more worker."""
        one = WorkerDouble(f"worker-{len(self.workers)}", self, checkpoint)
        self.workers.append(one)
        return one

    def send(self, subject: str, body: Body, command_id: str = "") -> Command:
        """A command arrives and is accepted by the first living worker."""
        command = Command(id=command_id or self.uuid(), subject=subject, source="test", body=body)
        self.deliver(command)
        self.sent.append(command)
        return command

    def deliver(self, command: Command) -> Verdict:
        """Offer a command to the ledger, as the intake does."""
        scope = Scope(cloud="cloud", region="region", project=command.body.project)
        cancels = isinstance(command.body, DeleteInstance | DeleteSecurityGroup)
        owner = next((each.name for each in self.workers if each.alive), "worker-0")
        return self.ledger.accept([Offer(command, scope, cancels)], owner)[0]

    def run(self, seconds: float = 3600, until: Callable[[], bool] | None = None) -> None:
        """Let workers tick until every command has ended, `until` says so, or time is up."""
        end = self.clock.now() + int(seconds * SECOND)
        while self.clock.now() < end:
            for each in self.workers:
                if each.alive:
                    each.tick()
            if until() if until else self.is_quiet():
                return
            self.clock.advance_to(self._next())

    def is_quiet(self) -> bool:
        """Whether every command that was sent has ended."""
        return all(self.operation(each).phase.is_final for each in self.sent)

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

    def _next(self) -> Micros:
        """The next moment at which a worker has something to do; a tick at the latest."""
        now = self.clock.now()
        dues: Iterable[Micros | None] = (w.scheduler.next_due() for w in self.workers if w.alive)
        soonest = min((due for due in dues if due is not None), default=now + SECOND)
        return min(max(soonest, now + 1000), now + SECOND)
