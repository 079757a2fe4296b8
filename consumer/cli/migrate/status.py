"""`migrate status`: how a migration stands, and what to do next."""

import argparse
from collections.abc import Mapping
from typing import Any

import msgspec

from consumer.cli.base import ShowOne
from consumer.cli.migrate.which import find, one
from consumer.cli.render import Many, Pairs, lasted, now, when
from consumer.fleet.progress import Progress, freezes, items_of, progress
from consumer.ledger.base import Ledger
from consumer.ledger.fleet import Migration, Stage, Status
from handlers.operation import SECOND

_NEXT = {
    Status.RUNNING: ("follow it: migrate watch {id}",),
    Status.HELD: (
        "look at the canary, then approve it: migrate resume {id}",
        "or move it back: migrate rollback {id} --yes",
    ),
    Status.PAUSED: (
        "remove what the reason names, then go on: migrate resume {id}",
        "or leave it at that: migrate abort {id}",
        "or move everything back: migrate rollback {id} --yes",
    ),
    Status.ABORTING: ("wait until nothing moves any more: migrate watch {id}",),
    Status.ROLLING_BACK: ("wait until everything is moved back: migrate watch {id}",),
    Status.DONE: ("keep its report: migrate report {id} --output DIR",),
    Status.ABORTED: (
        "keep its report: migrate report {id} --output DIR",
        "what soaks is adopted but not committed: send it instance.adopt with commit",
        "or move everything back: migrate rollback {id} --yes",
    ),
    Status.ROLLED_BACK: ("keep its report: migrate report {id} --output DIR",),
}


class Show(ShowOne):
    """Show how a migration stands: stages, rate, time left, failures, freezes, next steps."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        return one(super().get_parser(prog_name))

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        ledger = self.tools.ledger()
        fields = standing(ledger, find(ledger, parsed_args.migration))
        return tuple(fields), tuple(fields.values())


def standing(ledger: Ledger, migration: Migration) -> dict[str, Any]:
    """The fields of `migrate status`; times in seconds where they are numbers."""
    stages = ledger.stages(migration.id)
    found = progress(migration, stages, now())
    frozen = freezes(items_of(ledger, migration))
    return {
        "migration": migration.id,
        "direction": str(migration.direction),
        "status": str(migration.status),
        "reason": migration.reason,
        "cloud": migration.cloud,
        "region": migration.region,
        "plan": migration.fingerprint,
        "started": when(migration.created),
        "changed": when(migration.changed),
        "batch": migration.batch,
        "instances": found.total,
        "ended": f"{found.ended} ({found.share:.0%})",
        "stages": Pairs(counted(stages)),
        "rate_per_minute": found.rate,
        "time_left": time_left(found),
        "failures": Pairs({name: str(n) for name, n in ledger.failures(migration.id).items()}),
        "freeze": Pairs(
            {
                "median": f"{frozen.median:.1f} s",
                "95 %": f"{frozen.p95:.1f} s",
                "longest": f"{frozen.most:.1f} s",
            }
        ),
        "settings": Pairs(
            {name: str(value) for name, value in msgspec.structs.asdict(migration.settings).items()}
        ),
        "next": Many(next_steps(migration)),
    }


def counted(stages: Mapping[Stage, int]) -> dict[str, str]:
    """The stages that have any, in their order."""
    return {str(stage): str(stages[stage]) for stage in Stage if stages.get(stage)}


def time_left(found: Progress) -> str:
    """From the least to the most; empty while nobody can tell."""
    if found.eta is None:
        return ""
    low, high = (lasted(round(seconds) * SECOND) for seconds in found.eta)
    return low if low == high else f"{low} to {high}"


def next_steps(migration: Migration) -> list[str]:
    """What to do now, as command lines."""
    return [line.format(id=migration.id) for line in _NEXT[migration.status]]
