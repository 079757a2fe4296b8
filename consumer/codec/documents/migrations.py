"""The events of fleet migrations: a sample of each, and their part of the page of messages."""

from collections.abc import Iterator

from consumer.codec.documents.markdown import fields, table
from consumer.codec.documents.schemas import MIGRATION_TELLS, migration_event_schema
from handlers.errors import Reason
from handlers.events import (
    MIGRATION_TYPE,
    MigrationData,
    MigrationEvent,
    MigrationKind,
    migration_event,
)
from handlers.operation import SECOND

_MIGRATION = "8a2d7e1c-4f60-4b93-9c55-7d1e3f5a9b02"
_INSTANCE = "7f1c6d0e-3b0f-4a53-9a59-6f0f4f6f2d11"
_AT = 1_767_323_045_000_006

_SECTION = """\
## Events of migrations

A fleet migration (`trove-resources migrate`) tells how it goes, apart from the events of the
`instance.adopt` and `instance.release` commands that it sends. Its `subject` is the migration's id,
its `source` `trove-resources/migration`; priority is `error` for `canary.failed` and
`instance.failed`, else `info`. Everything else is as with other events.
"""

#: What is told by kind, where it is not the story of a migration that runs.
_STATUS = {
    MigrationKind.HELD: "held",
    MigrationKind.CANARY_FAILED: "paused",
    MigrationKind.PAUSED: "paused",
    MigrationKind.ABORTED: "aborting",
    MigrationKind.ROLLBACK_START: "rolling_back",
    MigrationKind.INSTANCE_ROLLED_BACK: "rolling_back",
    MigrationKind.DONE: "done",
}
_SETTINGS: dict[str, str | int | bool] = {
    "canary": 1,
    "hold": False,
    "batch": 20,
    "concurrency": 4,
    "per_project": 2,
    "rate": 60,
    "max_freeze": 120,
    "soak": 60,
    "max_failures": 0,
    "order": "risk",
}
_MESSAGES = {
    MigrationKind.CANARY_FAILED: "1 of 1 instances of the canary failed",
    MigrationKind.HELD: "the canary has passed: waiting for an approval",
    MigrationKind.PAUSED: "asked for by root@controller-1",
    MigrationKind.INSTANCE_FAILED: "the volume is recorded with 20 GiB and has 40 GiB",
}


def migration_events() -> Iterator[MigrationEvent]:
    """Every event of a migration."""
    for place, kind in enumerate(MigrationKind):
        about = kind in (MigrationKind.INSTANCE_FAILED, MigrationKind.INSTANCE_ROLLED_BACK)
        done = kind is MigrationKind.DONE
        data = MigrationData(
            migration=_MIGRATION,
            direction="adopt",
            status=_STATUS.get(kind, "running"),
            batch=3 if done else 0,
            settings=_SETTINGS,
            stages={"committed": 50} if done else {"planned": 46, "soaking": 4},
            reason=Reason.DRIFT.value if kind is MigrationKind.INSTANCE_FAILED else "",
            message=_MESSAGES.get(kind, ""),
            instance=_INSTANCE if about else "",
        )
        yield migration_event(kind, data.batch, _AT + place * 60 * SECOND, data)


def told_of_migrations() -> Iterator[str]:
    """The section of the page, as Markdown."""
    yield _SECTION
    rows = ((f"`{MIGRATION_TYPE}.{kind}`", MIGRATION_TELLS[kind]) for kind in MigrationKind)
    yield from table(("type", "what it tells"), rows)
    part = migration_event_schema(MigrationKind.DONE)["$defs"]["MigrationData"]
    yield part["description"] + "\n"
    yield from fields(part, "field of `data`")
