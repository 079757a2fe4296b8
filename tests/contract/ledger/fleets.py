"""Migrations, items and their events, as short as the tests want them."""

from collections.abc import Sequence

from consumer.ledger.base import Ledger
from consumer.ledger.fleet import Direction, Item, Migration, Settings, Stage, Status
from handlers.events import MigrationData, MigrationEvent, MigrationKind, migration_event
from handlers.operation import Micros
from tests.contract.ledger.builders import EPOCH


def migration(
    name: str = "m1", status: Status = Status.RUNNING, created: Micros = EPOCH
) -> Migration:
    return Migration(
        id=name,
        direction=Direction.ADOPT,
        status=status,
        settings=Settings(),
        fingerprint="f" * 64,
        cloud="trove",
        region="RegionOne",
        created=created,
        changed=created,
        begun=(created, created + 1),
    )


def item(place: int, stage: Stage = Stage.PLANNED, reason: str = "", name: str = "m1") -> Item:
    return Item(
        migration=name,
        subject=f"s{place}",
        project="p1",
        place=place,
        batch=place // 10,
        stage=stage,
        reason=reason,
        message=f"why: {reason} ✓" if reason else "",
    )


def news(
    kind: MigrationKind = MigrationKind.STARTED, number: int = 0, name: str = "m1"
) -> MigrationEvent:
    data = MigrationData(
        migration=name,
        direction="adopt",
        status="running",
        batch=0,
        settings={"canary": 1, "hold": False, "order": "risk"},
        stages={"planned": 3},
    )
    return migration_event(kind, number, EPOCH, data)


def started(ledger: Ledger, items: Sequence[Item] = (), name: str = "m1") -> Migration:
    """A migration that is under way."""
    first = migration(name)
    assert ledger.start_migration(first, items, [news(name=name)])
    return first
