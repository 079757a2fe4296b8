"""A ledger whose conductor's writes can be died at."""

from collections.abc import Iterable, Sequence
from typing import Any

from consumer.ledger.base import Ledger, Offer, Verdict
from consumer.ledger.fleet import Item, Migration
from handlers.events import MIGRATION_SOURCE, MigrationEvent
from tests.real.targets import Crossing, Minefield

#: Stands for a manager in the crossings of the conductor.
CONDUCTOR = "conductor"

BEFORE_SAVE, AFTER_SAVE = "before-save", "after-save"
BEFORE_ASK, AFTER_ASK = "before-ask", "after-ask"


class MinedLedger:
    """A ledger with crossings around what a conductor writes: the next value of a migration (by
    direction and the stages of its items), and the commands that it asks for (by type)."""

    def __init__(self, ledger: Ledger, minefield: Minefield) -> None:
        self._ledger = ledger
        self._minefield = minefield

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def save_migration(
        self, migration: Migration, items: Sequence[Item], events: Sequence[MigrationEvent]
    ) -> Migration:
        stages = dict.fromkeys(str(each.stage) for each in items)
        self._cross(str(migration.direction), stages, BEFORE_SAVE)
        saved = self._ledger.save_migration(migration, items, events)
        self._cross(str(migration.direction), stages, AFTER_SAVE)
        return saved

    def accept(self, offers: Sequence[Offer], worker: str) -> tuple[Verdict, ...]:
        asked = [each.command for each in offers if each.command.source == MIGRATION_SOURCE]
        steps = dict.fromkeys(each.id.rsplit(".", 2)[1] for each in asked)
        self._cross("ask", steps, BEFORE_ASK)
        verdicts = self._ledger.accept(offers, worker)
        self._cross("ask", steps, AFTER_ASK)
        return verdicts

    def _cross(self, command: str, steps: Iterable[str], boundary: str) -> None:
        for step in steps:
            self._minefield.cross(Crossing(CONDUCTOR, command, step, boundary))
