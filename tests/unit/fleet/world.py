"""A ledger, a fleet and workers without a cloud, in virtual time: what a conductor acts on."""

from collections import Counter
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from consumer.fleet.conductor import Conductor
from consumer.fleet.limits import MINUTE
from consumer.fleet.moves import in_flight
from consumer.fleet.orders import Order, give
from consumer.ledger.base import Ending, Ledger
from consumer.ledger.fleet import Direction, Item, Migration, Settings, Stage, Status
from consumer.ledger.memory import MemoryLedger
from consumer.telemetry.base import Silent, Telemetry
from handlers.admission import heed_cancellation
from handlers.commands import AdoptInstance
from handlers.errors import Reason, Terminal
from handlers.events import EventKind, MigrationEvent, event_of
from handlers.instance import Instance, Scope, State
from handlers.keys import STACK
from handlers.natives import NAME as NATIVES
from handlers.operation import SECOND, Failure, Micros, Operation, Phase
from handlers.orchestrator import NAME as ORCHESTRATOR

START: Micros = 1_700_000_000 * SECOND
NAME = "mig-1"
QUICK = Settings(canary=1, batch=3, concurrency=2, per_project=2, rate=60, soak=3, max_freeze=30)


class World:
    """Instances `db-0`, `db-1` …, in turn of projects `p-0` and `p-1`; one migration over them.

    `failing` maps (subject, verb) to why its first operation fails; `slow` makes an operation
    last longer, in ticks. A tick is a second.
    """

    def __init__(
        self,
        count: int = 6,
        settings: Settings = QUICK,
        direction: Direction = Direction.ADOPT,
        failing: dict[tuple[str, str], Reason] | None = None,
    ) -> None:
        self.time = START
        self.ledger = MemoryLedger(lambda: self.time)
        self.ledger.register("worker-1", "host")
        self.failing = dict(failing or {})
        self.slow: dict[str, int] = {}
        self.ran: Counter[str] = Counter()
        self._age: Counter[str] = Counter()
        manager = NATIVES if direction is Direction.ADOPT else ORCHESTRATOR
        names = [f"db-{place}" for place in range(count)]
        self.ledger.import_records([record(name, manager) for name in names])
        migration = Migration(
            id=NAME,
            direction=direction,
            status=Status.RUNNING,
            settings=settings,
            fingerprint="f",
            cloud="trove",
            region="R",
            created=self.time,
            changed=self.time,
        )
        self.ledger.start_migration(migration, items_of(names, settings), [])

    # -- as the clock ---------------------------------------------------------------------------

    def now(self) -> Micros:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += int(seconds * SECOND)

    # -- what tests do --------------------------------------------------------------------------

    def conductor(
        self, ledger: Ledger | None = None, telemetry: Telemetry | None = None
    ) -> Conductor:
        return Conductor(
            ledger or self.ledger,
            worker="worker-1",
            clock=self,
            telemetry=telemetry or Silent(),
        )

    def run(self, ticks: int, conductor: Conductor | None = None) -> None:
        """Let time pass; the limits are looked at after every tick."""
        conductor = conductor or self.conductor()
        for _ in range(ticks):
            conductor.tick()
            self.check_limits()
            self.work()
            self.sleep(1)

    def give(self, order: Order, needs: Sequence[Stage] = ()) -> Migration:
        return give(self.ledger, NAME, order, self.now, needs)

    def work(self) -> None:
        """One tick of the workers: open what is free, carry on what is open."""
        for op in self.ledger.operations((Phase.FORWARD, Phase.UNDO), limit=1000):
            self._carry(op)
        self.ledger.open("worker-1", _opening, 1000)

    def put_record(self, subject: str, change: Callable[[Instance], Instance]) -> None:
        """As somebody else's command would."""
        found = self.ledger.instance(subject)
        assert found is not None
        self.ledger._tables.write_record(subject, change(found), self.time)

    # -- what tests look at ---------------------------------------------------------------------

    @property
    def migration(self) -> Migration:
        found = self.ledger.migration(NAME)
        assert found is not None
        return found

    def items(self) -> tuple[Item, ...]:
        return self.ledger.items(NAME)

    def stages(self) -> list[str]:
        """By place."""
        return [str(item.stage) for item in self.items()]

    def managers(self) -> list[str]:
        """By instance."""
        return [record.manager for record in self.ledger.instances()]

    def told(self, kind: str = "") -> list[MigrationEvent]:
        news = [each for each in self.ledger.unsent(10_000) if isinstance(each, MigrationEvent)]
        return [each for each in news if not kind or each.kind == kind]

    def check_limits(self) -> None:
        """No limit is exceeded, whatever happened."""
        settings = self.migration.settings
        flying = [item for item in self.items() if in_flight(item)]
        projects = Counter(item.project for item in flying)
        assert len(flying) <= settings.concurrency
        assert max(projects.values(), default=0) <= settings.per_project
        begun = [at for at in self.migration.begun if at > self.time - MINUTE]
        assert len(begun) <= settings.rate

    # -- workers --------------------------------------------------------------------------------

    def _carry(self, op: Operation) -> None:
        cancelled = self.ledger.cancelled("worker-1")
        if op.phase is Phase.UNDO:
            self._finish(op)
        elif op.id in cancelled:
            self._call_back(replace(op, cancelled=cancelled[op.id]))
        elif not op.touched(STACK):
            self.ledger.save(op.hush(STACK, self.time + SECOND))
        elif STACK not in op.done:
            self.ledger.save(op.mark(STACK, {"id": "stack-1"}))
        elif self._age[op.id] < self.slow.get(op.subject, 0):
            self._age[op.id] += 1
        elif (reason := self.failing.pop((op.subject, _verb(op)), None)) is not None:
            self._turn(op, reason)
        else:
            self._finish(op)

    def _call_back(self, op: Operation) -> None:
        """As the reconciler does with an operation that is marked as cancelled."""
        try:
            heed_cancellation(op)
        except Terminal as fault:
            self._turn(op, fault.reason)

    def _turn(self, op: Operation, reason: Reason) -> None:
        failure = Failure(reason=reason, message="the cloud said so")
        if op.learned or op.quiet:
            self.ledger.save(op.to_undo(failure, self.time + 60 * SECOND))
        else:
            self._finish(op.fail(failure))

    def _finish(self, op: Operation) -> None:
        self.ran[op.id] += 1
        found = self.ledger.instance(op.subject)
        ended = op.end(self.time)
        if found is not None and ended.phase is Phase.SUCCEEDED:
            found = _after(op, found)
        kind = EventKind.END if ended.phase is Phase.SUCCEEDED else EventKind.ERROR
        self.ledger.finish(Ending(ended, event_of(ended, kind, self.time, found), found))


