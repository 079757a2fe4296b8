"""Gauges of the whole fleet, read from the ledger at a scrape; catalogue.py explains them."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from consumer.ledger.base import Backlog, Unavailable
from consumer.telemetry.base import Moving
from consumer.telemetry.catalogue import BY_NAME, FAMILIES
from handlers.errors import Reason

_MIGRATION = "fleet_migration"

#: A series that appears with its first failure hides that failure from an alert on growth.
_NO_FAILURES = {reason.value: 0 for reason in Reason}

T = TypeVar("T")


class _Lately(Generic[T]):
    """What was read at most `refresh` seconds ago; None while the ledger does not answer.

    One scrape at a time asks the ledger: another one gets what was read before.
    """

    def __init__(
        self, read: Callable[[], T], refresh: float, monotonic: Callable[[], float]
    ) -> None:
        self._read, self._refresh, self._monotonic = read, refresh, monotonic
        self._reading = threading.Lock()
        self._last: T | None = None
        self._next = float("-inf")

    def get(self) -> T | None:
        if self._monotonic() >= self._next and self._reading.acquire(blocking=False):
            try:
                self._last = self._read()
            except Unavailable:
                self._last = None
            finally:
                self._next = self._monotonic() + self._refresh
                self._reading.release()
        return self._last


class Fleet(Collector):
    """The figures of the whole fleet, read from the ledger when somebody scrapes.

    While the ledger does not answer there are no samples at all: an old figure would look like a
    true one.
    """

    def __init__(
        self,
        read: Callable[[], Backlog],
        refresh: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lately = _Lately(read, refresh, monotonic)

    def describe(self) -> list[Metric]:
        """Their names, so that registering does not ask the ledger."""
        return _empty_all(moving=False)

    def register(self, registry: CollectorRegistry) -> None:
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        backlog = self._lately.get()
        if backlog is None:
            return
        operations = _empty("fleet_operations")
        for (manager, command, phase), count in sorted(backlog.operations.items()):
            operations.add_metric([manager or "none", command, phase], count)
        yield operations
        instances = _empty("fleet_instances")
        for (manager, state), count in sorted(backlog.instances.items()):
            instances.add_metric([manager or "none", state], count)
        yield instances
        for name, value in (
            ("fleet_oldest_operation_seconds", backlog.oldest_operation),
            ("fleet_outbox_events", backlog.outbox),
            ("fleet_outbox_oldest_seconds", backlog.oldest_event),
            ("fleet_workers", backlog.workers),
        ):
            gauge = _empty(name)
            gauge.add_metric([], value)
            yield gauge


class Moves(Collector):
    """How the migrations of the fleet go; otherwise as Fleet."""

    def __init__(
        self,
        read: Callable[[], Iterable[Moving]],
        refresh: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lately = _Lately(lambda: tuple(read()), refresh, monotonic)

    def describe(self) -> list[Metric]:
        """As in Fleet."""
        return _empty_all(moving=True)

    def register(self, registry: CollectorRegistry) -> None:
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        found = self._lately.get()
        if found is None:
            return
        yield _counted("fleet_migrations", ((each.direction, each.status, 1) for each in found))
        yield _counted(
            "fleet_migration_instances",
            ((each.direction, *pair) for each in found for pair in each.stages.items()),
        )
        yield _counted(
            "fleet_migration_failures",
            (
                (each.direction, *pair)
                for each in found
                for pair in (_NO_FAILURES | each.failures).items()
            ),
        )
        rates, etas = _empty("fleet_migration_rate"), _empty("fleet_migration_eta_seconds")
        for direction in sorted({each.direction for each in found}):
            same = [each for each in found if each.direction == direction]
            rates.add_metric([direction], sum(each.rate for each in same))
            known = [each.eta for each in same if each.eta is not None]
            for place, bound in enumerate(("low", "high") if known else ()):
                etas.add_metric([direction, bound], max(eta[place] for eta in known))
        yield rates
        yield etas


def _counted(name: str, rows: Iterable[tuple[str, str, int]]) -> GaugeMetricFamily:
    """A gauge with two labels; rows with the same ones are added up."""
    counts: Counter[tuple[str, str]] = Counter()
    for one, other, count in rows:
        counts[one, other] += count
    gauge = _empty(name)
    for labels, count in sorted(counts.items()):
        gauge.add_metric(list(labels), count)
    return gauge


def _empty_all(*, moving: bool) -> list[Metric]:
    """Their names, so that registering does not ask the ledger."""
    families = (family for family in FAMILIES if family.fleet)
    return [
        _empty(family.name) for family in families if family.name.startswith(_MIGRATION) is moving
    ]


def _empty(name: str) -> GaugeMetricFamily:
    family = BY_NAME[name]
    return GaugeMetricFamily(family.full_name, family.text, labels=family.labels)
