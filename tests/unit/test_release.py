"""Instances are released from their stacks: whole operations on the in-memory cloud."""

import pytest

from handlers.clouds.memory.faults import FaultRule, Refuse
from handlers.commands import DeleteInstance, ResizeInstance
from handlers.errors import Reason
from handlers.keys import SERVER, STACK, VOLUME
from handlers.operation import SECOND, Phase
from tests.unit.migrated import PROJECT, Bench, native, reason


@pytest.mark.parametrize("manager", ["natives", "orchestrator"])
def test_a_released_instance_is_native_and_has_no_stack(manager: str) -> None:
    bench = Bench(manager)
    if manager == "natives":
        bench.adopt()
    before = native(bench)

    assert bench.release().phase is Phase.SUCCEEDED

    assert native(bench) == before
    assert bench.record.manager == "natives"
    assert STACK not in bench.record.resources
    assert not bench.stacks
    assert bench.send(ResizeInstance(project=PROJECT, flavor="3")).phase is Phase.SUCCEEDED
    assert bench.send(DeleteInstance(project=PROJECT)).phase is Phase.SUCCEEDED
    assert native(bench)["servers"] == {}
    assert native(bench)["volumes"] == {}


def test_releasing_what_is_native_does_nothing() -> None:
    op = Bench().release()

    assert op.phase is Phase.SUCCEEDED
    assert not op.learned


def test_a_stack_that_cannot_be_made_to_retain_is_not_deleted() -> None:
    bench = Bench("orchestrator")
    before = native(bench)
    bench.state.inject(FaultRule(effect=Refuse(status=400), verb="update_stack", times=1))

    assert reason(bench.release()) is Reason.REFUSED

    assert native(bench) == before
    assert bench.record.manager == "orchestrator"
    assert len(bench.stacks) == 1


# -- the volume that goes with its server ---------------------------------------------------------


def test_what_nova_does_with_the_volume_is_recorded_changed_and_given_back() -> None:
    bench = Bench()
    server, volume = (bench.record.resources[key].id for key in (SERVER, VOLUME))
    bench.cloud.doom_volume(server, volume, doomed=True)

    def doomed() -> bool:
        (found,) = bench.cloud.get(bench.record.resources[SERVER].kind, [server])
        return volume in getattr(found, "doomed", ())

    bench.adopt()
    assert not doomed()
    assert bench.record.doomed

    bench.release()
    assert doomed()
    assert not bench.record.doomed


# -- how long it takes ----------------------------------------------------------------------------


def test_an_instance_that_moved_before_is_not_frozen_longer() -> None:
    """What is known of it from then, and has not changed since, is not waited for."""
    bench = Bench()
    server, volume = (bench.record.resources[key].id for key in (SERVER, VOLUME))
    bench.cloud.doom_volume(server, volume, doomed=True)

    freezes = [
        (op.finished - op.opened) / SECOND
        for _ in range(3)
        for op in (bench.adopt(), bench.release())
    ]

    assert max(freezes) < 15, freezes
