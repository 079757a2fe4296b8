"""What late answers and strangers do to a move, and what is left of it."""

from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import Call, FaultRule, Late, Refuse
from handlers.clouds.memory.orchestration import StackChange
from handlers.clouds.memory.settings import Abilities
from handlers.commands import AdoptInstance, DeleteInstance, ReleaseInstance
from handlers.instance import State
from handlers.keys import SERVER, VOLUME
from handlers.operation import Phase
from handlers.resources import Service
from tests.unit.migrated import PROJECT, Bench

UPDATE = Call(Service.ORCHESTRATION, "update_stack")


def things(bench: Bench) -> set[str]:
    """The ids of everything but the stack."""
    core = bench.state.core
    groups = {one.id for one in core.groups.values() if one.name != "default"}
    return {*core.servers, *core.volumes, *core.ports} | groups


def updated_by_somebody(bench: Bench) -> None:
    """An update without a change, of every stack that there is."""

    def update(doing: Doing) -> None:
        for stack in bench.stacks:
            change = StackChange(existing=True)
            bench.state.orchestration.update(doing, stack.project, stack.name, stack.id, change)

    bench.state.gate.call(UPDATE, update)


def test_what_somebodys_update_makes_while_heat_adopts_is_removed() -> None:
    bench = Bench()
    before = things(bench)
    command = bench.world.send(bench.subject, AdoptInstance(project=PROJECT))
    bench.world.run(until=lambda: bool(bench.stacks))
    updated_by_somebody(bench)

    bench.world.run()

    op = bench.world.operation(command)
    assert op.phase is Phase.FAILED, "it was not in time to do anything"
    assert op.left == ()
    assert things(bench) == before
    assert not bench.stacks
    assert bench.record.state is State.ACTIVE


def test_a_late_answer_of_nova_does_not_undo_what_was_given_back() -> None:
    bench = Bench()
    server, volume = (bench.record.resources[key].id for key in (SERVER, VOLUME))
    bench.cloud.doom_volume(server, volume, doomed=True)
    bench.state.inject(
        FaultRule(effect=Late(seconds=8), verb="doom_volume", nth=1),
        FaultRule(effect=Refuse(status=400), verb="adopt_stack"),
    )

    op = bench.adopt()
    bench.clock.sleep(20)
    bench.state.core.advance()

    assert op.phase is Phase.FAILED
    assert bench.state.core.servers[server].delete_with == {volume}


def test_a_deletion_takes_the_stack_that_a_failed_adoption_left() -> None:
    bench = Bench()
    bench.state.inject(
        FaultRule(effect=Refuse(status=400), verb="check_stack"),
        FaultRule(effect=Refuse(status=403), verb="delete_stack"),
    )
    assert bench.adopt().left
    assert bench.record.state is State.ERROR
    assert bench.record.manager == "natives"
    bench.state.heal()

    assert bench.send(DeleteInstance(project=PROJECT)).phase is Phase.SUCCEEDED

    assert not bench.stacks
    assert things(bench) == set()


def test_a_release_that_is_ended_when_its_stack_goes_gives_back_what_nova_was_told() -> None:
    bench = Bench()
    server, volume = (bench.record.resources[key].id for key in (SERVER, VOLUME))
    bench.cloud.doom_volume(server, volume, doomed=True)
    bench.adopt()
    command = bench.world.send(bench.subject, ReleaseInstance(project=PROJECT))
    bench.world.run(until=lambda: not bench.stacks)
    bench.world.ledger.cancel(command.id, "operator of the test")

    bench.world.run()

    op = bench.world.operation(command)
    assert op.phase is Phase.FAILED
    assert op.left == ()
    assert bench.record.manager == "natives"
    assert bench.record.state is State.ACTIVE
    assert bench.state.core.servers[server].delete_with == {volume}


def test_a_release_says_nothing_of_a_volume_that_is_seen_to_be_as_it_was() -> None:
    bench = Bench()
    server, volume = (bench.record.resources[key].id for key in (SERVER, VOLUME))
    bench.cloud.doom_volume(server, volume, doomed=True)
    bench.adopt()
    command = bench.world.send(bench.subject, ReleaseInstance(project=PROJECT))
    bench.world.run(until=lambda: bool(bench.state.core.servers[server].delete_with))
    bench.world.ledger.cancel(command.id, "operator of the test")
    bench.clock.sleep(30)

    bench.world.run()

    assert bench.world.operation(command).left == ()


def test_a_second_set_that_lands_after_the_way_back_began_is_removed() -> None:
    bench = Bench(abilities=Abilities(twins=True))
    before = things(bench)
    bench.state.inject(FaultRule(effect=Late(seconds=8), verb="adopt_stack", nth=1))
    command = bench.world.send(bench.subject, AdoptInstance(project=PROJECT))
    bench.world.run(until=lambda: bool(bench.world.operation(command).attempts))
    bench.world.ledger.cancel(command.id, "operator of the test")

    bench.world.run()

    assert bench.world.operation(command).left == ()
    assert not bench.stacks
    assert things(bench) == before
