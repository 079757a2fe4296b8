"""What a migration asks of one instance: the commands, with ids that every worker makes alike."""

from enum import StrEnum

from consumer.ledger.base import Offer
from consumer.ledger.fleet import MOVING, Direction, Item, Migration, Stage
from handlers.commands import AdoptInstance, Body, Command, ReleaseInstance
from handlers.events import MIGRATION_SOURCE
from handlers.instance import Instance, Scope, State
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR


class Verb(StrEnum):
    """What a command of a migration does; COMMIT makes an adoption final."""

    ADOPT = "adopt"
    COMMIT = "commit"
    RELEASE = "release"


def forward(direction: Direction) -> Verb:
    """The verb that moves an instance."""
    return Verb.ADOPT if direction is Direction.ADOPT else Verb.RELEASE


def back(direction: Direction) -> Verb:
    """The verb that moves it back."""
    return Verb.RELEASE if direction is Direction.ADOPT else Verb.ADOPT


def command_id(migration: str, place: int, verb: Verb, attempt: int) -> str:
    """The same for every worker: accepting it twice is accepting it once."""
    return f"{migration}.{place}.{verb}.{attempt}"


def verb_of(item: Item) -> Verb | None:
    """What the item's last command does; None where there was none."""
    return Verb(item.operation.rsplit(".", 2)[1]) if item.operation else None


def in_flight(item: Item) -> bool:
    """Whether a command of the migration was promised for it, and its end was not seen yet."""
    return item.stage in MOVING or (item.stage is Stage.SOAKING and verb_of(item) is Verb.COMMIT)


def offer_of(migration: Migration, item: Item) -> Offer:
    """The command that the item names, to be accepted: now, or again."""
    scope = Scope(cloud=migration.cloud, region=migration.region, project=item.project)
    command = Command(
        id=item.operation,
        subject=item.subject,
        source=MIGRATION_SOURCE,
        body=_body(migration, item),
    )
    return Offer(command, scope)


def _body(migration: Migration, item: Item) -> Body:
    freeze = migration.settings.max_freeze
    verb = verb_of(item)
    if verb is Verb.RELEASE:
        return ReleaseInstance(project=item.project, max_freeze=freeze)
    commit = verb is Verb.COMMIT or migration.direction is Direction.RELEASE
    return AdoptInstance(project=item.project, commit=commit, max_freeze=freeze)


def is_gone(record: Instance | None) -> bool:
    """Whether the instance was deleted since the plan: then there is nothing to move."""
    return record is None or record.state is State.DELETED


def changed_since(direction: Direction, record: Instance) -> str:
    """Why an instance that was eligible is not any more; empty when it still is."""
    source = NATIVES if direction is Direction.ADOPT else ORCHESTRATOR
    if record.pinned:
        return "it was pinned to its manager since the plan"
    if record.manager != source:
        return f"{record.manager} manages it since the plan"
    if record.state is not State.ACTIVE:
        return f"its state is {record.state} since the plan"
    return ""
