"""Adoption and what goes with it: what goes over the wire, and what comes of the answers."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from handlers.clouds.openstack import OpenStackCloud
from handlers.clouds.openstack.abilities import lacks
from handlers.errors import Ambiguous, Reason, Retryable, Terminal
from handlers.lacks import ADOPTION as NO_ADOPTION
from handlers.lacks import DOOMING, ROOM, TWINS
from handlers.orders import StackAdoption, StackUpdate
from handlers.resources import Kind, Resource
from tests.contract.openstack.conftest import Adapter, Told
from tests.contract.openstack.scripted import Script, answer, hang, reset

SUBJECT = "11111111-1111-4111-8111-111111111111"
NAME = f"trove-{SUBJECT}"
ROOT = "/orchestration/v1/p-1/stacks"
TEMPLATE = {"heat_template_version": "2018-08-31", "resources": {}}
BELTS = {"resource_registry": {"resources": {"server": {"restricted_actions": "replace"}}}}

ADOPTION = StackAdoption(
    subject=SUBJECT,
    template=TEMPLATE,
    environment=BELTS,
    parameters={"flavor": "f"},
    write="op-1_stack",
    minutes=60,
    members={"server": "s-1"},
)
CHANGE = StackUpdate(
    subject=SUBJECT, stack="k-1", parameters={}, write="op-2_stack", minutes=30, template=TEMPLATE
)
MADE = answer(201, {"stack": {"id": "k-1"}})
DELETED = answer(204)
NO_STACKS = answer(200, {"stacks": []})
NEW_NOVA = (2, 90)


def refused(status: int, kind: str, text: str = "") -> Any:
    """Heat's own form of an error."""
    error = {"type": kind} | ({"message": text} if text else {})
    return answer(status, {"code": status, "explanation": "It went wrong.", "error": error})


DISABLED = refused(400, "NotSupported", "Stack Adopt is not supported.")


def still(status: str) -> Any:
    return answer(200, {"stacks": [{"id": "k-1", "stack_status": status}]})


def test_adoption_sends_the_ids_as_text_and_the_belts_beside_them(
    script: Script, cloud: OpenStackCloud, told: Told
) -> None:
    script.then(MADE)
    (stack,) = cloud.adopt_stack(ADOPTION).resources
    assert (stack.id, stack.status) == ("k-1", "ADOPT_IN_PROGRESS")
    (sent,) = script.sent
    assert (sent.method, sent.path) == ("POST", ROOT)
    assert json.loads(sent.json["adopt_stack_data"]) == {
        "template": TEMPLATE,
        "environment": {"parameters": {"flavor": "f"}},
        "resources": {"server": {"resource_id": "s-1"}},
    }
    assert sent.json["environment"] == BELTS
    assert sent.json["disable_rollback"] is True
    assert sent.json["timeout_mins"] == 60
    assert "trove_write_op-1_stack" in sent.json["tags"]
    assert "template" not in sent.json
    assert told == [("orchestration", "POST", "/stacks", "201")]


@pytest.mark.parametrize("lost", [hang, reset, answer(502, "<html>", "text/html")])
def test_adoption_without_an_answer_is_sent_once_and_ambiguous(
    script: Script, adapter: Adapter, lost: Any
) -> None:
    script.then(lost)
    with pytest.raises(Ambiguous):
        adapter(script, answer=0.3).adopt_stack(ADOPTION)
    assert len(script.sent) == 1


def test_disabled_adoption_names_the_setting(script: Script, cloud: OpenStackCloud) -> None:
    script.then(DISABLED)
    with pytest.raises(Terminal, match=r"\[DEFAULT\] enable_stack_adopt = true") as caught:
        cloud.adopt_stack(ADOPTION)
    assert caught.value.reason is Reason.UNSUPPORTED


def test_doomed_volume_is_one_put_at_its_own_microversion(
    script: Script, cloud: OpenStackCloud, told: Told
) -> None:
    script.then(answer(202))
    assert cloud.doom_volume("s-1", "v-1", doomed=False).request_id == "req-scripted"
    (sent,) = script.sent
    assert sent.headers["OpenStack-API-Version"] == "compute 2.85"
    wanted = {"volumeId": "v-1", "delete_on_termination": False}
    assert sent.json == {"volumeAttachment": wanted}
    route = "/servers/{id}/os-volume_attachments/{id}"
    assert told == [("compute", "PUT", route, "202")]


def test_preview_and_update_take_the_same_template(script: Script, cloud: OpenStackCloud) -> None:
    changes = {"updated": [{"resource_name": "b"}, {"resource_name": "a"}], "replaced": []}
    script.then(answer(200, {"resource_changes": changes}), answer(202, "{}"))
    assert cloud.preview_stack(CHANGE).facts == {"updated": ["a", "b"], "replaced": []}
    cloud.update_stack(CHANGE)
    preview, update = script.sent
    assert (preview.method, preview.path) == ("PATCH", f"{ROOT}/{NAME}/k-1/preview")
    assert (update.method, update.path) == ("PATCH", f"{ROOT}/{NAME}/k-1")
    assert preview.json == update.json
    assert update.json["template"] == TEMPLATE


