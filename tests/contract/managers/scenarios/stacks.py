"""What can become of an instance's stack; for managers that have stacks."""

from handlers.commands import (
    CreateSecurityGroup,
    ResizeInstance,
    ResizeVolume,
    UpdateSecurityGroupRules,
)
from handlers.errors import Reason
from handlers.instance import State
from handlers.resources import Service
from tests.contract.managers.bench import TENANT, Bench
from tests.contract.managers.inventory import Inventory
from tests.contract.managers.orders import ANYBODY, DELETE, instance
from tests.support.traffic import Sort


def a_life_costs_few_requests(bench: Bench) -> None:
    """To Heat beside listings: two for a create, one for each change and for the delete, to which
    Cinder's delete comes. Whatever is not Heat's to do is not asked of Heat."""
    subject = bench.subject()
    costs = []
    for body in (
        instance(bench.site),
        ResizeInstance(project=TENANT, flavor=bench.site.large),
        ResizeVolume(project=TENANT, size=2),
        UpdateSecurityGroupRules(project=TENANT, cidrs=("::/0",)),
        DELETE,
    ):
        traffic = bench.succeed(subject, body).traffic
        heat = traffic.of(Service.ORCHESTRATION, Sort.LOOK, Sort.CHANGE)
        costs.append((heat, traffic.of(Service.BLOCK_STORAGE, Sort.CHANGE)))
    assert costs == [(2, 0), (1, 0), (1, 1), (0, 0), (1, 1)]
    bench.nothing_is_left()


def a_stack_that_somebody_deleted_takes_no_data_along(bench: Bench) -> None:
    """The volume is all that Heat leaves; nothing is changed or made anew in such a state."""
    subject = bench.subject()
    bench.succeed(subject, instance(bench.site))
    before = bench.look()
    bench.place.somebody.deletes_stack(before.stack)
    bench.wait_until(lambda: bench.look().volume.status == "available")
    kept = bench.look()
    assert kept.ids == {before.volume.id}
    _nothing_can_be_changed(bench, subject)
    assert bench.look() == kept
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


def an_abandoned_stack_is_missed_and_its_instance_can_be_deleted(bench: Bench) -> None:
    subject = bench.subject()
    bench.succeed(subject, instance(bench.site))
    before = bench.look()
    bench.place.somebody.abandons_stack(before.stack)
    kept = bench.look()
    assert kept.ids == before.ids - {before.stack.id}
    _nothing_can_be_changed(bench, subject)
    assert bench.look() == kept
    bench.succeed(subject, DELETE)
    assert bench.record(subject).state is State.DELETED
    bench.nothing_is_left()


def _nothing_can_be_changed(bench: Bench, subject: str) -> None:
    record = bench.record(subject)
    for body in (
        ResizeInstance(project=TENANT, flavor=bench.site.large),
        ResizeVolume(project=TENANT, size=2),
    ):
        done = bench.fail(subject, body, Reason.NOT_FOUND, "the stack was deleted")
        assert done.changes == 0
        assert bench.record(subject) == record


def a_flavor_that_somebody_changed_ends_as_the_command_says(bench: Bench) -> None:
    """Heat does not notice: it would fail, or do nothing. Whatever flavor is asked for, server,
    stack and record agree in the end."""
    site, subject = bench.site, bench.subject()
    bench.succeed(subject, instance(site, volume=None))
    before = bench.look()
    for theirs, wanted in (
        (site.large, site.large),
        (site.small, site.large),
        (site.small, site.huge),
        (site.large, site.small),
    ):
        bench.place.somebody.resizes_server(before.server.id, theirs)
        assert bench.record(subject).flavor != theirs
        bench.succeed(subject, ResizeInstance(project=TENANT, flavor=wanted))
        there = bench.look()
        assert (there.server.flavor, there.server.status) == (wanted, "ACTIVE")
        assert (there.ids, bench.record(subject).flavor) == (before.ids, wanted)
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


