"""Plays everything that can be enumerated of one case into a tally."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar
from zlib import crc32

from tests.chaos.cells import (
    at_all_places,
    each_fault,
    fault_at,
    on,
    undisturbed,
    with_an_outage,
    with_calls_under_way,
    with_lasting_faults,
    with_meddling,
)
from tests.chaos.faultkinds import faults_for
from tests.chaos.play import Outcome, play
from tests.chaos.scenarios import Case
from tests.chaos.schedule import Do, Schedule, Strike
from tests.chaos.tally import NONE, Cell, Mark, Tally

T = TypeVar("T")

#: Where a worker may crash around a call that a fault has struck.
_AT_THE_STEP = ("before-intent", "after-intent", "in-call", "after-call")
_AFTER_THE_CALL = ("before-save", "after-save")


class Explorer:
    """Says besides what the tally must have covered in the end.

    `one_in`: plays a share of what there is; which one, the case decides.
    """

    def __init__(self, case: Case, tally: Tally, one_in: int = 1) -> None:
        self._case = case
        self._tally = tally
        self._one_in = one_in

    @property
    def is_whole(self) -> bool:
        """Whether it plays all that there is."""
        return self._one_in == 1

    def places(self, *dos: Do) -> None:
        """Each place of an undisturbed run, and what may happen there."""
        for schedule in self._share(at_all_places(self._case, *dos)):
            (strike,) = schedule.strikes
            place = f"{strike.at} {strike.step}".strip()
            self._tally.wanted.add(Mark(*self._case, place, strike.do))
            if strike.do is Do.CRASH and strike.at in _AT_THE_STEP:
                self._tally.wanted.add(Cell(*self._case, strike.step, strike.at, NONE))
            self._play("places", schedule)

    def faults(self, *, lasting: bool = True) -> None:
        """Each fault of each call, once and for ever."""
        for step, verb, fault in self._share(each_fault(self._case)):
            self._tally.wanted.add(Cell(*self._case, step, NONE, fault))
            rule = fault_at(self._case, step, verb, fault)
            self._play("faults", on(self._case, faults=(rule,)))
        if lasting:
            self._all("faults", with_lasting_faults(self._case))

    def crashes_with_faults(self) -> None:
        """Each fault of each changing call, and a crash at each place around it."""
        changes = undisturbed(self._case).changes
        pairs = ((step, verb, fault) for step, verb in changes for fault in faults_for(verb))
        for step, verb, fault in self._share(pairs):
            self._crash_around(step, verb, fault)

    def interleavings(self) -> None:
        """Deletes and crashes while a call is under way; outages of one service; strangers."""
        self._all("interleavings", with_calls_under_way(self._case))
        self._all("interleavings", with_an_outage(self._case))
        self._all("interleavings", with_meddling(self._case))

    # -- inner ----------------------------------------------------------------------------------

    def _crash_around(self, step: str, verb: str, fault: str) -> None:
        """Wanted is each place that the run without a crash came to, unless the crash changed the
        run so that the fault no longer struck."""
        rule = fault_at(self._case, step, verb, fault)
        before = play(on(self._case, faults=(rule,))).stage
        came_to = {each.at for each in before.crossings.trace if each.step == step}
        strikes = [Strike(at=at, step=step, do=Do.CRASH) for at in _AT_THE_STEP if at in came_to]
        strikes += [Strike(at=at, since=step, do=Do.CRASH) for at in _AFTER_THE_CALL]
        for strike in strikes:
            schedule = on(self._case, faults=(rule,), strikes=(strike,))
            outcome = self._play("crashes with faults", schedule).stage
            if outcome.crossings.struck and step in {each for each, _, _ in outcome.cloud.faults}:
                self._tally.wanted.add(Cell(*self._case, step, strike.at, fault))

    def _all(self, kind: str, schedules: Iterable[Schedule]) -> None:
        for schedule in self._share(schedules):
            self._play(kind, schedule)

    def _share(self, some: Iterable[T]) -> Iterator[T]:
        first = crc32(str(self._case).encode()) % self._one_in
        return islice(some, first, None, self._one_in)

    def _play(self, kind: str, schedule: Schedule) -> Outcome:
        outcome = play(schedule)
        self._tally.add(kind, outcome)
        return outcome
