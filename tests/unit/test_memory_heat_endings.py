"""How what is under way in a stack is ended: rolled back, timed out, cancelled, checked."""

import pytest

from handlers.clouds.memory.faults import Outcome, Spoil
from handlers.clouds.memory.orchestration import StackChange
from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.settings import Quotas
from handlers.clouds.memory.things import StackThing
from handlers.resources import Kind
from tests.support.small_cloud import SUBJECT
from tests.support.small_heat import VALUES, SmallHeat

BROKEN = Spoil(Outcome.ERROR, "the host said no")


@pytest.fixture
def small() -> SmallHeat:
    return SmallHeat()


# -- rollback, timeout, cancel ---------------------------------------------------------------------


def test_failed_create_is_rolled_back_to_nothing(small: SmallHeat) -> None:
    small.state.set_quotas(Quotas(ports=0))
    stack = small.begin(disable_rollback=False)
    assert small.end(stack) == "ROLLBACK_COMPLETE"
    assert small.ids(stack) == {}
    assert set(small.state.inventory()[SUBJECT]) == {Kind.STACK}


def test_failed_update_is_rolled_back_to_the_old_values(small: SmallHeat) -> None:
    stack = small.stack(parameters={**VALUES, "size": 2}, disable_rollback=False)
    before = small.ids(stack)
    assert small.patched(stack, flavor="2", size=1) == "ROLLBACK_COMPLETE"
    assert (stack.parameters["size"], "flavor" in stack.parameters) == (2, False)
    assert (small.server_of(stack).flavor, small.ids(stack)) == ("1", before)


def test_update_that_takes_too_long_times_out_while_nova_goes_on(small: SmallHeat) -> None:
    stack = small.stack()
    small.hit("resize_server", Spoil(Outcome.NO_HOST))
    small.change(stack, StackChange(existing=True, parameters={"flavor": "2"}, timeout_mins=2))
    began = small.time
    assert small.end(stack) == "UPDATE_FAILED"
    assert stack.reason == "Timed out"
    assert 120 <= (small.time - began) / 1_000_000 <= 121


def test_cancelled_update_fails_at_once_and_its_resize_goes_on(small: SmallHeat) -> None:
    stack = small.stack()
    small.patch(stack, flavor="2")
    while small.server_of(stack).status != "RESIZE":
        small.wait(0.1)
        small.status(stack)
    small.cancel(stack)
    assert small.status(stack) == "UPDATE_FAILED"
    assert stack.reason == "Stack UPDATE cancelled"
    small.wait(10)
    small.status(stack)
    assert (small.server_of(stack).status, small.server_of(stack).flavor) == ("ACTIVE", "2")
    with pytest.raises(Refusal, match="Cancelling update when stack is UPDATE_FAILED") as caught:
        small.cancel(stack)
    assert (caught.value.status, caught.value.code) == (400, "NotSupported")


def test_update_cancelled_with_rollback_goes_back(small: SmallHeat) -> None:
    stack = small.stack()
    small.patch(stack, flavor="2")
    small.wait(5)
    small.cancel(stack, rollback=True)
    assert small.end(stack) == "ROLLBACK_COMPLETE"
    assert small.server_of(stack).flavor == "1"
    assert "flavor" not in stack.parameters


def test_second_update_takes_the_place_of_the_first(small: SmallHeat) -> None:
    stack = small.stack()
    small.patch(stack, flavor="2")
    while small.server_of(stack).status != "RESIZE":
        small.wait(0.1)
        small.status(stack)
    small.patch(stack, size=2)
    ended: list[str] = []
    for _ in range(300):
        if ended[-1:] != [small.status(stack)]:
            ended.append(small.status(stack))
        small.wait(0.1)
    assert ended == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert (small.server_of(stack).flavor, small.volume_of(stack).size) == ("2", 2)


def test_delete_stops_a_create_and_removes_what_it_made(small: SmallHeat) -> None:
    stack = small.begin()
    small.wait(4)
    small.status(stack)
    small.delete(stack)
    assert small.status(stack) == "DELETE_IN_PROGRESS"
    assert small.end(stack) == "DELETE_COMPLETE"
    small.wait(1)
    assert small.state.inventory() == {}


def test_server_that_cannot_be_destroyed_keeps_the_stack(small: SmallHeat) -> None:
    stack = small.stack()
    small.hit("delete_server", BROKEN)
    small.delete(stack)
    assert small.end(stack) == "DELETE_FAILED"
    assert stack.reason == (
        "Resource DELETE failed: ResourceInError: resources.server: Went to status ERROR due to "
        f'"Server {small.server_of(stack).name} delete failed: (500) the host said no"'
    )
    small.delete(stack)
    assert small.end(stack) == "DELETE_COMPLETE"


# -- check -----------------------------------------------------------------------------------------


def check(small: SmallHeat, stack: StackThing) -> str:
    small.call("check", lambda doing: small.heat.check(doing, *small.at(stack)))
    return small.end(stack)


def test_check_looks_at_servers_and_volumes_only(small: SmallHeat) -> None:
    stack = small.stack()
    assert check(small, stack) == "CHECK_COMPLETE"
    assert "not fully supported" in stack.reason
    small.cloud.delete_port(small.row(stack, "port").physical)
    assert check(small, stack) == "CHECK_COMPLETE"
    small.cloud.delete_server(small.server_of(stack).id)
    small.wait(2)
    assert check(small, stack) == "CHECK_FAILED"
    assert "NotFound: resources.server: Instance" in stack.reason


def test_resource_that_failed_a_check_is_replaced_until_it_passes_one(small: SmallHeat) -> None:
    kept = {"resource_registry": {"resources": {"server": {"restricted_actions": "replace"}}}}
    stack = small.stack(environment=kept)
    server = small.server_of(stack)
    server.status = "SHUTOFF"
    assert check(small, stack) == "CHECK_FAILED"
    server.status = "ACTIVE"
    assert small.patched(stack) == "UPDATE_FAILED"
    assert "replace is restricted" in stack.reason
    assert check(small, stack) == "CHECK_COMPLETE"
    assert small.patched(stack) == "UPDATE_COMPLETE"
