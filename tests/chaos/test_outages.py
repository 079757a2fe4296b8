"""Heat is away, and what does not need it does not notice."""

import pytest

from handlers.clouds.memory.faults import Delay, Effect, FaultRule, Refuse
from handlers.operation import SECOND, Operation, Phase
from handlers.resources import Service
from tests.chaos.scenario import Start, create_instance
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.schedule import Schedule
from tests.chaos.stage import CORE, LIMIT, UNDO, Stage, Variant

#: What Trove made belongs to NATIVES, also where new instances become stacks.
OTHERS = [name for name, each in SCENARIOS.items() if each.start is Start.FOREIGN]

#: While a call hangs the stage lets its worker go on once a second; calls to Heat hang for ten.
ROUNDS = 6

ONE_LANE = Variant(lanes=False)


def _beside_a_stack(
    scenario: str, *, dead: bool = False, fault: Effect | None = None, variant: Variant = CORE
) -> tuple[Operation, Operation]:
    """The operation of the scenario, and the creation of a stack that began before it: one worker
    has both."""
    schedule = Schedule(manager="orchestrator", scenario=scenario, seed=1)
    stage = Stage(schedule=schedule, variant=variant)
    if dead:
        stage.state.orchestration.kill_engine()
    if fault:
        stage.state.inject(FaultRule(service=Service.ORCHESTRATION, effect=fault))
    beside = stage.world.command(stage.world.uuid(), create_instance())
    stage.world.publish(beside)
    stage.play()
    return stage.world.operation(stage.command), stage.world.operation(beside)


def _seconds(op: Operation) -> float:
    assert op.phase is Phase.SUCCEEDED, op.failure
    return (op.finished - op.accepted) / SECOND


@pytest.mark.parametrize("scenario", OTHERS)
@pytest.mark.parametrize("fault", [None, Delay(seconds=9.5), Refuse(status=503)], ids=str)
def test_natives_are_not_delayed_while_heat_is_down(scenario: str, fault: Effect | None) -> None:
    usual, _ = _beside_a_stack(scenario)

    there, beside = _beside_a_stack(scenario, dead=fault is None, fault=fault)

    assert there.manager == "natives"
    assert _seconds(there) <= _seconds(usual) + ROUNDS
    assert beside.manager == "orchestrator"


@pytest.mark.parametrize("fault", [None, Refuse(status=503)], ids=str)
def test_what_needs_heat_waits_and_fails_clearly_at_its_deadline(fault: Effect | None) -> None:
    _, beside = _beside_a_stack(OTHERS[0], dead=fault is None, fault=fault)

    assert beside.failure is not None
    assert "orchestration" in beside.failure.message
    assert (beside.finished - beside.opened) / SECOND < LIMIT + UNDO + 30


def test_the_stage_would_notice_a_lane_that_holds_up_the_others() -> None:
    usual, _ = _beside_a_stack("foreign-resize")

    held_up, _ = _beside_a_stack("foreign-resize", dead=True, variant=ONE_LANE)

    assert _seconds(held_up) > _seconds(usual) + ROUNDS
