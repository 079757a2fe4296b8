"""Adoptions that are made to fail, on the real Heat. Every time server, volume, ports
and group are what they were, and the instance belongs to whom its record says.

At the end of each test the instance is resized and deleted, and nothing may be left.
"""

import uuid

import pytest
from msgspec.structs import replace

from handlers.base import Answer, Cloud
from handlers.clouds.openstack.orchestration import adoption_data
from handlers.errors import Reason
from handlers.identity import resource_name, stack_tags
from handlers.keys import GROUP, SERVER, VOLUME
from handlers.orders import StackAdoption, StackUpdate
from handlers.template import name_of
from tests.cloud.ways_out.moving import ADOPT, Move
from tests.contract.managers.orders import DELETE

_PORT = "port/user-0"


# -- what the ledger has wrong --------------------------------------------------------------------


@pytest.mark.way(
    state="record untrue",
    made="the id of server, volume, port or group is nothing's, or another instance's; adopt",
    exit="is refused with the id, nothing is asked of Heat",
)
def test_a_record_with_a_wrong_id_is_not_adopted(move: Move) -> None:
    ways, record = move.ways, move.record
    theirs = ways.bench.record(move.another())
    for key in (SERVER, VOLUME, _PORT, GROUP):
        for wrong in (str(uuid.uuid4()), theirs.resources[key].id):
            ref = replace(record.resources[key], id=wrong)
            ways.record_only(replace(record, resources={**record.resources, key: ref}))
            done = ways.bench.ended(ways.bench.send(move.subject, ADOPT))
            error = done.event.data.error
            assert error is not None, f"{key} {wrong}"
            assert wrong in error.message
            assert error.reason in (Reason.NOT_FOUND, Reason.DRIFT, Reason.NOT_OWNED)
            assert done.changes == 0
            assert ways.of(move.subject).stacks == ()
    ways.took(done)
    ways.record_only(record, theirs)
    move.is_native()
    ways.bench.succeed(theirs.id, DELETE)


# -- what Heat is told wrong ----------------------------------------------------------------------


@pytest.mark.way(
    state="ADOPT_COMPLETE",
    made="Heat was given another instance's server, which it does not notice",
    exit="the ids in the stack are compared: fails, the stack is deleted, both instances live on",
)
def test_a_stack_with_somebody_elses_server_is_let_go(move: Move) -> None:
    ways = move.ways
    other = move.another()
    theirs = ways.of(other)
    _told(move, server=theirs.server.id)
    move.stays_native(ADOPT, Reason.DRIFT, "something else as server")
    assert ways.of(other) == theirs
    ways.bench.succeed(other, DELETE)


@pytest.mark.way(
    state="CHECK_FAILED",
    made="Heat was given the id of no server, and of no volume",
    exit="Heat's own check finds it: fails, the stack is deleted",
)
def test_a_stack_with_a_server_that_is_not_there_is_let_go(move: Move) -> None:
    def adopt(cloud: Cloud, new: StackAdoption) -> Answer:
        """With outputs that hide it, lest the look at the ids finds it first."""
        said = {name: {"value": one} for name, one in new.members.items()}
        template = {**new.template, "outputs": {**new.template["outputs"], **said}}
        wrong = {name: str(uuid.uuid4()) for name in (name_of(SERVER), name_of(VOLUME))}
        members = {**new.members, **wrong}
        return cloud.adopt_stack(replace(new, template=template, members=members))

    move.tampered.calls["adopt_stack"] = adopt
    move.stays_native(ADOPT, Reason.NOT_FOUND, "CHECK_FAILED")


@pytest.mark.way(
    state="ADOPT_COMPLETE",
    made="Heat was given a template that is not what is there",
    exit="an update is previewed, which would replace the server: fails, the stack is deleted",
)
def test_a_stack_that_would_replace_the_server_is_let_go(move: Move) -> None:
    def adopt(cloud: Cloud, new: StackAdoption) -> Answer:
        return cloud.adopt_stack(replace(new, parameters={**new.parameters, "config_drive": True}))

    def preview(cloud: Cloud, change: StackUpdate) -> Answer:
        return cloud.preview_stack(
            replace(change, parameters={**change.parameters, "config_drive": False})
        )

    move.tampered.calls.update(adopt_stack=adopt, preview_stack=preview)
    move.stays_native(ADOPT, Reason.DRIFT, "replaced: server")


@pytest.mark.way(
    state="ADOPT_FAILED",
    made="Heat was not told the id of the volume",
    exit="fails; the stack, which retains everything, is deleted",
)
def test_an_adoption_that_heat_could_not_finish_is_let_go(move: Move) -> None:
    def adopt(cloud: Cloud, new: StackAdoption) -> Answer:
        members = {name: one for name, one in new.members.items() if name != name_of(VOLUME)}
        return cloud.adopt_stack(replace(new, members=members))

    move.tampered.calls["adopt_stack"] = adopt
    move.stays_native(ADOPT, Reason.CLOUD_ERROR, "Resource ID was not provided")


