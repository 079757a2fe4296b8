"""A ledger as a conductor sees it that dies, loses answers, or reads what is old."""

from collections.abc import Callable, Collection, Sequence
from random import Random
from typing import Any

from consumer.ledger.base import Ledger, Offer, Unavailable, Verdict
from consumer.ledger.fleet import Item, Migration, Stage
from handlers.events import MigrationEvent
from handlers.instance import Instance
from handlers.operation import Operation


class Killed(BaseException):
    """The process ends here."""


class Mortal:
    """Passes calls on; the conductor dies before or after the n-th of its writes.

    Boundaries are counted from 0, two for each write. `error` is what is raised: Killed, or
    Unavailable for an answer that was lost.
    """

    def __init__(
        self, ledger: Ledger, fatal: int, error: Callable[[], BaseException] = Killed
    ) -> None:
        self._ledger = ledger
        self._fatal = fatal
        self._error = error
        self.boundaries = 0

    def _passed(self) -> None:
        number, self.boundaries = self.boundaries, self.boundaries + 1
        if number == self._fatal:
            raise self._error()

    def _written(self, write: Callable[[], Any]) -> Any:
        self._passed()
        answer = write()
        self._passed()
        return answer

    def save_migration(
        self, migration: Migration, items: Sequence[Item], events: Sequence[MigrationEvent]
    ) -> Any:
        return self._written(lambda: self._ledger.save_migration(migration, items, events))

    def accept(self, offers: Sequence[Offer], worker: str) -> Any:
        return self._written(lambda: self._ledger.accept(offers, worker))

    def cancel(self, operation: str, by: str) -> Any:
        return self._written(lambda: self._ledger.cancel(operation, by))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)


class Forgetful:
    """Reads may answer with what they answered some time ago; accepts may come late.

    As for a process that was stopped between any two of its calls: what it reads later is never
    older than what it read before.
    """

    def __init__(self, ledger: Ledger, random: Random) -> None:
        self._ledger = ledger
        self._random = random
        self._answers: dict[str, Any] = {}
        self._operations: dict[str, Operation] = {}
        self._late: list[tuple[Sequence[Offer], str]] = []

    def _maybe_old(self, name: str, fresh: Any) -> Any:
        if name in self._answers and self._random.random() < 0.4:
            return self._answers[name]
        self._answers[name] = fresh
        return fresh

    def migrations(self, *, active_only: bool = False, limit: int = 100) -> Any:
        before = self._answers.get("migrations")
        found = self._ledger.migrations(active_only=active_only, limit=limit)
        found = self._maybe_old("migrations", found)
        if found is not before:
            self._answers = {"migrations": found}
        return found

    def items(
        self, migration: str, stages: Collection[Stage] = (), limit: int = 1000, after: int = -1
    ) -> Any:
        found = self._ledger.items(migration, stages, limit, after)
        return self._maybe_old(f"items {sorted(stages)} {after}", found)

    def stages(self, migration: str) -> Any:
        return self._maybe_old("stages", self._ledger.stages(migration))

    def operations_of(self, ids: Collection[str]) -> dict[str, Operation]:
        found = self._ledger.operations_of(ids)
        if self._random.random() < 0.4:
            return {name: op for name, op in self._operations.items() if name in ids}
        self._operations |= found
        return found

    def instance(self, subject: str) -> Instance | None:
        return self._ledger.instance(subject)

    def save_migration(
        self, migration: Migration, items: Sequence[Item], events: Sequence[MigrationEvent]
    ) -> Migration:
        return self._ledger.save_migration(migration, items, events)

    def accept(self, offers: Sequence[Offer], worker: str) -> tuple[Verdict, ...]:
        if self._random.random() < 0.3:
            self._late.append((offers, worker))
            raise Unavailable("it took too long")
        return self._ledger.accept(offers, worker)

    def cancel(self, operation: str, by: str) -> None:
        self._ledger.cancel(operation, by)

    def wake_up(self) -> None:
        """What was late arrives now, whether anybody still wants it or not."""
        for offers, worker in self._late:
            self._ledger.accept(offers, worker)
        self._late.clear()
