"""The events: what is told when an operation starts and when it ends, and how a migration goes.

Every command has three events, `<command type>.start`, `.end` and `.error`. An event's id is made
from the command id and the kind, so every copy that the relay sends carries the same id. The news
of a fleet migration are events of their own, `trove.resources.migration.<kind>`.
"""

from enum import StrEnum
from uuid import UUID, uuid5

import msgspec

from handlers.errors import REMEDY, Reason
from handlers.instance import Instance, Ref
from handlers.operation import Failure, Micros, Operation

#: Name space of event ids: uuid5(NAMESPACE, "<command id>/<kind>"), and for the news of a migration
#: "<migration id>/<kind>/<number>".
NAMESPACE = UUID("0c6e2b5e-5e0b-5d0c-9f0e-7d1f0f4b3a10")


class EventKind(StrEnum):
    """What an event tells. END and ERROR are terminal: one of the two, exactly once per command."""

    START = "start"
    END = "end"
    ERROR = "error"


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why a command failed and what to do. `message` is the cloud's own text where it has one."""

    reason: Reason
    message: str
    remedy: str
    retryable: bool
    service: str | None = None
    request_id: str | None = None


class EventData(msgspec.Struct, frozen=True, kw_only=True):
    """What every event tells. `duration` is in seconds from acceptance; 0 in a start event.

    `manager` is the one that carries the command out: natives or orchestrator. `resources` and
    `left_behind` name cloud resources by role: `server`, `volume/data`, `port/user-0`,
    `security-group`, and with orchestrator `stack` (`group-stack` for a security group of its own).
    """

    operation: str
    subject: str
    project: str
    cloud: str
    region: str
    manager: str
    resources: dict[str, Ref] = {}
    flavor: str = ""
    volume_size: int = 0
    addresses: tuple[str, ...] = ()
    duration: float = 0.0
    error: Trouble | None = None
    left_behind: tuple[Ref, ...] = ()


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A CloudEvents 1.0 event; it travels as the payload of an oslo.messaging notification."""

    id: str
    type: str
    source: str
    subject: str
    time: Micros
    data: EventData
    trace: str | None = None

    @property
    def priority(self) -> str:
        """The notification's priority: `error` for failures, `info` for all else."""
        return "error" if self.data.error else "info"


def event_id(command_id: str, kind: EventKind) -> str:
    """The same id for every copy of the same news."""
    return str(uuid5(NAMESPACE, f"{command_id}/{kind}"))


def _trouble(failure: Failure) -> Trouble:
    return Trouble(
        reason=failure.reason,
        message=failure.message,
        remedy=REMEDY[failure.reason],
        retryable=failure.worth_a_retry,
        service=failure.service,
        request_id=failure.request_id,
    )


def event_of(op: Operation, kind: EventKind, at: Micros, record: Instance | None) -> Event:
    """The event that tells of `op`; `record` is the subject's record after it.

    Nothing is told of a record that belongs to another project.
    """
    if record is not None and record.scope.project != op.scope.project:
        record = None
    addresses = [
        address for _, facts in sorted(op.learned.items()) for address in facts.get("addresses", ())
    ]
    return Event(
        id=event_id(op.id, kind),
        type=f"{op.command.type}.{kind}",
        source=f"trove-resources/{op.manager or 'intake'}",
        subject=op.subject,
        time=at,
        trace=op.command.trace,
        data=EventData(
            operation=op.id,
            subject=op.subject,
            project=op.scope.project,
            cloud=op.scope.cloud,
            region=op.scope.region,
            manager=op.manager,
            resources=record.resources if record else {},
            flavor=record.flavor if record else "",
            volume_size=record.volume_size if record else 0,
            addresses=tuple(addresses),
            duration=0.0 if kind is EventKind.START else (at - op.accepted) / 1e6,
            error=_trouble(op.failure) if op.failure and kind is EventKind.ERROR else None,
            left_behind=op.left,
        ),
    )


class MigrationKind(StrEnum):
    """What is told of a fleet migration.

    STARTED, PAUSED, RESUMED, TUNED, ABORTED and ROLLBACK_START tell what somebody asked for, or
    what the migration did to itself; HELD waits for an approval; DONE is the last one, whether all
    instances were moved, moved back or left.
    """

    STARTED = "started"
    BATCH_START = "batch.start"
    BATCH_END = "batch.end"
    CANARY_PASSED = "canary.passed"
    CANARY_FAILED = "canary.failed"
    HELD = "held"
    PAUSED = "paused"
    RESUMED = "resumed"
    TUNED = "tuned"
    ABORTED = "aborted"
    INSTANCE_FAILED = "instance.failed"
    INSTANCE_ROLLED_BACK = "instance.rolled_back"
    ROLLBACK_START = "rollback.start"
    DONE = "done"


#: The type of a migration's event is this, a dot and its kind.
MIGRATION_TYPE = "trove.resources.migration"

MIGRATION_SOURCE = "trove-resources/migration"

#: The news that go out with the priority `error`.
ALARMING = frozenset({MigrationKind.CANARY_FAILED, MigrationKind.INSTANCE_FAILED})


class MigrationData(msgspec.Struct, frozen=True, kw_only=True):
    """What every event of a migration tells; the names are those of `migrate status`.

    `direction` is adopt or release; `batch` the one under way, 0 the canary; `settings` those that
    hold now; `stages` how many instances stand at which stage, none left out but those with 0.
    `instance` is the one that the event is about, where it is about one: `reason` is then a Reason
    code. `message` says why, for people.
    """

    migration: str
    direction: str
    status: str
    batch: int
    settings: dict[str, str | int | bool] = {}
    stages: dict[str, int] = {}
    reason: str = ""
    message: str = ""
    instance: str = ""


class MigrationEvent(msgspec.Struct, frozen=True, kw_only=True):
    """News of a fleet migration; `subject` is its id. It travels as an Event does."""

    id: str
    type: str
    source: str
    subject: str
    time: Micros
    data: MigrationData

    @property
    def kind(self) -> MigrationKind:
        """What it tells."""
        return MigrationKind(self.type.removeprefix(f"{MIGRATION_TYPE}."))

    @property
    def priority(self) -> str:
        """The notification's priority: `error` when the canary or an instance failed."""
        return "error" if self.kind in ALARMING else "info"


#: What the outbox holds and the relay publishes.
News = Event | MigrationEvent


def migration_event(
    kind: MigrationKind, number: int, at: Micros, data: MigrationData
) -> MigrationEvent:
    """News of a migration. `number` tells it from others of its kind, and MUST be the same when it
    is made again: the batch, the place of the instance, or the migration's version."""
    name = data.migration
    return MigrationEvent(
        id=str(uuid5(NAMESPACE, f"{name}/{kind}/{number}")),
        type=f"{MIGRATION_TYPE}.{kind}",
        source=MIGRATION_SOURCE,
        subject=name,
        time=at,
        data=data,
    )
