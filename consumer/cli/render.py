"""Values as people read them."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TextIO

from cliff.columns import FormattableColumn
from rich.console import Console

from handlers.operation import SECOND, Micros


def now() -> Micros:
    """The wall clock: good enough to show an age."""
    return time.time_ns() // 1000


def when(at: Micros) -> str:
    """Ledger time as ISO 8601 in UTC, to the second; empty for never."""
    if not at:
        return ""
    return datetime.fromtimestamp(at / SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def lasted(micros: Micros) -> str:
    """A duration in at most two units: 1.25s, 3m05s, 2h07m, 4d03h."""
    seconds = max(0, micros) / SECOND
    if seconds < 60:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + "s"
    minutes, seconds = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{seconds:02d}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minutes:02d}m"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours:02d}h"


class Many(FormattableColumn[Sequence[str]]):
    """Several values: one per line in a table, a list in JSON and YAML."""

    def human_readable(self) -> str:
        return "\n".join(self._value)


class Pairs(FormattableColumn[Mapping[str, str]]):
    """Named values: one per line in a table, an object in JSON and YAML."""

    def human_readable(self) -> str:
        return "\n".join(f"{name} {value}" for name, value in self._value.items())


def console(out: TextIO) -> Console:
    """As wide as the terminal, and wide enough for ids where there is none."""
    width = None if out.isatty() else 160
    return Console(file=out, highlight=False, soft_wrap=True, width=width)
