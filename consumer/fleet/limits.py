"""How many more instances may begin now. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from consumer.ledger.fleet import Item, Migration
from handlers.operation import SECOND, Micros

MINUTE: Micros = 60 * SECOND


@dataclass(slots=True)
class Room:
    """What is left of the limits while a step is worked out: in all, of each project, and of the
    beginnings of this minute. Commits count as being under way, but not as beginnings.
    """

    slots: int
    starts: int
    per_project: int
    projects: Counter[str]

    @classmethod
    def of(cls, migration: Migration, flying: Iterable[Item], now: Micros) -> "Room":
        projects = Counter(item.project for item in flying)
        settings = migration.settings
        return cls(
            slots=settings.concurrency - projects.total(),
            starts=settings.rate - len(recent(migration, now)),
            per_project=settings.per_project,
            projects=projects,
        )

    def takes(self, item: Item, *, start: bool) -> bool:
        """Take a slot for the item, if there is one; `start` counts towards the rate."""
        if self.slots <= 0 or (start and self.starts <= 0):
            return False
        if self.projects[item.project] >= self.per_project:
            return False
        self.slots -= 1
        self.starts -= start
        self.projects[item.project] += 1
        return True


def recent(migration: Migration, now: Micros) -> tuple[Micros, ...]:
    """The beginnings of the last minute."""
    return tuple(at for at in migration.begun if at > now - MINUTE)


def one_more(migration: Migration, now: Micros) -> Migration:
    """The migration with one more beginning."""
    return replace(migration, begun=(*recent(migration, now), now))
