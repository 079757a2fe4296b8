"""Schedules that once went wrong, by what they showed. Found by the suite, kept for good."""

import pytest

from handlers.clouds.memory.faults import Delay, FaultRule, Late, Lose, Outcome, Refuse, Spoil
from handlers.operation import SECOND
from tests.chaos.faultkinds import FAULTS
from tests.chaos.play import play
from tests.chaos.schedule import Do, Schedule, Strike

_FORBIDDEN = Refuse(status=403, message="Policy does not allow this to be performed.")
_BUSY = Refuse(status=429, message="Too many requests.")
_BROKEN = Refuse(status=500, message="Unexpected API Error.")


def _crash(at: str, step: str = "", nth: int = 1) -> Strike:
    return Strike(at=at, step=step, nth=nth, do=Do.CRASH)


SEEDS: dict[str, Schedule] = {
    "a resize whose answer died with the worker is taken back all the same": Schedule(
        scenario="resize-undone", strikes=(_crash("in-call", "resize"),)
    ),
    "rules whose answer died with the worker are taken back all the same": Schedule(
        scenario="rules-update-undone", strikes=(_crash("in-call", "rules"),)
    ),
    "an extension cut short by a delete says what it did": Schedule(
        scenario="volume-resize",
        workers=2,
        strikes=(Strike(at="after-cancelled", do=Do.DELETE),),
    ),
    "a confirmed resize cut short by a delete says what it did": Schedule(
        scenario="resize-up",
        workers=2,
        strikes=(Strike(at="after-cancelled", nth=5, do=Do.DELETE),),
    ),
    "a revert that fails is told": Schedule(
        scenario="resize-undone",
        faults=(FaultRule(effect=Spoil(Outcome.ERROR), verb="revert_resize", times=1),),
    ),
    "a removal that landed unheard is a point of no return": Schedule(
        scenario="rules-update-undone",
        faults=(FaultRule(effect=Lose(), verb="delete_rule", times=1),),
    ),
    "a deletion stuck after a take-over is told": Schedule(
        scenario="delete",
        strikes=(_crash("in-call", "servers"),),
        faults=(FaultRule(effect=Spoil(Outcome.STUCK), verb="delete_server", times=1),),
    ),
    "a repair that is refused after a take-over is told": Schedule(
        scenario="resize-broken",
        strikes=(_crash("in-call", "resize"),),
        faults=(FaultRule(effect=_FORBIDDEN, verb="reset_server", times=1),),
    ),
    "a pivot is a pivot after a take-over too": Schedule(
        scenario="rules-update",
        workers=2,
        strikes=(
            Strike(at="before-take_over", nth=2, do=Do.DELETE),
            _crash("before-finish", nth=1),
        ),
    ),
    "a lane that is always busy starves no other, and half a look proves nothing": Schedule(
        scenario="create-undone",
        seed=8717,
        workers=3,
        faults=(
            FaultRule(effect=Delay(seconds=9.2), nth=1),
            FaultRule(effect=Late(seconds=2.9, status=504), verb="create_port", times=1),
            FaultRule(effect=_BROKEN, verb="*_volume"),
        ),
    ),
    "of two ports that should go the one that is left is told": Schedule(
        scenario="delete",
        faults=(
            FaultRule(effect=Lose(), verb="delete_port", nth=1),
            FaultRule(effect=_FORBIDDEN, verb="delete_port"),
        ),
    ),
    "a deletion refused at once says what is still there": Schedule(
        scenario="delete", faults=(FaultRule(effect=_FORBIDDEN, verb="delete_server"),)
    ),
    "after an error a delete that sees nothing says what may be there": Schedule(
        scenario="group-create-undone",
        workers=3,
        strikes=(Strike(at="before-intent", do=Do.DELETE),),
        faults=(FaultRule(effect=Lose(status=502)),),
    ),
    "a server that Heat lost sight of before it had its tag is found": Schedule(
        manager="orchestrator",
        scenario="create",
        faults=(FaultRule(effect=Lose(), verb="create_server", nth=1),),
    ),
    "a server without a tag is found by a later deletion too": Schedule(
        manager="orchestrator",
        scenario="create",
        faults=(
            FaultRule(effect=Lose(), verb="create_server", nth=1),
            FaultRule(effect=_BROKEN, verb="*_server"),
        ),
    ),
    "a volume is not extended while Heat would replace the server": Schedule(
        manager="orchestrator",
        scenario="resize-broken",
        workers=2,
        strikes=(Strike(at="after-accept", do=Do.NEXT),),
        faults=(FaultRule(effect=_FORBIDDEN, verb="reset_server"),),
    ),
    "a stack that could not be told of a new size is told when somebody resumes": Schedule(
        manager="orchestrator",
        scenario="volume-resize",
        seed=1,
        faults=(FaultRule(effect=Spoil(Outcome.ERROR), verb="update_stack", times=1),),
    ),
    "a stack that Heat does not bring back to its values is stopped": Schedule(
        manager="orchestrator",
        scenario="resize-broken",
        seed=1,
        faults=(FaultRule(effect=Spoil(Outcome.STUCK), verb="update_stack"),),
    ),
    "an update that Heat has nothing to do for and does not end is stopped": Schedule(
        manager="orchestrator",
        scenario="volume-resize",
        seed=1,
        faults=(FaultRule(effect=Spoil(Outcome.STUCK), verb="update_stack"),),
    ),
    "a resize that a delete overtakes in Heat tells what it leaves": Schedule(
        manager="orchestrator",
        scenario="resize-up",
        workers=2,
        strikes=(Strike(at="after-intent", step="update", do=Do.DELETE),),
    ),
    "a stack of ours stays ours when somebody's update takes its mark": Schedule(
        manager="orchestrator",
        scenario="create",
        workers=2,
        strikes=(Strike(at="after-cancelled", do=Do.MEDDLE),),
    ),
    "what Heat made last shows later than its stack goes": Schedule(
        manager="orchestrator",
        scenario="group-create",
        faults=(FaultRule(effect=Lose(), verb="create_security_group", nth=1),),
        seed=2000,
        lag=3.0,
    ),
    "a deletion that is resumed asks Heat again": Schedule(
        manager="orchestrator",
        scenario="delete",
        seed=1,
        faults=(FaultRule(effect=Lose(), verb="delete_server"),),
    ),
    "a group of its own is deleted also where a stack made it": Schedule(
        manager="orchestrator", scenario="group-delete", strikes=(_crash("before-finish"),)
    ),
    "a server that is not aligned again after a failed resize is told": Schedule(
        manager="orchestrator",
        scenario="resize-undone",
        faults=(FaultRule(effect=Lose(), verb="confirm_resize", nth=1),),
    ),
    "a stack that a stranger's update broke is the stranger's": Schedule(
        manager="orchestrator",
        scenario="volume-resize",
        seed=19849,
        workers=3,
        strikes=(
            Strike(at="in-call", do=Do.MEDDLE, nth=2),
            _crash("after-intent", nth=3),
            Strike(at="in-look", do=Do.PAUSE, nth=2, seconds=25.0),
        ),
        faults=(FaultRule(effect=Spoil(Outcome.ERROR)),),
        lag=3.0,
    ),
    "a stack's reason shows no user data": Schedule(
        manager="orchestrator",
        scenario="create",
        faults=(FaultRule(effect=FAULTS["refuse-400"], verb="create_server", nth=1),),
    ),
}


@pytest.mark.parametrize("schedule", SEEDS.values(), ids=SEEDS)
def test_what_went_wrong_once_goes_well(schedule: Schedule) -> None:
    outcome = play(schedule)

    assert not outcome.problems, str(outcome)
    assert outcome.stage.crossings.struck or outcome.stage.cloud.faults, "it strikes nothing"


def test_a_call_that_was_refused_is_made_again_after_its_backoff() -> None:
    """Not when a silent listing has been doubted long enough: that took 15 s, 30 s, 60 s."""
    outcome = play(
        Schedule(
            scenario="volume-resize",
            faults=(FaultRule(effect=_BUSY, verb="extend_volume", times=4),),
        )
    )

    op = outcome.stage.ledger.operation(outcome.stage.command.id)
    assert not outcome.problems, str(outcome)
    assert op is not None
    assert (op.finished - op.opened) / SECOND < 20
