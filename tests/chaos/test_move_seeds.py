"""Moves that once went wrong, by what they showed. Found by the suite, kept for good."""

import pytest

from handlers.clouds.memory.faults import FaultRule, Late, Outcome, Refuse, Spoil
from tests.chaos.play import play
from tests.chaos.schedule import Do, Schedule, Strike

_BUSY = Refuse(status=429, message="Too many requests.")
_FORBIDDEN = Refuse(status=403, message="Policy does not allow this to be performed.")
_AWAY = Refuse(status=503, message="Service Unavailable.")


def _moves(scenario: str, *, strike: Strike | None = None, **more: object) -> Schedule:
    strikes = (strike,) if strike else ()
    return Schedule(manager="migration", scenario=scenario, strikes=strikes, **more)  # type: ignore[arg-type]


SEEDS: dict[str, Schedule] = {
    "what somebody's update makes of an adoption is removed": _moves(
        "adopt", strike=Strike(at="in-call", step="stack", do=Do.MEDDLE), workers=2
    ),
    "a late answer does not undo what was given back": _moves(
        "adopt-unchecked",
        strike=Strike(at="after-intent", step="doom", do=Do.CRASH),
        faults=(FaultRule(effect=Late(seconds=8), verb="doom_volume", nth=1),),
    ),
    "a deletion takes the stack that an adoption left": _moves(
        "adopt-unchecked", faults=(FaultRule(effect=Refuse(status=400), verb="delete_stack"),)
    ),
    "a release that an operator ends while its stack goes gives back what Nova was told": _moves(
        "release-soaking",
        strike=Strike(at="in-look", step="get_stack", nth=3, do=Do.CANCEL),
        workers=2,
    ),
    "a second volume that is deleted late is seen to be gone": _moves(
        "adopt-twins", seed=1, faults=(FaultRule(effect=_BUSY, verb="delete_volume"),)
    ),
    "a second set that lands after the way back began is removed": _moves(
        "adopt-twins",
        strike=Strike(at="after-save", since="stack", do=Do.DELETE),
        workers=2,
        faults=(FaultRule(effect=Late(seconds=18), verb="adopt_stack", nth=1),),
    ),
    "a stack that nobody could look at may exist, and is told": _moves(
        "adopt",
        strike=Strike(at="after-intent", step="check", do=Do.CANCEL),
        faults=(FaultRule(effect=_AWAY, verb="get_stack*"),),
    ),
    "what is made after the last look at a stack is told": _moves(
        "adopt-late", strike=Strike(at="before-save", nth=6, do=Do.MEDDLE), workers=2
    ),
    "a second set that nobody can read is told": _moves(
        "adopt-twins", faults=(FaultRule(effect=_FORBIDDEN, verb="get_stack_resources"),)
    ),
    "a check that failed has changed nothing": _moves(
        "release-soaking", faults=(FaultRule(effect=Spoil(Outcome.NO_HOST)),)
    ),
}


@pytest.mark.parametrize("schedule", SEEDS.values(), ids=SEEDS)
def test_what_went_wrong_once_goes_well(schedule: Schedule) -> None:
    outcome = play(schedule)

    assert not outcome.problems, str(outcome)
    assert outcome.stage.crossings.struck or outcome.stage.cloud.faults, "it strikes nothing"
