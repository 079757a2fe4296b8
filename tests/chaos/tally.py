"""What a run of many schedules came to: how many, which went wrong, and what they covered."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from tests.chaos.faultkinds import name_of
from tests.chaos.play import Outcome
from tests.chaos.schedule import Do

#: What stands for "no crash" and "no fault" in a cell.
NONE = "-"

#: Wrong schedules that are kept word by word.
KEPT = 20


class Cell(NamedTuple):
    """A case's step, the place where the worker crashed, and the fault that struck the call."""

    manager: str
    scenario: str
    step: str
    place: str
    fault: str


class Mark(NamedTuple):
    """Something that happened at a place of a case."""

    manager: str
    scenario: str
    place: str
    do: str


@dataclass(slots=True)
class Tally:
    """Sums; two of them can be added up. `played` and `wrong` count by kind and manager."""

    played: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: Counter[tuple[str, str]] = field(default_factory=Counter)
    cells: Counter[Cell] = field(default_factory=Counter)
    marks: Counter[Mark] = field(default_factory=Counter)
    wanted: set[Cell | Mark] = field(default_factory=set)
    examples: list[str] = field(default_factory=list)

    def add(self, kind: str, outcome: Outcome) -> None:
        """Take what a schedule of a kind came to."""
        kept = kind, outcome.schedule.manager
        self.played[kept] += 1
        self.cells.update(set(_cells(outcome)))
        self.marks.update(set(_marks(outcome)))
        if outcome.problems:
            self.wrong[kept] += 1
            if len(self.examples) < KEPT:
                self.examples.append(str(outcome))

    def merge(self, other: "Tally") -> None:
        self.played += other.played
        self.wrong += other.wrong
        self.cells += other.cells
        self.marks += other.marks
        self.wanted |= other.wanted
        self.examples += other.examples[: KEPT - len(self.examples)]

    def missing(self) -> list[Cell | Mark]:
        """What was to be covered and was not."""
        return sorted(self.wanted - set(self.cells) - set(self.marks))

    def explain(self) -> str:
        """For the message of a failing test."""
        wrong = f"{self.wrong.total()} of {self.played.total()} schedules went wrong"
        missing = [f"not covered: {each}" for each in self.missing()]
        return "\n".join((wrong, *self.examples, *missing[:KEPT]))

    @property
    def is_good(self) -> bool:
        return not self.wrong and not self.missing()


def _cells(outcome: Outcome) -> Iterable[Cell]:
    """Crashes alone, faults alone, and crashes at the step that a fault struck."""
    schedule, stage = outcome.schedule, outcome.stage
    cell = partial(Cell, schedule.manager, schedule.scenario)
    faults = {(step, name_of(effect)) for step, _, effect in stage.cloud.faults}
    for step, fault in faults:
        yield cell(step, NONE, fault)
    for strike, at_step in stage.crossings.struck:
        if strike.do is not Do.CRASH:
            continue
        step = strike.since or at_step
        yield cell(step, strike.at, NONE)
        for struck, fault in faults:
            if struck == step:
                yield cell(step, strike.at, fault)


def _marks(outcome: Outcome) -> Iterable[Mark]:
    played = outcome.schedule
    for strike, _ in outcome.stage.crossings.struck:
        place = f"{strike.at} {strike.step}".strip()
        yield Mark(played.manager, played.scenario, place, strike.do)
