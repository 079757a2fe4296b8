"""What becomes of an operation whose manager has a defect."""

import pytest

from handlers.commands import Command, ResizeInstance
from handlers.errors import Reason, Terminal
from handlers.instance import Instance, Scope
from handlers.natives import Natives
from handlers.operation import Failure, Operation, Phase
from handlers.recipes import Plan
from handlers.registry import PLAN_REVISION, Registry

SCOPE = Scope(cloud="cloud", region="region", project="tenant")


class Broken(Natives):
    """Cannot plan, nor turn back."""

    def plan(self, command: Command, basis: Instance | None) -> Plan:
        raise KeyError("planted-secret")

    def undo(self, command: Command, basis: Instance | None) -> Plan:
        raise KeyError("planted-secret")


def opened(phase: Phase = Phase.FORWARD) -> Operation:
    body = ResizeInstance(project="tenant", flavor="2")
    basis = Instance(id="s1", scope=SCOPE, manager="natives")
    command = Command(id="c1", subject="s1", source="test", body=body)
    return Operation(
        command=command,
        scope=SCOPE,
        accepted=1,
        manager="natives",
        plan_revision=PLAN_REVISION,
        phase=phase,
        basis=basis,
    )


@pytest.mark.parametrize("phase", [Phase.FORWARD, Phase.UNDO])
def test_a_defect_in_a_plan_ends_the_operation_and_tells_no_values(phase: Phase) -> None:
    registry = Registry((Broken(),), "natives")

    with pytest.raises(Terminal) as caught:
        registry.steps(opened(phase))

    assert caught.value.reason is Reason.INTERNAL
    assert "KeyError" in caught.value.message
    assert "planted-secret" not in caught.value.message


def test_what_could_not_be_planned_leaves_the_record_as_it_was() -> None:
    registry = Registry((Broken(),), "natives")
    op = opened()
    with pytest.raises(Terminal) as caught:
        registry.steps(op)
    failed = op.fail(Failure.of(caught.value)).end(2)

    assert registry.way_back(op) == ()
    assert registry.record(failed) == op.basis
    assert registry.leftovers(failed) == ()