@pytest.mark.way(
    state="ROLLBACK_COMPLETE",
    made="an adoption with rollback fails: Heat deletes what it has adopted",
    exit="everything is retained; fails, the empty stack is deleted",
)
def test_a_rollback_of_an_adoption_takes_nothing_along(move: Move) -> None:
    _adopts_with_rollback(move)
    move.stays_native(ADOPT, Reason.CLOUD_ERROR, "ROLLBACK")


# -- what somebody does meanwhile -----------------------------------------------------------------


@pytest.mark.breadth
@pytest.mark.way(
    state="CHECK_FAILED",
    made="the server goes to ERROR while its instance is adopted",
    exit="fails; the stack is deleted. Once the server is well, the instance can be adopted",
)
def test_an_instance_that_gets_ill_on_the_way_stays_native(move: Move) -> None:
    move.tampered.once("check_stack", move.is_ill)
    done = move.ways.bench.fail(move.subject, ADOPT, Reason.CLOUD_ERROR, "CHECK_FAILED")
    move.ways.took(done)
    move.is_well()
    move.is_native()
    move.succeeds(ADOPT)
    move.is_adopted()


@pytest.mark.breadth
@pytest.mark.way(
    state="name taken",
    made="a stack of the instance's name is somebody else's; adopt",
    exit="fails as `exists`, theirs is untouched",
)
def test_a_name_that_is_taken_is_not_adopted_over(move: Move) -> None:
    theirs = move.somebody.makes_stack(resource_name(move.subject))
    move.ways.took(move.fails(ADOPT, Reason.EXISTS, theirs))
    assert move.stack.id == theirs
    move.somebody.deletes_stack(move.stack)
    move.is_native()


@pytest.mark.breadth
@pytest.mark.way(
    state="UPDATE_IN_PROGRESS",
    made="a stranger updates the stack while it is adopted",
    exit="the adoption goes on; Heat is given the recorded values again",
)
def test_a_strangers_update_of_nothing_does_not_disturb_an_adoption(move: Move) -> None:
    move.tampered.once("preview_stack", lambda: move.somebody.begins_update(move.stack))
    move.ways.took(move.succeeds(ADOPT))
    move.is_adopted()


@pytest.mark.breadth
@pytest.mark.way(
    state="UPDATE_IN_PROGRESS",
    made="a stranger resizes the server by the stack while it is adopted",
    exit="fails, for the server is not what it was; the instance stays native, a resize works",
)
def test_a_strangers_resize_ends_an_adoption_and_nothing_else(move: Move) -> None:
    def resize() -> None:
        move.somebody.begins_update(move.stack, flavor=move.ways.site.large)
        move.operator.waits(lambda: move.operator.begun(move.server, "resize"))

    move.tampered.once("check_stack", resize)
    done = move.ways.bench.ended(move.ways.bench.send(move.subject, ADOPT))
    error = done.event.data.error
    assert error is not None
    assert (error.reason, done.event.data.left_behind) == (Reason.DRIFT, ())
    move.ways.took(done)
    before, there = move.before[0], move.ways.of(move.subject)
    assert (there.stacks, there.ids) == ((), before.ids)
    assert (there.volumes, there.ports, there.groups) == (
        before.volumes,
        before.ports,
        before.groups,
    )
    assert move.recorded == move.record


@pytest.mark.way(
    state="stack missing",
    made="somebody deletes the stack while it is adopted",
    exit="fails; everything was retained, the instance stays native",
)
def test_a_stack_that_somebody_deletes_at_once_takes_nothing_along(move: Move) -> None:
    move.tampered.once("preview_stack", lambda: move.somebody.deletes_stack(move.stack))
    move.stays_native(ADOPT, Reason.NOT_FOUND)


# -- hands ----------------------------------------------------------------------------------------


def _told(move: Move, **wrong: str) -> None:
    """Heat is told these ids instead of the true ones."""

    def adopt(cloud: Cloud, new: StackAdoption) -> Answer:
        return cloud.adopt_stack(replace(new, members={**new.members, **wrong}))

    move.tampered.calls["adopt_stack"] = adopt


def _adopts_with_rollback(move: Move) -> None:
    """The adoption fails, and Heat shall delete what it made: the one thing that we never ask."""

    def adopt(cloud: Cloud, new: StackAdoption) -> Answer:
        members = {name: one for name, one in new.members.items() if name != name_of(VOLUME)}
        body = {
            "stack_name": resource_name(new.subject),
            "adopt_stack_data": adoption_data(new.template, new.parameters, members),
            "environment": new.environment,
            "tags": ",".join(stack_tags(new.subject, new.write)),
            "timeout_mins": new.minutes,
            "disable_rollback": False,
        }
        move.ways.ground.project.post("orchestration", "/stacks", body)
        return Answer()

    move.tampered.calls["adopt_stack"] = adopt
