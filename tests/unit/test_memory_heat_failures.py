"""Stacks that go wrong, and what becomes of them; as measured on Heat 27."""

from typing import Any

import pytest

from handlers.clouds.memory.faults import Delay, Lose, Outcome, Refuse, Spoil
from handlers.clouds.memory.orchestration import StackChange
from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.settings import Quotas
from handlers.clouds.memory.things import StackThing
from handlers.resources import Kind
from tests.support.small_cloud import SUBJECT
from tests.support.small_heat import VALUES, SmallHeat

BROKEN = Spoil(Outcome.ERROR, "the host said no")
RESIZED = "Resource UPDATE failed: Error: resources.server: Resizing to '2' failed, status 'ERROR'"


@pytest.fixture
def small() -> SmallHeat:
    return SmallHeat()


# -- what the other services say -------------------------------------------------------------------


def test_quota_fails_the_stack_at_once_and_leaves_what_was_made(small: SmallHeat) -> None:
    small.state.set_quotas(Quotas(ports=0))
    stack = small.begin()
    assert small.end(stack) == "CREATE_FAILED"
    assert stack.reason.startswith(
        "Resource CREATE failed: OverQuotaClient: resources.port: Quota exceeded for resources: "
        "['port']."
    )
    assert small.row(stack, "group").status == "COMPLETE"
    assert small.row(stack, "server").action == "INIT"


def test_volume_quota_is_told_as_cinders_client_has_it(small: SmallHeat) -> None:
    small.hit("create_volume", Refuse(quota=True))
    stack = small.begin()
    assert small.end(stack) == "CREATE_FAILED"
    assert "OverLimit: resources.volume: VolumeLimitExceeded" in stack.reason
    assert "(HTTP 413) (Request-ID: req-" in stack.reason


def test_server_that_goes_to_error_is_made_anew(small: SmallHeat) -> None:
    small.hit("create_server", BROKEN)
    stack = small.begin()
    assert small.end(stack) == "CREATE_COMPLETE"
    made = [one for one in small.state.audit.made if one.kind is Kind.SERVER]
    assert len(made) == 2
    assert not small.has(Kind.SERVER, made[0].id)


def test_server_that_never_gets_well_is_given_up_after_six_times(small: SmallHeat) -> None:
    small.hit("create_server", BROKEN, times=None)
    stack = small.begin()
    began = small.time
    assert small.end(stack) == "CREATE_FAILED"
    assert stack.reason == (
        "Resource CREATE failed: ResourceInError: resources.server: Went to status ERROR due to "
        '"Message: the host said no, Code: 500"'
    )
    made = [one.id for one in small.state.audit.made if one.kind is Kind.SERVER]
    assert len(made) == 6
    assert (small.time - began) / 1_000_000 > 62
    assert small.server_of(stack).id == made[-1]
    assert small.server_of(stack).status == "ERROR"
    small.delete(stack)
    assert small.end(stack) == "DELETE_COMPLETE"


def test_volume_that_fails_is_made_anew_although_it_is_retained(small: SmallHeat) -> None:
    document = small.document("server")
    document["resources"]["volume"]["deletion_policy"] = "Retain"
    small.hit("create_volume", BROKEN)
    stack = small.stack(document)
    made = [one.id for one in small.state.audit.made if one.kind is Kind.VOLUME]
    assert made[1:] == [small.volume_of(stack).id]
    assert not small.has(Kind.VOLUME, made[0])


def test_lost_answer_leaves_a_server_that_heat_does_not_know(small: SmallHeat) -> None:
    small.hit("create_server", Lose())
    stack = small.begin()
    assert small.end(stack) == "CREATE_FAILED"
    assert "ConnectFailure: resources.server" in stack.reason
    assert small.row(stack, "server").physical == ""
    assert len(small.state.inventory()[SUBJECT][Kind.SERVER]) == 1


