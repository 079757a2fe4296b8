"""The conductor: carries migrations on, in every worker. It keeps nothing but what the ledger says.

What comes next is worked out by `advance`. Here it is written, and only then are its commands put
into the ledger, where the workers find them as all others. Any of this may end at any point: the
next tick, of whichever worker, goes on from what the ledger says.
"""

from collections.abc import Callable
from typing import NamedTuple

from consumer.clock import Clock
from consumer.fleet.advance import advance
from consumer.fleet.draft import Step, View
from consumer.fleet.moves import in_flight
from consumer.fleet.pages import every
from consumer.ledger.base import Ledger
from consumer.ledger.fleet import MOVING, Item, Migration, Stage, Status
from consumer.telemetry.base import Telemetry
from handlers.admission import by_operator
from handlers.errors import Stale
from handlers.operation import SECOND

#: Stages of items that are under way: they are read whole.
_LIVE = frozenset({*MOVING, Stage.VERIFIED, Stage.SOAKING})

#: Of the items that wait for their turn so many are read: more cannot begin in one tick.
_WINDOW = 500

#: The canary has at most so many items (Settings.canary).
_CANARY = 1000


class _Rows(NamedTuple):
    """What was read of a migration at a version: items change only with it."""

    version: int
    status: Status
    items: tuple[Item, ...]
    stages: dict[Stage, int]


class Conductor:
    """Ticked by one thread of a worker.

    `worker` is the name under which commands are accepted; `wake` is called after they were.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        worker: str,
        clock: Clock,
        telemetry: Telemetry,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._ledger = ledger
        self._worker = worker
        self._clock = clock
        self._telemetry = telemetry
        self._wake = wake
        self._rows: dict[str, _Rows] = {}

    def tick(self) -> bool:
        """One step of every migration that is not over; whether there is one.

        Raises Unavailable when the ledger is.
        """
        active = self._ledger.migrations(active_only=True)
        names = {migration.id for migration in active}
        self._rows = {name: rows for name, rows in self._rows.items() if name in names}
        for migration in active:
            self._carry(migration)
        return bool(active)

    def _carry(self, migration: Migration) -> None:
        rows = self._read(migration)
        ids = {item.operation for item in rows.items if in_flight(item)}
        step = advance(
            View(
                migration=migration,
                items=rows.items,
                stages=rows.stages,
                operations=self._ledger.operations_of(ids) if ids else {},
                record=self._ledger.instance,
                now=self._clock.now(),
            )
        )
        if step.writes and not self._written(step, rows):
            return
        self._ask(step)

    def _read(self, migration: Migration) -> _Rows:
        """The rows of this version: read once, because a migration that waits changes nothing."""
        rows = self._rows.get(migration.id)
        if rows is None or rows.version != migration.version:
            items = _items(self._ledger, migration)
            stages = self._ledger.stages(migration.id)
            rows = _Rows(migration.version, migration.status, items, stages)
            self._rows[migration.id] = rows
        return rows

    def _written(self, step: Step, before: _Rows) -> bool:
        """Write the step; False when somebody else was faster: then this one never was."""
        try:
            self._ledger.save_migration(step.migration, step.items, step.events)
        except Stale:
            self._rows.pop(step.migration.id, None)
            return False
        stages = {item.place: item.stage for item in before.items}
        for item in step.items:
            if item.stage is not stages[item.place]:
                self._telemetry.moved(
                    str(step.migration.direction),
                    str(item.stage),
                    item.reason,
                    item.freeze / SECOND,
                )
        return True

    def _ask(self, step: Step) -> None:
        if step.offers:
            verdicts = self._ledger.accept(step.offers, self._worker)
            for offer, verdict in zip(step.offers, verdicts, strict=True):
                self._telemetry.received(offer.command, verdict.value)
            self._wake()
        for operation in step.cancels:
            try:  # no deletion follows, so all that was done is undone
                self._ledger.cancel(operation, by_operator(f"of migration {step.migration.id}"))
            except (LookupError, ValueError):
                continue  # it has ended since


def _items(ledger: Ledger, migration: Migration) -> tuple[Item, ...]:
    """What `advance` has to see, each item once."""
    name = migration.id
    found = {item.place: item for item in every(ledger, name, _LIVE)}
    waiting = {Stage.PLANNED}
    if migration.status is Status.ROLLING_BACK:
        waiting.add(Stage.COMMITTED)
    parts = [ledger.items(name, waiting, _WINDOW)]
    if not migration.judged:
        parts.append(tuple(item for item in ledger.items(name, (), _CANARY) if item.batch == 0))
    for part in parts:
        found |= {item.place: item for item in part}
    return tuple(found[place] for place in sorted(found))
