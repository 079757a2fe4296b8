"""A migration as people see it: a live view on a terminal, plain lines elsewhere."""

from collections.abc import Mapping
from typing import TextIO

import msgspec
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from consumer.cli.migrate.status import counted, next_steps, time_left
from consumer.cli.render import lasted
from consumer.fleet.progress import Progress
from consumer.ledger.fleet import Item, Migration, Stage, Status
from handlers.operation import Micros

_COLOURS = {Stage.COMMITTED: "green", Stage.FAILED: "red", Stage.ROLLED_BACK: "yellow"}


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a migration; `moving` and `failed` are a few of each."""

    migration: Migration
    stages: Mapping[Stage, int]
    progress: Progress
    moving: tuple[Item, ...] = ()
    failures: Mapping[str, int] = {}
    failed: tuple[Item, ...] = ()
    at: Micros = 0


class Lines:
    """One line whenever something has changed."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._last = ""

    def show(self, glance: Glance) -> None:
        text = line(glance)
        if text != self._last:
            self._out.write(f"{text}\n")
            self._out.flush()
        self._last = text

    def stop(self) -> None:
        """Nothing to take down."""


class Board:
    """Redrawn in place."""

    def __init__(self, out: TextIO) -> None:
        self._live = Live(console=Console(file=out), auto_refresh=False)
        self._live.start()

    def show(self, glance: Glance) -> None:
        self._live.update(drawn(glance), refresh=True)

    def stop(self) -> None:
        self._live.stop()


def line(glance: Glance) -> str:
    """How it stands, in one line."""
    migration, found = glance.migration, glance.progress
    stages = " ".join(f"{name} {count}" for name, count in counted(glance.stages).items())
    parts = [
        f"{migration.id} {migration.status} batch {migration.batch}",
        f"{found.ended}/{found.total} ended",
        stages,
    ]
    if migration.reason:
        parts.append(migration.reason)
    return "; ".join(parts)


def drawn(glance: Glance) -> RenderableType:
    """How it stands: bar, funnel of the stages, what is under way, what failed."""
    parts: list[RenderableType] = [_head(glance), _bar(glance.progress), _funnel(glance)]
    if glance.moving:
        parts.append(_moving(glance))
    if glance.failed:
        parts.append(_failed(glance))
    if glance.migration.status not in (Status.RUNNING, Status.ABORTING, Status.ROLLING_BACK):
        parts += [Text(text, style="bold") for text in next_steps(glance.migration)]
    return Group(*parts)


def _head(glance: Glance) -> Text:
    migration, found = glance.migration, glance.progress
    text = Text(f"{migration.id}  {migration.direction}  ", style="bold")
    text.append(f"{migration.status}", style="bold cyan")
    text.append(f"  batch {migration.batch}  {found.rate:.0f} per minute")
    left = time_left(found)
    if left:
        text.append(f"  {left} left")
    if migration.reason:
        text.append(f"\n{migration.reason}", style="yellow")
    return text


def _bar(found: Progress) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_row(
        ProgressBar(total=max(1, found.total), completed=found.ended, width=50),
        f"{found.ended} of {found.total} ended, {found.moving} moving, {found.soaking} soaking",
    )
    return grid


def _funnel(glance: Glance) -> Table:
    """One row per stage, those without any too, so that nothing jumps about."""
    table = Table.grid(padding=(0, 1))
    whole = max(1, glance.progress.total)
    for stage in Stage:
        count = glance.stages.get(stage, 0)
        colour = _COLOURS.get(stage, "blue")
        blocks = -(-40 * count // whole)
        table.add_row(str(stage), str(count), Text("█" * blocks, style=colour))
    return table


def _moving(glance: Glance) -> Table:
    table = Table(title="under way", title_justify="left", box=None)
    for name in ("instance", "project", "stage", "for"):
        table.add_column(name)
    for item in glance.moving:
        age = lasted(max(0, glance.at - item.since))
        table.add_row(Text(item.subject), Text(item.project), str(item.stage), age)
    return table


def _failed(glance: Glance) -> Table:
    reasons = ", ".join(f"{name} {count}" for name, count in glance.failures.items())
    table = Table(title=f"not moved: {reasons}", title_justify="left", box=None)
    for name in ("instance", "stage", "reason", "message"):
        table.add_column(name)
    for item in glance.failed:
        table.add_row(Text(item.subject), str(item.stage), item.reason, Text(item.message))
    return table
