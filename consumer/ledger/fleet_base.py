"""What a ledger promises to those who move fleets; `Ledger` is this too (base.py)."""

from collections.abc import Collection, Sequence
from typing import Protocol

from consumer.ledger.fleet import Item, Migration, Stage
from handlers.events import MigrationEvent


class FleetLedger(Protocol):
    """Migrations and their items. As everywhere in the ledger: any method may raise Unavailable."""

    def start_migration(
        self, migration: Migration, items: Sequence[Item], events: Sequence[MigrationEvent]
    ) -> bool:
        """Write a migration, its items and its first events in one transaction.

        False, and nothing written, when there is one with this id: whoever lost the answer asks
        again.
        """
        ...

    def save_migration(
        self, migration: Migration, items: Sequence[Item], events: Sequence[MigrationEvent]
    ) -> Migration:
        """Write the next value of a migration, those items that changed, and its events, in one
        transaction; returns the migration with its new version.

        Raises Stale unless `migration.version` is the row's: read it again then. Also after an
        Unavailable, when the change had been written.
        """
        ...

    def migration(self, migration: str) -> Migration | None: ...

    def migrations(self, active_only: bool = False, limit: int = 100) -> tuple[Migration, ...]:
        """The newest first; `active_only` leaves out those that have ended."""
        ...

    def items(
        self, migration: str, stages: Collection[Stage] = (), limit: int = 1000, after: int = -1
    ) -> tuple[Item, ...]:
        """By place, from the one after `after`; of all stages when none is named."""
        ...

    def stages(self, migration: str) -> dict[Stage, int]:
        """How many items are at which stage; stages without any are left out."""
        ...

    def failures(self, migration: str) -> dict[str, int]:
        """How many items FAILED or ROLLED_BACK for which reason; those without one not counted."""
        ...
