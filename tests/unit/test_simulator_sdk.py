"""openstacksdk, unmodified, against the simulator: every call that Trove's world makes."""

from collections.abc import Iterator
from typing import Any

import pytest
from keystoneauth1.exceptions import Unauthorized
from openstack import exceptions

from tests.support.simulated import Simulated, simulated


@pytest.fixture
def place() -> Iterator[Simulated]:
    with simulated() as place:
        yield place


@pytest.fixture
def sdk(place: Simulated) -> Any:
    return place.connect()


def new_server(place: Simulated, sdk: Any, **more: Any) -> Any:
    port = sdk.network.create_port(network_id=place.small.network, name="p")
    image = place.small.image
    return sdk.compute.create_server(
        name="db", flavor_id="1", image_id=image, networks=[{"port": port.id}], **more
    )


def active_server(place: Simulated, sdk: Any, **more: Any) -> Any:
    made = new_server(place, sdk, **more)
    place.wait(3)
    return sdk.compute.get_server(made.id)


def new_volume(place: Simulated, sdk: Any, size: int = 1) -> Any:
    made = sdk.block_storage.create_volume(name="v", size=size, metadata={"a": "b"})
    place.wait(1)
    return sdk.block_storage.get_volume(made.id)


# -- identity and discovery -----------------------------------------------------------------------


def test_catalogue_and_microversions_are_discovered(place: Simulated, sdk: Any) -> None:
    assert sdk.current_project_id == place.small.cloud.project
    data = sdk.compute.get_endpoint_data()
    assert (data.min_microversion, data.max_microversion) == ((2, 1), (2, 104))
    assert sdk.block_storage.get_endpoint_data().max_microversion == (3, 71)
    assert sdk.network.get_endpoint_data().api_version == (2, 0)
    assert sdk.image.get_endpoint_data().api_version == (2, 17)


def test_wrong_password_is_refused(place: Simulated) -> None:
    with pytest.raises(Unauthorized):
        place.connect("trove", password="wrong").session.get_token()


def test_catalogue_of_things_that_are_there(place: Simulated, sdk: Any) -> None:
    assert next(one.name for one in sdk.compute.flavors()) == "db.small"
    assert sdk.compute.get_flavor("2").ram == 1024
    assert [one.name for one in sdk.image.images()] == ["db-image"]
    assert sdk.image.get_image(place.small.image).status == "active"
    assert [one.name for one in sdk.network.networks(name="db-mgmt")] == ["db-mgmt"]
    network = sdk.network.get_network(place.small.network)
    assert sdk.network.get_subnet(network.subnet_ids[0]).cidr == "10.16.0.0/12"
    assert "fake-1" in [one.name for one in sdk.block_storage.types()]


# -- compute --------------------------------------------------------------------------------------


def test_server_builds_shows_its_address_and_goes(place: Simulated, sdk: Any) -> None:
    server = sdk.compute.get_server(new_server(place, sdk).id)
    assert (server.status, server.task_state) == ("BUILD", "scheduling")
    place.wait(3)
    server = sdk.compute.get_server(server.id)
    assert (server.status, server.task_state, server.vm_state) == ("ACTIVE", None, "active")
    assert server.addresses["db-mgmt"][0]["addr"].startswith("10.16.")
    sdk.compute.delete_server(server)
    assert sdk.compute.get_server(server.id).task_state == "deleting"
    place.wait(2)
    with pytest.raises(exceptions.NotFoundException):
        sdk.compute.get_server(server.id)


def test_resize_confirm_and_revert(place: Simulated, sdk: Any) -> None:
    server = active_server(place, sdk)
    for flavor, end in (
        ("2", sdk.compute.revert_server_resize),
        ("3", sdk.compute.confirm_server_resize),
    ):
        sdk.compute.resize_server(server, flavor)
        place.wait(3)
        assert sdk.compute.get_server(server.id).status == "VERIFY_RESIZE"
        end(server)
        place.wait(2)
    server = sdk.compute.get_server(server.id)
    assert (server.status, server.flavor.original_name) == ("ACTIVE", "db.large")
    with pytest.raises(exceptions.ConflictException, match="vm_state active"):
        sdk.compute.confirm_server_resize(server)
    names = [one.action for one in sdk.compute.server_actions(server)]
    assert names == ["confirmResize", "resize", "revertResize", "resize", "create"]


def test_reboot_and_reset_of_a_state(place: Simulated, sdk: Any) -> None:
    server = active_server(place, sdk)
    sdk.compute.reboot_server(server, "HARD")
    assert sdk.compute.get_server(server.id).status == "HARD_REBOOT"
    place.wait(2)
    sdk.compute.reset_server_state(server, "error")
    assert sdk.compute.get_server(server.id).status == "ERROR"
    sdk.compute.reset_server_state(server, "active")
    assert sdk.compute.get_server(server.id).status == "ACTIVE"


