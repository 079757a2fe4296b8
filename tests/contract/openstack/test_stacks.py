"""Heat: what goes over the wire, what comes of the answers, and who may be away."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from handlers.clouds.openstack import OpenStackCloud
from handlers.errors import Ambiguous, Fault, Reason, Retryable, Terminal
from handlers.orders import NewStack, StackUpdate
from handlers.resources import Kind, Stack
from tests.contract.openstack.conftest import Adapter, Told
from tests.contract.openstack.scripted import Script, answer, hang, reset

SUBJECT = "11111111-1111-4111-8111-111111111111"
NAME = f"trove-{SUBJECT}"
TAG = f"trove_instance_id_{SUBJECT}"
ROOT = "/orchestration/v1/p-1/stacks"

NEW = NewStack(
    subject=SUBJECT,
    template={"heat_template_version": "2018-08-31", "resources": {}},
    environment={"resource_registry": {}},
    parameters={"flavor": "f", "volume_size": 5},
    write="op-1_stack",
    minutes=60,
)
CHANGE = StackUpdate(
    subject=SUBJECT, stack="k-1", parameters={"flavor": "g"}, write="op-2_stack", minutes=30
)
MADE = answer(201, {"stack": {"id": "k-1", "links": []}})
ACCEPTED = answer(202, "<html>202 Accepted</html>", "text/html")


def refused(status: int, kind: str, text: str | None = None) -> Any:
    """Heat's own form of an error."""
    error = {"type": kind, "traceback": None} | ({"message": text} if text else {})
    body = {"code": status, "title": "T", "explanation": "It went wrong.", "error": error}
    return answer(status, body)


def listed(**more: Any) -> dict[str, Any]:
    """One entry of a listing."""
    seen = {
        "id": "k-1",
        "stack_name": NAME,
        "stack_status": "CREATE_COMPLETE",
        "stack_status_reason": "Stack CREATE completed successfully",
        "tags": [TAG, "trove_write_op-1_stack"],
        "updated_time": None,
    }
    return {**seen, **more}


# -- writes -------------------------------------------------------------------------------------


def test_stack_is_asked_for_with_everything_and_answered_as_it_begins(
    script: Script, cloud: OpenStackCloud, told: Told
) -> None:
    script.then(MADE)
    made = cloud.create_stack(NEW)
    (sent,) = script.sent
    assert (sent.method, sent.path) == ("POST", ROOT)
    assert sent.json == {
        "stack_name": NAME,
        "template": NEW.template,
        "environment": NEW.environment,
        "parameters": NEW.parameters,
        "files": {},
        "tags": f"{TAG},trove_write_op-1_stack",
        "timeout_mins": 60,
        "disable_rollback": True,
    }
    assert made.request_id == "req-scripted"
    assert made.resources == (
        Stack(
            id="k-1",
            name=NAME,
            status="CREATE_IN_PROGRESS",
            tags=(TAG, "trove_write_op-1_stack"),
            subject=SUBJECT,
            role="stack",
            project="p-1",
        ),
    )
    assert told == [("orchestration", "POST", "/stacks", "201")]


def test_update_names_what_changes_and_keeps_the_rest(
    script: Script, cloud: OpenStackCloud, told: Told
) -> None:
    script.then(ACCEPTED)
    assert cloud.update_stack(CHANGE).request_id == "req-scripted"
    (sent,) = script.sent
    assert (sent.method, sent.path) == ("PATCH", f"{ROOT}/{NAME}/k-1")
    assert sent.json == {
        "parameters": {"flavor": "g"},
        "tags": f"{TAG},trove_write_op-2_stack",
        "timeout_mins": 30,
        "disable_rollback": True,
    }
    assert told == [("orchestration", "PATCH", "/stacks/{id}/{id}", "202")]


def test_update_is_cancelled_without_rollback(
    script: Script, cloud: OpenStackCloud, told: Told
) -> None:
    script.then(answer(200, "null"))
    assert cloud.cancel_stack_update(SUBJECT, "k-1").request_id == "req-scripted"
    (sent,) = script.sent
    assert (sent.method, sent.path) == ("POST", f"{ROOT}/{NAME}/k-1/actions")
    assert sent.json == {"cancel_without_rollback": None}
    assert told == [("orchestration", "POST", "/stacks/{id}/{id}/actions", "200")]


