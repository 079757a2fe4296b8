"""Instances that Trove made before us: a command names their resources."""

from handlers.commands import (
    Body,
    DeleteInstance,
    ResizeInstance,
    ResizeVolume,
    UpdateSecurityGroupRules,
)
from handlers.errors import Reason
from handlers.instance import State
from handlers.parts import NamedResources
from tests.contract.managers.bench import TENANT, Bench
from tests.contract.managers.orders import DELETE

NOBODY = "6f0c1f7e-0000-4000-8000-000000000000"


def _made_by_trove(bench: Bench) -> tuple[str, NamedResources]:
    subject, trove = bench.subject(), bench.place.trove
    group = trove.security_group(subject, "10.0.0.0/8")
    port = trove.port(subject, group)
    volume = trove.volume(subject, size=1)
    server = trove.server(subject, port, volume)
    named = NamedResources(server=server, volume=volume, ports=(port,), security_group=group)
    return subject, named


def what_trove_made_is_resized_recorded_and_then_known(bench: Bench) -> None:
    subject, named = _made_by_trove(bench)
    before = bench.look()
    grow = ResizeVolume(project=TENANT, size=2, resources=named)
    done = bench.succeed(subject, grow)
    assert bench.look().volume.size == 2
    record = bench.record(subject)
    assert (record.manager, record.state) == (bench.manager.claimant, State.ACTIVE)
    assert {ref.id for ref in record.resources.values()} == before.ids
    assert {ref.id for ref in done.event.data.resources.values()} == before.ids
    assert (record.flavor, record.volume_size) == (bench.site.small, 2)
    bench.succeed(subject, ResizeInstance(project=TENANT, flavor=bench.site.large))
    bench.succeed(subject, UpdateSecurityGroupRules(project=TENANT, cidrs=("::/0",)))
    there = bench.look()
    assert there.ids == before.ids
    assert there.server.flavor == bench.site.large
    assert [key[3] for key in there.group.rules] == ["::/0"]
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


def what_trove_made_gets_another_flavor_and_is_deleted(bench: Bench) -> None:
    subject, named = _made_by_trove(bench)
    before = bench.look()
    resize = ResizeInstance(project=TENANT, flavor=bench.site.large, resources=named)
    bench.succeed(subject, resize)
    there = bench.look()
    assert (there.server.flavor, there.ids) == (bench.site.large, before.ids)
    bench.succeed(subject, DeleteInstance(project=TENANT, resources=named))
    assert bench.record(subject).state is State.DELETED
    bench.nothing_is_left()


def what_trove_made_is_deleted_by_its_ids(bench: Bench) -> None:
    subject, named = _made_by_trove(bench)
    bench.succeed(subject, DeleteInstance(project=TENANT, resources=named))
    assert bench.record(subject).state is State.DELETED
    bench.nothing_is_left()


def what_is_not_the_subjects_is_refused_untouched(bench: Bench) -> None:
    """Another subject's, another project's, or nothing at all: not a finger is laid on it."""
    subject, other, trove = bench.subject(), bench.subject(), bench.place.trove
    group = trove.security_group(other, "10.0.0.0/8")
    port = trove.port(other, group)
    volume = trove.volume(other, size=1)
    elsewhere = trove.elsewhere(subject)
    before = bench.look()
    cases = (
        (NamedResources(volume=volume), Reason.NOT_OWNED),
        (NamedResources(ports=(port,)), Reason.NOT_OWNED),
        (NamedResources(security_group=group), Reason.NOT_OWNED),
        (NamedResources(volume=elsewhere), Reason.NOT_OWNED),
        (NamedResources(volume=NOBODY), Reason.NOT_FOUND),
        (NamedResources(server=NOBODY), Reason.NOT_FOUND),
        (NamedResources(security_group=NOBODY), Reason.NOT_FOUND),
    )
    for named, reason in cases:
        delete: Body = DeleteInstance(project=TENANT, resources=named)
        grow = ResizeVolume(project=TENANT, size=2, resources=named)
        for body in (delete, grow) if named.volume else (delete,):
            done = bench.fail(subject, body, reason)
            assert done.changes == 0
            assert bench.look() == before
            assert not bench.is_recorded(subject)
    bench.succeed(other, DELETE)
    bench.nothing_is_left()


SCENARIOS = (
    what_trove_made_is_resized_recorded_and_then_known,
    what_trove_made_gets_another_flavor_and_is_deleted,
    what_trove_made_is_deleted_by_its_ids,
    what_is_not_the_subjects_is_refused_untouched,
)
