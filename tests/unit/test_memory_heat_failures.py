"""Stacks that go wrong, and what becomes of them; as measured on Heat 27."""

from typing import Any

import pytest

from handlers.clouds.memory.faults import Delay, Lose, Outcome, Refuse, Spoil
from handlers.clouds.memory.orchestration import StackChange
from handlers.clouds.memory.settings import Quotas
from handlers.resources import Kind
from tests.support.small_cloud import SUBJECT
from tests.support.small_heat import SmallHeat

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
