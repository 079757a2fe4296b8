"""Values as people read them."""

import time
from datetime import UTC, datetime

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
