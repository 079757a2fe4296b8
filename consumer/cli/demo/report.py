"""What the demo found out, for people and as one JSON document."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from rich.console import RenderableType
from rich.table import Table

from consumer.cli.demo.play import Counts, Ended, Outcome
from consumer.telemetry.metrics import Sample

#: Requests that belong to nobody's instance: tokens, and the simulator's back door.
_NOT_COUNTED = ("identity", "simulator")


class PerCreate(msgspec.Struct, frozen=True, kw_only=True):
    """Requests to the cloud per create that succeeded, tokens and discovery left out."""

    changing: float
    looking: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The demo in one document. `ok` is what the exit code says."""

    ok: bool
    seconds: float
    commands: list[Ended]
    events: list[dict[str, Any]]
    cloud_calls: dict[str, dict[str, int]]
    calls_per_create: PerCreate
    metrics: dict[str, float]
    leftovers: list[str]


def report(
    outcome: Outcome, grown: Mapping[Sample, float], leftovers: list[str], seconds: float
) -> Report:
    """Put together what was seen; `grown` are the metrics that changed, by how much."""
    return Report(
        ok=not leftovers and all(each.expected for each in outcome.ended),
        seconds=round(seconds, 1),
        commands=outcome.ended,
        events=outcome.events,
        cloud_calls=_by_service(_less(outcome.after, outcome.before)),
        calls_per_create=_per_create(outcome),
        metrics={str(sample): value for sample, value in sorted(grown.items())},
        leftovers=leftovers,
    )


def growth(before: Mapping[Sample, float], after: Mapping[Sample, float]) -> dict[Sample, float]:
    """What changed from one reading of the metrics to the next, and by how much."""
    changes = {sample: value - before.get(sample, 0.0) for sample, value in after.items()}
    return {sample: value for sample, value in changes.items() if value}


def tables(found: Report, grown: Mapping[Sample, float]) -> Iterator[RenderableType]:
    """For rich's console."""
    yield ""
    yield _table(
        "Metrics that changed",
        ("metric", "by"),
        [(name, f"{value:g}") for name, value in _in_short(grown).items()],
    )
    rows = [
        (service, method, str(count))
        for service, methods in found.cloud_calls.items()
        for method, count in methods.items()
    ]
    yield ""
    yield _table("Requests to the cloud", ("service", "method", "requests"), rows)
    per = found.calls_per_create
    yield f"per create: {per.changing:.2f} that change something, {per.looking:.2f} look-ups"
    yield ""
    unexpected = [each for each in found.commands if not each.expected]
    for each in unexpected:
        yield f"[red]{each.instance}: {each.command} ended with {each.outcome} {each.reason}[/]"
    yield (
        f"{len(found.commands)} commands, {len(found.events)} events, "
        f"{len(unexpected)} ended otherwise than expected, in {found.seconds} s"
    )
    if found.leftovers:
        yield "[red]left behind in the cloud:[/]"
        yield from found.leftovers
    else:
        yield "[green]nothing left behind[/]: the simulated cloud holds nothing (asked it)"


def _in_short(grown: Mapping[Sample, float]) -> dict[str, float]:
    """Counters only, summed up over what would make the list long."""
    found: dict[str, float] = {}
    for sample, value in sorted(grown.items()):
        if sample.name.endswith("_total"):
            name = str(sample.without("route", "method", "manager", "type"))
            found[name] = found.get(name, 0.0) + value
    return found


def _table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in columns:
        number = column in ("by", "requests")
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _less(after: Counts, before: Counts) -> dict[tuple[str, str], int]:
    return {key: count - before.get(key, 0) for key, count in after.items()}


def _by_service(counts: Counts) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (service, method), count in sorted(counts.items()):
        if service != "simulator" and count:
            found.setdefault(service, {})[method] = count
    return found


def _per_create(outcome: Outcome) -> PerCreate:
    counts = _less(outcome.created, outcome.before)
    counted = {key: n for key, n in counts.items() if key[0] not in _NOT_COUNTED}
    looking = sum(n for (_, method), n in counted.items() if method == "GET")
    return PerCreate(
        changing=round((sum(counted.values()) - looking) / outcome.creates, 2),
        looking=round(looking / outcome.creates, 2),
    )
