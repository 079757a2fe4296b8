"""A schedule: what is asked, and what goes wrong where. A value, so a failure can be kept."""

from enum import StrEnum
from typing import Any

import msgspec

from handlers.clouds.memory.faults import FaultRule, Reset
from handlers.natives import NAME as NATIVES


class Do(StrEnum):
    """What happens when a worker reaches a place."""

    CRASH = "crash"  # the process dies there
    PAUSE = "pause"  # the process stands still, the others go on, then it wakes up
    STOP = "stop"  # the process is asked to end
    UNAVAILABLE = "unavailable"  # the ledger does not answer (only in `before-` and `after-`)
    DELETE = "delete"  # a delete of the subject arrives
    NEXT = "next"  # another command for the subject arrives
    AGAIN = "again"  # the command is delivered once more
    OTHER = "other"  # the command's id comes once more, with other content
    ENGINE = "engine"  # Heat's engine dies; `seconds` later another one starts
    MEDDLE = "meddle"  # somebody else updates the subject's stack, without a change
    VANISH = "vanish"  # somebody else deletes the subject's stack
    CANCEL = "cancel"  # an operator ends the command


class Strike(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """At the `nth` time that a worker comes to `at` (of step `step`, if named), `do` happens.

    Places are the reconciler's checkpoints, `before-` and `after-` every call of the ledger that
    changes something, `in-call` and `in-look`: the cloud has done what it was asked, and the
    answer was not read. `since` counts from the first call of a step on. `seconds` is how long a
    pause takes, or a new engine of Heat.
    """

    at: str
    do: Do
    step: str = ""
    since: str = ""
    nth: int = 1
    seconds: float = 0.0


class Schedule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One run: a scenario, how many workers, what strikes them, what the cloud does wrong.

    `manager` gets what is new in the deployment; what the commands name belongs to NATIVES.

    `lag`: seconds for which new things are missing from listings, at most. `slow`: builds take
    minutes. `beyond`: calls may land later than the worker waits for them, so things may be made
    twice for a while; the audit has to find them.
    """

    scenario: str
    manager: str = NATIVES
    seed: int = 0
    workers: int = 1
    strikes: tuple[Strike, ...] = ()
    faults: tuple[FaultRule, ...] = ()
    lag: float = 0.0
    slow: bool = False
    beyond: bool = False

    def line(self) -> str:
        """How to see it again."""
        return f"python -m tests.chaos replay '{encode(self)}'"


def encode(schedule: Schedule) -> str:
    """As JSON, without what says nothing."""
    plain = msgspec.to_builtins(schedule)
    plain["faults"] = [_short(rule, _RULE) for rule in plain.get("faults", ())]
    plain["strikes"] = [_short(strike, _STRIKE) for strike in plain.get("strikes", ())]
    return msgspec.json.encode(_short(plain, {"faults": [], "strikes": []})).decode()


def decode(text: str | bytes) -> Schedule:
    return msgspec.json.decode(text, type=Schedule)


_RULE = msgspec.to_builtins(FaultRule(effect=Reset()))
_STRIKE = {"seconds": 0.0}


def _short(plain: dict[str, Any], empty: dict[str, Any]) -> dict[str, Any]:
    """Without the fields that are as in `empty`; an effect is never left out."""
    return {
        key: value
        for key, value in plain.items()
        if key == "effect" or key not in empty or value != empty[key]
    }
