"""Resizing the data volume."""

from handlers.commands import ResizeVolume
from handlers.errors import Reason
from tests.contract.managers.bench import TENANT, Bench
from tests.contract.managers.orders import DELETE, instance


def a_volume_grows_in_use_and_never_shrinks(bench: Bench) -> None:
    subject = bench.subject()
    created = bench.succeed(subject, instance(bench.site))
    before = bench.look()
    grown = bench.succeed(subject, ResizeVolume(project=TENANT, size=3))
    there = bench.look()
    assert (there.volume.size, there.volume.status) == (3, "in-use")
    assert there.ids == before.ids
    assert there.server == before.server
    assert grown.event.data.resources == created.event.data.resources
    assert grown.event.data.volume_size == 3 == bench.record(subject).volume_size
    same = bench.succeed(subject, ResizeVolume(project=TENANT, size=3))
    assert same.changes == 0
    shrink = ResizeVolume(project=TENANT, size=2)
    refused = bench.fail(subject, shrink, Reason.INVALID, "cannot shrink")
    assert refused.changes == 0
    assert bench.look() == there
    assert bench.record(subject) == same.record
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


def an_extension_that_fails_in_cinder_is_set_back(bench: Bench) -> None:
    subject = bench.subject()
    created = bench.succeed(subject, instance(bench.site))
    before, faults = bench.look(), bench.place.faults
    faults.extend(before.volume.id)
    grow = ResizeVolume(project=TENANT, size=2)
    bench.fail(subject, grow, Reason.CLOUD_ERROR, "still has 1 GiB")
    assert bench.look() == before, "the volume must be as it was: in use, with its old size"
    assert bench.record(subject) == created.record
    faults.heal(before.volume.id)
    bench.promises_are_kept(subject)
    bench.succeed(subject, grow)
    assert bench.look().volume.size == 2
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


SCENARIOS = (
    a_volume_grows_in_use_and_never_shrinks,
    an_extension_that_fails_in_cinder_is_set_back,
)
