"""What is counted, under which labels, and what the documentation says of it."""

import re
import threading
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry, generate_latest

from consumer.ledger.base import Backlog, Unavailable
from consumer.telemetry.base import Moving
from consumer.telemetry.catalogue import FAMILIES, document
from consumer.telemetry.gauges import Fleet, Moves
from consumer.telemetry.metrics import Metrics
from handlers.base import Next
from handlers.errors import Reason
from handlers.operation import SECOND
from tests.unit.telemetry.examples import (
    COMMAND,
    FAILED,
    MOMENTS,
    OPEN,
    SUCCEEDED,
    tell_everything,
)

ROOT = Path(__file__).parents[3]
BACKLOG = Backlog(
    operations={("NATIVES", "instance.create", "forward"): 3, ("", "instance.delete", "queued"): 1},
    instances={("NATIVES", "active"): 7},
    oldest_operation=12.5,
    outbox=2,
    oldest_event=0.5,
    workers=2,
)

MOVING = Moving(
    direction="adopt",
    status="running",
    stages={"planned": 3, "soaking": 2},
    failures={"deadline": 1},
    rate=4.0,
    eta=(60.0, 90.0),
)


def told() -> tuple[CollectorRegistry, Metrics]:
    registry = CollectorRegistry()
    return registry, Metrics(registry, "1.2.3")


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"trove_resources_{name}", labels)


def test_commands_are_counted_by_outcome_and_reason() -> None:
    registry, metrics = told()

    metrics.received(COMMAND, "new")
    metrics.finished(SUCCEEDED)
    metrics.finished(FAILED)
    metrics.finished(FAILED)

    name = {"command": "instance.delete"}
    assert value(registry, "commands_received_total", **name, verdict="new") == 1
    ended = {**name, "manager": "NATIVES"}
    good, bad = {"outcome": "success", "reason": "none"}, {"outcome": "failure", "reason": "quota"}
    assert value(registry, "commands_finished_total", **ended, **good) == 1
    assert value(registry, "commands_finished_total", **ended, **bad) == 2
    seconds = value(registry, "command_duration_seconds_sum", **ended, outcome="success")
    assert seconds == 20


def test_the_wait_in_the_queue_is_measured_apart() -> None:
    registry, metrics = told()

    metrics.opened(OPEN)

    assert value(registry, "command_queue_seconds_sum", command="instance.delete") == 3


def test_a_step_lasts_from_its_first_line_in_the_timeline() -> None:
    registry, metrics = told()
    op = OPEN.note(104 * SECOND, "called", "port/user-0").note(110 * SECOND, "done", "port/user-0")

    metrics.done(op, "port/user-0", Next.DONE)

    labels = {"manager": "NATIVES", "step": "port", "phase": "forward"}
    assert value(registry, "step_duration_seconds_sum", **labels) == 6


def test_labels_never_hold_an_id() -> None:
    registry, metrics = told()

    tell_everything(metrics)

    text = generate_latest(registry).decode()
    for forbidden in ("command-1", "instance-1", "project-1", "user-0", "Quota exceeded", "r-1"):
        assert forbidden not in text


def test_every_moment_leaves_a_trace_in_some_metric() -> None:
    without = {"broker_note"}  # told in the log only
    for name, moment in MOMENTS.items():
        registry, metrics = told()
        before = generate_latest(registry)

        moment(metrics)

        assert (generate_latest(registry) != before) is (name not in without), name


def test_fleet_figures_come_from_the_ledger() -> None:
    registry = CollectorRegistry()
    registry.register(Fleet(lambda: BACKLOG, refresh=15))

    own = {"manager": "NATIVES", "command": "instance.create", "phase": "forward"}
    queued = {"manager": "none", "command": "instance.delete", "phase": "queued"}
    assert value(registry, "fleet_operations", **own) == 3
    assert value(registry, "fleet_operations", **queued) == 1
    assert value(registry, "fleet_instances", manager="NATIVES", state="active") == 7
    assert value(registry, "fleet_oldest_operation_seconds") == 12.5
    assert value(registry, "fleet_workers") == 2


