"""How far a migration is, how fast it goes, and when it may end. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

import msgspec

from consumer.fleet.advance import MOVED
from consumer.fleet.limits import MINUTE, recent
from consumer.fleet.pages import every
from consumer.ledger.base import Ledger
from consumer.ledger.fleet import MOVING, Direction, Item, Migration, Stage, Status
from consumer.telemetry.base import Moving
from handlers.operation import SECOND, Micros


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one migration. `rate` is in instances per minute, begun in the last minute;
    `eta` the least and the most seconds to the end, None while nobody can tell.
    """

    total: int
    waiting: int
    moving: int
    soaking: int
    ended: int
    rate: float
    eta: tuple[float, float] | None

    @property
    def share(self) -> float:
        """The part that has ended, 0 to 1; of nothing, all has."""
        return self.ended / self.total if self.total else 1.0


class Freezes(msgspec.Struct, frozen=True, kw_only=True):
    """How long instances were frozen, in seconds; zeros when none was."""

    count: int = 0
    median: float = 0.0
    p95: float = 0.0
    most: float = 0.0


def progress(migration: Migration, stages: Mapping[Stage, int], now: Micros) -> Progress:
    """The figures from the counts of the stages."""
    total = sum(stages.values())
    rate = len(recent(migration, now)) * 1.0
    return Progress(
        total=total,
        waiting=stages.get(Stage.PLANNED, 0),
        moving=sum(stages.get(stage, 0) for stage in MOVING),
        soaking=sum(stages.get(stage, 0) for stage in (Stage.VERIFIED, Stage.SOAKING)),
        ended=sum(count for stage, count in stages.items() if stage.is_final),
        rate=rate,
        eta=_eta(migration, stages, rate, now),
    )


def freezes(items: Sequence[Item]) -> Freezes:
    """The distribution over those items whose freeze is known."""
    known = sorted(item.freeze / SECOND for item in items if item.freeze)
    if not known:
        return Freezes()
    return Freezes(
        count=len(known),
        median=median(known),
        p95=known[min(len(known) - 1, int(len(known) * 0.95))],
        most=known[-1],
    )


def movings(ledger: Ledger, now: Micros) -> Iterator[Moving]:
    """For the gauges: the migrations that are not over, and the newest one in any case."""
    newest = ledger.migrations(limit=1)
    active = ledger.migrations(active_only=True)
    for migration in {each.id: each for each in (*active, *newest)}.values():
        stages = ledger.stages(migration.id)
        found = progress(migration, stages, now)
        yield Moving(
            direction=str(migration.direction),
            status=str(migration.status),
            stages={str(stage): stages.get(stage, 0) for stage in Stage},
            failures=ledger.failures(migration.id),
            rate=found.rate,
            eta=found.eta,
        )


def items_of(ledger: Ledger, migration: Migration) -> tuple[Item, ...]:
    """All items; 10,000 of them take about a second."""
    return tuple(every(ledger, migration.id))


def _eta(
    migration: Migration, stages: Mapping[Stage, int], rate: float, now: Micros
) -> tuple[float, float] | None:
    """Between the pace of the last minute and the mean since the beginning, and then the soak."""
    if migration.status not in (Status.RUNNING, Status.ROLLING_BACK, Status.ABORTING):
        return None
    left = sum(stages.get(stage, 0) for stage in (Stage.PLANNED, *MOVING))
    back = migration.status is Status.ROLLING_BACK
    if back:
        left += sum(stages.get(stage, 0) for stage in MOVED)
    soaks = migration.direction is Direction.ADOPT and migration.status is Status.RUNNING
    soak = migration.settings.soak if soaks else 0
    if not left:
        return 0.0, float(soak)
    begun = sum(stages.values()) - stages.get(Stage.PLANNED, 0)
    age = max(now - migration.created, SECOND)
    rates = [each for each in (rate, 0.0 if back else begun * MINUTE / age) if each > 0]
    if not rates:
        return None
    canary = 0 if migration.judged else soak
    return left / max(rates) * 60 + soak, left / min(rates) * 60 + soak + canary
