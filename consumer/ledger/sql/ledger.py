"""SqlLedger: the promises of base.py, each as one transaction (`prune`: one per migration)."""

from collections.abc import Callable, Collection, Sequence
from functools import partial

from consumer.ledger.base import Backlog, Ending, Offer, Opener, Verdict, Worker
from consumer.ledger.fleet import Item, Migration, Stage
from consumer.ledger.sql import fleets, keeping, owning, reading, recording
from consumer.ledger.sql.accepting import Accepting
from consumer.ledger.sql.codec import Codec
from consumer.ledger.sql.database import Database, DatabaseTime
from consumer.ledger.sql.fleets import Fleets, chunks
from consumer.ledger.sql.keeping import Keeping
from consumer.ledger.sql.opening import Opening
from consumer.ledger.sql.owning import Owning
from consumer.ledger.sql.reading import Reading
from consumer.ledger.sql.saving import Saving
from consumer.ledger.sql.writer import Writer
from consumer.secrets import Vault
from consumer.telemetry.base import Silent, Telemetry
from handlers.errors import Stale
from handlers.events import Event, MigrationEvent, News
from handlers.instance import Instance
from handlers.operation import Micros, Operation, Phase

#: Operations that fail in one transaction of `expire`.
_BATCH = 100


class SqlLedger:
    """Implements Ledger on a migrated database (`consumer.ledger.migrations`).

    `revisions` are the plan revisions that this release can carry on, all when it is empty. `now`
    replaces the database's clock, for tests in virtual time.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault | None = None,
        telemetry: Telemetry | None = None,
        *,
        revisions: frozenset[int] = frozenset(),
        now: Callable[[], Micros] | None = None,
    ) -> None:
        vault = vault or Vault()
        codec = Codec(vault)
        time = DatabaseTime(database)
        self._database = database
        self._codec = codec
        self._ask = now or time.read
        self._now = now or time.now
        self._accepting = Accepting(codec, vault)
        self._saving = Saving(codec)
        self._writer = Writer(database, self._accepting, self._saving, telemetry or Silent())
        self._opening = Opening(codec, self._saving)
        self._owning = Owning(codec, revisions)
        self._keeping = Keeping(codec, self._saving)
        self._reading = Reading(codec)
        self._fleets = Fleets(self._saving)

    def close(self) -> None:
        """Close the connections to the database."""
        self._database.close()

    # -- workers --------------------------------------------------------------------------------

    def register(self, worker: str, host: str) -> Micros:
        now = self._ask()
        alive = self._database.write(lambda tx: owning.register(tx, worker, host, now))
        return _living(worker, now, alive=alive)

    def heartbeat(self, worker: str) -> Micros:
        now = self._ask()
        alive = self._database.write(lambda tx: owning.beat(tx, worker, now))
        return _living(worker, now, alive=alive)

    def retire(self, worker: str) -> None:
        self._database.write(lambda tx: owning.retire(tx, worker))

    def workers(self) -> tuple[Worker, ...]:
        return self._database.read(owning.listed)

    def take_over(self, worker: str, ttl: Micros, limit: int) -> tuple[Operation, ...]:
        silent = self._now() - ttl
        return self._database.write(lambda tx: self._owning.take_over(tx, worker, silent, limit))

    def owned(self, worker: str) -> tuple[Operation, ...]:
        return self._database.read(lambda tx: self._owning.owned(tx, worker))

    # -- operations -----------------------------------------------------------------------------

    def accept(self, offers: Sequence[Offer], worker: str) -> tuple[Verdict, ...]:
        if not offers:
            return ()
        job = self._accepting.prepare(offers, worker, self._now())
        verdicts: tuple[Verdict, ...] = self._writer.submit(job)
        return verdicts

    def open(self, worker: str, opener: Opener, limit: int) -> tuple[Operation, ...]:
        now = self._now()
        return self._database.write(lambda tx: self._opening.open(tx, worker, opener, limit, now))

    def save(self, op: Operation) -> Operation:
        return _saved(self._writer.submit(self._saving.save(op)))

    def finish(self, ending: Ending) -> Operation:
        return _saved(self._writer.submit(self._saving.finish(ending)))

    def cancelled(self, worker: str) -> dict[str, str]:
        return self._database.read(lambda tx: owning.cancelled(tx, worker))

    def expire(self, before: Micros, now: Micros) -> int:
        expired = count = self._expire(before, now)
        while count:
            count = self._expire(before, now)
            expired += count
        return expired

    def _expire(self, before: Micros, now: Micros) -> int:
        return self._database.write(lambda tx: self._keeping.expire(tx, before, now, _BATCH))

    def reopen(self, operation: str, worker: str, deadline: Micros) -> Operation:
        now = self._now()
        return self._database.write(
            lambda tx: self._keeping.reopen(tx, operation, worker, deadline, now)
        )

    def cancel(self, operation: str, by: str) -> None:
        self._database.write(lambda tx: keeping.cancel(tx, operation, by))

    # -- records --------------------------------------------------------------------------------

    def import_records(self, records: Sequence[Instance]) -> tuple[bool, ...]:
        return tuple(new for some in chunks(records) for new in self._import(some))

    def _import(self, some: Sequence[Instance]) -> tuple[bool, ...]:
        now = self._now()
        return self._database.write(lambda tx: recording.write_new(tx, self._codec, some, now))

    def pin(self, subject: str, pinned: bool) -> Instance:
        return self._database.write(
            lambda tx: recording.pin(tx, self._codec, subject, pinned=pinned)
        )

    # -- migrations -----------------------------------------------------------------------------

    def start_migration(
        self, migration: Migration, items: Sequence[Item], events: Sequence[MigrationEvent]
    ) -> bool:
        return self._database.write(lambda tx: self._fleets.start(tx, migration, items, events))

    def save_migration(
        self, migration: Migration, items: Sequence[Item], events: Sequence[MigrationEvent]
    ) -> Migration:
        return self._database.write(lambda tx: self._fleets.save(tx, migration, items, events))

    def migration(self, migration: str) -> Migration | None:
        return self._database.read(lambda tx: self._fleets.one(tx, migration))

    def migrations(self, active_only: bool = False, limit: int = 100) -> tuple[Migration, ...]:
        return self._database.read(
            lambda tx: self._fleets.newest(tx, limit, active_only=active_only)
        )

    def items(
        self, migration: str, stages: Collection[Stage] = (), limit: int = 1000, after: int = -1
    ) -> tuple[Item, ...]:
        return self._database.read(
            lambda tx: self._fleets.page(tx, migration, stages, limit, after)
        )

    def stages(self, migration: str) -> dict[Stage, int]:
        return self._database.read(lambda tx: fleets.stages(tx, migration))

    def failures(self, migration: str) -> dict[str, int]:
        return self._database.read(lambda tx: fleets.failures(tx, migration))

    # -- outbox ---------------------------------------------------------------------------------

    def unsent(self, limit: int) -> tuple[News, ...]:
        return self._database.read(lambda tx: self._reading.unsent(tx, limit))

    def sent(self, events: Collection[str]) -> None:
        now = self._now()
        self._database.write(lambda tx: reading.sent(tx, events, now))

    # -- views ----------------------------------------------------------------------------------

    def operation(self, operation: str) -> Operation | None:
        return self._database.read(lambda tx: self._reading.operation(tx, operation))

    def operations(
        self, phases: Collection[Phase] = (), subject: str = "", limit: int = 100
    ) -> tuple[Operation, ...]:
        return self._database.read(lambda tx: self._reading.operations(tx, phases, subject, limit))

    def operations_of(self, ids: Collection[str]) -> dict[str, Operation]:
        return self._database.read(lambda tx: self._reading.operations_of(tx, ids))

    def instance(self, subject: str) -> Instance | None:
        return self._database.read(lambda tx: self._reading.instance(tx, subject))

    def instances(self, limit: int = 100, after: str = "") -> tuple[Instance, ...]:
        return self._database.read(lambda tx: self._reading.instances(tx, limit, after))

    def events(self, operation: str) -> tuple[Event, ...]:
        return self._database.read(lambda tx: self._reading.events(tx, operation))

    def backlog(self) -> Backlog:
        now = self._now()
        return self._database.read(lambda tx: self._reading.backlog(tx, now))

    def prune(self, before: Micros, limit: int) -> int:
        removed = self._database.write(lambda tx: keeping.prune(tx, before, limit))
        for name in self._database.read(lambda tx: fleets.over(tx, before, limit)):
            if removed >= limit:
                break
            removed += self._database.write(partial(fleets.forget, name=name, before=before))
        return removed


def _living(worker: str, now: Micros, *, alive: bool) -> Micros:
    if not alive:
        raise Stale(f"worker {worker} was taken over or retired")
    return now


def _saved(outcome: Operation | Stale) -> Operation:
    if isinstance(outcome, Stale):
        raise outcome
    return outcome
