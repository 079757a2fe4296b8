"""Moves that are made to fail: whole operations on the in-memory cloud, and single steps."""

from typing import Any

import pytest
from msgspec.structs import replace

from handlers.base import Answer
from handlers.clouds.memory import MemoryCloud
from handlers.clouds.memory.faults import FaultRule, Refuse
from handlers.commands import ResizeInstance
from handlers.errors import Reason
from handlers.identity import group_name
from handlers.instance import State
from handlers.keys import GROUP, SERVER
from handlers.operation import Operation, Phase
from handlers.orders import StackAdoption
from tests.unit.migrated import PROJECT, Bench


class Mistaken(MemoryCloud):
    """Has Heat adopt another instance's server, volume, ports and group."""

    def adopt_stack(self, new: StackAdoption) -> Answer:
        core, ours = self._state.core, set(new.members.values())
        theirs = {
            "server": [one for one in core.servers if one not in ours],
            "volume_data": [one for one in core.volumes if one not in ours],
            "security-group": [
                one.id
                for one in core.groups.values()
                if one.id not in ours and one.name != "default"
            ],
        }
        wrong = {name: ids[0] for name, ids in theirs.items() if name in new.members}
        assert wrong
        return super().adopt_stack(replace(new, members={**new.members, **wrong}))


def native(bench: Bench) -> dict[str, Any]:
    core = bench.state.core
    return {
        "servers": {one.id: (one.launched, one.flavor) for one in core.servers.values()},
        "volumes": {one.id: one.size for one in core.volumes.values()},
        "ports": set(core.ports),
        "groups": {one.id for one in core.groups.values() if one.name != "default"},
    }


def failed(op: Operation) -> tuple[Reason, str]:
    assert op.phase is Phase.FAILED
    assert op.failure is not None
    return op.failure.reason, op.failure.message


def deletes_stack(bench: Bench) -> None:
    bench.cloud.delete_stack(bench.subject, bench.stacks[0].id)
    bench.clock.sleep(60)
    bench.state.core.advance()
    assert not bench.stacks


def is_held_for_ill(bench: Bench) -> None:
    """Heat looked while the server was in ERROR."""
    server = bench.state.core.servers[bench.record.resources[SERVER].id]
    server.status = "ERROR"
    bench.cloud.check_stack(bench.subject, bench.stacks[0].id)
    bench.clock.sleep(60)
    bench.state.core.advance()
    assert (bench.stacks[0].action, bench.stacks[0].status) == ("CHECK", "FAILED")
    server.status = "ACTIVE"


def test_what_heat_adopted_of_another_instance_is_let_go_and_not_removed() -> None:
    bench = Bench(cloud=Mistaken)
    other = bench.world.uuid()
    assert bench.send(bench.create(), other).phase is Phase.SUCCEEDED
    before, record = native(bench), bench.record

    op = bench.adopt()

    assert failed(op)[0] is Reason.DRIFT
    assert op.left == ()
    assert native(bench) == before, "both instances live on"
    assert bench.record == record
    assert not bench.stacks


def test_a_group_of_another_instance_is_not_adopted() -> None:
    bench = Bench()
    group = bench.state.core.groups[bench.record.resources[GROUP].id]
    group.name, group.subject = group_name(other := bench.world.uuid()), other

    reason, text = failed(bench.adopt())

    assert reason is Reason.DRIFT
    assert other in text
    assert not bench.stacks


def test_a_commit_of_what_somebody_deleted_says_so_and_a_release_is_the_way_out() -> None:
    bench = Bench()
    bench.adopt(commit=False)
    before = native(bench)
    deletes_stack(bench)

    for op in (bench.adopt(), bench.send(ResizeInstance(project=PROJECT, flavor="3"))):
        reason, text = failed(op)
        assert reason is Reason.NOT_FOUND
        assert "instance.release" in text
        assert op.left == ()
    assert bench.record.soaking
    assert bench.record.state is State.ACTIVE

    assert bench.release().phase is Phase.SUCCEEDED
    assert native(bench) == before
    assert bench.record.manager == "natives"
    assert bench.send(ResizeInstance(project=PROJECT, flavor="3")).phase is Phase.SUCCEEDED


@pytest.mark.parametrize("command", ["commit", "release"])
def test_what_heat_held_for_ill_once_is_looked_at_again(command: str) -> None:
    bench = Bench()
    bench.adopt(commit=False)
    before = native(bench)
    is_held_for_ill(bench)

    op = bench.adopt() if command == "commit" else bench.release()

    assert op.phase is Phase.SUCCEEDED, op.failure
    assert native(bench) == before


def test_a_resumed_operation_counts_every_kind_of_try_anew() -> None:
    bench = Bench()
    op = bench.adopt()
    op = op.found("commit", {"tries retain": 3, "tries check retain": 1, "tries": 2, "id": "k1"})

    anew = op.anew().learned["commit"]

    assert anew["id"] == "k1"
    assert {anew[name] for name in anew if name.startswith("tries")} == {0}


def test_a_commit_of_what_is_ill_soaks_on_and_goes_well_once_it_is_well() -> None:
    bench = Bench()
    bench.adopt(commit=False)
    record = bench.record
    server = bench.state.core.servers[record.resources[SERVER].id]
    is_held_for_ill(bench)
    server.status = "ERROR"

    op = bench.adopt()

    assert "is ERROR, not ACTIVE" in failed(op)[1]
    assert op.left == ()
    assert bench.record == record
    server.status = "ACTIVE"
    bench.clock.sleep(1)  # a look of the same moment is not made twice
    assert bench.adopt().phase is Phase.SUCCEEDED


def test_a_later_commit_that_is_refused_soaks_on() -> None:
    bench = Bench()
    bench.adopt(commit=False)
    record = bench.record
    bench.state.inject(FaultRule(effect=Refuse(status=400), verb="update_stack", times=1))

    assert failed(bench.adopt())[0] is Reason.REFUSED

    assert bench.record == record
    assert bench.adopt().phase is Phase.SUCCEEDED
    assert not bench.record.soaking