def a_volume_that_somebody_grew_is_grown_further_or_taken_as_it_is(bench: Bench) -> None:
    subject = bench.subject()
    bench.succeed(subject, instance(bench.site))
    before = bench.look()
    for theirs, wanted in ((2, 2), (3, 4)):
        bench.place.somebody.extends_volume(before.volume.id, theirs)
        bench.succeed(subject, ResizeVolume(project=TENANT, size=wanted))
        assert _sizes(bench.look()) == (wanted, "in-use")
        assert bench.record(subject).volume_size == wanted
    bench.place.somebody.extends_volume(before.volume.id, 6)
    shrink = ResizeVolume(project=TENANT, size=5)
    assert bench.fail(subject, shrink, Reason.INVALID, "cannot shrink").changes == 0
    bench.succeed(subject, ResizeVolume(project=TENANT, size=6))
    bench.succeed(subject, ResizeInstance(project=TENANT, flavor=bench.site.large))
    assert bench.look().ids == before.ids
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


def _sizes(there: Inventory) -> tuple[int, str]:
    return there.volume.size, there.volume.status


def a_stack_name_that_is_taken_is_refused_and_left_alone(bench: Bench) -> None:
    subject, group = bench.subject(), bench.subject()
    somebody = bench.place.somebody
    theirs = {somebody.makes_stack(f"trove-{each}") for each in (subject, group)}
    before = bench.look()
    assert {each.id for each in before.stacks} == theirs
    create = CreateSecurityGroup(project=TENANT, name="group", access=ANYBODY)
    both = bench.send(subject, instance(bench.site)), bench.send(group, create)
    for command in both:
        bench.ended_badly(command, Reason.EXISTS, f"trove-{command.subject}")
    assert not bench.is_recorded(subject) and not bench.is_recorded(group)
    assert bench.look() == before
    for each in (subject, group):
        bench.succeed(each, DELETE)
    assert bench.look() == before, "a delete takes nothing that does not carry the identity"
    for stack in before.stacks:
        somebody.deletes_stack(stack)
    bench.nothing_is_left()


def an_update_that_would_replace_something_fails_and_harms_nothing(bench: Bench) -> None:
    """Whoever sends it: of all that a stack owns nothing may be replaced."""
    subject, somebody = bench.subject(), bench.place.somebody
    bench.succeed(subject, instance(bench.site))
    before = bench.look()
    assert somebody.updates_stack(before.stack, config_drive="true") == "UPDATE_FAILED"
    there = bench.look()
    assert (there.server, there.volume, there.port) == (before.server, before.volume, before.port)
    assert somebody.updates_stack(before.stack, config_drive="false") == "UPDATE_COMPLETE"
    bench.succeed(subject, ResizeInstance(project=TENANT, flavor=bench.site.large))
    assert bench.look().ids == before.ids
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


def a_command_waits_for_somebody_elses_update(bench: Bench) -> None:
    """Two updates at once are merged by Heat, and can wedge a stack for good."""
    site, subject, somebody = bench.site, bench.subject(), bench.place.somebody
    bench.succeed(subject, instance(site))
    before = bench.look()
    somebody.begins_update(before.stack, flavor=site.large)
    bench.succeed(subject, ResizeInstance(project=TENANT, flavor=site.huge))
    there = bench.look()
    assert (there.server.flavor, there.ids) == (site.huge, before.ids)
    somebody.begins_update(there.stack, flavor=site.small)
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


SCENARIOS = (
    a_life_costs_few_requests,
    a_stack_that_somebody_deleted_takes_no_data_along,
    an_abandoned_stack_is_missed_and_its_instance_can_be_deleted,
    a_flavor_that_somebody_changed_ends_as_the_command_says,
    a_volume_that_somebody_grew_is_grown_further_or_taken_as_it_is,
    a_stack_name_that_is_taken_is_refused_and_left_alone,
    an_update_that_would_replace_something_fails_and_harms_nothing,
    a_command_waits_for_somebody_elses_update,
)

BREADTH = frozenset(
    {
        a_flavor_that_somebody_changed_ends_as_the_command_says,
        a_volume_that_somebody_grew_is_grown_further_or_taken_as_it_is,
        a_stack_name_that_is_taken_is_refused_and_left_alone,
        a_command_waits_for_somebody_elses_update,
    }
)