def test_servers_are_found_by_name_tag_and_status(place: Simulated, sdk: Any) -> None:
    sdk.compute.default_microversion = "2.52"
    one = new_server(place, sdk, tags=["red", "round"])
    two = new_server(place, sdk, tags=["red"])

    def found(**query: str) -> set[str]:
        return {server.id for server in sdk.compute.servers(**query)}

    assert found(name="^db$") == {one.id, two.id}
    assert found(name="^d|nothing$") == set()
    assert found(tags="red,round") == {one.id}
    assert found(any_tags="round,red") == {one.id, two.id}
    assert found(status="ACTIVE") == set()


def test_listing_is_paged_by_limit_and_marker(place: Simulated, sdk: Any) -> None:
    made = {new_server(place, sdk).id for _ in range(5)}
    assert {one.id for one in sdk.compute.servers(limit=2)} == made
    assert place.small.state.counts["compute", "find_server"] > 2


def test_volume_is_attached_and_detached(place: Simulated, sdk: Any) -> None:
    server, volume = active_server(place, sdk), new_volume(place, sdk)
    sdk.compute.create_volume_attachment(server, volume_id=volume.id)
    place.wait(1)
    volume = sdk.block_storage.get_volume(volume.id)
    assert (volume.status, volume.attachments[0]["server_id"]) == ("in-use", server.id)
    assert [one.volume_id for one in sdk.compute.volume_attachments(server)] == [volume.id]
    sdk.compute.delete_volume_attachment(server, volume)
    place.wait(1)
    assert sdk.block_storage.get_volume(volume.id).status == "available"


def test_refusal_carries_the_services_own_text(place: Simulated, sdk: Any) -> None:
    with pytest.raises(exceptions.BadRequestException, match="Flavor nope could not be found"):
        sdk.compute.create_server(
            name="db", flavor_id="nope", image_id=place.small.image, networks="none"
        )


# -- block storage --------------------------------------------------------------------------------


def test_volume_is_made_grown_found_and_deleted(place: Simulated, sdk: Any) -> None:
    volume = new_volume(place, sdk)
    assert (volume.status, volume.size, volume.metadata) == ("available", 1, {"a": "b"})
    sdk.block_storage.extend_volume(volume, 3)
    place.wait(1)
    assert sdk.block_storage.get_volume(volume.id).size == 3
    assert [one.id for one in sdk.block_storage.volumes(name="v")] == [volume.id]
    assert not list(sdk.block_storage.volumes(name="w"))
    sdk.block_storage.delete_volume(volume)
    place.wait(1)
    with pytest.raises(exceptions.NotFoundException):
        sdk.block_storage.get_volume(volume.id)


# -- network --------------------------------------------------------------------------------------


def test_group_rule_and_port_live_and_go(place: Simulated, sdk: Any) -> None:
    group = sdk.network.create_security_group(name="g", description="d")
    rule = sdk.network.create_security_group_rule(
        security_group_id=group.id,
        direction="ingress",
        protocol="tcp",
        port_range_min=3306,
        port_range_max=3306,
        remote_ip_prefix="10.0.0.0/8",
    )
    port = sdk.network.create_port(
        network_id=place.small.network, name="p", security_groups=[group.id]
    )
    seen = sdk.network.get_security_group(group.id).security_group_rules
    assert rule.id in [one["id"] for one in seen if one["direction"] == "ingress"]
    assert len([one for one in seen if one["direction"] == "egress"]) == 2
    with pytest.raises(exceptions.ConflictException, match="in use"):
        sdk.network.delete_security_group(group.id)
    sdk.network.delete_port(port)
    sdk.network.delete_security_group_rule(rule)
    sdk.network.delete_security_group(group)
    assert place.small.state.inventory() == {}


def test_ports_are_found_by_name_and_device(place: Simulated, sdk: Any) -> None:
    server = active_server(place, sdk)
    (port,) = sdk.network.ports(device_id=server.id)
    assert (port.status, port.device_owner) == ("ACTIVE", "compute:nova")
    assert not list(sdk.network.ports(name="other"))


# -- rights ---------------------------------------------------------------------------------------


def test_tenant_sees_and_changes_its_own_things_only(place: Simulated, sdk: Any) -> None:
    server, volume = active_server(place, sdk), new_volume(place, sdk)
    tenant = place.connect("demo")
    assert not list(tenant.compute.servers())
    assert not list(tenant.block_storage.volumes())
    assert not list(tenant.network.ports())
    with pytest.raises(exceptions.NotFoundException):
        tenant.compute.get_server(server.id)
    with pytest.raises(exceptions.NotFoundException):
        tenant.block_storage.get_volume(volume.id)
    with pytest.raises(exceptions.ForbiddenException):
        tenant.compute.reset_server_state(server.id, "active")
    assert sdk.compute.get_server(server.id).id == server.id
