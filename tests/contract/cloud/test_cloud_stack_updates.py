"""Updates of stacks: in place, cancelled, failed, and what Heat does not notice."""

import pytest

from handlers.errors import Ambiguous, Reason, Terminal
from handlers.identity import last_write
from handlers.orders import Rules
from handlers.resources import Kind, SecurityGroup
from tests.contract.cloud.bench import Bench, rules
from tests.contract.cloud.stacked import Stacked, change, ids


def test_flavor_and_size_change_in_place_and_native_rules_stay(bench: Bench) -> None:
    stacked = Stacked(bench)
    other = bench.site.other_flavor
    stack = stacked.made(stacked.instance(bench.subject()))
    before = ids(stack)
    stacked.cloud.create_rules(Rules(before["security-group"], rules("192.0.2.0/24")))
    resized = stacked.updated(stack, "resize", flavor=other)
    assert (resized.status, last_write(resized.tags)) == ("UPDATE_COMPLETE", "resize")
    assert bench.server_in("ACTIVE", before["server"]).flavor == other
    grown = stacked.updated(stack, "grow", volume_size=2)
    assert (grown.status, last_write(grown.tags)) == ("UPDATE_COMPLETE", "grow")
    assert bench.volume_in("in-use", before["volume_data"]).size == 2
    assert bench.server_in("ACTIVE", before["server"]).flavor == other
    assert ids(stacked.in_full(stack)) == before
    group = bench.one(Kind.SECURITY_GROUP, before["security-group"])
    assert isinstance(group, SecurityGroup)
    assert [rule.cidr for rule in group.rules] == ["192.0.2.0/24"]


def test_native_extension_is_taken_over_and_a_smaller_size_is_not(bench: Bench) -> None:
    stacked = Stacked(bench)
    stack = stacked.made(stacked.instance(bench.subject()))
    volume = ids(stack)["volume_data"]
    stacked.cloud.extend_volume(volume, 2)
    bench.until(lambda: bench.volume_in("in-use", volume).size == 2)
    told = stacked.updated(stack, "told", volume_size=2)
    assert told.status == "UPDATE_COMPLETE"
    failed = stacked.updated(stack, "shrink", volume_size=1)
    assert failed.status == "UPDATE_FAILED"
    assert "Shrinking volume is not supported" in failed.reason
    assert stacked.updated(stack, "again", volume_size=2).status == "UPDATE_COMPLETE"
    assert bench.volume_in("in-use", volume).size == 2


def test_flavor_that_the_server_has_already_fails_the_update(bench: Bench) -> None:
    stacked = Stacked(bench)
    other = bench.site.other_flavor
    stack = stacked.made(stacked.instance(bench.subject()))
    server = ids(stack)["server"]
    stacked.cloud.resize_server(server, other)
    bench.server_in("VERIFY_RESIZE", server)
    stacked.cloud.confirm_resize(server)
    bench.server_in("ACTIVE", server)
    for write in ("first-try", "second-try"):
        failed = stacked.updated(stack, write, flavor=other)
        assert failed.status == "UPDATE_FAILED"
        assert "must change flavor" in failed.reason
    back = stacked.updated(stack, "back", flavor=bench.site.flavor)
    assert back.status == "UPDATE_COMPLETE"
    assert bench.server_in("ACTIVE", server).flavor == other


def test_failed_resize_does_not_replace_the_server(bench: Bench) -> None:
    stacked = Stacked(bench)
    site = bench.site
    new = stacked.instance(bench.subject(), metadata=bench.place.breaks_resize())
    stack = stacked.made(new)
    server = ids(stack)["server"]
    failed = stacked.updated(stack, "resize", flavor=site.other_flavor)
    assert failed.status == "UPDATE_FAILED"
    assert failed.reason.startswith("Resource UPDATE failed: Error: resources.server: Resizing to")
    bench.server_in("ERROR", server)
    refused = stacked.updated(stack, "again", flavor=site.flavor)
    assert refused.status == "UPDATE_FAILED"
    assert "ResourceActionRestricted: resources.server: replace is restricted" in refused.reason
    stacked.cloud.reset_server(server)
    bench.server_in("ACTIVE", server)
    assert stacked.updated(stack, "back", flavor=site.flavor).status == "UPDATE_COMPLETE"
    assert ids(stacked.in_full(stack))["server"] == server


def test_cancelled_update_fails_at_once_and_what_was_begun_goes_on(bench: Bench) -> None:
    stacked = Stacked(bench)
    other = bench.site.other_flavor
    stack = stacked.made(stacked.instance(bench.subject()))
    server = ids(stack)["server"]
    assert stack.subject is not None
    with pytest.raises(Ambiguous):
        stacked.cloud.cancel_stack_update(stack.subject, stack.id)
    stacked.cloud.update_stack(change(stack, "resize", flavor=other))
    bench.until(lambda: (one := bench.one(Kind.SERVER, server)) and one.status == "RESIZE")
    assert stacked.cloud.cancel_stack_update(stack.subject, stack.id).request_id
    ended = stacked.rested(stack.id)
    assert (ended.status, ended.reason) == ("UPDATE_FAILED", "Stack UPDATE cancelled")
    assert bench.server_in("ACTIVE", server).flavor == other


def test_update_that_is_refused_leaves_the_last_write(bench: Bench) -> None:
    stacked = Stacked(bench)
    stack = stacked.made(stacked.instance(bench.subject(), volume=None))
    with pytest.raises(Terminal) as caught:
        stacked.cloud.update_stack(change(stack, flavor="nobody-has-this"))
    assert caught.value.reason is Reason.NOT_FOUND
    seen = stacked.rested(stack.id)
    assert (seen.status, last_write(seen.tags)) == ("CREATE_COMPLETE", "first")


def test_update_of_an_unknown_parameter_changes_nothing(bench: Bench) -> None:
    stacked = Stacked(bench)
    stack = stacked.made(stacked.group(bench.subject()))
    ended = stacked.updated(stack, "empty", nobody="x")
    assert (ended.status, last_write(ended.tags)) == ("UPDATE_COMPLETE", "empty")
    assert ids(stacked.in_full(stack)) == ids(stack)


def test_stack_that_is_being_deleted_is_not_updated(bench: Bench) -> None:
    stacked = Stacked(bench)
    subject = bench.subject()
    stack = stacked.made(stacked.instance(subject, volume=None))
    stacked.cloud.delete_stack(subject, stack.id)
    with pytest.raises(Ambiguous):
        stacked.cloud.update_stack(change(stack))
    bench.gone(Kind.STACK, stack.id)