def test_check_is_an_action(script: Script, cloud: OpenStackCloud) -> None:
    script.then(answer(200, "null"))
    cloud.check_stack(SUBJECT, "k-1")
    (sent,) = script.sent
    assert (sent.path, sent.json) == (f"{ROOT}/{NAME}/k-1/actions", {"check": None})


# -- whole listings -----------------------------------------------------------------------------


def test_listing_that_begins_anew_ends(script: Script, cloud: OpenStackCloud) -> None:
    """Heat ignores a marker that it does not know."""
    page = answer(200, {"stacks": [{"id": f"k-{number}"} for number in range(1000)]})
    script.then(page, page)
    assert len(cloud.every(Kind.STACK)) == 1000
    assert [sent.path.partition("?")[2] for sent in script.sent] == [
        "tenant=p-1&limit=1000",
        "tenant=p-1&limit=1000&marker=k-999",
    ]


@pytest.mark.parametrize(
    ("kind", "name"), [(Kind.PORT, "ports"), (Kind.SECURITY_GROUP, "security_groups")]
)
def test_neutrons_next_link_is_followed(
    script: Script, cloud: OpenStackCloud, kind: Kind, name: str
) -> None:
    link = [{"rel": "next", "href": "x"}]
    script.then(
        answer(200, {name: [{"id": "a"}], f"{name}_links": link}),
        answer(200, {name: [{"id": "b"}]}),
    )
    found: tuple[Resource, ...] = cloud.every(kind)
    assert [one.id for one in found] == ["a", "b"]
    assert script.sent[1].path.endswith("?project_id=p-1&limit=1000&marker=a")


# -- what a cloud lacks -------------------------------------------------------------------------


def lacks_of(cloud: OpenStackCloud, nova: tuple[int, ...] = NEW_NOVA) -> tuple[Any, ...]:
    """Waits for nothing."""
    return lacks(nova, cloud.stacks, lambda _: None)


def test_fit_cloud_lacks_nothing_and_is_left_as_it_was(
    script: Script, cloud: OpenStackCloud
) -> None:
    script.then(MADE, still("ADOPT_COMPLETE"), DELETED, NO_STACKS)
    assert lacks_of(cloud) == ()
    made, _, deleted, _ = script.sent
    data = json.loads(made.json["adopt_stack_data"])
    assert (data["resources"], data["template"].get("resources")) == ({}, None)
    assert deleted.path == f"{ROOT}/{made.json['stack_name']}/k-1"


def test_where_adoption_is_disabled_a_stack_is_made_to_see_the_rest(
    script: Script, cloud: OpenStackCloud
) -> None:
    full = "You have reached the maximum stacks per tenant, 1. Please delete some stacks."
    script.then(DISABLED, refused(400, "RequestLimitExceeded", full))
    assert lacks_of(cloud, (2, 79)) == (DOOMING, NO_ADOPTION, ROOM)


def test_heat_that_creates_where_it_should_adopt_is_named(
    script: Script, cloud: OpenStackCloud
) -> None:
    script.then(MADE, still("CREATE_IN_PROGRESS"), DELETED, NO_STACKS)
    assert lacks_of(cloud) == (TWINS,)


def test_refused_trust_is_told_with_what_to_do(script: Script, adapter: Adapter) -> None:
    script.application_credential = {"id": "a", "name": "a", "restricted": True}
    script.then(refused(500, "RemoteError"), answer(403, {}))
    (lack,) = lacks_of(adapter(script))
    assert "trusts" in lack.what
    assert "user with a password" in lack.remedy


def test_adoption_whose_answer_was_lost_is_cleaned_up_and_asked_again_later(
    script: Script, cloud: OpenStackCloud
) -> None:
    here = {"id": "k-1", "stack_status": "ADOPT_COMPLETE", "project": "p-1"}
    script.then(reset, answer(200, {"stacks": [here]}), DELETED)
    with pytest.raises(Retryable):
        lacks_of(cloud)
    assert script.sent[-1].method == "DELETE"


def test_stack_that_stays_is_told(script: Script, cloud: OpenStackCloud) -> None:
    script.then(MADE, still("ADOPT_COMPLETE"), DELETED, still("DELETE_FAILED"))
    (lack,) = lacks_of(cloud)
    assert "was not deleted: DELETE_FAILED" in lack.what
    assert lack.remedy


def test_template_is_left_out_of_an_update_without_one(
    script: Script, cloud: OpenStackCloud
) -> None:
    script.then(answer(202, "{}"))
    cloud.update_stack(replace(CHANGE, template=None))
    assert "template" not in script.sent[0].json
