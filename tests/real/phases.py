"""What the run asks for, and what must then be in the cloud."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from handlers.commands import (
    Access,
    Body,
    CreateInstance,
    DataVolume,
    DeleteInstance,
    Network,
    ResizeInstance,
    ResizeVolume,
    UpdateSecurityGroupRules,
)
from handlers.resources import PortRange
from handlers.secret import Secret
from tests.contract.managers.inventory import Inventory, RuleKey
from tests.contract.managers.place import Site
from tests.real.targets import crossings

TENANT = "real-run"
MYSQL = PortRange("tcp", 3306, 3306)
OLD, NEW = ("10.0.0.0/8", "2001:db8::/32"), ("10.0.0.0/8", "192.168.0.0/16")

Crossing = tuple[str, str, str]


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """How every instance must look; None: there is no instance any more."""

    flavor: str
    size: int
    cidrs: tuple[str, ...]


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """Commands that every instance gets, in this order, and where workers are killed meanwhile."""

    name: str
    bodies: tuple[Body, ...]
    crossings: tuple[Crossing, ...]
    expected: Expected | None


def phases(site: Site) -> tuple[Phase, ...]:
    """The whole run."""
    resize = "instance.resize", "resize", "confirm"
    return (
        Phase(
            name="create",
            bodies=(_create(site),),
            crossings=tuple(
                crossings(
                    "instance.create",
                    "volume/data",
                    "security-group",
                    "rules",
                    "port/management-0",
                    "port/user-0",
                    "server",
                )
            ),
            expected=Expected(flavor=site.small, size=1, cidrs=OLD),
        ),
        Phase(
            name="grow the volume, resize up",
            bodies=(
                ResizeVolume(project=TENANT, size=2),
                ResizeInstance(project=TENANT, flavor=site.large),
            ),
            crossings=(*crossings("volume.resize", "extend"), *crossings(*resize)),
            expected=Expected(flavor=site.large, size=2, cidrs=OLD),
        ),
        Phase(
            name="update the rules, resize down",
            bodies=(
                UpdateSecurityGroupRules(project=TENANT, cidrs=NEW),
                ResizeInstance(project=TENANT, flavor=site.small),
            ),
            crossings=(
                *crossings("security_group_rules.update", "rules", "old-rules"),
                *crossings(*resize, ends=False),
            ),
            expected=Expected(flavor=site.small, size=2, cidrs=NEW),
        ),
        Phase(
            name="delete",
            bodies=(DeleteInstance(project=TENANT),),
            crossings=tuple(
                crossings("instance.delete", "servers", "volumes", "ports", "security-groups")
            ),
            expected=None,
        ),
    )


#: What the small run keeps: the calls that would hurt most if they were made twice, or never.
SMALL = frozenset(
    {
        ("instance.create", "server", "before-intent"),
        ("instance.create", "server", "after-intent"),
        ("instance.create", "server", "after-call"),
        ("volume.resize", "extend", "after-call"),
        ("instance.resize", "confirm", "after-call"),
        ("security_group_rules.update", "rules", "after-intent"),
        ("instance.delete", "servers", "after-call"),
        ("instance.delete", "end", "after-finish"),
    }
)


def _create(site: Site) -> CreateInstance:
    return CreateInstance(
        project=TENANT,
        name="real-run",
        flavor=site.small,
        image=site.image,
        networks=(Network(network=site.management, role="management"), Network(network=site.user)),
        volume=DataVolume(size=1),
        access=Access(ports=(MYSQL,), cidrs=OLD),
        user_data=Secret("#!/bin/sh\n# a planted secret"),
    )


def wrong(there: Inventory, subjects: Sequence[str], expected: Expected | None) -> Iterator[str]:
    """What is lost, doubled, leaked or not as it must be; one line each."""
    wanted = subjects if expected else ()
    yield from _counts(
        "server", (s.metadata.get("trove_instance_id", "") for s in there.servers), wanted
    )
    yield from _counts("volume", (_subject(one.name) for one in there.volumes), wanted)
    yield from _counts("port", (_subject(one.name) for one in there.ports), wanted, each=2)
    yield from _counts("group", (_subject(one.name) for one in there.groups), wanted)
    yield from (f"leaked: {other}" for other in there.others)
    if expected is None:
        return
    rules: set[RuleKey] = {("tcp", 3306, 3306, cidr) for cidr in expected.cidrs}
    checks: Iterable[tuple[str, object, object]] = (
        *(
            (f"server {s.id}", (s.status, s.flavor), ("ACTIVE", expected.flavor))
            for s in there.servers
        ),
        *((f"volume {v.id}", (v.status, v.size), ("in-use", expected.size)) for v in there.volumes),
        *((f"group {g.id}", set(g.rules), rules) for g in there.groups),
    )
    for what, is_now, must_be in checks:
        if is_now != must_be:
            yield f"wrong: {what} is {is_now}, not {must_be}"


def _counts(kind: str, found: Iterable[str], wanted: Sequence[str], each: int = 1) -> Iterator[str]:
    counts = Counter(found)
    for subject in wanted:
        number = counts.pop(subject, 0)
        if number < each:
            yield f"lost: {subject} has {number} {kind}(s), not {each}"
        if number > each:
            yield f"doubled: {subject} has {number} {kind}(s), not {each}"
    for subject, number in counts.items():
        yield f"leaked: {number} {kind}(s) of {subject or 'nobody'}"


def _subject(name: str) -> str:
    return name.partition("-")[2]
