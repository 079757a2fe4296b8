"""What a migration came to: figures for machines, and the same for people. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from consumer.fleet.moves import command_id, forward
from consumer.fleet.progress import Freezes, freezes
from consumer.ledger.fleet import LOST, Item, Migration, Settings, Stage
from handlers.errors import REMEDY, Reason
from handlers.operation import SECOND, Micros, Operation

#: Stages of what was not moved: what failed, and what was left out.
_NOT_MOVED = LOST | {Stage.SKIPPED}


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One batch: times in seconds since the migration was started; None where the operations are
    past their retention, or there were none."""

    number: int
    instances: int
    moved: int
    lost: int
    began: float | None
    ended: float | None
    freeze: Freezes


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """An instance that was not moved, was given back, or was left out."""

    instance: str
    project: str
    stage: Stage
    reason: str
    message: str
    remedy: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds; `created` and `until` in microseconds of ledger time. `moved`, `committed`
    and `lost` are the moments, in seconds since `created`, at which instances came so far."""

    id: str
    direction: str
    status: str
    reason: str
    cloud: str
    region: str
    fingerprint: str
    settings: Settings
    created: Micros
    until: Micros
    duration: float
    stages: dict[str, int]
    managers: dict[str, int]
    freeze: Freezes
    batches: tuple[Batch, ...]
    failures: dict[str, int]
    losses: tuple[Loss, ...]
    moved: tuple[float, ...]
    committed: tuple[float, ...]
    lost: tuple[float, ...]


def first_moves(migration: Migration, items: Sequence[Item]) -> list[str]:
    """The ids of the operations that moved these items."""
    verb = forward(migration.direction)
    return [command_id(migration.id, item.place, verb, 1) for item in items if item.attempt]


def report_of(
    migration: Migration,
    items: Sequence[Item],
    operations: Mapping[str, Operation],
    managers: Mapping[str, int],
    now: Micros,
) -> Report:
    """The report; `operations` are the first moves, as far as the ledger still has them."""
    until = migration.changed if migration.status.is_final else now
    told = [item for item in items if item.stage in _NOT_MOVED and item.reason]
    counts = Counter(item.stage for item in items)
    times = _Times(migration, operations)
    return Report(
        id=migration.id,
        direction=str(migration.direction),
        status=str(migration.status),
        reason=migration.reason,
        cloud=migration.cloud,
        region=migration.region,
        fingerprint=migration.fingerprint,
        settings=migration.settings,
        created=migration.created,
        until=until,
        duration=(until - migration.created) / SECOND,
        stages={str(stage): counts[stage] for stage in Stage if counts[stage]},
        managers=dict(managers),
        freeze=freezes(items),
        batches=tuple(
            times.batch(number, [item for item in items if item.batch == number])
            for number in sorted({item.batch for item in items})
        ),
        failures=dict(Counter(item.reason for item in told if item.stage in LOST).most_common()),
        losses=tuple(_loss(item) for item in told),
        moved=tuple(sorted(at for item in items if (at := times.moved(item)) is not None)),
        committed=times.since(items, Stage.COMMITTED),
        lost=times.since(items, Stage.FAILED, Stage.ROLLED_BACK),
    )


class _Times:
    """Moments in seconds since the migration was started."""

    def __init__(self, migration: Migration, operations: Mapping[str, Operation]) -> None:
        self._migration = migration
        self._operations = operations

    def _operation(self, item: Item) -> Operation | None:
        names = first_moves(self._migration, [item])
        return self._operations.get(names[0]) if names else None

    def _at(self, moment: Micros) -> float:
        return (moment - self._migration.created) / SECOND

    def moved(self, item: Item) -> float | None:
        """When its move succeeded."""
        op = self._operation(item)
        if op is None or not op.finished or op.failure is not None:
            return None
        return self._at(op.finished)

    def since(self, items: Sequence[Item], *stages: Stage) -> tuple[float, ...]:
        return tuple(sorted(self._at(item.since) for item in items if item.stage in stages))

    def batch(self, number: int, items: Sequence[Item]) -> Batch:
        known = [op for item in items if (op := self._operation(item)) is not None]
        opened = [op.opened for op in known if op.opened]
        finished = [op.finished for op in known if op.finished]
        return Batch(
            number=number,
            instances=len(items),
            moved=sum(self.moved(item) is not None for item in items),
            lost=sum(item.stage in _NOT_MOVED for item in items),
            began=self._at(min(opened)) if opened else None,
            ended=self._at(max(finished)) if finished else None,
            freeze=freezes(items),
        )


def _loss(item: Item) -> Loss:
    known = item.reason in set(Reason)
    return Loss(
        instance=item.subject,
        project=item.project,
        stage=item.stage,
        reason=item.reason,
        message=item.message,
        remedy=REMEDY[Reason(item.reason)] if known else "",
    )
