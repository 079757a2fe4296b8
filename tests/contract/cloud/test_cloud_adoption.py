"""Live instances that become stacks, and stacks that let go of them."""

import pytest
from msgspec.structs import replace

from handlers.errors import Ambiguous, Reason, Terminal
from handlers.identity import STACK, last_write
from handlers.resources import Kind, Server, Stack
from tests.contract.cloud.adopted import (
    KINDS,
    Live,
    adopted,
    gone,
    live,
    order,
    resolved,
    retaining,
    with_template,
)
from tests.contract.cloud.bench import NOBODY, Bench, only
from tests.contract.cloud.stacked import Stacked, change, ids, name_of

ALL = frozenset(KINDS)


def test_live_instance_becomes_a_stack_and_nothing_of_it_changes(bench: Bench) -> None:
    one = live(bench)
    before = one.seen()
    answer = bench.cloud.adopt_stack(order(one))
    begun = only(answer, Stack)
    assert (begun.name, begun.subject, begun.role) == (name_of(one.subject), one.subject, STACK)
    assert answer.request_id
    stack = Stacked(bench).rested(begun.id)
    assert (stack.status, last_write(stack.tags)) == ("ADOPT_COMPLETE", "first")
    assert bench.cloud.stack_members(one.subject, stack.id) == one.members
    assert ids(Stacked(bench).in_full(stack)) == one.members
    assert one.seen() == before
    assert bench.cloud.stack_template(one.subject, stack.id) == order(one).template


def test_check_finds_what_was_adopted(bench: Bench) -> None:
    one = live(bench)
    stack = adopted(one, order(one))
    assert bench.cloud.check_stack(one.subject, stack.id).request_id
    assert _checked(bench, stack).status == "CHECK_COMPLETE"


def test_server_that_is_not_there_is_adopted_and_only_a_check_notices(bench: Bench) -> None:
    one = live(bench)
    stack = adopted(one, replace(order(one), members={**one.members, "server": NOBODY}))
    assert stack.status == "ADOPT_COMPLETE"
    bench.cloud.check_stack(one.subject, stack.id)
    checked = _checked(bench, stack)
    assert checked.status == "CHECK_FAILED"
    assert NOBODY in checked.reason
    assert not any(gone(one, stack).values())


def test_adoption_without_an_id_fails_and_what_is_retained_survives_it(bench: Bench) -> None:
    one = live(bench)
    members = {name: each for name, each in one.members.items() if name != "volume_data"}
    stack = adopted(one, replace(order(one), members=members))
    assert stack.status == "ADOPT_FAILED"
    assert "Resource ID was not provided" in stack.reason
    assert not any(gone(one, stack).values())


def test_deletion_after_a_failed_adoption_takes_what_is_not_retained(bench: Bench) -> None:
    one = live(bench)
    members = {name: each for name, each in one.members.items() if name != "server"}
    kept = ALL - {"port_user-0"}
    stack = adopted(one, replace(order(one, retain=kept), members=members))
    assert stack.status == "ADOPT_FAILED"
    assert gone(one, stack) == {name: name == "port_user-0" for name in KINDS}


def test_name_that_is_taken_may_be_an_adoption_whose_answer_was_lost(bench: Bench) -> None:
    one = live(bench)
    stack = adopted(one, order(one))
    with pytest.raises(Ambiguous):
        bench.cloud.adopt_stack(order(one))
    (found,) = bench.cloud.find(Kind.STACK, [one.subject])
    assert found.id == stack.id


def test_adoption_of_what_no_flavor_is_called_is_refused(bench: Bench) -> None:
    one = live(bench)
    wanted = order(one)
    parameters = {**wanted.parameters, "flavor": "nobody-has-this"}
    with pytest.raises(Terminal) as caught:
        bench.cloud.adopt_stack(replace(wanted, parameters=parameters))
    assert caught.value.reason is Reason.NOT_FOUND
    assert bench.cloud.find(Kind.STACK, [one.subject]) == ()


def test_retained_members_survive_their_stack(bench: Bench) -> None:
    one = live(bench)
    before = one.seen()
    stack = adopted(one, order(one))
    assert not any(gone(one, stack).values())
    assert one.seen() == before


def test_template_alone_takes_retain_away_and_touches_nothing(bench: Bench) -> None:
    one = live(bench)
    stack = adopted(one, order(one))
    before = one.seen()
    template = retaining(order(one).template, ["volume_data"])
    bench.cloud.update_stack(with_template(stack, template))
    ended = Stacked(bench).rested(stack.id)
    assert (ended.status, last_write(ended.tags)) == ("UPDATE_COMPLETE", "template")
    assert one.seen() == before
    assert gone(one, stack) == {name: name != "volume_data" for name in KINDS}


def test_template_alone_retains_what_a_stack_made(bench: Bench) -> None:
    stacked = Stacked(bench)
    subject = bench.subject()
    new = stacked.instance(subject)
    stack = stacked.made(new)
    one = Live(bench, subject, ids(stack))
    bench.cloud.update_stack(with_template(stack, retaining(new.template, ALL)))
    assert stacked.rested(stack.id).status == "UPDATE_COMPLETE"
    before = one.seen()
    assert not any(gone(one, stack).values())
    assert one.seen() == before


