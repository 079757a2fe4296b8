"""Crashes, pauses and faults at every place, and schedules from the dice: nothing goes wrong.

`make chaos` plays all of it; here is what fits into the time of a test run.
"""

import pytest

from handlers.migration import NAME as MIGRATION
from handlers.natives import NAME as NATIVES
from tests.chaos.dice import roll, roll_late
from tests.chaos.explorer import Explorer
from tests.chaos.play import play
from tests.chaos.scenarios import CASES, Case
from tests.chaos.schedule import Do
from tests.chaos.tally import Tally

#: What is played here of what can be enumerated; moves have many steps.
ONE_IN = 7
ONE_MOVE_IN = 40

#: Seeds of one test.
BATCH = 200

#: Scenarios that are played with faults that never end, too: they take their time.
LASTING = ("create", "resize-undone", "rules-update", "foreign-volume-resize")


def share_of(case: Case) -> int:
    return ONE_MOVE_IN if case.manager == MIGRATION else ONE_IN


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_crash_anywhere_harms_nothing(case: Case) -> None:
    tally = Tally()

    Explorer(case, tally, share_of(case)).places(Do.CRASH)

    assert tally.is_good, tally.explain()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_worker_paused_beyond_its_lease_harms_nothing(case: Case) -> None:
    tally = Tally()

    Explorer(case, tally, share_of(case)).places(Do.PAUSE)

    assert tally.is_good, tally.explain()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_delete_or_a_silent_ledger_at_any_moment_harms_nothing(case: Case) -> None:
    tally = Tally()

    Explorer(case, tally, share_of(case)).places(Do.DELETE, Do.UNAVAILABLE)

    assert tally.is_good, tally.explain()


@pytest.mark.parametrize("case", [case for case in CASES if case.manager != NATIVES], ids=str)
def test_a_dead_engine_a_stranger_or_an_operator_at_any_moment_harms_nothing(case: Case) -> None:
    tally = Tally()

    Explorer(case, tally, share_of(case)).places(Do.ENGINE, Do.MEDDLE, Do.VANISH, Do.CANCEL)

    assert tally.is_good, tally.explain()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fault_in_any_call_is_survived_and_told(case: Case) -> None:
    tally = Tally()

    Explorer(case, tally, share_of(case)).faults(lasting=case.scenario in LASTING)

    assert tally.is_good, tally.explain()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_comes_while_a_call_is_under_way_harms_nothing(case: Case) -> None:
    tally = Tally()

    Explorer(case, tally, share_of(case)).interleavings()

    assert tally.is_good, tally.explain()


@pytest.mark.parametrize("first", range(0, 2000, BATCH))
def test_whatever_the_dice_say_nothing_goes_wrong(first: int) -> None:
    tally = Tally()

    for seed in range(first, first + BATCH):
        tally.add("random", play(roll(seed)))

    assert tally.is_good, tally.explain()


def test_doubles_that_land_after_everybody_stopped_waiting_are_removed() -> None:
    tally = Tally()

    for seed in range(BATCH):
        tally.add("late", play(roll_late(seed)))

    assert tally.is_good, tally.explain()
