"""Starts the migration that a plan describes, once, and only if the fleet is still as planned."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from consumer.fleet.draft import news_of
from consumer.fleet.pages import every
from consumer.fleet.plan import Entry, Plan, fingerprint
from consumer.fleet.planner import records_of
from consumer.fleet.turns import with_turns
from consumer.ledger.base import Ledger
from consumer.ledger.fleet import Item, Migration, Settings, Stage, Status
from handlers.events import MigrationKind
from handlers.operation import Micros

#: Instances that a refusal names.
_NAMED = 10


class Refused(ValueError):
    """Why a plan cannot be started, and what to do."""


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """The migration, and whether it was there before."""

    migration: Migration
    items: int
    anew: bool


def start(
    plan: Plan, ledger: Ledger, project: str, now: Micros, *, name: str, settings: Settings
) -> Started:
    """Write the migration of the plan into the ledger; any worker carries it out from then on.

    `project` is the one of the credentials, `name` the migration's id, `settings` may differ from
    the plan's: then turns are given anew. The same plan started again is the same migration.
    Raises Refused.
    """
    before = _earlier(plan, ledger, name)
    if before is not None:
        count = sum(ledger.stages(before.id).values())
        return Started(migration=before, items=count, anew=False)
    _refuse_unready(plan, project)
    _refuse_claimed(plan, ledger)
    _refuse_changed(plan, ledger)
    migration = Migration(
        id=name,
        direction=plan.direction,
        status=Status.RUNNING,
        settings=settings,
        fingerprint=plan.fingerprint,
        cloud=plan.cloud,
        region=plan.region,
        created=now,
        changed=now,
    )
    turns = plan.eligible if settings == plan.settings else with_turns(plan.eligible, settings)
    items = [_item(name, each, now) for each in turns]
    stages = Counter(item.stage for item in items)
    event = news_of(migration, stages, MigrationKind.STARTED, migration.version)
    if not ledger.start_migration(migration, items, [event]):
        return start(plan, ledger, project, now, name=name, settings=settings)
    return Started(migration=migration, items=len(items), anew=True)


def _item(migration: str, entry: Entry, now: Micros) -> Item:
    return Item(
        migration=migration,
        subject=entry.instance,
        project=entry.project,
        place=entry.place,
        batch=entry.batch,
        stage=Stage.PLANNED,
        since=now,
    )


def _earlier(plan: Plan, ledger: Ledger, name: str) -> Migration | None:
    """The migration that was made of this plan, under whatever name."""
    known = ledger.migration(name)
    if known is not None and known.fingerprint != plan.fingerprint:
        raise Refused(f"migration {name} was made of another plan: give another --id")
    made = (each for each in ledger.migrations() if each.fingerprint == plan.fingerprint)
    return known or next(made, None)


def _refuse_unready(plan: Plan, project: str) -> None:
    if plan.lacks:
        text = "; ".join(str(each) for each in plan.lacks)
        raise Refused(f"the cloud lacks something: {text}; then plan again")
    if not plan.eligible:
        raise Refused("nothing in it can be moved: it says why for each instance")
    if project != plan.project:
        raise Refused(
            f"it was made for another cloud: its resources are in project {plan.project}, "
            f"these credentials make theirs in {project}"
        )


def _refuse_claimed(plan: Plan, ledger: Ledger) -> None:
    planned = {each.instance for each in plan.eligible}
    for migration in ledger.migrations(active_only=True):
        claimed = [
            item.subject
            for item in every(ledger, migration.id)
            if not item.stage.is_final and item.subject in planned
        ]
        if claimed:
            raise Refused(
                f"migration {migration.id} is active and has {_named(claimed)}: end that one first"
            )


def _refuse_changed(plan: Plan, ledger: Ledger) -> None:
    """What was planned must be what is recorded now."""
    planned = {each.instance: each.fingerprint for each in plan.eligible}
    found = {each.id: fingerprint(each) for each in records_of(ledger) if each.id in planned}
    unknown = sorted(planned.keys() - found.keys())
    if unknown:
        raise Refused(
            f"this ledger has no record of {_named(unknown)}: was it made with another one?"
        )
    changed = sorted(each for each in found if found[each] != planned[each])
    if changed:
        raise Refused(
            f"the records of {_named(changed)} changed since: plan again, or give --replan"
        )


def _named(subjects: Iterable[str]) -> str:
    whole = list(subjects)
    more = f" and {len(whole) - _NAMED} more" if len(whole) > _NAMED else ""
    return f"{', '.join(whole[:_NAMED])}{more}"
