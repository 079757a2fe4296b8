"""Plays everything that can be enumerated of one scenario into a tally."""

from collections.abc import Iterable

from tests.chaos.cells import (
    at_all_places,
    fault_at,
    undisturbed,
    with_an_outage,
    with_calls_under_way,
    with_each_fault,
    with_lasting_faults,
)
from tests.chaos.faultkinds import faults_for
from tests.chaos.play import Outcome, play
from tests.chaos.schedule import Do, Schedule, Strike
from tests.chaos.tally import NONE, Cell, Mark, Tally

#: Where a worker may crash around a call that a fault has struck.
_AT_THE_STEP = ("before-intent", "after-intent", "in-call", "after-call")
_AFTER_THE_CALL = ("before-save", "after-save")


class Explorer:
    """Says besides what the tally must have covered in the end."""

    def __init__(self, scenario: str, tally: Tally) -> None:
        self._scenario = scenario
        self._tally = tally

    def places(self, *dos: Do) -> None:
        """Each place of an undisturbed run, and what may happen there."""
        for schedule in at_all_places(self._scenario, *dos):
            (strike,) = schedule.strikes
            place = f"{strike.at} {strike.step}".strip()
            self._tally.wanted.add(Mark(self._scenario, place, strike.do))
            self._play("places", schedule)
        if Do.CRASH in dos:
            self._tally.wanted |= {
                Cell(self._scenario, each.step, each.at, NONE)
                for each in undisturbed(self._scenario).places
                if each.at in _AT_THE_STEP
            }

    def faults(self, *, lasting: bool = True) -> None:
        """Each fault of each call, once and for ever."""
        for step, verb in dict.fromkeys(undisturbed(self._scenario).calls):
            for fault in faults_for(verb):
                self._tally.wanted.add(Cell(self._scenario, step, NONE, fault))
        self._all("faults", with_each_fault(self._scenario))
        if lasting:
            self._all("faults", with_lasting_faults(self._scenario))

    def crashes_with_faults(self) -> None:
        """Each fault of each changing call, and a crash at each place around it."""
        for step, verb in undisturbed(self._scenario).changes:
            for fault in faults_for(verb):
                self._crash_around(step, verb, fault)

    def interleavings(self) -> None:
        """Deletes and crashes while a call is under way; outages of one service."""
        self._all("interleavings", with_calls_under_way(self._scenario))
        self._all("interleavings", with_an_outage(self._scenario))

    # -- inner ----------------------------------------------------------------------------------

    def _crash_around(self, step: str, verb: str, fault: str) -> None:
        """Wanted is each place that the run without a crash came to, unless the crash changed the
        run so that the fault no longer struck."""
        rule = fault_at(self._scenario, step, verb, fault)
        before = play(Schedule(scenario=self._scenario, faults=(rule,))).stage
        came_to = {each.at for each in before.crossings.trace if each.step == step}
        strikes = [Strike(at=at, step=step, do=Do.CRASH) for at in _AT_THE_STEP if at in came_to]
        strikes += [Strike(at=at, since=step, do=Do.CRASH) for at in _AFTER_THE_CALL]
        for strike in strikes:
            schedule = Schedule(scenario=self._scenario, faults=(rule,), strikes=(strike,))
            outcome = self._play("crashes with faults", schedule).stage
            if outcome.crossings.struck and step in {each for each, _, _ in outcome.cloud.faults}:
                self._tally.wanted.add(Cell(self._scenario, step, strike.at, fault))

    def _all(self, kind: str, schedules: Iterable[Schedule]) -> None:
        for schedule in schedules:
            self._play(kind, schedule)

    def _play(self, kind: str, schedule: Schedule) -> Outcome:
        outcome = play(schedule)
        self._tally.add(kind, outcome)
        return outcome
