"""Updates of stacks in the in-memory cloud: in place, replaced, refused; as measured on Heat 27."""

from typing import Any

import pytest

from handlers.clouds.memory.faults import Outcome, Spoil
from handlers.clouds.memory.orchestration import StackChange
from handlers.clouds.memory.refusal import Refusal
from handlers.resources import Kind, Rule
from tests.support.small_cloud import MYSQL, OFFICE
from tests.support.small_heat import VALUES, SmallHeat


@pytest.fixture
def small() -> SmallHeat:
    return SmallHeat()


def follow(small: SmallHeat, stack: Any) -> list[str]:
    """The server's statuses until the stack is at rest."""
    seen: list[str] = []
    while small.status(stack).endswith("IN_PROGRESS"):
        status = small.server_of(stack).status
        if seen[-1:] != [status]:
            seen.append(status)
        small.wait(0.1)
    return seen


# -- in place --------------------------------------------------------------------------------------


def test_another_flavor_is_a_resize_that_heat_confirms(small: SmallHeat) -> None:
    stack = small.stack()
    before = small.ids(stack)
    small.patch(stack, flavor="db.medium")
    assert follow(small, stack) == ["ACTIVE", "RESIZE", "VERIFY_RESIZE", "ACTIVE"]
    assert (small.status(stack), small.ids(stack)) == ("UPDATE_COMPLETE", before)
    assert small.server_of(stack).flavor == "2"
    assert stack.parameters["flavor"] == "db.medium"


def test_volume_grows_while_it_is_in_use(small: SmallHeat) -> None:
    stack = small.stack()
    before = small.ids(stack)
    assert small.patched(stack, size=3) == "UPDATE_COMPLETE"
    volume = small.volume_of(stack)
    assert (volume.size, volume.status, small.ids(stack)) == (3, "in-use", before)


def test_update_without_a_change_calls_nothing(small: SmallHeat) -> None:
    stack = small.stack()
    server, volume = small.server_of(stack), small.volume_of(stack)
    before = (len(server.actions), server.updated, volume.updated)
    assert small.patched(stack) == "UPDATE_COMPLETE"
    assert (len(server.actions), server.updated, volume.updated) == before
    assert small.row(stack, "server").action == "CREATE"


def test_server_and_volume_in_one_unordered_update_collide(small: SmallHeat) -> None:
    """The resize moves the volume along just when Heat looks at it."""
    stack = small.stack(small.unordered())
    small.hit("extend_volume", Spoil(Outcome.STUCK))
    small.patch(stack, flavor="2", size=2)
    assert small.end(stack) == "UPDATE_FAILED"
    assert "Resizing to '2' failed, status 'ERROR'" in stack.reason


def test_volume_that_moves_along_when_it_is_polled_fails_the_update(small: SmallHeat) -> None:
    stack = small.stack(small.unordered())
    volume = small.volume_of(stack)
    small.patch(stack, size=2)
    while volume.status != "extending":
        small.wait(0.1)
        small.status(stack)
    small.cloud.reset_volume(volume.id, "attaching")
    assert small.end(stack) == "UPDATE_FAILED"
    text = 'Volume resize failed - Unknown status attaching due to "Unknown"'
    assert stack.reason == (
        f"Resource UPDATE failed: ResourceUnknownStatus: resources.volume: {text}"
    )


def test_update_hangs_while_the_volume_is_in_error(small: SmallHeat) -> None:
    stack = small.stack()
    volume = small.volume_of(stack)
    small.cloud.reset_volume(volume.id, "error_extending")
    small.patch(stack, size=2)
    assert small.end(stack, 60) == "UPDATE_IN_PROGRESS"
    small.cloud.reset_volume(volume.id, "in-use")
    assert small.end(stack) == "UPDATE_COMPLETE"
    assert volume.size == 2


# -- rules -----------------------------------------------------------------------------------------


