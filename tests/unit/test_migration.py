"""Instances change hands: whole operations on the in-memory cloud."""

import pytest

from handlers.clouds.memory.faults import FaultRule, Refuse
from handlers.clouds.memory.settings import Abilities
from handlers.commands import (
    AdoptInstance,
    CreateSecurityGroup,
    DeleteInstance,
    ReleaseInstance,
    ResizeInstance,
    ResizeVolume,
)
from handlers.errors import Reason
from handlers.instance import State
from handlers.keys import SERVER, STACK, VOLUME
from handlers.operation import SECOND, Phase
from handlers.orders import NewStack
from tests.unit.migrated import PROJECT, Bench, native, reason

# -- adopt ----------------------------------------------------------------------------------------


def test_an_adopted_instance_is_the_same_one_in_a_stack() -> None:
    bench = Bench()
    before, record = native(bench), bench.record

    assert bench.adopt().phase is Phase.SUCCEEDED

    assert native(bench) == before
    assert bench.record.manager == "orchestrator"
    assert not bench.record.soaking
    (stack,) = bench.stacks
    assert bench.record.resources == {**record.resources, STACK: bench.record.resources[STACK]}
    assert stack.id == bench.record.resources[STACK].id


def test_an_adoption_that_is_not_committed_retains_everything() -> None:
    bench = Bench()
    bench.adopt(commit=False)
    assert bench.record.soaking

    (stack,) = bench.stacks
    before = native(bench)
    bench.cloud.delete_stack(bench.subject, stack.id)  # by mistake
    bench.clock.sleep(60)
    bench.state.core.advance()

    assert not bench.stacks
    assert native(bench) == before


def test_what_is_committed_later_retains_the_volume_only() -> None:
    bench = Bench()
    bench.adopt(commit=False)

    assert bench.adopt().phase is Phase.SUCCEEDED

    assert not bench.record.soaking
    template = bench.cloud.stack_template(bench.subject, bench.stacks[0].id)
    assert template is not None
    kept = [name for name, one in template["resources"].items() if "deletion_policy" in one]
    assert kept == ["volume_data"]


def test_an_adopted_instance_is_resized_through_its_stack_and_deleted_with_it() -> None:
    bench = Bench()
    bench.adopt()

    for body in (
        ResizeInstance(project=PROJECT, flavor="3"),
        ResizeInstance(project=PROJECT, flavor="2"),
        ResizeVolume(project=PROJECT, size=5),
    ):
        assert bench.send(body).phase is Phase.SUCCEEDED
    assert bench.send(DeleteInstance(project=PROJECT)).phase is Phase.SUCCEEDED

    assert not bench.stacks
    assert native(bench) == {"servers": {}, "volumes": {}, "ports": set(), "groups": set()}


def test_adopting_again_does_nothing() -> None:
    bench = Bench()
    bench.adopt()

    again = bench.adopt()

    assert again.phase is Phase.SUCCEEDED
    assert not again.learned


# -- what must not be adopted ---------------------------------------------------------------------


def test_a_pinned_instance_stays() -> None:
    bench = Bench()
    bench.world.ledger.pin(bench.subject, pinned=True)

    op = bench.adopt()

    assert reason(op) is Reason.REFUSED
    assert "unpin" in (op.failure.message if op.failure else "")
    assert bench.record.manager == "natives"


def test_a_server_with_another_flavor_than_the_recorded_one_is_left_alone() -> None:
    bench = Bench()
    server = bench.record.resources[SERVER].id
    bench.cloud.resize_server(server, "4")
    bench.clock.sleep(60)
    bench.cloud.confirm_resize(server)
    bench.clock.sleep(60)

    assert reason(bench.adopt()) is Reason.DRIFT
    assert not bench.stacks
    assert bench.record.state is State.ACTIVE


def test_a_stopped_server_is_not_adopted_but_may_be_released() -> None:
    bench = Bench()
    (server,) = bench.state.core.servers.values()
    server.status = "SHUTOFF"
    assert reason(bench.adopt()) is Reason.DRIFT

    server.status = "ACTIVE"
    bench.clock.sleep(5)
    assert bench.adopt().phase is Phase.SUCCEEDED

    server.status = "SHUTOFF"
    bench.clock.sleep(5)
    assert bench.release().phase is Phase.SUCCEEDED


