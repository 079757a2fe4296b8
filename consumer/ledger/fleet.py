"""A fleet migration as the ledger keeps it: one row, and one row per instance.

Everything here is a value, as in handlers/operation.py. Times are microseconds of ledger time.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from handlers.operation import Micros


class Direction(StrEnum):
    """Where the instances go: into stacks, or out of them."""

    ADOPT = "adopt"
    RELEASE = "release"


class Status(StrEnum):
    """What a migration is doing. HELD waits for somebody's approval (`migrate resume`)."""

    RUNNING = "running"
    HELD = "held"
    PAUSED = "paused"
    ABORTING = "aborting"
    ROLLING_BACK = "rolling_back"
    DONE = "done"
    ABORTED = "aborted"
    ROLLED_BACK = "rolled_back"

    @property
    def is_final(self) -> bool:
        return self in (Status.DONE, Status.ABORTED, Status.ROLLED_BACK)


class Stage(StrEnum):
    """Where one instance stands. From FROZEN on its other commands wait, until VERIFIED.

    FAILED: it could not be moved, and is where it was. SKIPPED: the migration ended before it.
    """

    PLANNED = "planned"
    OBSERVED = "observed"
    FROZEN = "frozen"
    ADOPTING = "adopting"
    ADOPTED = "adopted"
    VERIFIED = "verified"
    SOAKING = "soaking"
    COMMITTED = "committed"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def is_final(self) -> bool:
        return self in (Stage.COMMITTED, Stage.ROLLED_BACK, Stage.FAILED, Stage.SKIPPED)


#: Stages in which an operation of the migration is queued or open on the instance.
MOVING = frozenset(
    {Stage.OBSERVED, Stage.FROZEN, Stage.ADOPTING, Stage.ADOPTED, Stage.ROLLING_BACK}
)

#: Stages of instances that were not moved, or not in the end.
LOST = frozenset({Stage.FAILED, Stage.ROLLED_BACK})

Count = Annotated[int, Meta(ge=1, le=10_000)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `migrate start` and `migrate tune` set.

    * `canary`: how many go first, all others wait until they have soaked and are analysed; 0: none.
    * `hold`: after the canary wait for an approval, also when all went well.
    * `batch`: how many go together; the next batch begins when all of one are through.
    * `concurrency`, `per_project`: how many at once, in all and of one project.
    * `rate`: how many may begin per minute.
    * `max_freeze`: how long commands of an instance may wait, in seconds; past it, it is undone.
    * `soak`: seconds between an adoption and its commit, in which going back costs nothing.
    * `max_failures`: failures after which the migration pauses itself; 0: the first one does.
    * `order`: `risk` (small volumes first), `project` or `id`.
    """

    canary: Annotated[int, Meta(ge=0, le=1000)] = 1
    hold: bool = False
    batch: Count = 20
    concurrency: Count = 4
    per_project: Count = 2
    rate: Count = 60
    max_freeze: Annotated[int, Meta(ge=10, le=3600)] = 120
    soak: Annotated[int, Meta(ge=0, le=7 * 86400)] = 60
    max_failures: Annotated[int, Meta(ge=0, le=10_000)] = 0
    order: Annotated[str, Meta(pattern="^(risk|project|id)$")] = "risk"


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """One migration of a fleet.

    `fingerprint` is the plan's; `batch` the one that is under way (0 is the canary); `judged`: the
    canary was, or there is none. `reason` says why it is held, paused or ended, for people. `begun`
    are the times at which instances began in the last minute, for the rate.
    """

    id: str
    direction: Direction
    status: Status
    settings: Settings
    fingerprint: str
    cloud: str
    region: str
    created: Micros
    changed: Micros
    batch: int = 0
    judged: bool = False
    reason: str = ""
    begun: tuple[Micros, ...] = ()
    version: int = 0


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One instance of a migration.

    `batch` and `place` are its turn; no two items of a migration have the same place. `operation`
    is the id of the command that moves it now, or moved it last, `attempt` how often one was sent.
    `since` is when the stage began, `freeze` how long its other commands had to wait, in
    microseconds (0: not known yet). `reason` is a Reason code, `message` the text with it.
    """

    migration: str
    subject: str
    project: str
    place: int
    batch: int
    stage: Stage = Stage.PLANNED
    operation: str = ""
    attempt: int = 0
    since: Micros = 0
    freeze: Micros = 0
    reason: str = ""
    message: str = ""
