"""Where processes are killed: step × boundary of each command, each exactly once.

A target is a file in a folder that all processes share. The process that comes to the crossing
takes it away by renaming it, which only one can do, and kills itself; the change time of the
renamed file is the time of death.
"""

import os
import signal
from collections.abc import Iterable, Iterator
from itertools import cycle
from pathlib import Path

import msgspec

from handlers.operation import Micros, Operation

BOUNDARIES = ("before-intent", "after-intent", "after-call")

#: The end of an operation has boundaries of its own, and no step.
END = "end"
ENDS = ("before-finish", "after-finish")


class Target(msgspec.Struct, frozen=True, order=True):
    """One crossing of one subject's command; `step` is the step's key, or END."""

    subject: str
    command: str
    step: str
    boundary: str

    @property
    def name(self) -> str:
        """The name of its file."""
        parts = (self.subject, self.command, self.step.replace("/", "+"), self.boundary)
        return "~".join(parts)

    @classmethod
    def of(cls, name: str) -> "Target":
        subject, command, step, boundary = name.split("~")
        return cls(subject, command, step.replace("+", "/"), boundary)


class Death(msgspec.Struct, frozen=True):
    """A process was killed at `target`; `at` is wall-clock time."""

    target: Target
    at: Micros


class Minefield:
    """The shared folder: targets that wait, and those that were hit."""

    def __init__(self, folder: Path) -> None:
        self._armed, self._hit = folder / "armed", folder / "hit"
        for each in (self._armed, self._hit):
            each.mkdir(parents=True, exist_ok=True)

    def arm(self, targets: Iterable[Target]) -> None:
        for target in targets:
            (self._armed / target.name).touch()

    def waiting(self) -> tuple[Target, ...]:
        """Targets that nobody came to yet."""
        return tuple(sorted(Target.of(each.name) for each in self._armed.iterdir()))

    def deaths(self) -> tuple[Death, ...]:
        """The kills so far, the oldest first."""
        found = ((each.stat().st_ctime_ns // 1000, each.name) for each in self._hit.iterdir())
        return tuple(Death(Target.of(name), at) for at, name in sorted(found))

    def checkpoint(self, boundary: str, op: Operation, step: str) -> None:
        """The reconciler's checkpoint: dies here when the crossing is a target."""
        name = Target(op.subject, op.command.name, step or END, boundary).name
        try:
            (self._armed / name).rename(self._hit / name)
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)


def crossings(command: str, *steps: str, ends: bool = True) -> Iterator[tuple[str, str, str]]:
    """Command, step and boundary, for all boundaries of these steps, and of the end."""
    for step in steps:
        for boundary in BOUNDARIES:
            yield command, step, boundary
    if ends:
        for boundary in ENDS:
            yield command, END, boundary


def spread(wanted: Iterable[tuple[str, str, str]], subjects: Iterable[str]) -> tuple[Target, ...]:
    """Give each crossing to one of the subjects in turn."""
    return tuple(
        Target(subject, *crossing)
        for crossing, subject in zip(wanted, cycle(subjects), strict=False)
    )
