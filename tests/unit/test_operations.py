"""What becomes of whole operations, in virtual time; the chaos suite goes further."""

import pytest

from handlers.clouds.memory import CloudState, MemoryCloud, MemoryClouds, Times
from handlers.clouds.memory.faults import FaultRule, Outcome, Refuse, Spoil
from handlers.commands import (
    CreateInstance,
    DeleteInstance,
    MigrateInstance,
    ResizeInstance,
    ResizeVolume,
)
from handlers.errors import Reason
from handlers.instance import State
from handlers.operation import Phase
from handlers.parts import Access, DataVolume, Network
from handlers.resources import PortRange
from tests.support.world import POLICY, VirtualClock, World


class Bench:
    """One worker on one memory cloud."""

    def __init__(self, *faults: FaultRule, times: Times | None = None) -> None:
        clock = VirtualClock()
        self.state = CloudState(
            now=clock.now, sleep=clock.sleep, faults=faults, times=times or Times()
        )
        self.cloud = MemoryCloud(self.state)
        self.world = World(MemoryClouds({"": self.cloud}), clock)
        self.world.worker()
        self.subject = self.world.uuid()

    def create(self) -> CreateInstance:
        catalogue = self.state.catalogue
        return CreateInstance(
            project="tenant",
            name="db",
            flavor="1",
            image=catalogue.images[0].id,
            networks=(Network(network=catalogue.networks[0].id),),
            volume=DataVolume(size=2),
            access=Access(ports=(PortRange("tcp", 3306, 3306),), cidrs=("10.0.0.0/8",)),
        )


def test_a_create_makes_everything_and_says_what() -> None:
    bench = Bench()
    command = bench.world.send(bench.subject, bench.create())

    bench.world.run()

    assert bench.world.events(command) == ["start", "end"]
    data = bench.world.event(command).data
    assert sorted(data.resources) == ["port/user-0", "security-group", "server", "volume/data"]
    assert data.addresses
    assert data.volume_size == 2


def test_a_create_needs_five_mutating_calls_and_hardly_a_look() -> None:
    bench = Bench()
    for _ in range(200):
        bench.world.send(bench.world.uuid(), bench.create())

    bench.world.run()

    calls = bench.state.counts
    mutating = sum(n for (_, verb), n in calls.items() if verb.startswith("create"))
    assert mutating == 5 * 200
    assert sum(calls.values()) - mutating <= 0.2 * 200


def test_a_create_that_the_cloud_refuses_leaves_nothing_and_carries_its_reason() -> None:
    bench = Bench(FaultRule(verb="create_server", effect=Refuse(status=403, quota=True)))
    command = bench.world.send(bench.subject, bench.create())

    bench.world.run()

    event = bench.world.event(command)
    assert event.data.error is not None
    assert event.data.error.reason is Reason.QUOTA
    assert event.data.left_behind == ()
    assert bench.state.inventory() == {}
    assert bench.world.ledger.instance(bench.subject) is None


def test_a_command_that_ran_out_of_time_says_what_the_trouble_was() -> None:
    bench = Bench(FaultRule(verb="create_volume", effect=Refuse(status=503, message="maintenance")))
    command = bench.world.send(bench.subject, bench.create())

    bench.world.run()

    op = bench.world.operation(command)
    assert op.failure is not None
    assert op.failure.reason is Reason.DEADLINE
    assert "s; the last trouble was: block_storage: " in op.failure.message
    assert "maintenance" in op.failure.message
    assert op.finished - op.opened <= POLICY.limit + POLICY.undo_budget


def test_a_command_that_ran_out_of_time_without_trouble_says_what_it_waited_for() -> None:
    bench = Bench(times=Times(server_build=(5000.0, 5000.0)))
    command = bench.world.send(bench.subject, bench.create())

    bench.world.run()

    op = bench.world.operation(command)
    assert op.failure is not None
    assert op.failure.reason is Reason.DEADLINE
    assert op.failure.message.endswith("s; waiting for compute (server)")


def test_an_undo_that_cannot_finish_names_what_is_left() -> None:
    bench = Bench(
        FaultRule(verb="create_server", effect=Refuse(status=400)),
        FaultRule(verb="delete_port", effect=Refuse(status=403)),
    )
    command = bench.world.send(bench.subject, bench.create())

    bench.world.run()

    left = bench.world.event(command).data.left_behind
    assert {str(ref.kind) for ref in left} == {"port", "security_group"}
    record = bench.world.ledger.instance(bench.subject)
    assert record is not None
    assert record.state is State.ERROR