def record(name: str, manager: str) -> Instance:
    place = int(name.rpartition("-")[2])
    scope = Scope(cloud="trove", region="R", project=f"p-{place % 2}")
    return Instance(id=name, scope=scope, manager=manager, flavor="1")


def items_of(names: Sequence[str], settings: Settings) -> list[Item]:
    """As a plan makes them: the canary is batch 0."""
    return [
        Item(
            migration=NAME,
            subject=name,
            project=f"p-{place % 2}",
            place=place,
            batch=0 if place < settings.canary else 1 + (place - settings.canary) // settings.batch,
        )
        for place, name in enumerate(names)
    ]


def deleted(found: Instance) -> Instance:
    return replace(found, state=State.DELETED, resources={})


def _after(op: Operation, found: Instance) -> Instance:
    body = op.command.body
    if isinstance(body, AdoptInstance):
        return replace(found, manager=ORCHESTRATOR, soaking=not body.commit)
    return replace(found, manager=NATIVES, soaking=False)


def _verb(op: Operation) -> str:
    return op.id.rsplit(".", 2)[1]


def _opening(op: Operation, basis: Instance | None, now: Micros) -> Operation:
    return op.opening(
        basis=basis, manager="MIGRATION", revision=1, now=now, deadline=now + 600 * SECOND
    )
