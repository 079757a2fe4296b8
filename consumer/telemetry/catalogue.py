"""Every metric: its name, kind, labels and meaning. docs/metrics.md is made from this table.

No label ever holds an id, a tenant or a message: every label's values are a closed, short list.
"""

import sys
from typing import NamedTuple

PREFIX = "trove_resources_"

#: Upper bounds of histograms, in seconds: operations may take an hour, requests a minute.
LONG = (0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)
SHORT = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
FREEZE = (1.0, 2.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 300.0, 600.0)
COMMIT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Family(NamedTuple):
    """One metric. `fleet`: read from the ledger, so every worker says the same."""

    name: str
    kind: str
    text: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    fleet: bool = False

    @property
    def full_name(self) -> str:
        """As Prometheus sees it."""
        return PREFIX + self.name


def _counter(name: str, text: str, *labels: str) -> Family:
    return Family(name, "counter", text, labels)


def _gauge(name: str, text: str, *labels: str) -> Family:
    return Family(name, "gauge", text, labels)


def _fleet(name: str, text: str, *labels: str) -> Family:
    return Family(name, "gauge", text, labels, fleet=True)


def _histogram(name: str, bounds: tuple[float, ...], text: str, *labels: str) -> Family:
    return Family(name, "histogram", text, labels, bounds)


FAMILIES = (
    _counter(
        "commands_received_total",
        "Commands taken from the queue; verdict is new, known (sent again), conflict or refused.",
        "command",
        "verdict",
    ),
    _counter("dead_letters_total", "Messages refused and put on the dead-letter queue.", "reason"),
    _counter(
        "commands_finished_total",
        "Commands that ended; reason is none, or a code of the closed list of reasons.",
        "command",
        "manager",
        "outcome",
        "reason",
    ),
    _histogram(
        "command_duration_seconds",
        LONG,
        "From acceptance until the end, with what was undone.",
        "command",
        "manager",
        "outcome",
    ),
    _histogram(
        "command_queue_seconds",
        LONG,
        "From acceptance until the operation opened: the wait for its instance.",
        "command",
    ),
    _gauge("operations_in_flight", "Operations that this worker holds."),
    _histogram(
        "step_duration_seconds",
        LONG,
        "From a step's first call until it was done; phase is forward or undo.",
        "manager",
        "step",
        "phase",
    ),
    _histogram(
        "step_call_seconds", SHORT, "One mutating call of a step that went well.", "manager", "step"
    ),
    _counter(
        "faults_total",
        "Calls and checks that went wrong; kind is terminal, retryable or ambiguous.",
        "step",
        "kind",
        "reason",
    ),
    _counter("defects_total", "Errors of the worker's own code.", "step"),
    _counter("stale_saves_total", "Saves refused because another worker owns the operation now."),
    _counter(
        "duplicates_removed_total",
        "Resources made twice by a lost call, and removed again.",
        "kind",
    ),
    _counter("operations_taken_over_total", "Operations taken from workers that died or stopped."),
    _counter(
        "cloud_requests_total",
        "Requests to the cloud; code is the HTTP status, or why there was none.",
        "service",
        "route",
        "method",
        "code",
    ),
    _histogram(
        "cloud_request_duration_seconds",
        SHORT,
        "One request to the cloud.",
        "service",
        "route",
        "method",
    ),
    _counter("lookup_queries_total", "Questions of steps that look-ups answered.", "service"),
    _histogram(
        "lookup_duration_seconds",
        SHORT,
        "One round of look-ups at a service, for all operations together.",
        "service",
    ),
    _counter("lookup_failures_total", "Rounds of look-ups that failed.", "service"),
    _gauge("broker_connected", "1 while this worker consumes commands, 0 otherwise."),
    _gauge("ledger_up", "1 while the ledger answers this worker, 0 otherwise."),
    _counter("ledger_rows_total", "Rows that were written to the ledger."),
    _histogram("ledger_commit_seconds", COMMIT, "One commit; _count is the number of commits."),
    _counter("events_published_total", "Events that the broker confirmed.", "type"),
    _counter("publish_failures_total", "Attempts to publish events that failed; they come again."),
    _counter(
        "migration_instances_total",
        "Instances of migrations that came to a stage; reason is none, or why they failed.",
        "direction",
        "stage",
        "reason",
    ),
    _histogram(
        "migration_freeze_seconds",
        FREEZE,
        "How long an instance's commands had to wait while it was moved, or could not be.",
        "direction",
        "outcome",
    ),
    _counter("conductor_failures_total", "Steps of migrations that failed; they are tried again."),
    _gauge("build_info", "Always 1; the labels say what runs.", "version", "python"),
    _fleet("fleet_operations", "Operations queued or open.", "manager", "command", "phase"),
    _fleet("fleet_instances", "Records by the manager that owns them.", "manager", "state"),
    _fleet("fleet_oldest_operation_seconds", "Age of the oldest operation queued or open."),
    _fleet("fleet_outbox_events", "Events that wait to be published."),
    _fleet("fleet_outbox_oldest_seconds", "Age of the oldest event that waits."),
    _fleet("fleet_workers", "Workers that have a row in the ledger and were not taken over."),
    _fleet(
        "fleet_migrations",
        "Migrations that are not over, and the newest one.",
        "direction",
        "status",
    ),
    _fleet(
        "fleet_migration_instances",
        "Instances of these migrations by where they stand.",
        "direction",
        "stage",
    ),
    _fleet(
        "fleet_migration_failures",
        "Instances of these migrations that could not be moved, or were given back, by reason.",
        "direction",
        "reason",
    ),
    _fleet("fleet_migration_rate", "Instances that begin per minute.", "direction"),
    _fleet(
        "fleet_migration_eta_seconds",
        "Seconds to the end of the migrations; bound is low or high. Missing while paused.",
        "direction",
        "bound",
    ),
)

BY_NAME = {family.name: family for family in FAMILIES}

_HEAD = """\
# Metrics

Made by `python -m consumer.telemetry.catalogue > docs/metrics.md`: do not edit.

Every worker serves them on `/metrics`. All names begin with `trove_resources_`; times are in
seconds. A histogram has `_bucket`, `_sum` and `_count`. The `process_*` and `python_*` metrics of
the Prometheus client come on top.

No label holds an id, a tenant or a message.

## Of one worker

Add them up over workers: `sum by (command) (rate(trove_resources_commands_finished_total[5m]))`.

"""

_FLEET = """
## Of the whole fleet

Every worker reads these from the ledger (at most once in `[telemetry] fleet_refresh` seconds), so
all workers say the same. Never add them up: take `max`, for example
`max by (manager, state) (trove_resources_fleet_instances)`. They are missing while the ledger does
not answer.

"""


def document() -> str:
    """docs/metrics.md."""
    own = "".join(_row(family) for family in FAMILIES if not family.fleet)
    fleet = "".join(_row(family) for family in FAMILIES if family.fleet)
    table = "| metric | kind | labels | meaning |\n|---|---|---|---|\n"
    return f"{_HEAD}{table}{own}{_FLEET}{table}{fleet}"


def _row(family: Family) -> str:
    labels = ", ".join(f"`{label}`" for label in family.labels)
    return f"| `{family.full_name}` | {family.kind} | {labels} | {family.text} |\n"


if __name__ == "__main__":
    sys.stdout.write(document())