def test_a_delete_finds_what_a_failed_create_left() -> None:
    bench = Bench(
        FaultRule(verb="create_server", effect=Refuse(status=400)),
        FaultRule(verb="delete_port", effect=Refuse(status=403), times=1),
    )
    bench.world.send(bench.subject, bench.create())
    bench.world.run()
    command = bench.world.send(bench.subject, DeleteInstance(project="tenant"))

    bench.world.run()

    assert bench.world.operation(command).phase is Phase.SUCCEEDED
    assert bench.state.inventory() == {}


def test_a_delete_supersedes_the_create_that_is_open() -> None:
    bench = Bench(FaultRule(verb="create_server", effect=Spoil(Outcome.STUCK)))
    create = bench.world.send(bench.subject, bench.create())
    bench.world.run(10)
    delete = bench.world.send(bench.subject, DeleteInstance(project="tenant"))

    bench.world.run()

    error = bench.world.event(create).data.error
    assert error is not None
    assert error.reason is Reason.SUPERSEDED
    assert bench.world.operation(delete).phase is Phase.SUCCEEDED
    assert bench.state.inventory() == {}


def test_commands_of_one_instance_run_one_after_the_other() -> None:
    bench = Bench()
    bench.world.send(bench.subject, bench.create())
    grow = bench.world.send(bench.subject, ResizeVolume(project="tenant", size=5))
    resize = bench.world.send(bench.subject, ResizeInstance(project="tenant", flavor="2"))

    bench.world.run()

    first, second = bench.world.operation(grow), bench.world.operation(resize)
    assert first.finished <= second.opened
    record = bench.world.ledger.instance(bench.subject)
    assert record is not None
    assert (record.volume_size, record.flavor) == (5, "2")


def test_a_command_that_the_manager_cannot_do_ends_in_a_clear_error() -> None:
    bench = Bench()
    bench.world.send(bench.subject, bench.create())
    command = bench.world.send(bench.subject, MigrateInstance(project="tenant"))

    bench.world.run()

    error = bench.world.event(command).data.error
    assert error is not None
    assert error.reason is Reason.UNSUPPORTED
    assert "instance.migrate" in error.message


def test_another_tenant_cannot_touch_an_instance() -> None:
    bench = Bench()
    bench.world.send(bench.subject, bench.create())
    command = bench.world.send(bench.subject, DeleteInstance(project="intruder"))

    bench.world.run()

    error = bench.world.event(command).data.error
    assert error is not None
    assert error.reason is Reason.NOT_OWNED
    assert bench.state.inventory()


@pytest.mark.parametrize("again", ["create", "resize"])
def test_a_deleted_instance_does_not_come_back(again: str) -> None:
    bench = Bench()
    bench.world.send(bench.subject, DeleteInstance(project="tenant"))
    bench.world.run()
    body = bench.create() if again == "create" else ResizeVolume(project="tenant", size=9)
    command = bench.world.send(bench.subject, body)

    bench.world.run()

    error = bench.world.event(command).data.error
    assert error is not None
    assert error.reason is Reason.DELETED
    assert bench.state.inventory() == {}


def test_a_dead_workers_operations_are_carried_on() -> None:
    bench = Bench()
    command = bench.world.send(bench.subject, bench.create())
    bench.world.run(2)
    bench.world.workers[0].alive = False
    bench.world.worker()

    bench.world.run()

    assert bench.world.events(command) == ["start", "end"]
    assert len(bench.state.inventory()[bench.subject]) == 4


def test_a_second_delete_lets_the_first_one_finish() -> None:
    bench = Bench()
    bench.world.send(bench.subject, bench.create())
    bench.world.run()
    deletes = [bench.world.send(bench.subject, DeleteInstance(project="tenant")) for _ in range(2)]

    bench.world.run()

    assert [bench.world.operation(each).phase for each in deletes] == [Phase.SUCCEEDED] * 2


def test_what_a_delete_overtook_in_the_queue_says_so() -> None:
    bench = Bench()
    bench.world.send(bench.subject, bench.create())
    resize = bench.world.send(bench.subject, ResizeInstance(project="tenant", flavor="2"))
    bench.world.send(bench.subject, DeleteInstance(project="tenant"))

    bench.world.run()

    error = bench.world.event(resize).data.error
    assert error is not None
    assert error.reason is Reason.SUPERSEDED
