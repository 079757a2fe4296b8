"""The next value of a migration while it is being worked out."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from consumer.fleet.moves import Verb, command_id, in_flight
from consumer.ledger.base import Offer
from consumer.ledger.fleet import Item, Migration, Stage, Status
from handlers.events import MigrationData, MigrationEvent, MigrationKind, migration_event
from handlers.instance import Instance
from handlers.operation import Micros, Operation

#: News of an instance are told apart by its place and by how many commands it had.
_PLACES = 10_000_000

_TOLD = {
    Stage.FAILED: MigrationKind.INSTANCE_FAILED,
    Stage.ROLLED_BACK: MigrationKind.INSTANCE_ROLLED_BACK,
}


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says of a migration.

    `items`, by place: all that are under way; of those that wait for their turn (PLANNED, and on
    the way back all that were moved) the first ones; and the whole canary until it was judged.
    `stages` counts all items. `operations` are those that the items under way name, as far as the
    ledger knows them. `record` looks an instance up.
    """

    migration: Migration
    items: tuple[Item, ...]
    stages: Mapping[Stage, int]
    operations: Mapping[str, Operation]
    record: Callable[[str], Instance | None]
    now: Micros


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What to write, and then what to ask for.

    `migration` comes with the version that it was read with; with neither `items` nor `events` it
    is unchanged and not written. `cancels` are ids of operations.
    """

    migration: Migration
    items: tuple[Item, ...] = ()
    events: tuple[MigrationEvent, ...] = ()
    offers: tuple[Offer, ...] = ()
    cancels: tuple[str, ...] = ()

    @property
    def writes(self) -> bool:
        return bool(self.items or self.events)


class _News(NamedTuple):
    """What is to be told, and the migration's batch when it came about."""

    kind: MigrationKind
    number: int
    batch: int
    message: str
    item: Item | None = None


@dataclass(slots=True)
class Draft:
    """Collects what changes. Not shared: `advance` makes one, and hands out the Step."""

    view: View
    migration: Migration
    stages: Counter[Stage]
    items: dict[int, Item]
    news: list[_News] = field(default_factory=list)
    changed: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, view: View) -> "Draft":
        items = {item.place: item for item in sorted(view.items, key=lambda item: item.place)}
        return cls(view, view.migration, Counter(view.stages), items)

    @property
    def now(self) -> Micros:
        return self.view.now

    def at(self, *stages: Stage) -> list[Item]:
        """The items at these stages, by place."""
        return [item for item in self.items.values() if item.stage in stages]

    def flying(self) -> Iterator[Item]:
        """The items with a command whose end was not seen yet."""
        return (item for item in self.items.values() if in_flight(item))

    def count(self, *stages: Stage) -> int:
        return sum(self.stages[stage] for stage in stages)

    def put(self, item: Item) -> None:
        """The next value of an item; tells when it failed or was moved back."""
        before = self.items[item.place]
        if item is before:
            return
        self.items[item.place] = item
        self.changed.add(item.place)
        if item.stage is before.stage:
            return
        self.stages[before.stage] -= 1
        self.stages[item.stage] += 1
        kind = _TOLD.get(item.stage)
        if kind is not None:
            number = item.attempt * _PLACES + item.place
            self.news.append(_News(kind, number, self.migration.batch, item.message, item))

    def send(self, item: Item, verb: Verb, stage: Stage) -> None:
        """Promise a command for an item; it is offered to the ledger when that is written."""
        attempt = item.attempt + 1
        name = command_id(item.migration, item.place, verb, attempt)
        since = item.since if stage is item.stage else self.now
        self.put(replace(item, stage=stage, operation=name, attempt=attempt, since=since))

    def become(self, status: Status, kind: MigrationKind, reason: str = "") -> None:
        """Another status, and its news."""
        self.migration = replace(self.migration, status=status, reason=reason)
        self.tell(kind, self.migration.version, reason)

    def tell(self, kind: MigrationKind, number: int, message: str = "") -> None:
        self.news.append(_News(kind, number, self.migration.batch, message))

    def step(self, cancels: Iterable[str] = ()) -> Step:
        """What came of it; the events tell how things stand after it."""
        migration = self.migration
        if self.changed or self.news:
            migration = replace(migration, changed=self.now)
        return Step(
            migration=migration,
            items=tuple(self.items[place] for place in sorted(self.changed)),
            events=tuple(
                news_of(
                    replace(migration, batch=news.batch),
                    self.stages,
                    news.kind,
                    news.number,
                    message=news.message,
                    item=news.item,
                )
                for news in self.news
            ),
            cancels=tuple(cancels),
        )


def news_of(
    migration: Migration,
    stages: Mapping[Stage, int],
    kind: MigrationKind,
    number: int,
    *,
    message: str = "",
    item: Item | None = None,
) -> MigrationEvent:
    """The event that tells of a change of a migration, or of one instance of it."""
    data = MigrationData(
        migration=migration.id,
        direction=str(migration.direction),
        status=str(migration.status),
        batch=migration.batch,
        settings=msgspec.to_builtins(migration.settings),
        stages={str(stage): stages[stage] for stage in Stage if stages.get(stage)},
        reason=item.reason if item else "",
        message=message,
        instance=item.subject if item else "",
    )
    return migration_event(kind, number, migration.changed, data)