def test_stack_that_is_gone_is_deleted_again_with_success(
    script: Script, cloud: OpenStackCloud
) -> None:
    script.then(answer(204), refused(404, "EntityNotFound", "The Stack could not be found."))
    for _ in range(2):
        assert cloud.delete_stack(SUBJECT, "k-1").request_id == "req-scripted"
    assert {(sent.method, sent.path) for sent in script.sent} == {("DELETE", f"{ROOT}/{NAME}/k-1")}


def test_404_for_a_path_that_heat_does_not_know_is_not_believed(
    script: Script, cloud: OpenStackCloud
) -> None:
    script.then(answer(404, "<html>404 Not Found</html>", "text/html"))
    with pytest.raises(Ambiguous):
        cloud.delete_stack(SUBJECT, "k-1")


def test_id_of_a_stack_stays_one_part_of_the_path(script: Script, cloud: OpenStackCloud) -> None:
    script.then(answer(204))
    cloud.delete_stack(SUBJECT, "../x?y/z")
    assert script.sent[0].path == f"{ROOT}/{NAME}/..%2Fx%3Fy%2Fz"


@pytest.mark.parametrize("lost", [hang, reset])
def test_write_without_an_answer_is_sent_once_and_ambiguous(
    script: Script, adapter: Adapter, lost: Any
) -> None:
    cloud = adapter(script, answer=0.3)
    script.then(lost, lost, lost, lost)
    calls: tuple[Callable[[], object], ...] = (
        lambda: cloud.create_stack(NEW),
        lambda: cloud.update_stack(CHANGE),
        lambda: cloud.cancel_stack_update(SUBJECT, "k-1"),
        lambda: cloud.delete_stack(SUBJECT, "k-1"),
    )
    for call in calls:
        with pytest.raises(Ambiguous) as caught:
            call()
        assert caught.value.reason is Reason.UNAVAILABLE
    assert len(script.sent) == 4


@pytest.mark.parametrize("body", ["", "{}", '{"stack": {"id": 5}}', "<html>"])
def test_new_stack_whose_answer_cannot_be_read_is_ambiguous(
    script: Script, cloud: OpenStackCloud, body: str
) -> None:
    script.then(answer(201, body))
    with pytest.raises(Ambiguous):
        cloud.create_stack(NEW)


def test_name_that_is_taken_is_ambiguous_in_heats_words(
    script: Script, cloud: OpenStackCloud
) -> None:
    text = f"The Stack ({NAME}) already exists."
    script.then(refused(409, "StackExists", text))
    with pytest.raises(Ambiguous) as caught:
        cloud.create_stack(NEW)
    assert (caught.value.message, caught.value.service) == (text, "orchestration")


def test_call_while_no_engine_is_up_may_still_be_carried_out(
    script: Script, cloud: OpenStackCloud
) -> None:
    silent = refused(500, "MessagingTimeout")
    script.then(silent, silent)
    with pytest.raises(Ambiguous) as caught:
        cloud.update_stack(CHANGE)
    assert caught.value.reason is Reason.UNAVAILABLE
    assert "no engine of Heat answers" in caught.value.message
    with pytest.raises(Retryable) as looked:
        cloud.get(Kind.STACK, ["k-1"])
    assert looked.value.reason is Reason.UNAVAILABLE


# -- look-ups -----------------------------------------------------------------------------------


def test_stacks_are_looked_up_by_id_in_one_listing(script: Script, cloud: OpenStackCloud) -> None:
    script.then(answer(200, {"stacks": [listed(), listed(id="stranger")]}))
    (seen,) = cloud.get(Kind.STACK, ["k-2", "k-1"])
    assert [sent.path for sent in script.sent] == [f"{ROOT}?id=k-1&id=k-2"]
    assert isinstance(seen, Stack)
    assert (seen.status, seen.reason) == (
        "CREATE_COMPLETE",
        "Stack CREATE completed successfully",
    )
    assert (seen.subject, seen.role, seen.project) == (SUBJECT, "stack", "p-1")
    assert seen.tags == (TAG, "trove_write_op-1_stack")
    assert seen.outputs is None


