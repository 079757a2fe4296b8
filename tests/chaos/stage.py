"""The stage: plays one schedule on a deployment in virtual time."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from msgspec.structs import replace

from consumer.ledger.base import Ledger, Unavailable
from consumer.ledger.memory import MemoryLedger
from consumer.policy import Policy
from consumer.secrets import Vault
from consumer.telemetry.base import Silent
from handlers.admission import by_operator
from handlers.clouds.memory import CloudState, MemoryClouds, Times
from handlers.commands import Body, Command
from handlers.keys import STACK
from handlers.operation import SECOND, Micros, Operation
from handlers.parts import NamedResources
from handlers.resources import Service
from tests.chaos.crossings import Crossings
from tests.chaos.foreign import make_foreign, meddle, repair, vanish, without_engine
from tests.chaos.probe import ProbedCloud
from tests.chaos.scenario import CATALOGUE, Scenario, Start
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.schedule import Do, Schedule, Strike
from tests.chaos.stacks import keeps_everything
from tests.chaos.starts import IMPORTED, Ground, deployed, prepare
from tests.chaos.watch import Book, Sight, WatchedLedger, look
from tests.support.world import POLICY, Crash, Parts, VirtualClock, World

#: Short enough for schedules that run into it, long against every wait of the core.
LIMIT = UNDO = 240

#: Seconds after which the last call has landed and the last status has settled.
SETTLE = 20

_KEY = Vault.new_key()


_POLICY = replace(
    POLICY,
    limit=LIMIT * SECOND,
    undo_budget=UNDO * SECOND,
    call_timeouts={Service.ORCHESTRATION: 20 * SECOND},
)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What the deployment is made of; the ablation run replaces a part.

    `lanes`: while a call hangs, its process goes on with what needs another service.
    """

    parts: Parts = field(default_factory=Parts)
    policy: Policy = _POLICY
    ledger: Callable[[Callable[[], Micros], Vault], Ledger] = MemoryLedger
    cloud: type[ProbedCloud] = ProbedCloud
    lanes: bool = True


CORE = Variant()


