"""Instances change hands while they live: from NATIVES into a stack, and out of it again."""

from handlers.commands import (
    AdoptInstance,
    ReleaseInstance,
    ResizeInstance,
    ResizeVolume,
    UpdateSecurityGroupRules,
)
from handlers.instance import State
from handlers.keys import STACK
from handlers.parts import Access, DataVolume, NamedResources, Network
from handlers.resources import Kind
from tests.contract.managers.bench import TENANT, Bench, Done
from tests.contract.managers.inventory import Inventory
from tests.contract.managers.orders import DELETE, MYSQL, REPLICATION, instance

ADOPT = AdoptInstance(project=TENANT)
SOAK = AdoptInstance(project=TENANT, commit=False)
RELEASE = ReleaseInstance(project=TENANT)

NATIVES, ORCHESTRATOR = "natives", "orchestrator"


def an_instance(bench: Bench, manager: str) -> str:
    """One with a volume, two ports and a group with rules that belongs to this manager; its
    subject. What the default manager made has changed hands where it had to."""
    subject, site = bench.subject(), bench.site
    networks = (Network(network=site.management, role="management"), Network(network=site.user))
    access = Access(ports=(MYSQL, REPLICATION), cidrs=("10.0.0.0/8", "2001:db8::/32"))
    bench.succeed(subject, instance(site, networks=networks, access=access))
    if bench.record(subject).manager != manager:
        bench.succeed(subject, ADOPT if manager == ORCHESTRATOR else RELEASE)
    return subject


def moved(bench: Bench, subject: str, body: AdoptInstance | ReleaseInstance) -> Done:
    """The instance belongs to the other manager, and nothing else about it has changed: no id, not
    since when its server runs, no address, no attachment, no rule. Nothing was done to its server,
    a reboot neither."""
    before, record = bench.look(), bench.record(subject)
    actions = bench.place.done_to(before.server.id)
    done = bench.succeed(subject, body)
    there, now = bench.look(), bench.record(subject)
    assert there.natives == before.natives
    assert bench.place.done_to(before.server.id) == actions
    assert now.manager == (ORCHESTRATOR if isinstance(body, AdoptInstance) else NATIVES)
    members = {key: ref for key, ref in record.resources.items() if key != STACK}
    stacks = {each.id for each in there.stacks}
    assert {key: ref for key, ref in now.resources.items() if key != STACK} == members
    assert {ref.id for ref in now.resources.values()} == there.natives.ids | stacks
    assert (now.state, now.flavor, now.volume_size, now.rules) == (
        State.ACTIVE,
        record.flavor,
        record.volume_size,
        record.rules,
    )
    assert len(stacks) == (now.manager == ORCHESTRATOR)
    return done


def _can_be_changed(bench: Bench, subject: str) -> None:
    """Resized both ways, grown, and given other rules; then deleted, and nothing is left."""
    site, before, manager = bench.site, bench.look(), bench.record(subject).manager
    for flavor in (site.large, site.small):
        bench.succeed(subject, ResizeInstance(project=TENANT, flavor=flavor))
        assert bench.look().server.flavor == flavor
    size = before.volume.size + 1
    bench.succeed(subject, ResizeVolume(project=TENANT, size=size))
    assert bench.look().volume.size == size
    bench.succeed(subject, UpdateSecurityGroupRules(project=TENANT, cidrs=("::/0",)))
    there = bench.look()
    assert {key[3] for key in there.group.rules} == {"::/0"}
    assert (there.ids, there.server.volumes) == (before.ids, before.server.volumes)
    assert bench.record(subject).manager == manager
    _is_deleted(bench, subject)


def _is_deleted(bench: Bench, subject: str) -> None:
    bench.succeed(subject, DELETE)
    assert bench.record(subject).state is State.DELETED
    bench.nothing_is_left()


def what_natives_made_lives_on_in_a_stack(bench: Bench) -> None:
    subject = an_instance(bench, NATIVES)
    moved(bench, subject, ADOPT)
    _can_be_changed(bench, subject)


def what_was_adopted_is_released_and_lives_on_without_a_stack(bench: Bench) -> None:
    subject = an_instance(bench, NATIVES)
    moved(bench, subject, ADOPT)
    moved(bench, subject, RELEASE)
    _can_be_changed(bench, subject)


def what_has_a_stack_is_released_and_adopted_again(bench: Bench) -> None:
    """Into another stack of the same name."""
    subject = an_instance(bench, ORCHESTRATOR)
    first = bench.look().stack
    moved(bench, subject, RELEASE)
    moved(bench, subject, ADOPT)
    second = bench.look().stack
    assert (second.name, second.id == first.id) == (first.name, False)
    _can_be_changed(bench, subject)


def what_has_no_volume_goes_both_ways(bench: Bench) -> None:
    subject = bench.subject()
    bench.succeed(subject, instance(bench.site, volume=None, access=Access()))
    if bench.record(subject).manager == ORCHESTRATOR:
        moved(bench, subject, RELEASE)
    moved(bench, subject, ADOPT)
    moved(bench, subject, RELEASE)
    for flavor in (bench.site.large, bench.site.small):
        bench.succeed(subject, ResizeInstance(project=TENANT, flavor=flavor))
    _is_deleted(bench, subject)


