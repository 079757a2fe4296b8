"""Resizing the server."""

from msgspec.structs import replace

from handlers.commands import ResizeInstance
from handlers.errors import Reason
from tests.contract.managers.bench import TENANT, Bench
from tests.contract.managers.orders import DELETE, instance


def a_server_is_resized_up_and_down_in_place(bench: Bench) -> None:
    site, subject = bench.site, bench.subject()
    bench.succeed(subject, instance(site))
    before = bench.look()
    for flavor in (site.large, site.small):
        done = bench.succeed(subject, ResizeInstance(project=TENANT, flavor=flavor))
        there = bench.look()
        assert (there.server.flavor, there.server.status) == (flavor, "ACTIVE")
        assert there.ids == before.ids
        assert there.volume == before.volume
        assert done.event.data.flavor == flavor == bench.record(subject).flavor
    again = bench.succeed(subject, ResizeInstance(project=TENANT, flavor=site.small))
    assert again.changes == 0
    there = bench.look()
    relaunched = replace(before.server, launched=there.server.launched)
    assert there.natives == replace(before.natives, servers=(relaunched,))
    unknown = ResizeInstance(project=TENANT, flavor="no-such-flavor")
    bench.fail(subject, unknown, Reason.NOT_FOUND, "no-such-flavor")
    assert bench.look() == there
    assert bench.record(subject) == again.record
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


def a_resize_that_fails_on_the_host_is_set_back(bench: Bench) -> None:
    site, subject = bench.site, bench.subject()
    created = bench.succeed(subject, instance(site))
    before, faults = bench.look(), bench.place.faults
    text = faults.resize(before.server.id)
    bigger = ResizeInstance(project=TENANT, flavor=site.large)
    bench.fail(subject, bigger, Reason.CLOUD_ERROR, text)
    there = bench.look()
    assert (there.server.status, there.server.flavor) == ("ACTIVE", site.small)
    assert there.ids == before.ids
    assert there.server.volumes == before.server.volumes
    assert bench.record(subject) == created.record
    faults.heal(before.server.id)
    bench.promises_are_kept(subject)
    bench.succeed(subject, bigger)
    assert bench.look().server.flavor == site.large
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


def a_server_that_somebody_else_deleted_is_missed_and_no_other_is_made(bench: Bench) -> None:
    subject = bench.subject()
    bench.succeed(subject, instance(bench.site))
    before = bench.look()
    bench.place.somebody.deletes_server(before.server.id)
    bigger = ResizeInstance(project=TENANT, flavor=bench.site.large)
    done = bench.fail(subject, bigger, Reason.NOT_FOUND, "server")
    assert done.changes == 0
    assert bench.look().ids == before.ids - {before.server.id}
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


SCENARIOS = (
    a_server_that_somebody_else_deleted_is_missed_and_no_other_is_made,
    a_server_is_resized_up_and_down_in_place,
    a_resize_that_fails_on_the_host_is_set_back,
)