def _ruled(small: SmallHeat) -> dict[str, Any]:
    document = small.document("server", "volume", "port")
    document["outputs"] = {}
    document["parameters"]["cidr"] = {"type": "string", "default": "10.0.0.0/8"}
    document["resources"]["group"]["properties"]["rules"] = [
        {
            "protocol": "tcp",
            "port_range_min": 3306,
            "port_range_max": 3306,
            "remote_ip_prefix": {"get_param": "cidr"},
        }
    ]
    return document


def test_other_rules_leave_a_moment_without_access(small: SmallHeat) -> None:
    stack = small.stack(_ruled(small))
    group = small.row(stack, "group").physical
    assert [rule.wanted for rule in small.see_group(group).rules] == [OFFICE]
    assert small.patched(stack, cidr="192.0.2.0/24") == "UPDATE_COMPLETE"
    assert [rule.cidr for rule in small.see_group(group).rules] == ["192.0.2.0/24"]
    (gap,) = small.state.audit.downtimes()
    assert gap.until is not None
    assert gap.until - gap.since == 200_000


def test_rules_that_the_template_does_not_have_are_reconciled_only_when_it_changes(
    small: SmallHeat,
) -> None:
    stack = small.stack(_ruled(small))
    group = small.row(stack, "group").physical
    small.rules(group, Rule(MYSQL, "172.16.0.0/12"))
    assert small.patched(stack) == "UPDATE_COMPLETE"
    assert len(small.see_group(group).rules) == 2
    assert small.patched(stack, cidr="192.0.2.0/24") == "UPDATE_COMPLETE"
    assert [rule.cidr for rule in small.see_group(group).rules] == ["192.0.2.0/24"]


def test_group_without_rules_in_the_template_keeps_those_that_others_made(
    small: SmallHeat,
) -> None:
    stack = small.stack()
    group = small.row(stack, "group").physical
    small.rules(group, OFFICE)
    assert small.patched(stack, flavor="2", size=2) == "UPDATE_COMPLETE"
    assert [rule.wanted for rule in small.see_group(group).rules] == [OFFICE]


# -- what a stack remembers ------------------------------------------------------------------------


def test_volume_does_not_shrink_and_the_parameters_are_the_new_ones(small: SmallHeat) -> None:
    stack = small.stack(parameters={**VALUES, "size": 2})
    assert small.patched(stack, size=1) == "UPDATE_FAILED"
    text = "Resource UPDATE failed: NotSupported: resources.volume: Shrinking volume is not"
    assert stack.reason.startswith(text)
    assert (stack.parameters["size"], small.volume_of(stack).size) == (1, 2)
    assert small.patched(stack, flavor="2") == "UPDATE_FAILED"
    assert small.patched(stack, size=2, flavor="2") == "UPDATE_COMPLETE"


def test_drift_is_not_noticed_and_the_flavor_that_is_there_already_is_refused(
    small: SmallHeat,
) -> None:
    stack = small.stack()
    server, volume = small.server_of(stack), small.volume_of(stack)
    small.cloud.extend_volume(volume.id, 4)
    small.cloud.resize_server(server.id, "2")
    small.wait(4)
    small.cloud.confirm_resize(server.id)
    small.wait(2)
    assert small.patched(stack) == "UPDATE_COMPLETE"
    assert (server.flavor, volume.size) == ("2", 4)
    assert small.patched(stack, size=4) == "UPDATE_COMPLETE"
    for _ in range(2):
        assert small.patched(stack, flavor="2") == "UPDATE_FAILED"
        assert "BadRequest: resources.server: When resizing, instances must change" in stack.reason
    assert small.patched(stack, flavor="1") == "UPDATE_COMPLETE"
    assert server.flavor == "2"


