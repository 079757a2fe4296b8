"""What somebody else did to a stack, and what publishers may say: whole operations."""

import pytest
from msgspec.structs import replace

from handlers.clouds.memory import CloudState, MemoryCloud, MemoryClouds
from handlers.clouds.memory.faults import Call, FaultRule, Refuse
from handlers.clouds.memory.orchestration import StackChange
from handlers.clouds.memory.things import StackThing
from handlers.commands import Body, CreateInstance, DeleteInstance, ResizeInstance, ResizeVolume
from handlers.errors import Reason
from handlers.identity import description, role_of, stack_tags
from handlers.instance import State
from handlers.operation import SECOND, Operation, Phase
from handlers.parts import DataVolume, Network
from handlers.resources import Service
from handlers.steps.stack_removal import RemoveStack
from handlers.steps.stack_state import write_of
from tests.support.world import VirtualClock, World
from tests.unit.stacked import SUBJECT, operation, seen, stack

_UPDATE = Call(Service.ORCHESTRATION, "update_stack")


class Bench:
    """One worker, and an instance of flavor 2 with 2 GiB that is a stack."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.state = CloudState(now=self.clock.now, sleep=self.clock.sleep)
        clouds = MemoryClouds({"": MemoryCloud(self.state)})
        self.world = World(clouds, self.clock, manager="orchestrator")
        self.world.worker()
        self.subject = self.world.uuid()
        catalogue = self.state.catalogue
        create = CreateInstance(
            project="tenant",
            name="db",
            flavor="2",
            image=catalogue.images[0].id,
            networks=(Network(network=catalogue.networks[0].id),),
            volume=DataVolume(size=2),
        )
        assert self.send(create).phase is Phase.SUCCEEDED

    def send(self, body: Body) -> Operation:
        command = self.world.send(self.subject, body)
        self.world.run()
        return self.world.operation(command)

    def resize(self, flavor: str) -> Operation:
        return self.send(ResizeInstance(project="tenant", flavor=flavor))

    @property
    def stack(self) -> StackThing:
        (found,) = self.state.core.stacks.values()
        return found

    def by_hand(self, **parameters: str | int) -> None:
        """An operator gives parameters of the stack other values, by Heat."""
        change = StackChange(existing=True, parameters=parameters)
        stack = self.stack
        self.state.gate.call(
            _UPDATE,
            lambda doing: self.state.orchestration.update(
                doing, stack.project, stack.name, stack.id, change
            ),
        )
        self.clock.sleep(60)
        self.state.core.advance()
        assert (stack.action, stack.status) == ("UPDATE", "COMPLETE")

    def flavor(self) -> str:
        (server,) = self.state.core.servers.values()
        return server.flavor

    def size(self) -> int:
        (volume,) = self.state.core.volumes.values()
        return volume.size

    def state_of_record(self) -> State:
        record = self.world.ledger.instance(self.subject)
        assert record is not None
        return record.state


# -- a stack that somebody updated by hand --------------------------------------------------------


def test_a_flavor_that_heat_was_given_by_hand_can_be_asked_for() -> None:
    bench = Bench()
    bench.by_hand(flavor="3")

    op = bench.resize("3")

    assert (op.phase, bench.flavor(), bench.state_of_record()) == (
        Phase.SUCCEEDED,
        "3",
        State.ACTIVE,
    )


def test_a_server_that_was_aligned_behind_heats_back_can_have_heats_flavor_later() -> None:
    bench = Bench()
    bench.by_hand(flavor="3")
    assert bench.resize("2").phase is Phase.SUCCEEDED
    assert bench.flavor() == "2"

    op = bench.resize("3")

    assert (op.phase, bench.flavor()) == (Phase.SUCCEEDED, "3")
    assert bench.resize("4").phase is Phase.SUCCEEDED


def test_a_resize_that_nova_refuses_after_heat_did_nothing_leaves_nothing() -> None:
    bench = Bench()
    bench.by_hand(flavor="3")
    assert bench.resize("2").phase is Phase.SUCCEEDED
    bench.state.inject(FaultRule(effect=Refuse(status=403), verb="resize_server", times=1))

    op = bench.resize("3")

    assert (op.phase, op.left, bench.flavor()) == (Phase.FAILED, (), "2")
    assert (bench.stack.status, bench.state_of_record()) == ("COMPLETE", State.ACTIVE)
    assert bench.resize("3").phase is Phase.SUCCEEDED


@pytest.mark.parametrize(
    "body", [ResizeVolume(project="tenant", size=4), ResizeInstance(project="tenant", flavor="3")]
)
def test_what_a_suspended_stack_would_not_take_is_refused_before_anything_is_changed(
    body: Body,
) -> None:
    bench = Bench()
    bench.stack.action = "SUSPEND"

    op = bench.send(body)

    assert (op.phase, op.left, bench.size(), bench.flavor()) == (Phase.FAILED, (), 2, "2")
    assert bench.state_of_record() is State.ACTIVE
    assert bench.send(DeleteInstance(project="tenant")).phase is Phase.SUCCEEDED


def test_a_volume_that_was_grown_by_hand_does_not_fail_a_resize() -> None:
    bench = Bench()
    bench.by_hand(volume_size=5)

    op = bench.resize("3")

    assert (op.phase, bench.flavor(), bench.size()) == (Phase.SUCCEEDED, "3", 5)
    assert bench.stack.parameters["volume_size"] == 5
    assert bench.send(ResizeVolume(project="tenant", size=6)).phase is Phase.SUCCEEDED
    assert bench.send(DeleteInstance(project="tenant")).phase is Phase.SUCCEEDED


@pytest.mark.parametrize("by_heat", [True, False])
def test_the_growth_of_a_volume_never_changes_the_server(by_heat: bool) -> None:
    bench = Bench()
    (server,) = bench.state.core.servers.values()
    if by_heat:
        bench.by_hand(flavor="3")
    else:
        server.flavor = "3"
    calls = bench.state.counts["compute", "resize_server"]

    op = bench.send(ResizeVolume(project="tenant", size=4))

    assert (op.phase, bench.flavor(), bench.size()) == (Phase.SUCCEEDED, "3", 4)
    assert bench.state.counts["compute", "resize_server"] == calls
    assert bench.stack.parameters["volume_size"] == 4
    assert bench.resize("4").phase is Phase.SUCCEEDED
    assert (bench.flavor(), bench.size()) == ("4", 4)
    assert bench.stack.parameters["volume_size"] == 4


# -- after a failure ------------------------------------------------------------------------------


def test_a_record_in_error_is_well_again_after_an_update_that_went_well() -> None:
    bench = Bench()
    bench.state.inject(FaultRule(effect=Refuse(status=403), verb="update_stack", times=1))
    assert bench.send(ResizeVolume(project="tenant", size=4)).phase is Phase.FAILED
    assert bench.state_of_record() is State.ERROR

    assert bench.send(ResizeVolume(project="tenant", size=4)).phase is Phase.SUCCEEDED

    assert bench.state_of_record() is State.ACTIVE


def test_a_volume_is_not_grown_while_nobody_knows_what_heat_would_do_to_the_server() -> None:
    bench = Bench()
    bench.by_hand(flavor="3")
    bench.stack.status = "FAILED"

    op = bench.send(ResizeVolume(project="tenant", size=5))

    assert (op.phase, op.left, bench.size(), bench.flavor()) == (Phase.FAILED, (), 2, "3")
    assert op.failure is not None
    assert op.failure.reason is Reason.REFUSED
    assert bench.state_of_record() is State.ACTIVE
    assert bench.resize("4").phase is Phase.SUCCEEDED
    assert bench.send(ResizeVolume(project="tenant", size=5)).phase is Phase.SUCCEEDED


def test_who_resumes_a_growth_that_heat_failed_has_heat_told_again() -> None:
    bench = Bench()
    server = bench.stack.resources["server"]
    server.properties = {**server.properties, "flavor": "3"}  # the update resizes it to its own
    op = bench.send(ResizeVolume(project="tenant", size=4))
    assert (op.phase, bench.stack.status) == (Phase.FAILED, "FAILED")
    server.properties = {**server.properties, "flavor": "2"}

    bench.world.ledger.reopen(op.id, "tool", bench.clock.now() + 600 * SECOND)
    bench.world.run()

    (resumed,) = bench.world.ledger.operations(subject=bench.subject, limit=1)
    assert (resumed.id, resumed.phase, bench.stack.status) == (op.id, Phase.SUCCEEDED, "COMPLETE")
    assert bench.state_of_record() is State.ACTIVE


# -- long ids of commands -------------------------------------------------------------------------

LONG = "c" * 64


@pytest.mark.parametrize("length", [1, 36, 60, 61, 62, 63, 64])
@pytest.mark.parametrize("key", ["stack", "group-stack", "update", "restore"])
def test_a_write_of_any_command_fits_into_a_tag(key: str, length: int) -> None:
    op = operation()
    write = write_of(_renamed(op, "c" * length), key)

    assert all(len(tag) <= 80 for tag in stack_tags(SUBJECT, write))
    assert write.endswith(f"_{key}")
    assert write != write_of(_renamed(op, "d" * length), key)


@pytest.mark.parametrize("key", ["stack", "group-stack"])
def test_the_way_back_finds_what_a_long_command_made(key: str) -> None:
    op = _renamed(operation(None, quiet={key: 1}), LONG)
    step = RemoveStack(SUBJECT, key=key)

    assert step.learn(op, seen(stack(write=write_of(op, key))))["id"] == "k1"
    assert "id" not in step.learn(op, seen(stack(write=write_of(_renamed(op, "e" * 64), key))))


def _renamed(op: Operation, name: str) -> Operation:
    return replace(op, command=replace(op.command, id=name))


# -- long and strange names -----------------------------------------------------------------------


@pytest.mark.parametrize("text", ["n" * 455, "\U0001f600" * 255, "ü" * 219, "", "db"])
def test_a_description_fits_and_still_tells_the_role(text: str) -> None:
    told = description("security-group", text)

    assert len(told) <= 255
    assert max(told) <= "\uffff"
    assert role_of(told) == "security-group"
