"""The migrations of the ledger in memory. Not safe for threads: the ledger holds its lock."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from consumer.ledger.fleet import LOST, Item, Migration, Stage
from handlers.errors import Stale
from handlers.operation import Micros


@dataclass(slots=True)
class Fleets:
    """Migrations by id, and their items by place."""

    migrations: dict[str, Migration] = field(default_factory=dict)
    items: dict[str, dict[int, Item]] = field(default_factory=dict)

    def start(self, migration: Migration, items: Sequence[Item]) -> bool:
        """False when there is one with this id."""
        if migration.id in self.migrations:
            return False
        self.migrations[migration.id] = migration
        self.items[migration.id] = {item.place: item for item in items}
        return True

    def save(self, migration: Migration, items: Sequence[Item]) -> Migration:
        """The next value; raises Stale."""
        stored = self.migrations.get(migration.id)
        if stored is None or stored.version != migration.version:
            raise Stale(f"migration {migration.id} was changed by somebody else")
        after = replace(migration, version=migration.version + 1)
        self.migrations[migration.id] = after
        self.items[migration.id] |= {item.place: item for item in items}
        return after

    def newest(self, limit: int, *, active_only: bool) -> tuple[Migration, ...]:
        ordered = sorted(
            self.migrations.values(), key=lambda one: (one.created, one.id), reverse=True
        )
        return tuple(one for one in ordered if not (active_only and one.status.is_final))[:limit]

    def page(
        self, migration: str, stages: Collection[Stage], limit: int, after: int
    ) -> tuple[Item, ...]:
        """Items by place, from the one after `after`."""
        items = sorted(self.items.get(migration, {}).items())
        chosen = (item for place, item in items if place > after)
        return tuple(item for item in chosen if not stages or item.stage in stages)[:limit]

    def stages(self, migration: str) -> dict[Stage, int]:
        return dict(Counter(item.stage for item in self.items.get(migration, {}).values()))

    def failures(self, migration: str) -> dict[str, int]:
        items = self.items.get(migration, {}).values()
        return dict(Counter(item.reason for item in items if item.stage in LOST and item.reason))

    def prune(self, before: Micros, limit: int) -> int:
        """Forget migrations that ended before `before`, each with its items, until `limit` rows
        are gone; how many were."""
        old = [
            one for one in self.migrations.values() if one.status.is_final and one.changed < before
        ]
        removed = 0
        for one in sorted(old, key=lambda one: (one.changed, one.id)):
            if removed >= limit:
                break
            del self.migrations[one.id]
            removed += 1 + len(self.items.pop(one.id))
        return removed
