"""Several tellers as one."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from consumer.telemetry.base import Telemetry


def fan_out(*parts: Telemetry) -> Telemetry:
    """Tells each part of every moment; what one of them raises reaches nobody.

    A full disk behind the log must not stop a database from being made.
    """
    return cast(Telemetry, _FanOut(parts))


class _FanOut:
    def __init__(self, parts: tuple[Telemetry, ...]) -> None:
        self._parts = parts

    def __getattr__(self, moment: str) -> Callable[..., None]:
        """Made once for each moment, then an attribute of its own."""
        tellers = tuple(getattr(part, moment) for part in self._parts)

        def tell(*args: Any, **named: Any) -> None:
            for teller in tellers:
                with suppress(Exception):
                    teller(*args, **named)

        setattr(self, moment, tell)
        return tell
