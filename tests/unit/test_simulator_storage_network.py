"""Cinder's and Neutron's sides of the simulator on the wire."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support.simulated import Simulated, simulated


class Api:
    """Plain calls to one service."""

    def __init__(self, place: Simulated, root: str) -> None:
        self.place = place
        self.session = place.session()
        self.root = place.url + root

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.root + path, timeout=5)

    def delete(self, path: str) -> requests.Response:
        return self.session.delete(self.root + path, timeout=5)

    def post(self, path: str, body: Any, version: str = "3.60") -> requests.Response:
        header = {"OpenStack-API-Version": f"volume {version}"}
        return self.session.post(self.root + path, json=body, headers=header, timeout=5)


@pytest.fixture
def place() -> Iterator[Simulated]:
    with simulated() as place:
        yield place


@pytest.fixture
def cinder(place: Simulated) -> Api:
    return Api(place, f"/volume/v3/{place.small.cloud.project}")


@pytest.fixture
def neutron(place: Simulated) -> Api:
    return Api(place, "/network/v2.0")


# -- Cinder ---------------------------------------------------------------------------------------


def volume(cinder: Api, **more: Any) -> str:
    made = cinder.post("/volumes", {"volume": {"size": 1, "name": "v", **more}})
    assert made.status_code == 202
    found: str = made.json()["volume"]["id"]
    return found


def volumes(cinder: Api, query: str) -> list[str]:
    return [one["id"] for one in cinder.get(f"/volumes/detail?{query}").json()["volumes"]]


def test_post_does_not_name_the_project_but_later_answers_do(cinder: Api) -> None:
    made = cinder.post("/volumes", {"volume": {"size": 1}}).json()["volume"]
    assert "os-vol-tenant-attr:tenant_id" not in made
    assert (made["status"], made["updated_at"]) == ("creating", None)
    shown = cinder.get(f"/volumes/{made['id']}").json()["volume"]
    assert shown["os-vol-tenant-attr:tenant_id"] == cinder.place.small.cloud.project


def test_path_works_without_the_project_too(cinder: Api) -> None:
    made = volume(cinder)
    assert cinder.session.get(f"{cinder.place.url}/volume/v3/volumes/{made}", timeout=5).ok


def test_new_volume_is_not_in_the_delta_and_filters_by_time_work(cinder: Api) -> None:
    made = volume(cinder)
    assert volumes(cinder, "updated_at=gte:2000-01-01T00:00:00") == []
    assert volumes(cinder, "name=v") == [made]
    cinder.place.wait(1)
    assert volumes(cinder, "updated_at=gte:2000-01-01T00:00:00") == [made]
    assert volumes(cinder, "updated_at=lt:2000-01-01T00:00:00") == []
    assert cinder.get("/volumes/detail?updated_at=gte:never").status_code == 400


def test_volumes_are_found_by_status_and_metadata(cinder: Api) -> None:
    red, blue = volume(cinder, metadata={"c": "red"}), volume(cinder, metadata={"c": "blue"})
    cinder.place.wait(1)
    assert set(volumes(cinder, "status=available")) == {red, blue}
    assert volumes(cinder, "metadata=%7B'c':'red'%7D") == [red]
    assert cinder.get("/volumes/detail?metadata=red").status_code == 400
    assert volumes(cinder, f"id={blue}") == [blue]


def test_full_page_of_volumes_has_a_next_link(cinder: Api) -> None:
    made = {volume(cinder) for _ in range(3)}
    first = cinder.get("/volumes/detail?limit=2").json()
    rest = cinder.session.get(first["volumes_links"][0]["href"], timeout=5).json()
    assert {one["id"] for one in first["volumes"] + rest["volumes"]} == made


def test_listing_is_brief_or_in_detail(cinder: Api) -> None:
    made = volume(cinder)
    (brief,) = cinder.get("/volumes").json()["volumes"]
    assert (set(brief), brief["id"]) == ({"id", "name", "links"}, made)


@pytest.mark.parametrize(
    ("query", "status"), [("marker=nobody", 404), ("limit=few", 400), ("updated_at=yesterday", 400)]
)
def test_listing_of_volumes_that_makes_no_sense_is_refused(
    cinder: Api, query: str, status: int
) -> None:
    assert cinder.get(f"/volumes/detail?{query}").status_code == status


@pytest.mark.parametrize("query", ["coffee=1", "all_tenants=0"])
def test_unknown_filter_lists_nothing_for_an_administrator(cinder: Api, query: str) -> None:
    made = volume(cinder)
    assert volumes(cinder, query) == []
    assert volumes(cinder, "all_tenants=1") == [made]


def test_volume_in_use_grows_from_3_42_only(cinder: Api) -> None:
    small = cinder.place.small
    made = small.volume()
    small.active(volumes=[made])
    body = {"os-extend": {"new_size": 2}}
    refused = cinder.post(f"/volumes/{made}/action", body, "3.41")
    assert refused.status_code == 400
    assert "currently in-use" in refused.json()["badRequest"]["message"]
    assert cinder.post(f"/volumes/{made}/action", body, "3.42").status_code == 202


def test_status_is_set_by_an_administrator_only(cinder: Api) -> None:
    made = volume(cinder)
    body = {"os-reset_status": {"status": "error"}}
    tenant = cinder.place.session("demo")
    path = f"{cinder.root}/volumes/{made}/action"
    assert tenant.post(path, json=body, timeout=5).status_code == 403
    assert cinder.post(f"/volumes/{made}/action", body).status_code == 202
    assert cinder.get(f"/volumes/{made}").json()["volume"]["status"] == "error"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"size": 0}, 400, "badRequest"),
        ({"size": 1, "volume_type": "nope"}, 404, "itemNotFound"),
        ({"size": 1, "availability_zone": "mars"}, 400, "badRequest"),
    ],
)
def test_volume_that_makes_no_sense_is_refused(
    cinder: Api, body: dict[str, Any], status: int, code: str
) -> None:
    answer = cinder.post("/volumes", {"volume": body})
    assert (answer.status_code, answer.json()[code]["code"]) == (status, status)
    assert cinder.post("/volumes", {}).status_code == 400


def test_deletion_is_accepted_once(cinder: Api) -> None:
    made = volume(cinder)
    cinder.place.wait(1)
    assert cinder.delete(f"/volumes/{made}").status_code == 202
    assert cinder.delete(f"/volumes/{made}").status_code == 400
    cinder.place.wait(1)
    assert cinder.delete(f"/volumes/{made}").status_code == 404


def test_unknown_volume_action_is_refused(cinder: Api) -> None:
    answer = cinder.post(f"/volumes/{volume(cinder)}/action", {"bogus": None})
    assert answer.status_code == 400


# -- Neutron --------------------------------------------------------------------------------------


def group(neutron: Api, name: str = "g") -> str:
    made = neutron.post("/security-groups", {"security_group": {"name": name}})
    assert made.status_code == 201
    found: str = made.json()["security_group"]["id"]
    return found


def rule(group_id: str, cidr: str = "10.0.0.0/8", ethertype: str = "IPv4") -> dict[str, Any]:
    return {
        "security_group_id": group_id,
        "direction": "ingress",
        "ethertype": ethertype,
        "protocol": "tcp",
        "port_range_min": 3306,
        "port_range_max": 3306,
        "remote_ip_prefix": cidr,
    }


def ingress(neutron: Api, group_id: str) -> list[str]:
    shown = neutron.get(f"/security-groups/{group_id}").json()["security_group"]
    rules = shown["security_group_rules"]
    return [one["normalized_cidr"] for one in rules if one["direction"] == "ingress"]


def test_rules_in_bulk_are_made_all_or_none(neutron: Api) -> None:
    made = group(neutron)
    bulk = [rule(made), rule(made, "2001:db8::/32", "IPv6")]
    answer = neutron.post("/security-group-rules", {"security_group_rules": bulk})
    assert (answer.status_code, len(answer.json()["security_group_rules"])) == (201, 2)
    again = {"security_group_rules": [rule(made, "11.0.0.0/8"), rule(made)]}
    refused = neutron.post("/security-group-rules", again)
    assert refused.status_code == 409
    assert refused.json()["NeutronError"]["type"] == "SecurityGroupRuleExists"
    assert answer.json()["security_group_rules"][0]["id"] in refused.text
    assert ingress(neutron, made) == ["10.0.0.0/8", "2001:db8::/32"]


def test_host_bits_of_a_cidr_are_kept_and_shown_without(neutron: Api) -> None:
    made = group(neutron)
    answer = neutron.post(
        "/security-group-rules", {"security_group_rule": rule(made, "10.9.9.9/8")}
    )
    shown = answer.json()["security_group_rule"]
    assert (shown["remote_ip_prefix"], shown["normalized_cidr"]) == ("10.9.9.9/8", "10.0.0.0/8")


@pytest.mark.parametrize(
    ("changes", "status", "kind"),
    [
        ({"remote_ip_prefix": "10.0.0.0/99"}, 400, "InvalidCIDR"),
        ({"ethertype": "IPv6"}, 400, "SecurityGroupRuleParameterConflict"),
        ({"security_group_id": "nope"}, 404, "SecurityGroupNotFound"),
    ],
)
def test_rule_that_makes_no_sense_is_refused(
    neutron: Api, changes: dict[str, str], status: int, kind: str
) -> None:
    body = {"security_group_rules": [{**rule(group(neutron)), **changes}]}
    answer = neutron.post("/security-group-rules", body)
    assert (answer.status_code, answer.json()["NeutronError"]["type"]) == (status, kind)


def test_body_without_what_is_needed_is_refused(neutron: Api) -> None:
    for path in ("/security-group-rules", "/security-groups", "/ports"):
        assert neutron.post(path, {}).status_code == 400
    assert neutron.post("/security-group-rules", {"security_group_rule": {}}).status_code == 400
    assert neutron.post("/ports", {"port": {}}).status_code == 400
    assert neutron.post("/ports", {"port": {"network_id": "x", "bogus": 1}}).status_code == 400


def test_repeated_filters_mean_or(neutron: Api) -> None:
    one, two, _ = (group(neutron, name) for name in ("a", "b", "c"))
    for query in (f"id={one}&id={two}", "name=a&name=b", "name=a&name=b&description="):
        listed = neutron.get(f"/security-groups?{query}").json()["security_groups"]
        assert {found["id"] for found in listed} == {one, two}
    listed = neutron.get("/security-groups?name=a&fields=id").json()["security_groups"]
    assert listed == [{"id": one}]


def test_filter_that_neutron_does_not_know_is_refused(neutron: Api) -> None:
    answer = neutron.get("/ports?changed_since=2020-01-01T00:00:00Z")
    assert answer.status_code == 400
    assert "is invalid attribute for filtering" in answer.json()["NeutronError"]["message"]


def test_ports_are_paged_only_when_a_limit_is_given(neutron: Api) -> None:
    made = {neutron.place.small.port() for _ in range(3)}
    assert len(neutron.get("/ports").json()["ports"]) == 3
    first = neutron.get("/ports?limit=2").json()
    rest = neutron.session.get(first["ports_links"][0]["href"], timeout=5).json()
    assert {one["id"] for one in first["ports"] + rest["ports"]} == made


@pytest.mark.parametrize("path", ["ports", "security-groups"])
def test_page_that_makes_no_sense_is_refused(neutron: Api, path: str) -> None:
    assert neutron.get(f"/{path}?marker=nobody").status_code == 404
    assert neutron.get(f"/{path}?limit=few").status_code == 400


def test_groups_are_paged_too(neutron: Api) -> None:
    made = {group(neutron, name) for name in ("a", "b", "c")}
    first = neutron.get("/security-groups?limit=2").json()
    rest = neutron.session.get(first["security_groups_links"][0]["href"], timeout=5).json()
    assert {one["id"] for one in first["security_groups"] + rest["security_groups"]} == made


def test_tenant_does_not_see_what_belongs_to_others(neutron: Api) -> None:
    small = neutron.place.small
    tenant = neutron.place.session("demo")
    for path in (f"ports/{small.port()}", f"security-groups/{small.group()}"):
        assert tenant.get(f"{neutron.root}/{path}", timeout=5).status_code == 404
        assert tenant.delete(f"{neutron.root}/{path}", timeout=5).status_code == 404
        assert neutron.get(f"/{path}").status_code == 200


def test_resources_and_extensions_are_listed(neutron: Api) -> None:
    names = [one["collection"] for one in neutron.get("/").json()["resources"]]
    assert "security-group-rules" in names
    assert neutron.get("/extensions").json()["extensions"]


@pytest.mark.parametrize(
    "path", ["ports", "security-groups", "security-group-rules", "networks", "subnets"]
)
def test_what_is_not_there_is_404_in_neutrons_form(neutron: Api, path: str) -> None:
    call = neutron.delete if "security" in path else neutron.get
    answer = call(f"/{path}/nope")
    assert answer.status_code == 404
    assert answer.json()["NeutronError"]["type"].endswith("NotFound")
