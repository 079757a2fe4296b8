"""The demo as people see it: a live table on a terminal, plain lines elsewhere."""

import time
from collections.abc import Mapping
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from consumer.cli.demo.play import Actor
from consumer.client import is_terminal
from handlers.commands import PREFIX
from handlers.events import Event

#: Columns of the table and their least width, so that it does not jump about.
_COLUMNS = (
    ("instance", 10),
    ("commands", 8),
    ("now", 30),
    ("step", 22),
    ("flavor", 6),
    ("volume", 6),
)


class Lines:
    """One line per event; implements View."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._began = time.monotonic()

    def start(self) -> None:
        self._began = time.monotonic()

    def told(self, name: str, event: Event) -> None:
        self._out.write(f"{line(name, event, time.monotonic() - self._began)}\n")
        self._out.flush()

    def turn(self) -> None:
        """Nothing moves between events."""

    def stop(self) -> None:
        """Nothing to take down."""


class Board:
    """A table of instances, redrawn in place, under the events; implements View."""

    def __init__(self, out: TextIO, actors: Mapping[str, Actor]) -> None:
        self._actors = actors
        self._began = time.monotonic()
        self._live = Live(self._draw(), console=Console(file=out), auto_refresh=False)

    def start(self) -> None:
        self._began = time.monotonic()
        self._live.start(refresh=True)

    def told(self, name: str, event: Event) -> None:
        style = "red" if event.data.error else "green" if is_terminal(event) else ""
        after = time.monotonic() - self._began
        self._live.console.print(Text(line(name, event, after), style=style))

    def turn(self) -> None:
        self._live.update(self._draw(), refresh=True)

    def stop(self) -> None:
        self.turn()
        self._live.stop()

    def _draw(self) -> Group:
        table = Table(box=None, padding=(0, 2, 0, 0))
        for column, width in _COLUMNS:
            table.add_column(column, min_width=width)
        for actor in self._actors.values():
            table.add_row(
                actor.name,
                f"{actor.done}/{actor.of}",
                actor.doing,
                actor.step,
                actor.flavor,
                f"{actor.volume} GiB" if actor.volume else "",
            )
        return Group("", table)


class Silence:
    """Shows nothing; implements View."""

    def start(self) -> None:
        """Nothing to put up."""

    def told(self, name: str, event: Event) -> None:
        """Nobody reads along."""

    def turn(self) -> None:
        """Nobody looks."""

    def stop(self) -> None:
        """Nothing to take down."""


def line(name: str, event: Event, after: float) -> str:
    """An event in one line."""
    text = f"{after:6.1f} s  {name:<10} {event.type.removeprefix(PREFIX)}"
    if event.data.error:
        return f"{text}: {event.data.error.reason}: {event.data.error.message}"
    return f"{text} after {event.data.duration:.1f} s" if is_terminal(event) else text
