"""Nova's side of the simulator on the wire: microversions, filters, pages, error bodies."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from handlers.clouds.memory.faults import Outcome
from tests.support.simulated import Simulated, simulated


class Nova:
    """Plain calls to the compute API."""

    def __init__(self, place: Simulated) -> None:
        self.place = place
        self.session = place.session()
        self.root = f"{place.url}/compute/v2.1"

    def get(self, path: str, version: str | None = None) -> requests.Response:
        return self.session.get(self.root + path, headers=_header(version), timeout=5)

    def post(self, path: str, body: Any, version: str | None = None) -> requests.Response:
        return self.session.post(self.root + path, json=body, headers=_header(version), timeout=5)

    def create(self, version: str | None = "2.52", **more: Any) -> requests.Response:
        image = self.place.small.image
        server = {"name": "db", "flavorRef": "1", "imageRef": image, "networks": [], **more}
        return self.post("/servers", {"server": server}, version)

    def made(self, **more: Any) -> str:
        made: str = self.create(**more).json()["server"]["id"]
        return made

    def listed(self, query: str) -> list[str]:
        return [one["id"] for one in self.get(f"/servers/detail?{query}").json()["servers"]]


def _header(version: str | None) -> dict[str, str]:
    return {"OpenStack-API-Version": f"compute {version}"} if version else {}


@pytest.fixture
def nova() -> Iterator[Nova]:
    with simulated() as place:
        yield Nova(place)


# -- microversions --------------------------------------------------------------------------------


def test_answer_names_the_microversion_that_was_used(nova: Nova) -> None:
    for asked, used in ((None, "2.1"), ("2.46", "2.46"), ("latest", "2.104")):
        headers = nova.get("/servers", asked).headers
        assert headers["OpenStack-API-Version"] == f"compute {used}"
        assert headers["X-OpenStack-Nova-API-Version"] == used


def test_old_header_asks_for_a_microversion_too(nova: Nova) -> None:
    header = {"X-OpenStack-Nova-API-Version": "2.30"}
    answer = nova.session.get(f"{nova.root}/servers", headers=header, timeout=5)
    assert answer.headers["X-OpenStack-Nova-API-Version"] == "2.30"


@pytest.mark.parametrize(("version", "status"), [("2.999", 406), ("1.0", 406), ("two", 400)])
def test_unknown_microversion_is_refused(nova: Nova, version: str, status: int) -> None:
    assert nova.get("/servers", version).status_code == status


def test_flavor_has_an_id_below_2_47_and_a_name_from_there(nova: Nova) -> None:
    made = nova.made()
    assert nova.get(f"/servers/{made}", "2.46").json()["server"]["flavor"]["id"] == "1"
    embedded = nova.get(f"/servers/{made}", "2.47").json()["server"]["flavor"]
    assert embedded["original_name"] == "db.small"
    assert "id" not in embedded


def test_tags_are_taken_from_2_52_and_shown_from_2_26(nova: Nova) -> None:
    refused = nova.create("2.51", tags=["a"])
    assert refused.status_code == 400
    assert "'tags' was unexpected" in refused.json()["badRequest"]["message"]
    made = nova.made(tags=["a"])
    assert nova.get(f"/servers/{made}", "2.26").json()["server"]["tags"] == ["a"]
    assert "tags" not in nova.get(f"/servers/{made}", "2.25").json()["server"]
    assert nova.get(f"/servers/{made}/tags", "2.26").json() == {"tags": ["a"]}


# -- servers --------------------------------------------------------------------------------------


def test_post_answers_the_id_only_and_where_to_look(nova: Nova) -> None:
    answer = nova.create()
    server = answer.json()["server"]
    assert (answer.status_code, "status" in server) == (202, False)
    assert answer.headers["Location"].endswith(f"/servers/{server['id']}")
    assert answer.headers["x-openstack-request-id"] == answer.headers["x-compute-request-id"]


def test_request_id_of_the_answer_is_in_the_instance_actions(nova: Nova) -> None:
    answer = nova.create()
    request = answer.headers["x-openstack-request-id"]
    path = f"/servers/{answer.json()['server']['id']}/os-instance-actions"
    assert nova.get(path).json()["instanceActions"][0]["request_id"] == request
    assert nova.get(f"{path}/{request}").json()["instanceAction"]["action"] == "create"
    assert nova.get(f"{path}/req-unknown").status_code == 404


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"flavorRef": "nope"}, "Flavor nope could not be found."),
        ({"imageRef": "nope"}, "Can not find requested image"),
        ({"imageRef": ""}, "Invalid imageRef provided."),
        ({"name": ""}, "'name' is a required property"),
        ({"bogus": 1}, "'bogus' was unexpected"),
        ({"networks": [{"uuid": "x"}]}, "name ports by id"),
        ({"networks": [{"port": "x"}]}, "Port id x could not be found."),
        ({"availability_zone": "mars"}, "The requested availability zone is not available"),
        ({"tags": ["a,b"]}, "tags"),
        ({"user_data": "YQ"}, "'YQ' is not a 'base64'"),
    ],
)
def test_post_that_makes_no_sense_is_refused(
    nova: Nova, changes: dict[str, Any], text: str
) -> None:
    answer = nova.create(**changes)
    assert answer.status_code == 400
    assert text in answer.json()["badRequest"]["message"]
    assert answer.headers["x-openstack-request-id"].startswith("req-")


@pytest.mark.parametrize("given", ["I2Nsb3VkCg==", "/wD/AA=="])
def test_user_data_are_given_back_as_they_came(nova: Nova, given: str) -> None:
    server = nova.made(user_data=given)
    shown = nova.get(f"/servers/{server}", "2.3").json()["server"]
    assert shown["OS-EXT-SRV-ATTR:user_data"] == given


def test_volume_of_the_post_is_attached_and_goes_with_the_server_if_it_says_so(
    nova: Nova,
) -> None:
    small = nova.place.small
    kept, dropped = small.volume(), small.volume()

    def mapping(volume: str, *, drop: bool) -> dict[str, Any]:
        source = {"source_type": "volume", "destination_type": "volume", "uuid": volume}
        return {**source, "boot_index": -1, "delete_on_termination": drop}

    mappings = [mapping(kept, drop=False), mapping(dropped, drop=True)]
    server = nova.made(block_device_mapping_v2=mappings)
    small.wait(3)
    shown = nova.get(f"/servers/{server}/os-volume_attachments", "2.79").json()
    assert [one["delete_on_termination"] for one in shown["volumeAttachments"]] == [False, True]
    nova.session.delete(f"{nova.root}/servers/{server}", timeout=5)
    small.wait(2)
    assert small.see_volume(kept).status == "available"
    assert dropped not in small.state.core.volumes


def test_fault_is_shown_in_error_only(nova: Nova) -> None:
    nova.place.small.spoil("create_server", Outcome.ERROR, "No valid host was found.")
    made = nova.made()
    assert "fault" not in nova.get(f"/servers/{made}").json()["server"]
    nova.place.wait(3)
    shown = nova.get(f"/servers/{made}").json()["server"]
    assert (shown["status"], shown["fault"]["message"]) == ("ERROR", "No valid host was found.")


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"bogus": None}, 400, "There is no such action: bogus"),
        ([], 400, "There is no such action: "),
        ({"resize": {"flavorRef": "1"}}, 400, "instances must change flavor"),
        ({"confirmResize": None}, 409, "vm_state active"),
        ({"resize": {"flavorRef": "2"}}, 202, ""),
    ],
)
def test_action_is_answered_as_nova_does(nova: Nova, body: Any, status: int, text: str) -> None:
    made = nova.made()
    nova.place.wait(3)
    answer = nova.post(f"/servers/{made}/action", body)
    assert answer.status_code == status
    assert text in answer.text


# -- listings -------------------------------------------------------------------------------------


def test_changes_since_lists_deleted_servers_but_not_those_deleted_in_build(nova: Nova) -> None:
    stays, goes, never = nova.made(), nova.made(), nova.made()
    nova.session.delete(f"{nova.root}/servers/{never}", timeout=5)
    nova.place.wait(3)
    nova.session.delete(f"{nova.root}/servers/{goes}", timeout=5)
    nova.place.wait(5)
    listed = nova.get("/servers/detail?changes-since=2020-01-01T00:00:00Z").json()["servers"]
    assert {one["id"]: one["status"] for one in listed} == {stays: "ACTIVE", goes: "DELETED"}
    assert nova.listed("") == [stays]
    assert nova.listed("changes-since=2099-01-01T00:00:00Z") == []


def test_server_deleted_an_hour_ago_is_forgotten_with_the_next_deletion(nova: Nova) -> None:
    for wait in (3600, 5):
        made = nova.made()
        nova.place.wait(3)
        nova.session.delete(f"{nova.root}/servers/{made}", timeout=5)
        nova.place.wait(wait)
    assert nova.listed("changes-since=2020-01-01T00:00:00Z") == [made]


@pytest.mark.parametrize(
    "query",
    ["changes-since=yesterday", "marker=nobody", "limit=few", "name=%5B", "metadata=%7B%7D"],
)
def test_query_that_makes_no_sense_is_refused(nova: Nova, query: str) -> None:
    assert nova.get(f"/servers/detail?{query}").status_code == 400


def test_full_page_has_a_next_link_and_the_newest_comes_first(nova: Nova) -> None:
    made = []
    for _ in range(3):
        made.append(nova.made())
        nova.place.wait(1)
    first = nova.get("/servers?limit=2").json()
    assert [one["id"] for one in first["servers"]] == [made[2], made[1]]
    assert "status" not in first["servers"][0]
    (link,) = first["servers_links"]
    rest = nova.session.get(link["href"], timeout=5).json()
    assert [one["id"] for one in rest["servers"]] == [made[0]]
    assert "servers_links" not in rest


def test_filters_that_nova_ignores_are_ignored(nova: Nova) -> None:
    made = nova.made()
    assert nova.listed("uuid=other&host=other&flavor=1") == [made]
    assert nova.listed("flavor=2") == []


def test_flavors_are_listed_briefly_or_in_detail(nova: Nova) -> None:
    assert set(nova.get("/flavors").json()["flavors"][0]) == {"id", "name", "links"}
    assert nova.get("/flavors/detail").json()["flavors"][1]["ram"] == 1024
    shown = nova.get("/flavors/1", "2.61").json()["flavor"]
    assert (shown["description"], shown["extra_specs"]) == (None, {})
    assert nova.get("/flavors/nope").status_code == 404


def test_server_may_boot_from_a_volume_and_have_no_port(nova: Nova) -> None:
    source = {"source_type": "volume", "destination_type": "volume", "boot_index": 0}
    root = {**source, "uuid": nova.place.small.volume()}
    made = nova.made(imageRef="", networks="none", block_device_mapping_v2=[root])
    shown = nova.get(f"/servers/{made}", "2.46").json()["server"]
    assert (shown["image"], shown["addresses"]) == ("", {})


def test_refusal_names_the_microversion_too(nova: Nova) -> None:
    headers = nova.get("/servers/nope", "2.46").headers
    assert headers["OpenStack-API-Version"] == "compute 2.46"
