"""The suite itself: every planted fault makes one of its tests fail."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from _pytest.outcomes import Failed
from msgspec.structs import replace

from consumer.ledger.base import Ending, Offer, Opener, Verdict
from consumer.ledger.fleet import Item, Migration
from consumer.ledger.memory import MemoryLedger
from consumer.secrets import Vault
from handlers.errors import Stale
from handlers.events import MigrationEvent
from handlers.instance import Instance
from handlers.operation import Micros, Operation
from tests.contract.ledger import (
    test_accepting,
    test_fleets,
    test_opening,
    test_outbox,
    test_records,
    test_saving,
    test_secrets,
    test_upkeep,
    test_workers,
)
from tests.contract.ledger.builders import VirtualClock
from tests.contract.ledger.sites import MemorySite, Site


class NoFence(MemoryLedger):
    """Saves without compare-and-set."""

    def save(self, op: Operation) -> Operation:
        stored = self.operation(op.id)
        fenced = replace(op, version=stored.version, owner=stored.owner) if stored else op
        return super().save(fenced)


class NoLocks(MemoryLedger):
    """Opens whatever is queued."""

    def open(self, worker: str, opener: Opener, limit: int) -> tuple[Operation, ...]:
        self._tables.locks.clear()
        return super().open(worker, opener, limit)


class NoOrder(MemoryLedger):
    """Opens the newest first."""

    def open(self, worker: str, opener: Opener, limit: int) -> tuple[Operation, ...]:
        self._tables.queue = dict(reversed(self._tables.queue.items()))
        return super().open(worker, opener, limit)


class KeepsLocks(MemoryLedger):
    """Forgets to free the subject at the end."""

    def finish(self, ending: Ending) -> Operation:
        held = dict(self._tables.locks)
        finished = super().finish(ending)
        self._tables.locks = held
        return finished


class Mute(MemoryLedger):
    """Ends an operation without its event."""

    def finish(self, ending: Ending) -> Operation:
        finished = super().finish(ending)
        self._tables.outbox.pop(ending.event.id)
        return finished


class Stutters(MemoryLedger):
    """Never believes that an event was sent."""

    def sent(self, events: object) -> None:
        return None


class AcceptsTwice(MemoryLedger):
    """Takes a second delivery for a new command."""

    def accept(self, offers: Sequence[Offer], worker: str) -> tuple[Verdict, ...]:
        for offer in offers:
            self._tables.rows.pop(offer.command.id, None)
        return super().accept(offers, worker)


class LosesMarks(MemoryLedger):
    """A save wipes the cancel mark."""

    def save(self, op: Operation) -> Operation:
        self._tables.rows[op.id].cancelled = None
        return super().save(op)


class TakesFromTheLiving(MemoryLedger):
    """Does not ask how long a worker has been silent."""

    def take_over(self, worker: str, ttl: Micros, limit: int) -> tuple[Operation, ...]:
        return super().take_over(worker, 0, limit)


class LetsTheDeadSave(MemoryLedger):
    """Takes rows over without raising their version or owner."""

    def take_over(self, worker: str, ttl: Micros, limit: int) -> tuple[Operation, ...]:
        before = {name: row.op for name, row in self._tables.rows.items()}
        taken = super().take_over(worker, ttl, limit)
        for op in taken:
            self._tables.rows[op.id].op = before[op.id]
        return taken


class HeartbeatsForAll(MemoryLedger):
    """Tells the dead that all is well."""

    def heartbeat(self, worker: str) -> Micros:
        try:
            return super().heartbeat(worker)
        except Stale:
            return self._now()


class KeepsSecrets(MemoryLedger):
    """Does not wipe secrets at the end."""

    def finish(self, ending: Ending) -> Operation:
        finished = replace(super().finish(ending), command=ending.op.command)
        self._tables.rows[finished.id].op = finished
        return finished


class ExpiresTheOpen(MemoryLedger):
    """Fails what is open as well as what is queued."""

    def expire(self, before: Micros, now: Micros) -> int:
        for row in self._tables.open_rows():
            self._tables.queue[row.op.id] = row
        return super().expire(before, now)


class ForgetsTheLiving(MemoryLedger):
    """Retention removes open operations too."""

    def prune(self, before: Micros, limit: int) -> int:
        for name in [name for name, row in self._tables.rows.items() if row.op.accepted < before]:
            del self._tables.rows[name]
        return super().prune(before, limit)


class ImportsOver(MemoryLedger):
    """An import takes the place of the record that is there."""

    def import_records(self, records: Sequence[Instance]) -> tuple[bool, ...]:
        for record in records:
            self._tables.records.pop(record.id, None)
        return super().import_records(records)


class PinsUnderOperations(MemoryLedger):
    """A pin does not ask for open operations."""

    def pin(self, subject: str, pinned: bool) -> Instance:
        self._tables.locks.pop(subject, None)
        return super().pin(subject, pinned)


class SavesMigrationsUnfenced(MemoryLedger):
    """The last one to save a migration wins."""

    def save_migration(
        self, migration: Migration, items: Sequence[Item], events: Sequence[MigrationEvent]
    ) -> Migration:
        stored = self.migration(migration.id) or migration
        fenced = replace(migration, version=stored.version)
        return super().save_migration(fenced, items, events)


class StartsAgain(MemoryLedger):
    """A second start begins from nothing."""

    def start_migration(
        self, migration: Migration, items: Sequence[Item], events: Sequence[MigrationEvent]
    ) -> bool:
        self._tables.fleets.migrations.pop(migration.id, None)
        return super().start_migration(migration, items, events)


Test = Callable[[Site], None]


def _ledger(test: Callable[[Any], None]) -> Test:
    return lambda site: test(site.ledger)


PLANTED: list[tuple[type[MemoryLedger], Test]] = [
    (NoFence, _ledger(test_saving.test_a_save_of_an_older_version_is_stale)),
    (NoLocks, test_opening.test_one_operation_of_a_subject_is_open_at_a_time),
    (NoOrder, test_opening.test_operations_of_a_subject_open_in_the_order_of_acceptance),
    (KeepsLocks, test_opening.test_one_operation_of_a_subject_is_open_at_a_time),
    (Mute, test_outbox.test_events_go_out_in_the_order_in_which_they_were_written),
    (Stutters, test_outbox.test_what_was_sent_is_not_offered_again),
    (AcceptsTwice, _ledger(test_accepting.test_the_same_command_again_changes_nothing)),
    (LosesMarks, _ledger(test_saving.test_a_cancel_mark_survives_saves)),
    (TakesFromTheLiving, test_workers.test_the_rows_of_a_living_worker_stay),
    (LetsTheDeadSave, test_workers.test_a_silent_worker_loses_its_rows_and_is_stale),
    (HeartbeatsForAll, test_workers.test_a_silent_worker_loses_its_rows_and_is_stale),
    (KeepsSecrets, test_secrets.test_the_end_wipes_the_secret_and_its_cipher_text),
    (ExpiresTheOpen, test_upkeep.test_what_is_queued_too_long_fails_with_its_event),
    (ImportsOver, test_records.test_an_import_overwrites_nothing),
    (
        PinsUnderOperations,
        test_records.test_nothing_is_pinned_while_an_operation_is_open_on_it,
    ),
    (
        SavesMigrationsUnfenced,
        _ledger(test_fleets.test_a_save_of_an_older_version_is_stale_and_writes_nothing),
    ),
    (StartsAgain, _ledger(test_fleets.test_a_second_start_changes_nothing)),
    (
        ForgetsTheLiving,
        test_upkeep.test_retention_forgets_what_ended_was_told_and_was_deleted,
    ),
]


class PlantedSite(MemorySite):
    def __init__(self, kind: type[MemoryLedger]) -> None:
        super().__init__(VirtualClock(), Vault([Vault.new_key()]))
        self._ledger = kind(self.clock.now, self.vault)


@pytest.mark.parametrize(("broken", "test"), PLANTED, ids=lambda value: value.__name__)
def test_a_broken_ledger_is_rejected(broken: type[MemoryLedger], test: Test) -> None:
    test(MemorySite(VirtualClock(), Vault([Vault.new_key()])))
    with pytest.raises((AssertionError, Failed, Stale, ValueError, LookupError)):
        test(PlantedSite(broken))
