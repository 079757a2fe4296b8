"""Creating an instance."""

from handlers.commands import ResizeVolume
from handlers.errors import Reason
from handlers.instance import State
from handlers.parts import Access, DataVolume, Network
from handlers.resources import Kind
from handlers.secret import Secret
from tests.contract.managers.bench import TENANT, Bench
from tests.contract.managers.inventory import Inventory
from tests.contract.managers.orders import DELETE, DNS, REPLICATION, instance

CIDRS = ("10.0.0.0/8", "192.168.7.9/32", "2001:db8::/32")


def an_instance_has_everything_that_was_asked_for(bench: Bench) -> None:
    site, subject = bench.site, bench.subject()
    secret = "#!/bin/sh\necho contract-secret"
    body = instance(
        site,
        networks=(
            Network(network=site.management, role="management"),
            Network(network=site.user),
            Network(network=site.user),
        ),
        volume=DataVolume(size=2, type=site.volume_type, zone=site.zone),
        access=Access(ports=(REPLICATION, DNS), cidrs=CIDRS),
        zone=site.zone,
        user_data=Secret(secret),
        metadata={"colour": "green"},
        tags=("contract",),
        config_drive=True,
    )
    done = bench.succeed(subject, body)
    there = bench.look()
    server, volume, group = there.server, there.volume, there.group
    assert (server.status, server.name) == ("ACTIVE", "contract")
    assert (server.flavor, server.image, server.zone) == (site.small, site.image, site.zone)
    assert server.metadata["colour"] == "green"
    assert "contract" in server.tags
    assert server.user_data == secret
    assert server.config_drive
    assert server.volumes == {volume.id} == server.kept, "the volume must outlive its server"
    assert (volume.status, volume.size) == ("in-use", 2)
    assert (volume.type, volume.zone) == (site.volume_type, site.zone)
    assert volume.servers == {server.id}
    assert set(group.rules) == {
        (each.protocol, each.first, each.last, cidr)
        for each in (REPLICATION, DNS)
        for cidr in CIDRS
    }
    _check_ports(bench, there)
    resources = done.event.data.resources
    assert {ref.id for ref in resources.values()} == there.ids
    assert sorted(ref.kind for ref in resources.values()) == sorted(
        (
            *(Kind.SERVER, Kind.VOLUME, Kind.SECURITY_GROUP),
            *(Kind.PORT,) * 3,
            *(Kind.STACK,) * bench.manager.stacks,
        )
    )
    assert (done.event.data.flavor, done.event.data.volume_size) == (site.small, 2)
    assert sorted(done.event.data.addresses) == sorted(a for p in there.ports for a in p.addresses)
    assert "contract-secret" not in repr(done.operation.timeline) + repr(done.event)
    record = bench.record(subject)
    assert (record.manager, record.state) == (bench.manager.owner, State.ACTIVE)
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


def _check_ports(bench: Bench, there: Inventory) -> None:
    """Two user ports with the instance's own group, a management port without it."""
    own = {there.group.id}
    networks = sorted((port.network, port.groups >= own) for port in there.ports)
    site = bench.site
    assert networks == sorted([(site.management, False), (site.user, True), (site.user, True)])
    assert {port.device for port in there.ports} == {there.server.id}


def an_instance_without_volume_and_access_has_neither(bench: Bench) -> None:
    subject = bench.subject()
    done = bench.succeed(subject, instance(bench.site, volume=None, access=Access()))
    there = bench.look()
    assert there.server.volumes == frozenset()
    assert there.volumes == ()
    assert there.group.rules == {}
    assert done.event.data.volume_size == 0
    grow = ResizeVolume(project=TENANT, size=2)
    bench.fail(subject, grow, Reason.NOT_FOUND, "no data volume")
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


def a_second_create_is_refused_and_changes_nothing(bench: Bench) -> None:
    subject = bench.subject()
    bench.succeed(subject, instance(bench.site, volume=None))
    before, record = bench.look(), bench.record(subject)
    done = bench.fail(subject, instance(bench.site), Reason.EXISTS, "exists already")
    assert done.calls == 0
    assert bench.look() == before
    assert bench.record(subject) == record
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()


def a_create_on_a_tombstone_is_refused(bench: Bench) -> None:
    subject = bench.subject()
    bench.succeed(subject, DELETE)
    assert bench.record(subject).state is State.DELETED
    done = bench.fail(subject, instance(bench.site), Reason.DELETED, "was deleted")
    assert done.calls == 0
    assert bench.record(subject).state is State.DELETED
    bench.nothing_is_left()


SCENARIOS = (
    an_instance_has_everything_that_was_asked_for,
    an_instance_without_volume_and_access_has_neither,
    a_second_create_is_refused_and_changes_nothing,
    a_create_on_a_tombstone_is_refused,
)
