"""An engine that dies, and stacks that are let go of and taken over; as measured on Heat 27."""

from collections.abc import Callable
from typing import Any

import pytest

from handlers.clouds.memory.faults import FaultRule, Late
from handlers.clouds.memory.orchestration import StackSpec
from handlers.clouds.memory.refusal import Lost
from handlers.clouds.memory.things import StackThing
from handlers.errors import Ambiguous, Retryable
from handlers.resources import Kind
from tests.support.small_cloud import OTHER, SUBJECT
from tests.support.small_heat import VALUES, SmallHeat
from tests.support.stacks import NAME


@pytest.fixture
def small() -> SmallHeat:
    return SmallHeat()


# -- no engine -------------------------------------------------------------------------------------


def test_calls_hang_and_are_lost_while_no_engine_is_up(small: SmallHeat) -> None:
    stack = small.stack()
    small.heat.kill_engine()
    began = small.time
    with pytest.raises(Lost):
        small.listed()
    assert small.time - began == 10_000_000
    with pytest.raises(Retryable):
        small.cloud.find(Kind.STACK, [SUBJECT])
    with pytest.raises(Ambiguous):
        small.cloud.delete_stack(SUBJECT, stack.id)


def test_call_that_was_lost_is_done_when_an_engine_comes_up_soon(small: SmallHeat) -> None:
    stack = small.stack()
    small.heat.kill_engine()
    with pytest.raises(Lost):
        small.delete(stack)
    small.wait(30)
    small.heat.start_engine()
    assert small.end(stack) == "DELETE_COMPLETE"


def test_call_that_waited_too_long_is_never_done(small: SmallHeat) -> None:
    stack = small.stack()
    small.heat.kill_engine()
    with pytest.raises(Lost):
        small.delete(stack)
    small.wait(61)
    small.heat.start_engine()
    small.wait(30)
    assert small.status(stack) == "CREATE_COMPLETE"


def test_engine_dies_at_its_moment_however_late_somebody_looks(small: SmallHeat) -> None:
    stack = small.begin()
    core = small.state.core
    core.at(core.time + 1_500_000, small.heat.kill_engine)
    core.at(core.time + 60_000_000, small.heat.start_engine)
    small.wait(100)
    assert small.status(stack) == "CREATE_IN_PROGRESS"
    assert sorted(row.name for row in stack.rows if row.physical) == ["group", "port", "volume"]


def killed(small: SmallHeat, stack: StackThing, when: Callable[[], bool]) -> None:
    """The engine dies at that moment; a minute later there is another one."""
    while not when():
        small.wait(0.1)
        small.status(stack)
    small.heat.kill_engine()
    small.wait(60)
    small.heat.start_engine()
    small.wait(60)


def test_update_whose_engine_died_stays_in_progress_and_the_server_unconfirmed(
    small: SmallHeat,
) -> None:
    stack = small.stack()
    server = small.server_of(stack)
    small.patch(stack, flavor="2")
    killed(small, stack, lambda: server.status == "RESIZE")
    assert small.status(stack) == "UPDATE_IN_PROGRESS"
    assert server.status == "VERIFY_RESIZE"
    assert small.patched(stack, flavor="2") == "UPDATE_FAILED"
    assert "Conflict: resources.server: Cannot 'resize'" in stack.reason
    small.cloud.confirm_resize(server.id)
    small.wait(2)
    assert small.patched(stack, flavor="2") == "UPDATE_FAILED"
    assert "must change flavor" in stack.reason


def test_way_out_of_an_update_whose_engine_died(small: SmallHeat) -> None:
    """Cancel, revert, back to the old value, then forward again: the same server."""
    stack = small.stack(parameters={**VALUES, "flavor": "1"})
    server = small.server_of(stack)
    small.patch(stack, flavor="2")
    killed(small, stack, lambda: server.status == "RESIZE")
    small.cancel(stack)
    assert small.status(stack) == "UPDATE_FAILED"
    small.cloud.revert_resize(server.id)
    small.wait(2)
    assert small.patched(stack, flavor="1") == "UPDATE_COMPLETE"
    assert small.patched(stack, flavor="2") == "UPDATE_COMPLETE"
    assert (small.server_of(stack), server.flavor) == (server, "2")


