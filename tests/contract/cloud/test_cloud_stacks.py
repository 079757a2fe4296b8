"""Stacks: made, found, read in full, deleted; what Heat refuses."""

from typing import Any

import pytest
from msgspec.structs import replace

from handlers.errors import Ambiguous, Reason, Terminal
from handlers.identity import STACK, last_write
from handlers.orders import NewStack
from handlers.resources import Kind, Port, Server, Stack, Volume
from tests.contract.cloud.bench import NOBODY, Bench, only
from tests.contract.cloud.stacked import Stacked, change, ids, name_of


def test_new_stack_is_answered_with_its_identity_and_found_at_once(bench: Bench) -> None:
    stacked = Stacked(bench)
    subject, other = bench.subject(), bench.subject()
    answer = stacked.cloud.create_stack(stacked.group(subject))
    made = only(answer, Stack)
    assert (made.name, made.status) == (name_of(subject), "CREATE_IN_PROGRESS")
    assert (made.subject, made.role) == (subject, STACK)
    assert last_write(made.tags) == "first"
    assert answer.request_id
    (found,) = stacked.cloud.find(Kind.STACK, [subject, other])
    (got,) = stacked.cloud.get(Kind.STACK, [made.id, NOBODY])
    for seen in (found, got):
        assert isinstance(seen, Stack)
        assert (seen.id, seen.subject, seen.role) == (made.id, subject, STACK)
        assert (last_write(seen.tags), seen.outputs) == ("first", None)
        assert seen.project == stacked.cloud.project
    stacked.rested(made.id)


def test_stack_of_an_instance_tells_the_ids_of_what_it_made(bench: Bench) -> None:
    stacked = Stacked(bench)
    subject = bench.subject()
    stack = stacked.made(stacked.instance(subject))
    told = ids(stack)
    assert sorted(told) == ["port_user-0", "security-group", "server", "volume_data"]
    server = bench.one(Kind.SERVER, told["server"])
    volume = bench.one(Kind.VOLUME, told["volume_data"])
    port = bench.one(Kind.PORT, told["port_user-0"])
    assert isinstance(server, Server)
    assert isinstance(volume, Volume)
    assert isinstance(port, Port)
    assert (server.status, server.volumes) == ("ACTIVE", (volume.id,))
    assert (volume.status, volume.size, volume.servers) == ("in-use", 1, (server.id,))
    assert (port.device, port.groups) == (server.id, (told["security-group"],))
    addresses = (stack.outputs or {})["port_user-0-addresses"]
    assert tuple(each["ip_address"] for each in addresses) == port.addresses
    for kind in (Kind.SERVER, Kind.VOLUME, Kind.PORT, Kind.SECURITY_GROUP):
        (found,) = stacked.cloud.find(kind, [subject])
        assert found.id in told.values()


def test_deleted_stack_is_gone_with_all_but_the_volume(bench: Bench) -> None:
    stacked = Stacked(bench)
    subject = bench.subject()
    stack = stacked.made(stacked.instance(subject))
    assert stacked.cloud.delete_stack(subject, stack.id).request_id
    bench.gone(Kind.STACK, stack.id)
    assert stacked.cloud.find(Kind.STACK, [subject]) == ()
    assert stacked.cloud.in_full(Kind.STACK, stack.name, stack.id) is None
    assert stacked.cloud.delete_stack(subject, stack.id).request_id
    for kind in (Kind.SERVER, Kind.PORT, Kind.SECURITY_GROUP):
        bench.until(lambda k=kind: stacked.cloud.find(k, [subject]) == ())  # type: ignore[misc]
    assert bench.volume_in("available", ids(stack)["volume_data"]).subject == subject


def test_name_that_is_taken_may_be_a_call_that_was_lost(bench: Bench) -> None:
    stacked = Stacked(bench)
    subject = bench.subject()
    stack = stacked.made(stacked.group(subject))
    with pytest.raises(Ambiguous) as caught:
        stacked.cloud.create_stack(stacked.group(subject))
    assert caught.value.service == "orchestration"
    (found,) = stacked.cloud.find(Kind.STACK, [subject])
    assert found.id == stack.id


@pytest.mark.parametrize("name", ["flavor", "image"])
def test_stack_that_names_what_is_not_there_is_refused(bench: Bench, name: str) -> None:
    stacked = Stacked(bench)
    subject = bench.subject()
    with pytest.raises(Terminal) as caught:
        stacked.cloud.create_stack(stacked.instance(subject, **{name: "nobody-has-this"}))
    assert caught.value.reason is Reason.NOT_FOUND
    assert "nobody-has-this" in caught.value.message
    assert stacked.cloud.find(Kind.STACK, [subject]) == ()


def test_stack_without_a_value_is_refused(bench: Bench) -> None:
    stacked = Stacked(bench)
    subject = bench.subject()
    with pytest.raises(Terminal, match="group_name") as caught:
        stacked.cloud.create_stack(_with(stacked, subject, group_name=None))
    assert caught.value.reason is Reason.REFUSED
    with pytest.raises(Terminal, match="nobody"):
        stacked.cloud.create_stack(_with(stacked, subject, nobody="x"))


def test_stack_over_the_quota_of_another_service_fails_and_says_so(bench: Bench) -> None:
    guests = Bench(bench.place, bench.place.guest)
    subject = bench.subject(bench.place.guest)
    stacked = Stacked(guests)
    begun = only(stacked.cloud.create_stack(stacked.instance(subject)), Stack)
    failed = stacked.rested(begun.id)
    assert failed.status == "CREATE_FAILED"
    assert failed.reason.startswith("Resource CREATE failed: OverQuotaClient: resources.port_user-")


def test_stack_that_is_not_there_is_none(bench: Bench) -> None:
    stacked = Stacked(bench)
    subject = bench.subject()
    gone = Stack(id=NOBODY, name=name_of(subject), subject=subject)
    assert stacked.cloud.get(Kind.STACK, [NOBODY]) == ()
    assert stacked.cloud.find(Kind.STACK, [subject]) == ()
    assert stacked.cloud.in_full(Kind.STACK, gone.name, NOBODY) is None
    assert stacked.cloud.changed(Kind.STACK, 0) is None
    with pytest.raises(Terminal) as caught:
        stacked.cloud.update_stack(change(gone))
    assert caught.value.reason is Reason.NOT_FOUND
    with pytest.raises(Terminal) as caught:
        stacked.cloud.cancel_stack_update(subject, NOBODY)
    assert caught.value.reason is Reason.NOT_FOUND
    stacked.cloud.delete_stack(subject, NOBODY)


def _with(stacked: Stacked, subject: str, **values: Any) -> NewStack:
    """A stack of a group, with other values; None takes a value away."""
    whole = stacked.group(subject)
    wanted = {**whole.parameters, **values}
    kept = {name: value for name, value in wanted.items() if value is not None}
    return replace(whole, parameters=kept)
