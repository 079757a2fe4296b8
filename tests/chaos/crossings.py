"""Places that workers come to, and what strikes them there."""

from collections.abc import Callable
from dataclasses import dataclass, field

from handlers.operation import Operation
from tests.chaos.schedule import Do, Strike

#: Calls of the ledger whose beginning and end are places of their own.
LEDGER_CALLS = ("accept", "open", "save", "finish", "take_over", "cancelled")


@dataclass(frozen=True, slots=True)
class Crossing:
    """A worker came to a place; `step` is the step it was about, or the verb of a look-up."""

    at: str
    step: str


@dataclass(slots=True)
class _Waiting:
    strike: Strike
    seen: int = 0


@dataclass(slots=True)
class Crossings:
    """Counts what workers come to and strikes where the schedule says.

    `perform` does what a strike says; it may raise. `struck` are the strikes that were performed,
    with the step that they hit.
    """

    perform: Callable[[Strike], None]
    trace: list[Crossing] = field(default_factory=list)
    struck: list[tuple[Strike, str]] = field(default_factory=list)
    called: set[str] = field(default_factory=set)
    step: str = ""
    _waiting: list[_Waiting] = field(default_factory=list)
    _armed: bool = False

    def arm(self, strikes: tuple[Strike, ...]) -> None:
        """From now on places count."""
        self.called.clear()
        self._waiting = [_Waiting(strike) for strike in strikes]
        self._armed = True

    def disarm(self) -> None:
        self._armed = False

    def checkpoint(self, name: str, op: Operation, step: str) -> None:
        """For the reconciler."""
        self.step = step
        self.cross(name, step)

    def in_call(self) -> None:
        """The cloud has done what the current step asked for."""
        self.called.add(self.step)
        self.cross("in-call", self.step)

    def cross(self, at: str, step: str = "") -> None:
        """Note the place; performs the strikes that are due."""
        if not self._armed:
            return
        self.trace.append(Crossing(at, step))
        due = [each for each in self._waiting if self._is_due(each, at, step)]
        for each in due:
            self._waiting.remove(each)
        mine = self.step
        for each in sorted(due, key=lambda one: one.strike.do in (Do.CRASH, Do.UNAVAILABLE)):
            self.struck.append((each.strike, step or mine))
            self.perform(each.strike)
        self.step = mine  # others may have run in a pause

    def _is_due(self, waiting: _Waiting, at: str, step: str) -> bool:
        strike = waiting.strike
        if strike.at != at or (strike.step and strike.step != step):
            return False
        if strike.since and strike.since not in self.called:
            return False
        waiting.seen += 1
        return waiting.seen == strike.nth