def test_many_stacks_are_looked_up_in_urls_of_a_bearable_length(
    script: Script, cloud: OpenStackCloud
) -> None:
    script.then(*[answer(200, {"stacks": []})] * 3)
    assert cloud.get(Kind.STACK, [f"{SUBJECT[:-3]}{number}" for number in range(100, 250)]) == ()
    assert [len(sent.path) < 4096 for sent in script.sent] == [True] * 3


def test_stacks_are_found_by_name_in_our_own_project(script: Script, cloud: OpenStackCloud) -> None:
    theirs = listed(id="k-2", project="p-2")
    script.then(answer(200, {"stacks": [theirs, listed(project="p-1", tags=None)]}))
    (seen,) = cloud.find(Kind.STACK, [SUBJECT])
    assert [sent.path for sent in script.sent] == [f"{ROOT}?name={NAME}&tenant=p-1"]
    assert (seen.id, seen.subject, seen.role) == ("k-1", SUBJECT, None)


def test_stack_that_carries_another_identity_is_not_found(
    script: Script, cloud: OpenStackCloud
) -> None:
    script.then(answer(200, {"stacks": [listed(tags=["trove_instance_id_other"])]}))
    assert cloud.find(Kind.STACK, [SUBJECT]) == ()


def test_deleted_stack_is_not_there_although_heat_tells_of_it(
    script: Script, cloud: OpenStackCloud
) -> None:
    gone = listed(stack_status="DELETE_COMPLETE")
    script.then(answer(200, {"stacks": [gone]}), answer(200, {"stack": gone}))
    assert cloud.get(Kind.STACK, ["k-1"]) == ()
    assert cloud.in_full(Kind.STACK, NAME, "k-1") is None


def test_stack_in_full_has_its_outputs(script: Script, cloud: OpenStackCloud) -> None:
    outputs = [
        {"output_key": "server", "output_value": "s-1", "description": "-"},
        {"output_key": "addresses", "output_value": [{"ip_address": "10.0.0.1"}]},
        {"output_key": "volume", "output_value": None, "output_error": "not yet"},
    ]
    script.then(answer(200, {"stack": listed(outputs=outputs)}))
    seen = cloud.in_full(Kind.STACK, NAME, "k-1")
    assert [sent.path for sent in script.sent] == [f"{ROOT}/{NAME}/k-1"]
    assert isinstance(seen, Stack)
    assert seen.outputs == {
        "server": "s-1",
        "addresses": [{"ip_address": "10.0.0.1"}],
        "volume": None,
    }


def test_stack_in_full_that_is_not_there_is_none(script: Script, cloud: OpenStackCloud) -> None:
    script.then(refused(404, "EntityNotFound", f"The Stack ({NAME}) could not be found."))
    assert cloud.in_full(Kind.STACK, NAME, "k-1") is None


def test_user_data_in_the_reason_of_a_failure_is_cut(script: Script, cloud: OpenStackCloud) -> None:
    reason = "Invalid input for field/attribute user_data. Value: aHVudGVyMg==. 'aHVudGVyMg=='"
    failed = listed(stack_status="CREATE_FAILED", stack_status_reason=reason)
    script.then(answer(200, {"stacks": [failed]}))
    (seen,) = cloud.get(Kind.STACK, ["k-1"])
    assert "aHVudGVyMg" not in repr(seen)


def test_there_is_no_listing_of_changed_stacks(script: Script, cloud: OpenStackCloud) -> None:
    assert cloud.changed(Kind.STACK, 0) is None
    assert script.sent == []


# -- Heat is optional ---------------------------------------------------------------------------


def test_nothing_is_asked_of_heat_before_it_is_used(script: Script, cloud: OpenStackCloud) -> None:
    script.then(answer(200, {"servers": []}))
    assert cloud.changed(Kind.SERVER, 0) == ()
    assert [sent.path for sent in script.sent if "orchestration" in sent.path] == []