def test_an_instance_whose_volume_is_gone_is_left_alone() -> None:
    bench = Bench()
    del bench.state.core.volumes[bench.record.resources[VOLUME].id]

    assert reason(bench.adopt()) is Reason.NOT_FOUND
    assert not bench.stacks


@pytest.mark.parametrize("manager", ["natives", "orchestrator"])
def test_a_group_of_its_own_is_left_alone(manager: str) -> None:
    bench = Bench(manager)
    group = bench.world.uuid()
    bench.send(CreateSecurityGroup(project=PROJECT, name="group"), group)

    for body in (AdoptInstance(project=PROJECT), ReleaseInstance(project=PROJECT)):
        assert reason(bench.send(body, group)) is Reason.INVALID


def test_a_taken_name_is_not_adopted_over() -> None:
    bench = Bench()
    empty = {"heat_template_version": "2017-02-24"}
    bench.cloud.create_stack(
        NewStack(
            subject=bench.subject,
            template=empty,
            environment={},
            parameters={},
            write="somebody_stack",
            minutes=5,
        )
    )
    (somebodys,) = bench.stacks

    op = bench.adopt()

    assert reason(op) is Reason.EXISTS
    assert bench.stacks == [somebodys]
    assert op.finished - op.opened < 10 * SECOND, "nobody waits for what a look tells"


# -- ways back ------------------------------------------------------------------------------------


def test_a_heat_that_does_not_adopt_says_which_setting_would() -> None:
    bench = Bench(abilities=Abilities(adoption=False))
    before = native(bench)

    op = bench.adopt()

    assert reason(op) is Reason.UNSUPPORTED
    assert "enable_stack_adopt" in (op.failure.message if op.failure else "")
    assert native(bench) == before
    assert bench.record.manager == "natives"
    assert bench.record.state is State.ACTIVE


def test_a_heat_that_makes_a_second_set_is_cleaned_up_after() -> None:
    bench = Bench(abilities=Abilities(twins=True))
    before = native(bench)

    op = bench.adopt()

    assert reason(op) is Reason.UNSUPPORTED
    assert op.left == ()
    assert native(bench) == before, "exactly the second set is gone"
    assert not bench.stacks
    assert bench.record.manager == "natives"
    assert bench.record.state is State.ACTIVE


@pytest.mark.parametrize("verb", ["adopt_stack", "check_stack", "preview_stack", "update_stack"])
def test_a_call_that_is_refused_leaves_an_unharmed_native_instance(verb: str) -> None:
    bench = Bench()
    before, record = native(bench), bench.record
    bench.state.inject(FaultRule(effect=Refuse(status=400), verb=verb, times=9))

    op = bench.adopt()

    assert reason(op) is Reason.REFUSED
    assert op.left == ()
    assert native(bench) == before
    assert bench.record == record
    assert not bench.stacks


def test_an_adoption_that_does_not_end_in_time_is_undone() -> None:
    bench = Bench()
    before, record = native(bench), bench.record
    bench.state.orchestration.kill_engine()

    command = bench.world.send(bench.subject, AdoptInstance(project=PROJECT, max_freeze=30))
    bench.world.run(60)
    bench.state.orchestration.start_engine()
    bench.world.run()

    op = bench.world.operation(command)
    assert reason(op) is Reason.DEADLINE
    assert native(bench) == before
    assert bench.record == record
    assert not bench.stacks


def test_what_changes_under_way_is_found_at_the_end() -> None:
    bench = Bench()
    volume = bench.record.resources[VOLUME].id

    def is_checked() -> bool:
        return "check" in bench.world.operation(command).learned

    command = bench.world.send(bench.subject, AdoptInstance(project=PROJECT))
    bench.world.run(60, is_checked)
    bench.cloud.extend_volume(volume, 5)
    bench.world.run()

    op = bench.world.operation(command)
    assert reason(op) is Reason.DRIFT
    assert "size 2 is 5" in (op.failure.message if op.failure else "")
    assert bench.record.manager == "natives"
    assert not bench.stacks
