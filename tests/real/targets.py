"""Where processes are killed: step × boundary of each command, each exactly once.

A target is a file in a folder that all processes share. The process that comes to the crossing
takes it away by renaming it, which only one can do, and kills itself; the change time of the
renamed file is the time of death.
"""

import os
import signal
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from threading import Lock

import msgspec
from msgspec.structs import replace

from handlers.operation import Micros, Operation, Phase

BOUNDARIES = ("before-intent", "after-intent", "after-call")
BEFORE_CALL, AFTER_CALL = BOUNDARIES[1:]

#: Seconds.
LONGEST_CALL = 15.0

#: The end of an operation has boundaries of its own, and no step.
END = "end"
ENDS = ("before-finish", "after-finish")

#: Begins the keys of steps of a way back.
BACK = "back:"

#: Stands for every subject.
ANYBODY = "anybody"


class Crossing(msgspec.Struct, frozen=True, order=True):
    """A boundary of a step in a manager's plan of a command; `step` is the step's key, or END, with
    BACK before it when the operation is on its way back."""

    manager: str
    command: str
    step: str
    boundary: str

    @classmethod
    def of(cls, boundary: str, op: Operation, step: str) -> "Crossing":
        """Where a reconciler's checkpoint is."""
        way = BACK if Phase.UNDO in (op.phase, op.ended_in) else ""
        return cls(op.manager, op.command.name, way + (step or END), boundary)


class Target(msgspec.Struct, frozen=True, order=True):
    """A crossing of one subject's operation."""

    subject: str
    crossing: Crossing

    @property
    def name(self) -> str:
        """The name of its file."""
        at = self.crossing
        parts = (self.subject, at.manager, at.command, at.step.replace("/", "+"), at.boundary)
        return "~".join(parts)

    @property
    def anybodys(self) -> "Target":
        """The same crossing of any subject."""
        return Target(ANYBODY, self.crossing)

    @classmethod
    def of(cls, name: str) -> "Target":
        subject, manager, command, step, boundary = name.split("~")
        return cls(subject, Crossing(manager, command, step.replace("+", "/"), boundary))


class Death(msgspec.Struct, frozen=True):
    """A process was killed when a thread of it was at `target`; `at` is wall-clock time."""

    target: Target
    at: Micros


def kill_myself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Minefield:
    """The shared folder: targets that wait, and those that were hit."""

    def __init__(self, folder: Path, die: Callable[[], None] = kill_myself) -> None:
        self._die = die
        self._armed, self._hit = folder / "armed", folder / "hit"
        for each in (self._armed, self._hit):
            each.mkdir(parents=True, exist_ok=True)
        self._lock = Lock()
        self._calling: dict[str, Target] = {}

    def arm(self, targets: Iterable[Target]) -> None:
        """Another round begins: a target that was hit before may be hit again."""
        (self._hit / str(len(list(self._hit.iterdir())))).mkdir()
        for target in targets:
            (self._armed / target.name).touch()

    def release(self, target: Target) -> None:
        """Nobody came to it, and nobody will: whoever crosses there next takes its place."""
        with suppress(FileNotFoundError):
            (self._armed / target.name).rename(self._armed / target.anybodys.name)

    def pass_on(self, busy: Collection[tuple[str, str]]) -> None:
        """Release what waits for commands (subject and name) that are not busy any more."""
        for target in self.waiting():
            if target.subject != ANYBODY and (target.subject, target.crossing.command) not in busy:
                self.release(target)

    def disarm(self, target: Target) -> bool:
        """Nobody is to die there any more; whether it still waited."""
        try:
            (self._armed / target.name).unlink()
        except FileNotFoundError:
            return False
        return True

    def waiting(self) -> tuple[Target, ...]:
        """Targets that nobody came to yet."""
        return tuple(sorted(Target.of(each.name) for each in self._armed.iterdir()))

    def deaths(self) -> tuple[Death, ...]:
        """The targets that were hit, the first one first."""
        found = ((each.stat().st_ctime_ns // 1000, each.name) for each in self._hit.glob("*/*"))
        return tuple(Death(Target.of(name), at) for at, name in sorted(found))

    def checkpoint(self, boundary: str, op: Operation, step: str) -> None:
        """The reconciler's checkpoint: dies here when the crossing is a target."""
        target = Target(op.subject, Crossing.of(boundary, op, step))
        self._begin_call(target)
        hit = self._take(target, target) or self._take(target.anybodys, target)
        if hit or boundary != BEFORE_CALL:
            self._end_call(target)  # only now: whoever waits for this call's end kills at once
        if hit:
            self._let_calls_end()
            self._die()

    def cross(self, crossing: Crossing) -> None:
        """A crossing that is no operation's: dies here when it is a target of anybody."""
        target = Target(ANYBODY, crossing)
        if self._take(target, target):
            self._die()

    def _take(self, armed: Target, hit: Target) -> bool:
        now = self._hit / str(len(list(self._hit.iterdir())) - 1)
        try:
            (self._armed / armed.name).rename(now / hit.name)
        except FileNotFoundError:
            return False
        return True

    def _begin_call(self, target: Target) -> None:
        """Remember calls that are under way and whose end is a target."""
        end = self._end_of(target)
        if target.crossing.boundary == BEFORE_CALL and (self._armed / end.name).exists():
            with self._lock:
                self._calling[end.name] = end

    def _end_call(self, target: Target) -> None:
        with self._lock:
            self._calling.pop(self._end_of(target).name, None)

    @staticmethod
    def _end_of(target: Target) -> Target:
        return Target(target.subject, replace(target.crossing, boundary=AFTER_CALL))

    def _let_calls_end(self) -> None:
        """Another thread whose call is a target dies with this one at that call's end, which it
        would never come to again: the call has landed then, and is not repeated."""
        end = time.monotonic() + LONGEST_CALL
        while self._calling and time.monotonic() < end:
            time.sleep(0.01)


def spread(wanted: Iterable[Crossing], subjects: Iterable[str]) -> tuple[Target, ...]:
    """Give each crossing to one of the subjects in turn."""
    return tuple(
        Target(subject, crossing)
        for crossing, subject in zip(wanted, cycle(subjects), strict=False)
    )
