"""Stacks of the in-memory cloud: made, listed, read, removed; as measured on Heat 27."""

from typing import Any

import pytest
from msgspec.structs import replace

from handlers.clouds.memory.orchestration import StackChange
from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.settings import Quotas
from handlers.resources import Kind
from tests.support.small_cloud import OTHER, SUBJECT
from tests.support.small_heat import STEADY, VALUES, SmallHeat
from tests.support.stacks import NAME


@pytest.fixture
def small() -> SmallHeat:
    return SmallHeat()


# -- create ----------------------------------------------------------------------------------------


def test_resources_are_made_after_what_they_need(small: SmallHeat) -> None:
    stack = small.begin()
    seen: list[str] = []
    while stack.status == "IN_PROGRESS":
        small.wait(0.1)
        small.status(stack)
        seen += [row.name for row in stack.rows if row.physical and row.name not in seen]
    assert seen == ["group", "port", "volume", "server"]
    assert stack.reason == "Stack CREATE completed successfully"
    server, volume = small.server_of(stack), small.volume_of(stack)
    assert (server.status, server.volumes, volume.status) == ("ACTIVE", [volume.id], "in-use")


def test_server_gets_its_tag_only_when_it_is_active(small: SmallHeat) -> None:
    document = small.document()
    document["resources"]["server"]["properties"]["metadata"] = {"trove_instance_id": SUBJECT}
    stack = small.begin(document)
    while not stack.resources["server"].physical:
        small.wait(0.1)
        small.status(stack)
    assert small.has(Kind.SERVER, small.server_of(stack).id)
    assert small.cloud.find(Kind.SERVER, [SUBJECT]) == ()
    small.end(stack)
    (found,) = small.cloud.find(Kind.SERVER, [SUBJECT])
    assert (found.id, found.subject) == (small.server_of(stack).id, SUBJECT)


def test_outputs_name_what_is_not_there_yet_by_its_name_and_tell_no_addresses(
    small: SmallHeat,
) -> None:
    stack = small.begin()
    assert small.outputs(stack) == {"server": "server", "addresses": None}
    small.end(stack)
    told = small.outputs(stack)
    assert told["server"] == small.row(stack, "server").physical
    assert [one["ip_address"] for one in told["addresses"]] == [
        small.see_port(small.row(stack, "port").physical).addresses[0]
    ]


def test_name_is_unique_in_a_project_until_the_stack_is_gone(small: SmallHeat) -> None:
    stack = small.stack()
    with pytest.raises(Refusal) as caught:
        small.begin()
    assert (caught.value.status, caught.value.code) == (409, "StackExists")
    small.delete(stack)
    small.end(stack)
    small.wait(0.2)
    assert small.begin().id != stack.id


@pytest.mark.parametrize(
    ("values", "code", "text"),
    [
        ({"size": None}, "UserParameterMissing", r"\(size\) was not provided"),
        ({"nobody": 1}, "UnknownUserParameter", r"\(nobody\) was not defined"),
        ({"size": "x"}, "StackValidationFailed", "Parameter 'size' is invalid"),
        ({"yes": "perhaps"}, "StackValidationFailed", "Parameter 'yes' is invalid"),
        ({"tags": "{"}, "StackValidationFailed", "Value must be valid JSON"),
        ({"flavor": "nope"}, "StackValidationFailed", "No Flavor matching"),
        ({"size": 0}, "StackValidationFailed", "out of range"),
    ],
)
def test_values_that_do_not_fit_are_refused(
    small: SmallHeat, values: dict[str, Any], code: str, text: str
) -> None:
    with pytest.raises(Refusal, match=text) as caught:
        small.begin(parameters={**VALUES, **values})
    assert (caught.value.status, caught.value.code) == (400, code)
    assert small.listed() == []


def test_server_with_an_image_and_a_volume_to_boot_from_is_refused(small: SmallHeat) -> None:
    document = small.document()
    del document["resources"]["server"]["properties"]["block_device_mapping_v2"][0]["boot_index"]
    with pytest.raises(Refusal, match="Multiple bootable sources for instance server"):
        small.begin(document)


def test_too_many_stacks_are_refused(small: SmallHeat) -> None:
    small.state.set_quotas(Quotas(stacks=1))
    small.stack()
    with pytest.raises(Refusal, match="maximum stacks per tenant, 1") as caught:
        small.begin(name="another")
    assert (caught.value.status, caught.value.code) == (400, "RequestLimitExceeded")


