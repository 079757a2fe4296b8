"""The metrics of one worker, on a registry that is handed in; catalogue.py says what they mean."""

import platform
from functools import cache
from typing import NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

from consumer.codec.refusal import Refusal
from consumer.telemetry.catalogue import BY_NAME
from consumer.telemetry.catalogue import PREFIX as OURS
from handlers.base import Next
from handlers.commands import PREFIX, Command
from handlers.errors import Fault
from handlers.operation import SECOND, Operation, Phase
from handlers.resources import Kind, Service


def new_registry() -> CollectorRegistry:
    """A registry of its own, with what the Prometheus client knows of this process."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


class Sample(NamedTuple):
    """One sample of a metric; labels sorted by name."""

    name: str
    labels: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        inner = ",".join(f'{name}="{value}"' for name, value in self.labels)
        return f"{self.name}{{{inner}}}" if inner else self.name

    def without(self, *labels: str) -> "Sample":
        """The sample that this one counts towards when these labels are summed up."""
        return Sample(self.name, tuple(each for each in self.labels if each[0] not in labels))


def samples(registry: CollectorRegistry) -> dict[Sample, float]:
    """Every counter of ours, and the count of every histogram, as they stand."""
    return {
        Sample(sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name.startswith(OURS) and sample.name.endswith(("_total", "_count"))
    }


#: Stages at which an instance's commands run again after its move.
_THAWED = frozenset({"verified", "rolled_back", "failed"})


class Metrics:
    """Counts the moments; implements Telemetry. Each labelled child is looked up once only."""

    def __init__(self, registry: CollectorRegistry, version: str) -> None:
        make = _Maker(registry)
        self._received = cache(make.counter("commands_received_total").labels)
        self._dead_letters = cache(make.counter("dead_letters_total").labels)
        self._finished = cache(make.counter("commands_finished_total").labels)
        self._duration = cache(make.histogram("command_duration_seconds").labels)
        self._queued = cache(make.histogram("command_queue_seconds").labels)
        self._holding = make.gauge("operations_in_flight")
        self._step = cache(make.histogram("step_duration_seconds").labels)
        self._acted = cache(make.histogram("step_call_seconds").labels)
        self._faults = cache(make.counter("faults_total").labels)
        self._defects = cache(make.counter("defects_total").labels)
        self._stale = make.counter("stale_saves_total")
        self._duplicates = cache(make.counter("duplicates_removed_total").labels)
        self._taken_over = make.counter("operations_taken_over_total")
        self._requests = cache(make.counter("cloud_requests_total").labels)
        self._latency = cache(make.histogram("cloud_request_duration_seconds").labels)
        self._queries = cache(make.counter("lookup_queries_total").labels)
        self._looks = cache(make.histogram("lookup_duration_seconds").labels)
        self._look_failures = cache(make.counter("lookup_failures_total").labels)
        self._broker_connected = make.gauge("broker_connected")
        self._ledger_up = make.gauge("ledger_up")
        self._rows = make.counter("ledger_rows_total")
        self._commits = make.histogram("ledger_commit_seconds")
        self._published = cache(make.counter("events_published_total").labels)
        self._publish_failures = make.counter("publish_failures_total")
        self._moved = cache(make.counter("migration_instances_total").labels)
        self._freeze = cache(make.histogram("migration_freeze_seconds").labels)
        self._conductor_failures = make.counter("conductor_failures_total")
        # A counter that appears with its first event hides that event from rate().
        for reason in Refusal:
            self._dead_letters(reason.value)
        for kind in Kind:
            self._duplicates(kind.value)
        for service in Service:
            self._look_failures(service.value)
        make.gauge("build_info").labels(version, platform.python_version()).set(1)

    # -- intake ---------------------------------------------------------------------------------

    def received(self, command: Command, verdict: str) -> None:
        self._received(command.name, verdict).inc()

    def dead_lettered(self, reason: str, detail: str) -> None:
        self._dead_letters(reason).inc()

    def broker_connected(self, connected: bool, detail: str) -> None:
        self._broker_connected.set(connected)

    def broker_note(self, detail: str) -> None:
        pass

    # -- operations -----------------------------------------------------------------------------

    def opened(self, op: Operation) -> None:
        self._queued(op.command.name).observe(max(0, op.opened - op.accepted) / SECOND)

    def finished(self, op: Operation) -> None:
        name, manager = op.command.name, op.manager or "none"
        outcome = "success" if op.phase is Phase.SUCCEEDED else "failure"
        reason = op.failure.reason.value if op.failure else "none"
        self._finished(name, manager, outcome, reason).inc()
        self._duration(name, manager, outcome).observe((op.finished - op.accepted) / SECOND)

    def acted(self, op: Operation, step: str, seconds: float) -> None:
        self._acted(op.manager, _kind(step)).observe(seconds)

    def done(self, op: Operation, step: str, verdict: Next) -> None:
        begun = next((entry.at for entry in op.timeline if entry.step == step), None)
        if begun is not None:
            seconds = (op.timeline[-1].at - begun) / SECOND
            self._step(op.manager, _kind(step), op.phase.value).observe(seconds)

    def fault(self, op: Operation, step: str, fault: Fault) -> None:
        self._faults(_kind(step), type(fault).__name__.lower(), fault.reason.value).inc()

    def defect(self, op: Operation, step: str, error: Exception) -> None:
        self._defects(_kind(step)).inc()

    def stale(self, op: Operation) -> None:
        self._stale.inc()

    def duplicate_removed(self, kind: Kind) -> None:
        self._duplicates(kind.value).inc()

    def taken_over(self, operations: int) -> None:
        self._taken_over.inc(operations)

    def holding(self, operations: int) -> None:
        self._holding.set(operations)

    # -- cloud ----------------------------------------------------------------------------------

    def request(
        self, service: Service, method: str, route: str, status: str, seconds: float
    ) -> None:
        self._requests(service.value, route, method, status).inc()
        self._latency(service.value, route, method).observe(seconds)

    def looked(self, service: Service, queries: int, seconds: float) -> None:
        self._queries(service.value).inc(queries)
        self._looks(service.value).observe(seconds)

    def look_failed(self, service: Service, fault: Exception) -> None:
        self._look_failures(service.value).inc()

    # -- migrations -----------------------------------------------------------------------------

    def moved(self, direction: str, stage: str, reason: str, freeze: float) -> None:
        self._moved(direction, stage, reason or "none").inc()
        if freeze and stage in _THAWED:
            self._freeze(direction, stage).observe(freeze)

    def conductor_failed(self, error: Exception) -> None:
        self._conductor_failures.inc()

    # -- ledger and relay -----------------------------------------------------------------------

    def committed(self, rows: int, seconds: float) -> None:
        self._rows.inc(rows)
        self._commits.observe(seconds)

    def ledger_up(self, up: bool) -> None:
        self._ledger_up.set(up)

    def published(self, event_type: str) -> None:
        self._published(event_type.removeprefix(PREFIX)).inc()

    def publish_failed(self, error: Exception) -> None:
        self._publish_failures.inc()


class _Maker:
    """Makes the metrics of the catalogue on one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def counter(self, name: str) -> Counter:
        family = BY_NAME[name]
        return Counter(family.full_name, family.text, family.labels, registry=self._registry)

    def gauge(self, name: str) -> Gauge:
        family = BY_NAME[name]
        return Gauge(family.full_name, family.text, family.labels, registry=self._registry)

    def histogram(self, name: str) -> Histogram:
        family = BY_NAME[name]
        return Histogram(
            family.full_name,
            family.text,
            family.labels,
            registry=self._registry,
            buckets=family.bounds,
        )


def _kind(step: str) -> str:
    """`port/user-0` -> `port`: the label must not grow with the instance."""
    return step.partition("/")[0] or "none"
