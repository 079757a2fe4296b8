"""Whether the canary may be followed by the others. Pure."""

from collections.abc import Sequence
from enum import Enum

from consumer.fleet.following import soaked
from consumer.fleet.moves import in_flight
from consumer.ledger.fleet import Direction, Item, Migration, Stage
from handlers.operation import SECOND, Micros

#: Stages in which a canary was moved well; it is not committed before it was judged.
_WELL = frozenset({Stage.SOAKING, Stage.COMMITTED})
_BADLY = frozenset({Stage.FAILED, Stage.ROLLED_BACK})


class Verdict(Enum):
    """What the canary says."""

    WAIT = "wait"
    PASSED = "passed"
    FAILED = "failed"


def judge(migration: Migration, canary: Sequence[Item], now: Micros) -> tuple[Verdict, str]:
    """The verdict over the items of batch 0, and the sentence that goes with it.

    One that failed is enough; those that are under way are waited for all the same, so that the
    verdict is the last word. Otherwise all of them must have soaked.
    """
    if any(in_flight(item) or item.stage is Stage.VERIFIED for item in canary):
        return Verdict.WAIT, ""
    bad = [item for item in canary if item.stage in _BADLY]
    if bad:
        return Verdict.FAILED, f"{_all(len(bad), len(canary))} failed: {_told(bad[0])}"
    if any(not _is_through(migration, item, now) for item in canary):
        return Verdict.WAIT, ""
    well = [item for item in canary if item.stage in _WELL]
    if not well:
        return Verdict.FAILED, "the canary proved nothing: none of its instances is there any more"
    limit = migration.settings.max_freeze * SECOND
    slow = [item for item in well if item.freeze > limit]
    if slow:
        text = f"the freeze of {slow[0].subject} lasted {slow[0].freeze / SECOND:.1f} s"
        return Verdict.FAILED, f"{text}, longer than max_freeze ({limit // SECOND} s)"
    longest = max(item.freeze for item in well) / SECOND
    return Verdict.PASSED, f"{len(well)} moved, the longest freeze {longest:.1f} s"


def _is_through(migration: Migration, item: Item, now: Micros) -> bool:
    if item.stage.is_final:
        return True
    return migration.direction is Direction.ADOPT and soaked(migration, item, now)


def _all(some: int, whole: int) -> str:
    return f"{some} of {whole} canary instances"


def _told(item: Item) -> str:
    return f"{item.subject}: {item.reason}: {item.message}"