def test_new_stack_that_is_not_listed_yet_is_there_by_its_id(small: SmallHeat) -> None:
    small.state.set_times(replace(STEADY, list_lag=(5.0, 5.0)))
    stack = small.begin()
    assert small.cloud.find(Kind.STACK, [SUBJECT]) == ()
    assert [one.id for one in small.cloud.get(Kind.STACK, [stack.id])] == [stack.id]
    small.wait(5)
    assert [one.id for one in small.cloud.find(Kind.STACK, [SUBJECT])] == [stack.id]


# -- look ------------------------------------------------------------------------------------------


def test_listing_is_filtered_by_id_name_tags_and_state(small: SmallHeat) -> None:
    first = small.stack(tags=("a", "b"))
    small.begin(name="other", tags=("b",), parameters={**VALUES, "name": "other"})
    assert small.listed() == ["other", NAME]
    assert small.listed(ids=[first.id, OTHER]) == [NAME]
    assert small.listed(names=["other", "nobody"]) == ["other"]
    assert small.listed(tags=["a", "b"]) == [NAME]
    assert small.listed(tags_any=["a", "b"]) == ["other", NAME]
    assert small.listed(not_tags=["a"]) == ["other"]
    assert small.listed(statuses=["IN_PROGRESS"]) == ["other"]
    assert small.listed(actions=["UPDATE"]) == []


def test_tags_are_those_of_the_last_write_that_gives_some(small: SmallHeat) -> None:
    stack = small.stack(tags=("first",))
    writes = (
        StackChange(existing=True),
        StackChange(existing=True, tags=("second",)),
        StackChange(template=small.document(), parameters=VALUES),
    )
    seen = []
    for write in writes:
        small.change(stack, write)
        seen.append(stack.tags)
    assert seen == [("first",), ("second",), ()]


def test_hidden_values_are_not_shown(small: SmallHeat) -> None:
    stack = small.stack()
    told = small.heat.parameters(stack)
    assert (told["secret"], told["size"], told["nets"]) == ("******", "1", "a,b")


# -- delete ----------------------------------------------------------------------------------------


def test_delete_removes_everything_but_what_is_retained(small: SmallHeat) -> None:
    document = small.document()
    document["resources"]["volume"]["deletion_policy"] = "Retain"
    stack = small.stack(document)
    volume = small.volume_of(stack)
    small.delete(stack)
    assert small.end(stack) == "DELETE_COMPLETE"
    small.wait(1)
    assert small.state.inventory() == {SUBJECT: {Kind.VOLUME: (volume.id,)}}
    assert small.see_volume(volume.id).status == "available"


def test_deleted_stack_is_read_by_its_id_only(small: SmallHeat) -> None:
    stack = small.stack()
    small.delete(stack)
    small.end(stack)
    small.wait(0.2)
    assert small.listed() == []
    assert small.heat.show(small.project, stack.id) is stack
    assert small.heat.outputs(stack) == ()
    for call in (small.delete, small.patch):
        with pytest.raises(Refusal) as caught:
            call(stack)
        assert (caught.value.status, caught.value.code) == (404, "EntityNotFound")
    with pytest.raises(Refusal, match="could not be found"):
        small.heat.show(small.project, stack.name)


def test_what_is_gone_already_does_not_disturb_a_delete(small: SmallHeat) -> None:
    stack = small.stack()
    small.cloud.delete_server(small.server_of(stack).id)
    small.wait(2)
    small.cloud.delete_port(small.row(stack, "port").physical)
    small.delete(stack)
    assert small.end(stack) == "DELETE_COMPLETE"
    small.wait(1)
    assert small.state.inventory() == {}


def test_group_that_somebody_uses_is_tried_for_a_minute_and_keeps_the_stack(
    small: SmallHeat,
) -> None:
    stack = small.stack()
    port = small.port(OTHER, small.row(stack, "group").physical)
    small.delete(stack)
    began = small.time
    assert small.end(stack) == "DELETE_FAILED"
    assert "Security Group" in stack.reason
    assert 62 <= (small.time - began) / 1_000_000 <= 75
    small.cloud.delete_port(port)
    small.delete(stack)
    assert small.end(stack) == "DELETE_COMPLETE"