def test_adopted_server_is_resized_in_place_by_its_stack(bench: Bench) -> None:
    one, stacked = live(bench), Stacked(bench)
    stack = adopted(one, order(one))
    before = bench.one(Kind.SERVER, one.server)
    other = bench.site.other_flavor
    bench.let_a_second_pass()
    assert stacked.updated(stack, flavor=other).status == "UPDATE_COMPLETE"
    after = bench.server_in("ACTIVE", one.server)
    assert isinstance(before, Server)
    assert (after.flavor, after.volumes) == (other, before.volumes)
    assert after.launched > before.launched
    assert stacked.updated(stack, volume_size=2).status == "UPDATE_COMPLETE"
    assert bench.volume_in("in-use", one.volume).size == 2


def test_no_update_of_an_adopted_stack_replaces_anything(bench: Bench) -> None:
    """The engine takes the parameters alone from the adoption's data: the belts come with the
    environment of the request, and this proves that they are in force."""
    one = live(bench)
    stack = adopted(one, order(one))
    before = one.seen()
    failed = Stacked(bench).updated(stack, "replacing", config_drive=True)
    assert failed.status == "UPDATE_FAILED"
    assert "ResourceActionRestricted: resources.server: replace is restricted" in failed.reason
    assert one.seen() == before
    template = retaining(order(one).template, [])
    bench.cloud.update_stack(with_template(stack, template, config_drive=True))
    assert Stacked(bench).rested(stack.id).status == "UPDATE_FAILED"
    assert one.seen() == before
    again = with_template(stack, order(one).template, config_drive=False)
    bench.cloud.update_stack(again)
    assert Stacked(bench).rested(stack.id).status == "UPDATE_COMPLETE"


def test_preview_tells_what_an_update_would_do_and_does_nothing(bench: Bench) -> None:
    one = live(bench)
    stack = adopted(one, order(one))
    before = one.seen()
    template = resolved(order(one).template, one.members)
    same = bench.cloud.preview_stack(with_template(stack, template)).facts
    assert same.pop("unchanged") == sorted(KINDS)
    assert same == {"updated": [], "replaced": [], "added": [], "deleted": []}
    freed = with_template(stack, retaining(template, ["volume_data"]))
    freed_facts = bench.cloud.preview_stack(freed).facts
    assert freed_facts["updated"] == sorted(ALL - {"volume_data"})
    assert freed_facts["replaced"] == []
    other = with_template(stack, template, flavor=bench.site.other_flavor)
    assert "server" in bench.cloud.preview_stack(other).facts["updated"]
    worse = with_template(stack, template, config_drive=True)
    assert bench.cloud.preview_stack(worse).facts["replaced"] == ["server"]
    fewer = {name: each for name, each in template["resources"].items() if name != "volume_data"}
    less = with_template(stack, {**template, "resources": fewer, "outputs": {}})
    assert bench.cloud.preview_stack(less).facts["deleted"] == ["volume_data"]
    seen = bench.one(Kind.STACK, stack.id)
    assert isinstance(seen, Stack)
    assert (seen.status, last_write(seen.tags)) == ("ADOPT_COMPLETE", "first")
    assert one.seen() == before


def test_preview_takes_references_for_changes(bench: Bench) -> None:
    one = live(bench)
    stack = adopted(one, order(one))
    for update in (change(stack), with_template(stack, order(one).template)):
        facts = bench.cloud.preview_stack(update).facts
        assert facts["replaced"] == ["server"]
        assert facts["updated"] == ["port_user-0"]
        assert facts["unchanged"] == ["security-group", "volume_data"]


def test_doomed_volume_goes_with_its_stack_although_it_is_retained(bench: Bench) -> None:
    one = live(bench)
    bench.cloud.doom_volume(one.server, one.volume, doomed=True)
    stack = adopted(one, order(one, retain=["volume_data"]))
    went = gone(one, stack)
    assert went["server"]
    bench.gone(Kind.VOLUME, one.volume)


def test_stack_that_is_not_there_has_no_parts(bench: Bench) -> None:
    subject = bench.subject()
    missing = Stack(id=NOBODY, name=name_of(subject), subject=subject)
    assert bench.cloud.stack_template(subject, NOBODY) is None
    assert bench.cloud.stack_members(subject, NOBODY) == {}
    with pytest.raises(Terminal) as caught:
        bench.cloud.check_stack(subject, NOBODY)
    assert caught.value.reason is Reason.NOT_FOUND
    with pytest.raises(Terminal) as caught:
        bench.cloud.preview_stack(change(missing))
    assert caught.value.reason is Reason.NOT_FOUND


def test_deleted_stack_has_no_parts(bench: Bench) -> None:
    stacked = Stacked(bench)
    subject = bench.subject()
    stack = stacked.made(stacked.group(subject))
    bench.cloud.delete_stack(subject, stack.id)
    bench.gone(Kind.STACK, stack.id)
    assert bench.cloud.stack_template(subject, stack.id) is None
    assert bench.cloud.stack_members(subject, stack.id) == {}


def _checked(bench: Bench, stack: Stack) -> Stack:
    """The stack, when a check of it has ended: it may look as before for a moment."""

    def look() -> Stack | None:
        found = bench.one(Kind.STACK, stack.id)
        done = isinstance(found, Stack) and found.status in ("CHECK_COMPLETE", "CHECK_FAILED")
        return found if isinstance(found, Stack) and done else None

    return bench.until(look)