def test_create_whose_engine_died_is_deleted_with_what_it_made(small: SmallHeat) -> None:
    stack = small.begin()
    killed(small, stack, lambda: small.row(stack, "server").physical != "")
    assert small.status(stack) == "CREATE_IN_PROGRESS"
    small.delete(stack)
    assert small.end(stack) == "DELETE_COMPLETE"
    small.wait(1)
    assert small.state.inventory() == {}


def test_delete_whose_engine_died_is_deleted_again(small: SmallHeat) -> None:
    stack = small.stack()
    small.delete(stack)
    killed(small, stack, lambda: small.server_of(stack).task == "deleting")
    assert small.status(stack) == "DELETE_IN_PROGRESS"
    small.delete(stack)
    began = small.time
    assert small.end(stack) == "DELETE_COMPLETE"
    assert 15 <= (small.time - began) / 1_000_000 <= 25


# -- abandon and adopt -----------------------------------------------------------------------------


def abandoned(small: SmallHeat, stack: StackThing) -> dict[str, Any]:
    """What is left of a stack that was let go of."""
    at = small.at(stack)
    data = small.call("abandon_stack", lambda doing: small.heat.abandon(doing, *at))
    small.end(stack)
    small.wait(0.2)
    return data


def adopt(small: SmallHeat, data: dict[str, Any], **more: Any) -> StackThing:
    spec = StackSpec(name=NAME, template={}, adopt=data, **more)
    return small.call("create_stack", lambda doing: small.heat.create(doing, small.project, spec))


def test_abandoned_stack_leaves_its_resources_and_can_be_adopted_again(small: SmallHeat) -> None:
    stack = small.stack()
    server, before = small.server_of(stack), small.ids(stack)
    seen = (len(server.actions), server.status)
    data = abandoned(small, stack)
    assert small.listed() == []
    again = adopt(small, data)
    assert again.action == "ADOPT"
    assert small.end(again) == "ADOPT_COMPLETE"
    assert small.ids(again) == before
    assert (len(server.actions), server.status) == seen
    assert small.patched(again, flavor="2", size=2) == "UPDATE_COMPLETE"
    assert (server.flavor, small.ids(again)) == ("2", before)
    small.delete(again)
    assert small.end(again) == "DELETE_COMPLETE"
    assert not small.has(Kind.SERVER, server.id)


def test_adoption_looks_at_neither_ids_nor_values(small: SmallHeat) -> None:
    data = abandoned(small, small.stack())
    data["resources"]["server"]["resource_id"] = OTHER
    again = adopt(small, data, parameters={"size": 7})
    assert small.end(again) == "ADOPT_COMPLETE"
    small.call("check", lambda doing: small.heat.check(doing, *small.at(again)))
    assert small.end(again) == "CHECK_FAILED"
    assert f"Instance {OTHER} could not be found" in again.reason


def test_adoption_without_an_id_fails(small: SmallHeat) -> None:
    data = abandoned(small, small.stack())
    data["resources"]["port"]["resource_id"] = None
    again = adopt(small, data)
    assert small.end(again) == "ADOPT_FAILED"
    text = "Exception: resources.port: Resource ID was not provided."
    assert again.reason == f"Resource ADOPT failed: {text}"


def test_rollback_of_a_failed_adoption_deletes_the_server(small: SmallHeat) -> None:
    document = small.document()
    del document["resources"]["server"]["properties"]["block_device_mapping_v2"]
    stack = small.stack(document)
    server = small.server_of(stack).id
    data = abandoned(small, stack)
    del data["resources"]["volume"]
    assert small.end(adopt(small, data, disable_rollback=False)) == "ROLLBACK_COMPLETE"
    assert not small.has(Kind.SERVER, server)


# -- through the cloud -----------------------------------------------------------------------------


def test_late_call_makes_a_stack_that_nobody_heard_of(small: SmallHeat) -> None:
    small.state.inject(FaultRule(verb="create_stack", effect=Late(5), times=1))
    with pytest.raises(Lost):
        small.begin()
    assert small.listed() == []
    small.wait(6)
    assert small.listed() == [NAME]