def test_patch_drops_an_unknown_parameter_and_put_refuses_it(small: SmallHeat) -> None:
    stack = small.stack()
    assert small.patched(stack, nobody=1) == "UPDATE_COMPLETE"
    change = StackChange(template=small.document(), parameters={**VALUES, "nobody": 1})
    with pytest.raises(Refusal) as caught:
        small.change(stack, change)
    assert caught.value.code == "UnknownUserParameter"
    with pytest.raises(Refusal, match="was not provided"):
        small.change(stack, StackChange(template=small.document(), parameters={"size": 1}))
    with pytest.raises(Refusal, match="No template"):
        small.change(stack, StackChange())


def test_refused_update_leaves_the_stack_as_it_was(small: SmallHeat) -> None:
    stack = small.stack(tags=("old",))
    with pytest.raises(Refusal, match="No Flavor matching"):
        small.change(stack, StackChange(existing=True, parameters={"flavor": "x"}, tags=("new",)))
    assert (small.status(stack), stack.tags) == ("CREATE_COMPLETE", ("old",))
    assert "flavor" not in stack.parameters


# -- replaced, added, removed ----------------------------------------------------------------------


def test_changed_user_data_replace_the_server_unless_it_is_forbidden(small: SmallHeat) -> None:
    document = small.document()
    server = document["resources"]["server"]["properties"]
    del server["user_data_update_policy"], server["block_device_mapping_v2"]
    stack = small.stack(document)
    old = small.server_of(stack).id
    kept = {"resource_registry": {"resources": {"server": {"restricted_actions": "replace"}}}}
    small.change(
        stack, StackChange(existing=True, parameters={"secret": "other"}, environment=kept)
    )
    assert small.end(stack) == "UPDATE_FAILED"
    text = "ResourceActionRestricted: resources.server: replace is restricted for resource."
    assert stack.reason == f"Resource UPDATE failed: {text}"
    assert small.server_of(stack).id == old
    free: dict[str, Any] = {
        "resource_registry": {"resources": {"server": {"restricted_actions": []}}}
    }
    small.change(stack, StackChange(existing=True, environment=free))
    assert small.end(stack) == "UPDATE_COMPLETE"
    assert small.server_of(stack).id != old
    assert not small.has(Kind.SERVER, old)


def test_template_with_more_and_less_adds_and_removes(small: SmallHeat) -> None:
    stack = small.stack(small.document("server", "port", "group"))
    volume = small.volume_of(stack).id
    change = StackChange(existing=True, template=small.document("server", "volume"))
    small.change(stack, change)
    assert small.end(stack) == "UPDATE_COMPLETE"
    assert sorted(small.ids(stack)) == ["group", "port"]
    assert not small.has(Kind.VOLUME, volume)


def test_retained_resource_that_leaves_the_template_stays(small: SmallHeat) -> None:
    document = small.document("server", "port", "group")
    document["resources"]["volume"]["deletion_policy"] = "Retain"
    stack = small.stack(document)
    volume = small.volume_of(stack).id
    small.change(stack, StackChange(existing=True, template=small.document("server", "volume")))
    assert small.end(stack) == "UPDATE_COMPLETE"
    assert "volume" not in small.ids(stack)
    assert small.see_volume(volume).status == "available"


def test_preview_is_pessimistic_about_what_refers_to_others(small: SmallHeat) -> None:
    """Heat resolves no reference in it, and a server's volumes cannot be changed."""
    stack = small.stack()

    def preview(change: StackChange) -> dict[str, list[str]]:
        at = small.at(stack)
        return small.call("preview", lambda doing: small.heat.preview_update(doing, *at, change))

    assert preview(StackChange(existing=True)) == {
        "unchanged": ["group", "volume"],
        "updated": ["port"],
        "replaced": ["server"],
        "added": [],
        "deleted": [],
    }
    told = preview(StackChange(existing=True, parameters={"size": 2}))
    assert told["updated"] == ["volume", "port"]
    told = preview(StackChange(existing=True, template=small.document("server", "port")))
    assert (told["unchanged"], sorted(told["deleted"])) == (["group", "volume"], ["port", "server"])
    assert small.status(stack) == "CREATE_COMPLETE"