def test_cloud_without_heat_serves_all_else_and_says_so(script: Script, adapter: Adapter) -> None:
    script.services.remove("orchestration")
    cloud = adapter(script)
    script.then(answer(200, {"servers": []}))
    for call in (lambda: cloud.create_stack(NEW), lambda: cloud.get(Kind.STACK, ["k-1"])):
        with pytest.raises(Retryable) as caught:
            call()
        assert caught.value.reason is Reason.UNAVAILABLE
        assert "no orchestration endpoint" in caught.value.message
        assert "region_name" in caught.value.message
        assert "the manager natives" in caught.value.message
    assert cloud.changed(Kind.SERVER, 0) == ()


def test_heat_that_came_later_is_found_with_the_next_token(
    script: Script, adapter: Adapter
) -> None:
    script.services.remove("orchestration")
    cloud = adapter(script)
    with pytest.raises(Retryable):
        cloud.create_stack(NEW)
    script.services.append("orchestration")
    cloud.link.renew()
    script.then(MADE)
    assert cloud.create_stack(NEW).resources


def test_heat_that_hangs_holds_up_nobody_else(script: Script, adapter: Adapter) -> None:
    cloud = adapter(script, answer=1.0)
    with ThreadPoolExecutor(1) as pool:
        script.then(hang)
        stuck = pool.submit(cloud.get, Kind.STACK, ["k-1"])
        while not script.sent:
            assert not stuck.done()
        script.then(*[answer(200, {"ports": []})] * 5)
        for _ in range(5):
            assert cloud.get(Kind.PORT, ["p-1"]) == ()
        assert not stuck.done()
        assert isinstance(stuck.exception(), Retryable)


# -- trusts -------------------------------------------------------------------------------------

UNNAMED = refused(500, "RemoteError")


def create_fails(cloud: OpenStackCloud) -> Fault:
    with pytest.raises(Fault) as caught:
        cloud.create_stack(NEW)
    return caught.value


def test_failure_with_a_password_has_nothing_to_do_with_trusts(
    script: Script, cloud: OpenStackCloud
) -> None:
    script.then(UNNAMED)
    fault = create_fails(cloud)
    assert isinstance(fault, Ambiguous)
    assert fault.message == "It went wrong."
    assert len(script.sent) == 1


@pytest.mark.parametrize("restricted", [True, False])
def test_application_credential_that_keystone_gives_no_trusts_is_named(
    script: Script, adapter: Adapter, restricted: bool
) -> None:
    script.application_credential = {"id": "a", "name": "a", "restricted": restricted}
    script.then(UNNAMED, answer(403, {"error": {"code": 403, "message": "Delegated tokens"}}))
    fault = create_fails(adapter(script))
    assert isinstance(fault, Terminal)
    assert (fault.reason, fault.request_id) == (Reason.CREDENTIALS, "req-scripted")
    assert "Heat makes a trust for every stack" in fault.message
    assert "user with a password" in fault.message
    assert script.sent[1].path == "/v3/OS-TRUST/trusts?trustor_user_id=u"


def test_restricted_application_credential_of_an_older_keystone_is_named(
    script: Script, adapter: Adapter
) -> None:
    script.application_credential = {"id": "a", "name": "a", "restricted": True}
    script.then(UNNAMED, answer(200, {"trusts": []}))
    fault = create_fails(adapter(script))
    assert (type(fault), fault.reason) == (Terminal, Reason.CREDENTIALS)
    assert "--unrestricted" in fault.message


@pytest.mark.parametrize("keystone", [answer(200, {"trusts": []}), reset])
def test_application_credential_that_may_make_trusts_is_not_blamed(
    script: Script, adapter: Adapter, keystone: Any
) -> None:
    script.application_credential = {"id": "a", "name": "a", "restricted": False}
    script.then(UNNAMED, keystone)
    assert isinstance(create_fails(adapter(script)), Ambiguous)


def test_write_that_was_lost_is_ambiguous_whatever_the_credentials(
    script: Script, adapter: Adapter
) -> None:
    script.application_credential = {"id": "a", "name": "a", "restricted": True}
    script.then(reset)
    assert isinstance(create_fails(adapter(script)), Ambiguous)
    assert len(script.sent) == 1
