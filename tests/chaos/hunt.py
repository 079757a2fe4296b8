"""A short run that stops at the first schedule that goes wrong: what the mutants are held to."""

from collections.abc import Iterator
from itertools import chain

from handlers.natives import NAME as NATIVES
from tests.chaos.cells import (
    at_all_places,
    on,
    with_an_outage,
    with_calls_under_way,
    with_each_fault,
    with_meddling,
)
from tests.chaos.dice import roll, roll_late
from tests.chaos.play import Outcome, play
from tests.chaos.scenario import Start
from tests.chaos.scenarios import CASES, SCENARIOS
from tests.chaos.schedule import Do, Schedule

#: Random schedules at the end of the hunt.
RANDOM = 600

#: Each once: what Trove made is NATIVES' own in every deployment.
_CASES = [
    case
    for case in CASES
    if case.manager == NATIVES
    or SCENARIOS[case.scenario].start not in (Start.FOREIGN, Start.STRANGER)
]


def hunted() -> Iterator[Schedule]:
    """Undisturbed runs first, then what has caught most, then the dice."""
    yield from map(on, _CASES)
    yield from chain.from_iterable(with_calls_under_way(case) for case in _CASES)
    yield from chain.from_iterable(with_meddling(case) for case in _CASES)
    yield from chain.from_iterable(with_each_fault(case, lag=3.0) for case in _CASES)
    yield from (roll_late(seed) for seed in range(20))
    yield from chain.from_iterable(at_all_places(case, Do.CRASH) for case in _CASES)
    yield from chain.from_iterable(at_all_places(case, Do.VANISH, Do.MEDDLE) for case in _CASES)
    yield from chain.from_iterable(with_an_outage(case) for case in _CASES)
    yield from (roll(seed) for seed in range(RANDOM))


def hunt() -> Outcome | None:
    """The first schedule that goes wrong, None when all is well."""
    return next((each for each in map(play, hunted()) if each.problems), None)
