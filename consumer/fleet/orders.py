"""What people ask of a migration: pause, resume, tune, abort, roll back.

Each order is a pure function of the migration and its items; `give` writes it, and tries again when
the conductor was faster.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain

import msgspec
from msgspec.structs import asdict, replace

from consumer.fleet.advance import FAILURES, MOVED
from consumer.fleet.draft import news_of
from consumer.fleet.moves import Verb, back, verb_of
from consumer.fleet.pages import every
from consumer.ledger.base import Ledger
from consumer.ledger.fleet import Item, Migration, Settings, Stage, Status
from handlers.errors import Stale
from handlers.events import MigrationKind
from handlers.operation import Micros

#: How often an order is tried; the conductors write about once a second.
TRIES = 30


class Wrong(Exception):
    """The migration is not in a state for this order; the message says what to do instead."""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What an order is given on. `items` are those that it may change: PLANNED and FAILED ones."""

    migration: Migration
    stages: Mapping[Stage, int]
    items: Sequence[Item] = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What an order comes to; `message` goes into the event."""

    migration: Migration
    kind: MigrationKind
    items: tuple[Item, ...] = ()
    message: str = ""


Order = Callable[[Scene], Change]


def give(
    ledger: Ledger, name: str, order: Order, now: Callable[[], Micros], needs: Sequence[Stage] = ()
) -> Migration:
    """Write an order; `needs` are the stages of the items that it looks at.

    Raises Wrong when the state is wrong, LookupError when there is no such migration, and Stale
    when it never got through.
    """
    for _ in range(TRIES):
        migration = ledger.migration(name)
        if migration is None:
            raise LookupError(f"there is no migration {name}")
        items = tuple(chain(*(every(ledger, name, {stage}) for stage in needs)))
        stages = ledger.stages(name)
        change = order(Scene(migration=migration, stages=stages, items=items))
        after = replace(change.migration, changed=now())
        number = migration.version
        stages = _recounted(stages, items, change.items)
        event = news_of(after, stages, change.kind, number, message=change.message)
        try:
            return ledger.save_migration(after, change.items, [event])
        except Stale:
            continue
    raise Stale(f"migration {name} changes all the time: try again")


def _recounted(
    stages: Mapping[Stage, int], before: Sequence[Item], after: Sequence[Item]
) -> dict[Stage, int]:
    was = {item.place: item.stage for item in before}
    counts = dict(stages)
    for item in after:
        counts[was[item.place]] = counts.get(was[item.place], 0) - 1
        counts[item.stage] = counts.get(item.stage, 0) + 1
    return counts


def pause(reason: str) -> Order:
    """Nothing new begins and nothing is committed; what runs comes to its end."""

    def order(scene: Scene) -> Change:
        migration = scene.migration
        if migration.status is not Status.RUNNING:
            raise Wrong(_no(migration, "paused", Status.RUNNING))
        after = replace(migration, status=Status.PAUSED, reason=reason)
        return Change(migration=after, kind=MigrationKind.PAUSED, message=reason)

    return order


def resume(scene: Scene) -> Change:
    """Go on. What has failed so far is accepted: the next failure pauses it again."""
    migration = scene.migration
    if migration.status not in (Status.PAUSED, Status.HELD):
        raise Wrong(_no(migration, "resumed", Status.PAUSED, Status.HELD))
    failures = sum(scene.stages.get(stage, 0) for stage in FAILURES)
    settings = migration.settings
    message = ""
    if failures > settings.max_failures:
        settings = replace(settings, max_failures=failures)
        message = f"accepts the {failures} failures so far: max_failures is {failures} now"
    after = replace(migration, status=Status.RUNNING, reason="", settings=settings)
    return Change(migration=after, kind=MigrationKind.RESUMED, message=message)


def tune(values: Mapping[str, int]) -> Order:
    """Other settings, from now on; a `batch` divides those anew that are not in a batch yet.

    Raises msgspec.ValidationError for a value out of bounds.
    """

    def order(scene: Scene) -> Change:
        migration = scene.migration
        if migration.status.is_final:
            raise Wrong(f"it has ended ({migration.status}): there is nothing left to tune")
        settings = msgspec.convert({**asdict(migration.settings), **values}, Settings)
        items: tuple[Item, ...] = ()
        if settings.batch != migration.settings.batch:
            items = _divided(migration, scene.items, settings.batch)
        text = ", ".join(f"{name} {value}" for name, value in sorted(values.items()))
        return Change(
            migration=replace(migration, settings=settings),
            kind=MigrationKind.TUNED,
            items=items,
            message=text,
        )

    return order


def abort(scene: Scene) -> Change:
    """End it early: what is adopted stays, what has not begun is left."""
    migration = scene.migration
    if migration.status not in (Status.RUNNING, Status.HELD, Status.PAUSED):
        raise Wrong(_no(migration, "aborted", Status.RUNNING, Status.HELD, Status.PAUSED))
    text = "aborted by an operator"
    after = replace(migration, status=Status.ABORTING, reason=text)
    return Change(migration=after, kind=MigrationKind.ABORTED, message=text)


def roll_back(scene: Scene) -> Change:
    """Move everything back that was moved; what could not be moved back is tried once more."""
    migration = scene.migration
    if migration.status is Status.ROLLING_BACK:
        raise Wrong("it is rolling back already: follow it with 'migrate watch'")
    again = tuple(
        replace(item, stage=Stage.VERIFIED, operation="", reason="", message="")
        for item in scene.items
        if _is_moved(migration, item)
    )
    if migration.status.is_final and not movable(scene):
        raise Wrong(f"it has ended ({migration.status}), and there is nothing to move back")
    after = replace(migration, status=Status.ROLLING_BACK, reason="rolled back by an operator")
    return Change(
        migration=after, kind=MigrationKind.ROLLBACK_START, items=again, message=after.reason
    )


def movable(scene: Scene) -> int:
    """How many instances a rollback would move."""
    failed = sum(_is_moved(scene.migration, item) for item in scene.items)
    return failed + sum(scene.stages.get(stage, 0) for stage in MOVED)


def _is_moved(migration: Migration, item: Item) -> bool:
    """Whether a FAILED item is not where it was: its commit failed, or its way back."""
    return item.stage is Stage.FAILED and verb_of(item) in (Verb.COMMIT, back(migration.direction))


def _divided(migration: Migration, items: Sequence[Item], batch: int) -> tuple[Item, ...]:
    """PLANNED items that are in no batch yet, divided anew; only those that change."""
    first = migration.batch + 1
    later = [item for item in items if item.stage is Stage.PLANNED and item.batch > migration.batch]
    numbered = [(item, first + index // batch) for index, item in enumerate(later)]
    return tuple(replace(item, batch=to) for item, to in numbered if item.batch != to)


def _no(migration: Migration, what: str, *possible: Status) -> str:
    wanted = " or ".join(possible)
    return f"it is {migration.status} and cannot be {what}: only one that is {wanted} can be"
