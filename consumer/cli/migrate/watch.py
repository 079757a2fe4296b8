"""`migrate watch`: a migration as it goes, until it ends."""

import argparse
import time
from collections.abc import Callable
from typing import Protocol, TextIO

from consumer.cli.base import Command
from consumer.cli.migrate.view import Board, Glance, Lines
from consumer.cli.migrate.which import find, one
from consumer.cli.render import now
from consumer.fleet.progress import progress
from consumer.ledger.base import Ledger
from consumer.ledger.fleet import MOVING, Migration, Stage, Status

#: Rows that a look reads of what is under way, and of what failed.
_SHOWN = 12


class View(Protocol):
    """Shows one look after the other."""

    def show(self, glance: Glance) -> None: ...
    def stop(self) -> None: ...


class Watch(Command):
    """Watch a migration until it ends. Exit code 0 when it ended well, 1 when instances failed."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = one(super().get_parser(prog_name))
        parser.add_argument(
            "--interval",
            type=float,
            default=1.0,
            metavar="SECONDS",
            help="between two looks (default: %(default)s)",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        ledger = self.tools.ledger()
        name = find(ledger, parsed_args.migration).id
        pause = max(0.1, parsed_args.interval)
        view = view_for(self.app.stdout)
        try:
            last = watched(ledger, name, view, lambda: time.sleep(pause))
        finally:
            view.stop()
        return 0 if went_well(last) else 1


def view_for(out: TextIO) -> View:
    """A live view on a terminal, plain lines elsewhere."""
    return Board(out) if out.isatty() else Lines(out)


def watched(ledger: Ledger, name: str, view: View, wait: Callable[[], None]) -> Glance:
    """Show it until it ends; returns the last look."""
    while True:
        found = find(ledger, name)
        glance = look(ledger, found)
        view.show(glance)
        if found.status.is_final:
            return glance
        wait()


def look(ledger: Ledger, migration: Migration) -> Glance:
    """One look; cheap however large the fleet is."""
    stages = ledger.stages(migration.id)
    at = now()
    return Glance(
        migration=migration,
        stages=stages,
        progress=progress(migration, stages, at),
        moving=ledger.items(migration.id, MOVING, _SHOWN),
        failures=ledger.failures(migration.id),
        failed=ledger.items(migration.id, {Stage.FAILED, Stage.ROLLED_BACK}, 1000)[-_SHOWN:],
        at=at,
    )


def went_well(last: Glance) -> bool:
    """Whether all instances are where the migration was to bring them, or back where they were."""
    if last.migration.status is Status.ABORTED or last.stages.get(Stage.FAILED):
        return False
    given_back = last.stages.get(Stage.ROLLED_BACK, 0)
    return last.migration.status is Status.ROLLED_BACK or not given_back