def test_how_migrations_go_comes_from_the_ledger() -> None:
    registry = CollectorRegistry()
    again = msgspec.structs.replace(MOVING, status="paused", eta=None, rate=0.0)
    registry.register(Moves(lambda: [MOVING, again], refresh=15))

    adopt = {"direction": "adopt"}
    assert value(registry, "fleet_migrations", **adopt, status="paused") == 1
    assert value(registry, "fleet_migration_instances", **adopt, stage="soaking") == 4
    assert value(registry, "fleet_migration_failures", **adopt, reason="deadline") == 2
    assert value(registry, "fleet_migration_rate", **adopt) == 4
    assert value(registry, "fleet_migration_eta_seconds", **adopt, bound="high") == 90


def test_failures_of_every_reason_are_told_before_the_first() -> None:
    """A series that appears with its first failure hides that failure from an alert on growth."""
    registry = CollectorRegistry()
    registry.register(Moves(lambda: [MOVING], refresh=15))

    found = {
        reason: value(registry, "fleet_migration_failures", direction="adopt", reason=reason.value)
        for reason in Reason
    }
    assert found == {reason: float(reason is Reason.DEADLINE) for reason in Reason}


def test_nobody_tells_when_a_paused_migration_ends() -> None:
    registry = CollectorRegistry()
    paused = msgspec.structs.replace(MOVING, eta=None)
    registry.register(Moves(lambda: [paused], refresh=15))

    assert value(registry, "fleet_migration_eta_seconds", direction="adopt", bound="low") is None


def test_a_freeze_is_observed_when_the_instance_is_through_with_it() -> None:
    registry, metrics = told()

    metrics.moved("adopt", "verified", "", 12.5)
    metrics.moved("adopt", "soaking", "", 12.5)

    seconds = value(registry, "migration_freeze_seconds_sum", direction="adopt", outcome="verified")
    assert seconds == 12.5


def test_the_ledger_is_asked_once_in_the_refresh_time() -> None:
    asked: list[int] = []
    now = [0.0]
    registry = CollectorRegistry()

    def read() -> Backlog:
        asked.append(1)
        return BACKLOG

    registry.register(Fleet(read, refresh=15, monotonic=lambda: now[0]))
    assert asked == []

    generate_latest(registry)
    generate_latest(registry)
    assert len(asked) == 1
    now[0] = 16
    generate_latest(registry)
    assert len(asked) == 2


def test_fleet_figures_are_missing_while_the_ledger_does_not_answer() -> None:
    def down() -> Backlog:
        raise Unavailable("gone")

    registry = CollectorRegistry()
    registry.register(Fleet(down, refresh=15))

    assert generate_latest(registry) == b""


def test_a_scrape_does_not_wait_for_another_ones_ledger() -> None:
    asked, answer = threading.Event(), threading.Event()

    def slow() -> Backlog:
        asked.set()
        answer.wait(10)
        return BACKLOG

    fleet = Fleet(slow, refresh=15)
    first = threading.Thread(target=lambda: list(fleet.collect()))
    first.start()
    assert asked.wait(10)

    assert list(fleet.collect()) == []

    answer.set()
    first.join(10)
    assert len(list(fleet.collect())) == 6


def test_the_catalogue_is_what_the_registry_holds() -> None:
    registry, metrics = told()
    registry.register(Fleet(lambda: BACKLOG, refresh=15))
    registry.register(Moves(lambda: [MOVING], refresh=15))
    tell_everything(metrics)

    held = {
        (sample.name, tuple(sorted(label for label in sample.labels if label != "le")))
        for family in registry.collect()
        for sample in family.samples
    }
    for family in FAMILIES:
        suffix = "_count" if family.kind == "histogram" else ""
        assert (family.full_name + suffix, tuple(sorted(family.labels))) in held


def test_names_follow_the_conventions() -> None:
    for family in FAMILIES:
        assert re.fullmatch(r"[a-z][a-z0-9_]+", family.name)
        assert family.name.endswith("_total") is (family.kind == "counter")
        assert not re.search(r"milli|micro|_ms\b|_minutes", family.name)
        assert family.kind != "histogram" or family.name.endswith("_seconds")


def test_the_documentation_is_current() -> None:
    committed = (ROOT / "docs" / "metrics.md").read_text()

    assert committed == document(), "run: make docs"