def test_slow_service_delays_the_stack_only(small: SmallHeat) -> None:
    small.hit("create_port", Delay(30))
    stack = small.begin()
    assert small.end(stack, 25) == "CREATE_IN_PROGRESS"
    assert small.row(stack, "volume").status == "COMPLETE"
    assert small.end(stack) == "CREATE_COMPLETE"


def test_calls_of_heat_are_not_counted_as_ours(small: SmallHeat) -> None:
    small.stack()
    assert small.changes() == {}


def _alone(small: SmallHeat) -> dict[str, Any]:
    """A server with nothing."""
    document = small.document("volume", "port", "group")
    del document["outputs"]["addresses"]
    server = document["resources"]["server"]["properties"]
    del server["block_device_mapping_v2"], server["networks"]
    return document


# -- failed resizes --------------------------------------------------------------------------------


def test_next_update_replaces_a_server_in_error(small: SmallHeat) -> None:
    stack = small.stack(_alone(small))
    old = small.server_of(stack).id
    small.hit("resize_server", BROKEN)
    assert small.patched(stack, flavor="2") == "UPDATE_FAILED"
    assert stack.reason == RESIZED
    assert small.patched(stack, flavor="2") == "UPDATE_COMPLETE"
    assert small.server_of(stack).id != old
    assert small.server_of(stack).flavor == "2"
    small.wait(1)
    assert not small.has(Kind.SERVER, old)


def test_replacement_of_a_server_in_error_fails_on_the_port_that_it_still_has(
    small: SmallHeat,
) -> None:
    document = small.document("volume")
    del document["resources"]["server"]["properties"]["block_device_mapping_v2"]
    stack = small.stack(document)
    old = small.server_of(stack).id
    small.hit("resize_server", BROKEN)
    assert small.patched(stack, flavor="2") == "UPDATE_FAILED"
    assert small.patched(stack, flavor="2") == "UPDATE_FAILED"
    assert "Conflict: resources.server: Port" in stack.reason
    assert small.row(stack, "server").physical == ""  # the stack no longer tells of the old one
    assert small.see_server(old).status == "ERROR"


def test_forbidden_replacement_leaves_a_server_in_error_until_it_is_reset(
    small: SmallHeat,
) -> None:
    kept = {"resource_registry": {"resources": {"server": {"restricted_actions": "replace"}}}}
    stack = small.stack(environment=kept)
    server = small.server_of(stack)
    small.hit("resize_server", BROKEN)
    assert small.patched(stack, flavor="2") == "UPDATE_FAILED"
    assert small.patched(stack, flavor="1") == "UPDATE_FAILED"
    assert "replace is restricted for resource" in stack.reason
    small.cloud.reset_server(server.id)
    assert small.patched(stack, flavor="1") == "UPDATE_COMPLETE"
    assert small.server_of(stack) is server


def test_restricted_update_proves_whether_anything_would_change(small: SmallHeat) -> None:
    actions = {"restricted_actions": ["update", "replace"]}
    strict = {
        "resource_registry": {
            "resources": dict.fromkeys(("group", "port", "volume", "server"), actions)
        }
    }
    stack = small.stack()
    small.change(stack, StackChange(existing=True, environment=strict))
    assert small.end(stack) == "UPDATE_COMPLETE"
    small.change(stack, StackChange(existing=True, environment=strict, parameters={"size": 2}))
    assert small.end(stack) == "UPDATE_FAILED"
    assert "resources.volume: update is restricted for resource." in stack.reason
    assert small.row(stack, "volume").status == "COMPLETE"


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


# -- spoiled on purpose ----------------------------------------------------------------------------


def test_stack_calls_can_be_spoiled(small: SmallHeat) -> None:
    small.spoil("create_stack", Outcome.ERROR, "nobody likes it")
    stack = small.begin()
    assert small.end(stack) == "CREATE_FAILED"
    assert stack.reason == "Resource CREATE failed: nobody likes it"
    small.spoil("delete_stack", Outcome.STUCK)
    small.delete(stack)
    assert small.end(stack, 100) == "DELETE_IN_PROGRESS"
    small.delete(stack)
    assert small.end(stack) == "DELETE_COMPLETE"
