"""Any sequence of calls does the same in SQL as in memory."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from msgspec.structs import replace
from sqlalchemy import Engine

from consumer.ledger.base import Ledger
from consumer.ledger.fleet import Stage, Status
from consumer.ledger.memory import MemoryLedger
from consumer.secrets import Vault
from handlers.errors import Stale
from handlers.events import MigrationKind
from handlers.instance import State
from handlers.operation import SECOND, Operation, Phase
from tests.contract.ledger.builders import (
    VirtualClock,
    create,
    failure,
    offer,
    opener,
    record,
    removal,
    success,
)
from tests.contract.ledger.conftest import SQL
from tests.contract.ledger.fleets import item, migration, news
from tests.contract.ledger.sites import SqlSite

WORKERS = st.sampled_from(["w1", "w2", "w3"])
NAMES = st.sampled_from([f"c{n}" for n in range(6)])
SUBJECTS = st.sampled_from(["s1", "s2"])
LIMITS = st.integers(1, 4)
MIGRATIONS = st.sampled_from(["m1", "m2"])
PLACES = st.dictionaries(st.integers(0, 5), st.sampled_from(Stage), max_size=4)


class Comparison(RuleBasedStateMachine):
    """Asks both ledgers the same and compares the answers; `place` is set by the test."""

    place: ClassVar[SqlSite]

    def __init__(self) -> None:
        super().__init__()
        self.place.clear()
        self.clock = VirtualClock()
        vault = Vault([Vault.new_key()])
        here = SqlSite(self.place.engine, self.clock, vault)
        self.pair: tuple[Ledger, Ledger] = (
            MemoryLedger(self.clock.now, vault),
            here.ledger,
        )
        self.held: list[Operation] = []

    def both(self, call: Callable[[Ledger], Any]) -> Any:
        self.clock.advance(1)
        one, two = (outcome(call, ledger) for ledger in self.pair)
        assert one == two
        return one

    def keep(self, found: Any) -> None:
        self.held += [op for op in found if isinstance(op, Operation)]

    @rule(worker=WORKERS)
    def register(self, worker: str) -> None:
        self.both(lambda ledger: ledger.register(worker, "host"))

    @rule(worker=WORKERS)
    def heartbeat(self, worker: str) -> None:
        self.both(lambda ledger: ledger.heartbeat(worker))

    @rule(worker=WORKERS)
    def retire(self, worker: str) -> None:
        self.both(lambda ledger: ledger.retire(worker))

    @rule(
        worker=WORKERS,
        batch=st.lists(st.tuples(NAMES, SUBJECTS, st.sampled_from("xyd")), max_size=4),
    )
    def accept(self, worker: str, batch: list[tuple[str, str, str]]) -> None:
        offers = [
            removal(name, subject)
            if kind == "d"
            else offer(name, subject, body=create(secret="x" if kind == "x" else ""))
            for name, subject, kind in batch
        ]
        self.both(lambda ledger: ledger.accept(offers, worker))

    @rule(worker=WORKERS, limit=LIMITS)
    def open(self, worker: str, limit: int) -> None:
        self.keep(self.both(lambda ledger: ledger.open(worker, opener, limit)))

    @rule(nth=st.integers(0, 99), what=st.sampled_from(["look", "undo", "again"]))
    def save(self, nth: int, what: str) -> None:
        if self.held:
            op = self.held[nth % len(self.held)]
            op = op if what == "again" else op.note(self.clock.now(), what)
            self.keep([self.both(lambda ledger: ledger.save(op))])

    @rule(nth=st.integers(0, 99), end=st.sampled_from(["end", "error", "gone"]))
    def finish(self, nth: int, end: str) -> None:
        if self.held:
            op = self.held[nth % len(self.held)]
            state = State.DELETED if end == "gone" else State.ACTIVE
            conclude = failure if end == "error" else success
            ending = conclude(op, self.clock.now(), record(op.subject, state))
            self.both(lambda ledger: ledger.finish(ending))

    @rule(worker=WORKERS, ttl=st.integers(0, 20), limit=LIMITS)
    def take_over(self, worker: str, ttl: int, limit: int) -> None:
        self.clock.advance(1)
        memory, sql = self.pair
        taken = memory.take_over(worker, ttl * SECOND, 99)
        self.keep(taken)
        names = {op.id for op in taken}
        found: set[str] = set()
        for _ in range(1 + len(names) // limit):
            found |= {op.id for op in sql.take_over(worker, ttl * SECOND, limit)}
        assert found == names

    @rule(name=NAMES, worker=WORKERS)
    def reopen(self, name: str, worker: str) -> None:
        self.keep([self.both(lambda ledger: ledger.reopen(name, worker, self.clock.now()))])

    @rule(name=NAMES)
    def cancel(self, name: str) -> None:
        self.both(lambda ledger: ledger.cancel(name, "operator"))

    @rule(age=st.integers(0, 30))
    def expire(self, age: int) -> None:
        before = self.clock.now() - age * SECOND
        self.both(lambda ledger: ledger.expire(before, self.clock.now()))

    @rule(limit=LIMITS)
    def relay(self, limit: int) -> None:
        for event in self.both(lambda ledger: ledger.unsent(limit)):
            self.both(lambda ledger, name=event.id: ledger.sent([name]))  # type: ignore[misc]

    @rule(subjects=st.lists(SUBJECTS, max_size=3))
    def import_records(self, subjects: list[str]) -> None:
        self.both(lambda ledger: ledger.import_records([record(name) for name in subjects]))

    @rule(subject=SUBJECTS, pinned=st.booleans())
    def pin(self, subject: str, pinned: bool) -> None:
        self.both(lambda ledger: ledger.pin(subject, pinned))

    @rule(name=MIGRATIONS, places=PLACES)
    def start_migration(self, name: str, places: dict[int, Stage]) -> None:
        first = migration(name, created=self.clock.now())
        items = [item(place, stage, name=name) for place, stage in places.items()]
        self.both(lambda ledger: ledger.start_migration(first, items, [news(name=name)]))

    @rule(name=MIGRATIONS, places=PLACES, status=st.sampled_from(Status), late=st.booleans())
    def save_migration(
        self, name: str, places: dict[int, Stage], status: Status, late: bool
    ) -> None:
        now = self.pair[0].migration(name) or migration(name)
        after = replace(now, status=status, version=now.version - late, changed=self.clock.now())
        items = [item(place, stage, "quota", name) for place, stage in places.items()]
        told = [news(MigrationKind.TUNED, after.version, name)]
        self.both(lambda ledger: ledger.save_migration(after, items, told))

    @rule(age=st.integers(0, 30))
    def prune(self, age: int) -> None:
        before = self.clock.now() - age * SECOND
        self.both(lambda ledger: ledger.prune(before, 99))

    @invariant()
    def they_hold_the_same(self) -> None:
        one, two = (view(ledger) for ledger in self.pair)
        assert one == two

    @invariant()
    def one_operation_is_open_per_subject(self) -> None:
        running = [op.subject for op in self.pair[1].operations([Phase.FORWARD, Phase.UNDO])]
        assert len(running) == len(set(running))


def outcome(call: Callable[[Ledger], Any], ledger: Ledger) -> Any:
    """What the ledger answers, or the kind of its refusal."""
    try:
        return call(ledger)
    except (Stale, LookupError, ValueError) as error:
        return type(error)


def view(ledger: Ledger) -> object:
    """All that can be read. As text, where views of SQL hide a secret that memory holds."""
    return (
        {op.id: repr(op) for op in ledger.operations(limit=999)},
        ledger.instances(),
        {event.id: event for event in ledger.unsent(999)},
        {worker: sorted(op.id for op in ledger.owned(worker)) for worker in ("w1", "w2", "w3")},
        {worker: ledger.cancelled(worker) for worker in ("w1", "w2", "w3")},
        {worker.id: worker for worker in ledger.workers()},
        ledger.backlog(),
        ledger.migrations(),
        ledger.migrations(active_only=True, limit=1),
        [fleet(ledger, name) for name in ("m1", "m2")],
        ledger.operations_of([f"c{n}" for n in range(0, 6, 2)]).keys(),
    )


def fleet(ledger: Ledger, name: str) -> object:
    """All that can be read of a migration."""
    return (
        ledger.items(name),
        ledger.items(name, [Stage.FAILED, Stage.PLANNED], limit=2, after=1),
        ledger.stages(name),
        ledger.failures(name),
    )


@pytest.mark.parametrize("kind", SQL)
def test_sql_does_what_memory_does(
    kind: str, engines: Callable[[str], Engine], clock: VirtualClock, vault: Vault
) -> None:
    class Here(Comparison):
        place = SqlSite(engines(kind), clock, vault)

    slow = kind != "sqlite"
    profile = settings(
        max_examples=12 if slow else 40,
        stateful_step_count=30,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Here, settings=profile)
