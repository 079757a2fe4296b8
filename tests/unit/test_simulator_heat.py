"""python-heatclient and openstacksdk, unmodified, against the simulator's Heat."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from heatclient import exc  # type: ignore[import-untyped]
from heatclient.client import Client  # type: ignore[import-untyped]

from handlers.resources import Kind
from tests.support.simulated import Simulated, simulated
from tests.support.small_cloud import SUBJECT
from tests.support.stacks import NAME, order, template


@pytest.fixture
def place() -> Iterator[Simulated]:
    with simulated() as place:
        yield place


@pytest.fixture
def heat(place: Simulated) -> Any:
    return client(place)


def client(place: Simulated, user: str = "trove") -> Any:
    return Client("1", session=place.connect(user).session, service_type="orchestration")


def created(place: Simulated, heat: Any, **more: Any) -> str:
    """Id of a stack that Heat has made, if it ever does."""
    made = heat.stacks.create(**order(place.small.network, **more))["stack"]
    place.wait(60)
    return str(made["id"])


def physical(heat: Any, stack: str) -> dict[str, str]:
    rows = heat.resources.list(stack)
    return {row.resource_name: row.physical_resource_id for row in rows}


# -- the life of a stack --------------------------------------------------------------------------


def test_stack_is_made_shown_and_goes(place: Simulated, heat: Any) -> None:
    made = heat.stacks.create(**order(place.small.network))["stack"]
    assert heat.stacks.get(made["id"]).stack_status == "CREATE_IN_PROGRESS"
    place.wait(60)
    stack = heat.stacks.get(NAME)
    assert (stack.id, stack.stack_status) == (made["id"], "CREATE_COMPLETE")
    assert stack.tags == [f"trove_instance_id_{SUBJECT}", "trove_write_1"]
    heat.stacks.delete(NAME)
    assert heat.stacks.get(made["id"]).stack_status == "DELETE_IN_PROGRESS"
    place.wait(60)
    assert heat.stacks.get(made["id"]).stack_status == "DELETE_COMPLETE"
    with pytest.raises(exc.HTTPNotFound, match="could not be found"):
        heat.stacks.get(NAME)
    assert place.small.state.inventory() == {}


def test_what_a_stack_made_is_what_the_other_services_show(place: Simulated, heat: Any) -> None:
    ids = physical(heat, created(place, heat))
    sdk = place.connect()
    sdk.compute.default_microversion = "2.52"
    server = sdk.compute.get_server(ids["server"])
    assert (server.status, server.tags) == ("ACTIVE", ["red"])
    assert [one.id for one in server.attached_volumes] == [ids["volume"]]
    (port,) = sdk.network.ports(device_id=server.id)
    assert (port.id, port.security_group_ids) == (ids["port"], [ids["group"]])
    assert place.small.state.inventory()[SUBJECT].keys() >= {Kind.SERVER, Kind.VOLUME, Kind.PORT}


def test_update_of_one_parameter_keeps_the_rest(place: Simulated, heat: Any) -> None:
    stack = created(place, heat)
    before = physical(heat, stack)
    heat.stacks.update(stack, existing=True, parameters={"flavor": "db.medium"}, tags="x,y")
    seen = heat.stacks.get(stack)
    assert (seen.stack_status, seen.tags) == ("UPDATE_IN_PROGRESS", ["x", "y"])
    assert (seen.parameters["flavor"], seen.parameters["size"]) == ("db.medium", "1")
    place.wait(60)
    seen = heat.stacks.get(stack)
    assert (seen.stack_status, seen.timeout_mins) == ("UPDATE_COMPLETE", 10)
    assert physical(heat, stack) == before
    assert place.connect().compute.get_server(before["server"]).status == "ACTIVE"


def test_update_with_a_template_says_everything_anew(place: Simulated, heat: Any) -> None:
    stack = created(place, heat)
    body = order(place.small.network)
    kept = {name: body[name] for name in ("template", "environment")}
    heat.stacks.update(stack, parameters={**body["parameters"], "size": 2}, **kept)
    place.wait(60)
    seen = heat.stacks.get(stack)
    assert (seen.stack_status, seen.tags) == ("UPDATE_COMPLETE", [])
    volume = physical(heat, stack)["volume"]
    assert place.connect().block_storage.get_volume(volume).size == 2


def test_update_that_cannot_be_done_fails_with_its_reason(place: Simulated, heat: Any) -> None:
    stack = created(place, heat, parameters={**order("")["parameters"], "size": 2})
    heat.stacks.update(stack, existing=True, parameters={"size": 1}, disable_rollback=True)
    place.wait(60)
    seen = heat.stacks.get(stack)
    assert seen.stack_status == "UPDATE_FAILED"
    assert seen.stack_status_reason == (
        "Resource UPDATE failed: NotSupported: resources.volume: Shrinking volume is not supported."
    )
    assert heat.resources.get(stack, "volume").resource_status == "UPDATE_FAILED"


def test_check_and_cancel(place: Simulated, heat: Any) -> None:
    stack = created(place, heat)
    heat.actions.check(stack)
    place.wait(60)
    assert heat.stacks.get(stack).stack_status == "CHECK_COMPLETE"
    with pytest.raises(exc.HTTPBadRequest, match="Cancelling update when stack is CHECK_COMPLETE"):
        heat.actions.cancel_without_rollback(stack)
    heat.stacks.update(stack, existing=True, parameters={"flavor": "db.medium"})
    place.wait(1.5)
    heat.actions.cancel_without_rollback(f"{NAME}/{stack}")
    place.wait(1)
    seen = heat.stacks.get(stack)
    assert seen.stack_status_reason == "Stack UPDATE cancelled"
    with pytest.raises(exc.HTTPBadRequest, match="not supported"):
        heat.actions.suspend(stack)


def test_abandoned_stack_is_adopted_with_what_was_in_it(place: Simulated, heat: Any) -> None:
    stack = created(place, heat)
    before = physical(heat, stack)
    data = heat.stacks.abandon(f"{NAME}/{stack}")
    place.wait(5)
    assert data["resources"]["server"]["resource_id"] == before["server"]
    assert len(place.small.state.inventory()[SUBJECT][Kind.SERVER]) == 1
    text = json.dumps(data)
    made = heat.stacks.create(stack_name=NAME, disable_rollback=True, adopt_stack_data=text)
    place.wait(5)
    seen = heat.stacks.get(made["stack"]["id"])
    assert seen.stack_status == "ADOPT_COMPLETE"
    assert physical(heat, seen.id) == before


# -- looking --------------------------------------------------------------------------------------


def test_parameters_are_text_and_hidden_ones_are_masked(place: Simulated, heat: Any) -> None:
    stack = created(place, heat)
    assert heat.stacks.get(stack).parameters == {
        "OS::stack_id": stack,
        "OS::project_id": place.small.cloud.project,
        "OS::stack_name": NAME,
        "name": NAME,
        "flavor": "db.small",
        "size": "1",
        "secret": "******",
        "tags": '["red"]',
        "nets": "a,b",
        "yes": "True",
    }
    environment = heat.stacks.environment(stack)
    assert environment["parameters"]["secret"] == "******"
    assert environment["parameters"]["size"] == 1
    assert heat.stacks.template(stack) == template(place.small.network)


def test_outputs_tell_ids_and_addresses(place: Simulated, heat: Any) -> None:
    stack = created(place, heat)
    found = {one["output_key"]: one["output_value"] for one in heat.stacks.get(stack).outputs}
    assert found["server"] == physical(heat, stack)["server"]
    assert found["addresses"][0]["ip_address"].startswith("10.16.")
    shown = heat.stacks.output_show(stack, "addresses")["output"]
    assert shown["output_value"] == found["addresses"]
    listed = heat.stacks.output_list(stack)["outputs"]
    assert listed[0] == {"output_key": "server", "description": "the server"}
    assert not hasattr(heat.stacks.get(stack, resolve_outputs=False), "outputs")


def test_resources_have_attributes_and_dependencies(place: Simulated, heat: Any) -> None:
    stack = created(place, heat)
    port = heat.resources.get(stack, "port")
    assert (port.resource_type, port.resource_status) == ("OS::Neutron::Port", "CREATE_COMPLETE")
    assert port.required_by == ["server"]
    assert port.attributes["status"] == "ACTIVE"
    servers = heat.resources.list(stack, filters={"type": "OS::Nova::Server"})
    assert [one.resource_name for one in servers] == ["server"]
    with pytest.raises(exc.HTTPNotFound, match=r"The Resource \(nope\) could not be found"):
        heat.resources.get(stack, "nope")
    assert {event.resource_name for event in heat.events.list(stack)} >= {NAME, "server"}


def test_previews_change_nothing(place: Simulated, heat: Any) -> None:
    planned = heat.stacks.preview(**order(place.small.network))
    assert {one["resource_name"] for one in planned.resources} == {
        "group",
        "port",
        "volume",
        "server",
    }
    assert list(heat.stacks.list()) == []
    stack = created(place, heat)
    seen = heat.stacks.preview_update(f"{NAME}/{stack}", existing=True, parameters={"size": 2})[
        "resource_changes"
    ]
    names = {step: {one["resource_name"] for one in rows} for step, rows in seen.items()}
    assert "volume" in names["updated"]
    assert names["added"] == names["deleted"] == set()
    place.wait(5)
    assert heat.stacks.get(stack).stack_status == "CREATE_COMPLETE"


def test_openstacksdk_sees_the_same(place: Simulated, heat: Any) -> None:
    stack = created(place, heat)
    sdk = place.connect()
    (listed,) = sdk.orchestration.stacks()
    assert (listed.id, listed.status) == (stack, "CREATE_COMPLETE")
    assert sdk.orchestration.find_stack(NAME).id == stack
    assert len(list(sdk.orchestration.resources(NAME))) == 4