class Defects(Silent):
    """Keeps the defects that the worker tells of."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def defect(self, op: Operation, step: str, error: Exception) -> None:
        self.seen.append(f"{step}: {error!r}")


@dataclass(kw_only=True)
class Stage:
    """A deployment on which one schedule is played once."""

    schedule: Schedule
    variant: Variant = CORE
    defects: Defects = field(default_factory=Defects)

    def __post_init__(self) -> None:
        self.scenario: Scenario = SCENARIOS[self.schedule.scenario]
        self.clock = VirtualClock()
        self.state = CloudState(
            now=self.clock.now,
            seed=self.schedule.seed,
            sleep=self._sleep,
            times=self._times(),
            catalogue=CATALOGUE,
        )
        self.crossings = Crossings(self._perform)
        self.cloud = self.variant.cloud(
            self.state, self.crossings, lambda: self.clock.sleep(0.01), self.schedule.seed
        )
        self.book = Book(self.look, self.cloud.in_flight)
        self.ledger = self.variant.ledger(self.clock.now, Vault([_KEY]))
        self.world = World(
            MemoryClouds({"": self.cloud}),
            self.clock,
            ledger=WatchedLedger(self.ledger, self.crossings.cross, self.book),
            policy=self.variant.policy,
            telemetry=self.defects,
            manager=deployed(self.scenario.start, self.schedule.manager),
            seed=self.schedule.seed,
            parts=_watched(self.variant.parts, self.crossings),
            keep=self.schedule.workers,
        )
        self.subject = self.world.uuid()
        self.bystander = self.world.uuid()
        self.strangers = make_foreign(self.state, self.bystander)
        self.ground = Ground()
        self.named: NamedResources | None = None  # by the command
        self.harmless = True  # what was deleted behind our back retained everything
        self.command = self._command(self.scenario.body)
        self._answers: list[Micros] = []

    # -- the play -------------------------------------------------------------------------------

    def play(self) -> None:
        """Set up, strike, and let it end; what came of it is for the checker."""
        self._set_up()
        self.bystanders = self.look(self.bystander)
        self.command = self._command(self.scenario.body)
        self.state.inject(*self.schedule.faults, *self.scenario.always)
        self.cloud.calls.clear()
        self.crossings.arm(self.schedule.strikes)
        self.world.publish(self.command)
        self.world.run(4 * (LIMIT + UNDO))
        self.crossings.disarm()
        self.settle()

    def settle(self) -> None:
        """Let land what may still land."""
        self.clock.sleep(SETTLE)
        self.world.run(1, until=lambda: True)

    def clean_up(self) -> None:
        """The way out of an error: the cloud is repaired, and a delete removes what is left."""
        self.state.heal()
        repair(self.state)
        delete = self._command(self.scenario.delete)
        self.world.publish(delete)
        self.world.run(LIMIT)
        self.settle()

    def resume(self) -> Operation | None:
        """Another way out: the cloud is repaired, and an operator resumes what failed last; None
        when that cannot be resumed."""
        self.state.heal()
        repair(self.state)
        (last, *_) = self.ledger.operations(subject=self.subject, limit=1)
        try:
            self.ledger.reopen(last.id, "tool", self.clock.now() + LIMIT * SECOND)
        except (LookupError, ValueError):
            return None
        self.world.run(2 * (LIMIT + UNDO))
        self.settle()
        return self.ledger.operation(last.id)

    def look(self, subject: str) -> Sight:
        sight = look(self.state, subject, self._named_ids(subject))
        return {each: thing for each, thing in sight.items() if each != self.ground.occupied}

    @property
    def is_bereft(self) -> bool:
        """Whether somebody deleted the subject's stack."""
        return any(strike.do is Do.VANISH for strike, _ in self.crossings.struck)

    @property
    def knows_no_stack(self) -> bool:
        """Whether the record has none: the stack, if there is one, is under way."""
        record = self.ledger.instance(self.subject)
        return record is None or STACK not in record.resources

    # -- inner ----------------------------------------------------------------------------------

    def _set_up(self) -> None:
        start = self.scenario.start
        prepare(start, self.ground, self.state, self.world, self.subject)
        if start in (Start.FOREIGN, Start.STRANGER):
            self.named = self.ground.own
        if self.named and start is Start.STRANGER:
            self.named = replace(self.named, volume=self.strangers.volume)
        if start not in (Start.NOTHING, Start.FOREIGN, Start.STRANGER):
            self.settle()
        self.was_doomed = start in IMPORTED
        self.state.core.abilities = self.scenario.abilities
        self.cloud.harmful = self.scenario.harmful

    def _command(self, body: Callable[[NamedResources | None], Body]) -> Command:
        return self.world.command(self.subject, body(self.named))

    def _named_ids(self, subject: str) -> tuple[str, ...]:
        named = self.strangers if subject == self.bystander else self.ground.own
        if named is None:
            return ()
        ids = (named.server, named.volume, named.security_group, *named.ports)
        return tuple(each for each in ids if each)

    def _times(self) -> Times:
        lag = (0.0, self.schedule.lag)
        if self.schedule.slow:
            return Times(list_lag=lag, server_build=(90, 120))
        return Times(list_lag=lag)

    # -- strikes --------------------------------------------------------------------------------

    def _perform(self, strike: Strike) -> None:
        match strike.do:
            case Do.CRASH:
                raise Crash
            case Do.UNAVAILABLE:
                raise Unavailable
            case Do.STOP:
                self.world.running[-1].stop()
            case Do.PAUSE:
                self.world.run(self._at_most(strike.seconds), until=lambda: False)
            case Do.ENGINE:
                without_engine(self.state, strike.seconds)
            case Do.MEDDLE:
                if not self._is_read():
                    meddle(self.state, self.look(self.subject), marks=self._marks_stay())
            case Do.VANISH:
                ids = self.look(self.subject)
                self.harmless &= keeps_everything(self.state, ids)
                vanish(self.state, ids)
            case Do.CANCEL:
                with suppress(LookupError, ValueError):
                    self.ledger.cancel(self.command.id, by_operator("of the suite"))
            case _:
                self._arrive(self._arriving(strike.do))

    def _marks_stay(self) -> bool:
        """Whether a stranger's update leaves our marks. Where they are taken from a stack before
        somebody who died knew its id, nobody can tell it from a stranger's."""
        alone = all(strike.do is Do.MEDDLE for strike in self.schedule.strikes)
        new = self.scenario.start is Start.NOTHING or self.knows_no_stack
        return self.schedule.seed % 2 == 1 or (new and not alone)

    def _is_read(self) -> bool:
        """Whether it was read what a stack has made, and it goes next: what somebody has it make in
        between nobody can know of."""
        return any(verb == "get_stack_resources" for _, verb in self.cloud.calls)

    def _arriving(self, do: Do) -> Command:
        if do is Do.DELETE:
            return self._command(self.scenario.delete)
        if do is Do.NEXT:
            return self._command(self.scenario.after)
        return replace(self.command, source="else") if do is Do.OTHER else self.command

    def _arrive(self, command: Command) -> None:
        """Another worker's intake takes it at this very moment."""
        self.world.publish(command)
        try:
            self.world.deliver(command)
        except Unavailable:
            return  # it stays in the queue
        if command in self.world.inbox:
            self.world.inbox.remove(command)

    def _sleep(self, seconds: float) -> None:
        """A call takes its time: the others go on, every process still gives signs of life, and
        what needs another service goes on in the same process, as in other threads."""

        def beat() -> bool:
            for worker in self.world.running:
                worker.beat()
            if self.variant.lanes:
                self.world.running[-1].go_on()
            return False

        seconds = self._at_most(seconds)
        self._answers.append(self.clock.now() + int(seconds * SECOND))
        self.world.run(seconds, until=beat)
        self._answers.pop()

    def _at_most(self, seconds: float) -> float:
        """Not longer than until the first call that is under way is answered."""
        left = [(at - self.clock.now()) / SECOND for at in self._answers]
        return max(0.0, min([seconds, *left]))


def _watched(parts: Parts, crossings: Crossings) -> Parts:
    return Parts(
        observer=parts.observer,
        reconciler=parts.reconciler,
        registry=parts.registry,
        managers=parts.managers,
        asks_lease=parts.asks_lease,
        acks_first=parts.acks_first,
        checkpoint=crossings.checkpoint,
    )