def what_trove_made_gets_its_doomed_volume_back_as_it_was(bench: Bench) -> None:
    """While a stack holds it, the volume outlives its server whatever happens; then it is again as
    Trove made it."""
    subject = doomed_by_trove(bench)
    before = bench.look()
    actions = bench.place.done_to(before.server.id)
    assert before.server.kept == frozenset()
    bench.succeed(subject, ADOPT)
    there = bench.look()
    assert bench.place.done_to(before.server.id) == actions
    assert there.server.kept == there.server.volumes == {before.volume.id}
    assert bench.record(subject).doomed
    assert _besides_doom(there) == _besides_doom(before)
    bench.succeed(subject, ResizeInstance(project=TENANT, flavor=bench.site.large))
    bench.succeed(subject, ResizeInstance(project=TENANT, flavor=bench.site.small))
    bench.succeed(subject, ResizeVolume(project=TENANT, size=3))
    assert bench.record(subject).doomed
    grown = bench.look()
    assert grown.server.kept == {before.volume.id}, "nothing but a release dooms it again"
    bench.succeed(subject, RELEASE)
    there = bench.look()
    assert there.server.kept == frozenset()
    assert not bench.record(subject).doomed
    assert _besides_doom(there) == _besides_doom(grown)
    _is_deleted(bench, subject)


def doomed_by_trove(bench: Bench) -> str:
    """An instance that Trove made, whose volume goes with its server, and that a first command has
    made known; its subject."""
    subject, trove = bench.subject(), bench.place.trove
    group = trove.security_group(subject, "10.0.0.0/8")
    port = trove.port(subject, group)
    volume = trove.volume(subject, size=1)
    server = trove.server(subject, port, volume, doomed=True)
    named = NamedResources(server=server, volume=volume, ports=(port,), security_group=group)
    bench.succeed(subject, ResizeVolume(project=TENANT, size=2, resources=named))
    assert bench.record(subject).manager == NATIVES
    return subject


def _besides_doom(there: Inventory) -> tuple[object, ...]:
    server = there.server
    one = (server.id, server.launched, server.status, server.flavor, server.volumes, server.tags)
    return (*one, there.volumes, there.ports, there.groups)


def an_adoption_is_committed_in_a_second_step(bench: Bench) -> None:
    """In between its stack retains everything, and obeys already."""
    subject = an_instance(bench, NATIVES)
    moved(bench, subject, SOAK)
    assert bench.record(subject).soaking
    bench.succeed(subject, ResizeInstance(project=TENANT, flavor=bench.site.large))
    assert bench.record(subject).soaking
    again = moved(bench, subject, SOAK)
    assert (again.changes, bench.record(subject).soaking) == (0, True)
    stack = bench.look().stack
    committed = moved(bench, subject, ADOPT)
    assert committed.changes <= 1
    assert not bench.record(subject).soaking
    assert bench.look().stack.id == stack.id
    _can_be_changed(bench, subject)


def what_soaks_is_deleted_or_released_like_all_others(bench: Bench) -> None:
    subject = an_instance(bench, NATIVES)
    moved(bench, subject, SOAK)
    moved(bench, subject, RELEASE)
    assert not bench.record(subject).soaking
    moved(bench, subject, SOAK)
    _is_deleted(bench, subject)


def a_stack_that_is_deleted_by_mistake_while_it_soaks_takes_nothing_along(bench: Bench) -> None:
    subject = an_instance(bench, NATIVES)
    moved(bench, subject, SOAK)
    before = bench.look()
    bench.place.somebody.deletes_stack(before.stack)
    assert bench.look() == before.natives
    _is_deleted(bench, subject)


def moving_to_where_it_is_changes_nothing(bench: Bench) -> None:
    subject = an_instance(bench, ORCHESTRATOR)
    assert moved(bench, subject, ADOPT).changes == 0
    assert bench.look().stack.status != "CHECK_COMPLETE"
    moved(bench, subject, RELEASE)
    assert moved(bench, subject, RELEASE).changes == 0
    _is_deleted(bench, subject)


def every_kind_of_resource_is_in_the_stack(bench: Bench) -> None:
    """Its own events and record name all of it: a server, a volume of a type and a zone, ports on
    two networks, a group."""
    site, subject = bench.site, bench.subject()
    volume = DataVolume(size=1, type=site.volume_type, zone=site.zone)
    networks = (Network(network=site.management, role="management"), Network(network=site.user))
    body = instance(
        site,
        volume=volume,
        networks=networks,
        zone=site.zone,
        config_drive=True,
        metadata={"colour": "green"},
        tags=("contract",),
    )
    bench.succeed(subject, body)
    if bench.record(subject).manager == ORCHESTRATOR:
        moved(bench, subject, RELEASE)
    done = moved(bench, subject, ADOPT)
    resources = done.event.data.resources.values()
    kinds = (Kind.SERVER, Kind.VOLUME, Kind.SECURITY_GROUP, Kind.STACK, Kind.PORT, Kind.PORT)
    assert sorted(ref.kind for ref in resources) == sorted(kinds)
    _can_be_changed(bench, subject)


SCENARIOS = (
    what_natives_made_lives_on_in_a_stack,
    what_was_adopted_is_released_and_lives_on_without_a_stack,
    what_has_a_stack_is_released_and_adopted_again,
    what_has_no_volume_goes_both_ways,
    what_trove_made_gets_its_doomed_volume_back_as_it_was,
    an_adoption_is_committed_in_a_second_step,
    what_soaks_is_deleted_or_released_like_all_others,
    a_stack_that_is_deleted_by_mistake_while_it_soaks_takes_nothing_along,
    moving_to_where_it_is_changes_nothing,
    every_kind_of_resource_is_in_the_stack,
)

BREADTH = frozenset(
    {
        what_natives_made_lives_on_in_a_stack,
        an_adoption_is_committed_in_a_second_step,
        what_has_a_stack_is_released_and_adopted_again,
        what_has_no_volume_goes_both_ways,
        what_soaks_is_deleted_or_released_like_all_others,
        a_stack_that_is_deleted_by_mistake_while_it_soaks_takes_nothing_along,
    }
)
