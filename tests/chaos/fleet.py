"""A fleet that moves on a whole deployment in virtual time, while everything goes wrong.

Workers with conductors die at any write of the ledger and at any boundary of a step; clients go on
sending commands, operators give orders, services refuse and forget. The seed says it all.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from typing import Any

from consumer.fleet.orders import Order, Wrong, abort, give, pause, resume, roll_back
from consumer.ledger.fleet import Direction, Item, Migration, Settings, Stage, Status
from consumer.ledger.memory import MemoryLedger
from handlers.clouds.memory import CloudState, MemoryCloud, MemoryClouds
from handlers.clouds.memory.faults import Effect, FaultRule, Lose, Outcome, Refuse, Spoil
from handlers.commands import Body
from handlers.instance import Instance
from handlers.migration import MOVES
from handlers.operation import SECOND, Operation
from tests.chaos.scenario import CATALOGUE, create_instance, delete, grow, resize, update_rules
from tests.support.world import Crash, Parts, VirtualClock, World

NAME = "fleet"

#: Calls of the ledger that write: a worker may die before and after each.
WRITES = ("accept", "open", "save", "finish", "take_over", "save_migration", "cancel", "sent")

#: Virtual seconds after which nothing goes wrong any more, and after which it must have ended.
ROUGH, END = 120, 4000

_BODIES = (resize("3"), resize("1"), grow, update_rules, update_rules)
_VERBS = (
    *("adopt_stack", "check_stack", "preview_stack", "update_stack", "delete_stack"),
    *("doom_volume", "get_stack*", "find_stack", "resize_server", "*_stack"),
)
_EFFECTS: tuple[Effect, ...] = (
    *(Refuse(status=400), Refuse(status=409), Refuse(status=503), Lose(), Lose(status=502)),
    *(Spoil(Outcome.ERROR), Spoil(Outcome.STUCK)),
)


class Mortal:
    """A ledger during whose writes the worker may die."""

    def __init__(
        self,
        inner: MemoryLedger,
        pass_by: Callable[[], None],
        note: Callable[[str, tuple[Any, ...], Any], None],
    ) -> None:
        self._inner = inner
        self._pass_by = pass_by
        self._note = note

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        return self._mortal(name, method) if name in WRITES else method

    def _mortal(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            self._pass_by()
            answer = method(*args)
            self._note(name, args, answer)
            self._pass_by()
            return answer

        return call


class Fleet:
    """A deployment of two or three workers, and six instances that begin to move."""

    def __init__(self, seed: int, count: int = 6) -> None:
        self.dice = Random(seed)
        self.clock = VirtualClock()
        self.state = CloudState(
            now=self.clock.now, seed=seed, sleep=self.clock.sleep, catalogue=CATALOGUE
        )
        self.ledger = MemoryLedger(self.clock.now)
        self.deleted: set[str] = set()
        self.crowds: list[str] = []
        self.harmed: list[str] = []
        self._opened: dict[str, object] = {}
        self.deadly = 0.0
        self.kills = 0
        self.direction = self.dice.choice((Direction.ADOPT, Direction.ADOPT, Direction.RELEASE))
        ledger: Any = Mortal(self.ledger, self._pass_by, self._note)
        self.world = World(
            MemoryClouds({"": MemoryCloud(self.state)}),
            self.clock,
            ledger=ledger,
            manager="natives" if self.direction is Direction.ADOPT else "orchestrator",
            seed=seed,
            parts=Parts(conducts=True, checkpoint=lambda name, op, step: self._pass_by()),
            keep=self.dice.choice((2, 3)),
        )
        self.subjects = [self.world.uuid() for _ in range(count)]
        for subject in self.subjects:
            self.world.publish(self.world.command(subject, create_instance()))
        self.world.run()
        self.before = {subject: self.look(subject) for subject in self.subjects}
        self.ordered = False
        self._start()

    # -- the play -------------------------------------------------------------------------------

    def play(self) -> None:
        """Rough times first; then an operator sees to it that the migration comes to its end."""
        begin = self.clock.now()
        self.deadly = self.dice.choice((0.0, 0.005, 0.02, 0.05))
        while self.clock.now() < begin + ROUGH * SECOND:
            self._disturb()
            self._run(self.dice.uniform(0.5, 12.0))
        self.deadly = 0.0
        self.state.heal()
        while self.clock.now() < begin + END * SECOND and not self._is_over():
            self._order(resume)
            self._run(20.0)

    def _run(self, seconds: float) -> None:
        self.world.run(seconds, until=self._watch)

    def _is_over(self) -> bool:
        return self.migration.status.is_final and self.world.is_quiet()

    def _watch(self) -> bool:
        """The limits, at every moment."""
        settings = self.migration.settings
        moving = [op for op in self._moves() if op.phase.is_open]
        projects = Counter(op.scope.project for op in moving)
        if len(moving) > settings.concurrency:
            self.crowds.append(f"{len(moving)} instances move at once")
        if projects and max(projects.values()) > settings.per_project:
            self.crowds.append(f"{projects} move at once")
        if len(self.migration.begun) > settings.rate:
            self.crowds.append(f"{len(self.migration.begun)} began in a minute")
        return False

    def _note(self, name: str, args: tuple[Any, ...], answer: Any) -> None:
        """What a move finds, and what it leaves: since when servers run, too."""
        if name == "open":
            self._opened |= {op.id: self._running(op.subject) for op in answer}
        if name == "finish" and isinstance(args[0].op.command.body, MOVES):
            op = args[0].op
            found, left = self._opened[op.id], self._running(op.subject)
            if op.opened and found != left:
                self.harmed.append(f"{op.command.name} found {found} and left {left}")

    def _running(self, subject: str) -> object:
        core = self.state.core
        servers = [each for each in core.servers.values() if each.subject == subject]
        return [(each.id, each.launched, each.status, each.flavor) for each in servers]

    def _moves(self) -> Sequence[Operation]:
        ids = {item.operation for item in self.items if item.operation}
        return tuple(self.ledger.operations_of(ids).values())

    # -- what goes wrong ------------------------------------------------------------------------

    def _pass_by(self) -> None:
        if self.world.running and self.dice.random() < self.deadly:
            self.kills += 1
            raise Crash

    def _disturb(self) -> None:
        match self.dice.randrange(12):
            case 0 | 1 | 2:
                self._send(self.dice.choice(self.subjects), self.dice.choice(_BODIES)(None))
            case 3 if len(self.deleted) < 2 and self.dice.random() < 0.3:
                subject = self.dice.choice(self.subjects)
                self.deleted.add(subject)
                self._send(subject, delete(None))
            case 4 | 5:
                verb, effect = self.dice.choice(_VERBS), self.dice.choice(_EFFECTS)
                times = self.dice.randint(1, 4)
                self.state.inject(FaultRule(effect=effect, verb=verb, times=times))
            case 6 if not self.ordered and self.dice.random() < 0.5:
                self._order(self.dice.choice((abort, roll_back)))
            case 7:
                self._order(pause("an operator waits"))
            case 8 | 9 | 10:
                self._order(resume)

    def _send(self, subject: str, body: Body) -> None:
        self.world.publish(self.world.command(subject, body))

    def _order(self, order: Order) -> None:
        with suppress(Wrong):
            give(self.ledger, NAME, order, self.clock.now, (Stage.PLANNED, Stage.FAILED))
            self.ordered |= order in (abort, roll_back)

    # -- what there is --------------------------------------------------------------------------

    @property
    def migration(self) -> Migration:
        found = self.ledger.migration(NAME)
        assert found is not None
        return found

    @property
    def items(self) -> tuple[Item, ...]:
        return self.ledger.items(NAME)

    def record(self, subject: str) -> Instance:
        found = self.ledger.instance(subject)
        assert found is not None
        return found

    def look(self, subject: str) -> dict[str, object]:
        """What may not change: which things there are, and since when they run."""
        core = self.state.core
        servers = [each for each in core.servers.values() if each.subject == subject]
        stores = (core.volumes, core.ports, core.groups)
        return {
            "servers": sorted(each.id for each in servers if not each.deleted),
            "rest": sorted(
                i for store in stores for i, one in store.items() if one.subject == subject
            ),
            "plugged": sorted(volume for each in servers for volume in each.volumes),
        }

    def stacks(self, subject: str) -> set[str]:
        stacks = self.state.core.stacks.values()
        return {one.id for one in stacks if one.subject == subject and one.action != "DELETE"}

    def _start(self) -> None:
        dice, now = self.dice, self.clock.now()
        settings = Settings(
            canary=dice.choice((0, 1, 1)),
            batch=dice.choice((2, 3)),
            concurrency=dice.choice((1, 2, 3)),
            per_project=dice.choice((1, 2)),
            rate=dice.choice((4, 60)),
            soak=dice.choice((0, 2, 8)),
            max_freeze=dice.choice((30, 120)),
            max_failures=dice.choice((0, 2, 9)),
        )
        migration = Migration(
            id=NAME,
            direction=self.direction,
            status=Status.RUNNING,
            settings=settings,
            fingerprint="f",
            cloud="cloud",
            region="region",
            created=now,
            changed=now,
        )
        self.ledger.start_migration(migration, [*self._planned(settings)], [])

    def _planned(self, settings: Settings) -> Sequence[Item]:
        return [
            Item(
                migration=NAME,
                subject=subject,
                project=self.record(subject).scope.project,
                place=place,
                batch=0
                if place < settings.canary
                else 1 + (place - settings.canary) // settings.batch,
            )
            for place, subject in enumerate(self.subjects)
        ]
