"""A live instance without a stack, and how it comes into one."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from msgspec.structs import asdict, replace

from handlers.errors import Ambiguous
from handlers.orders import NewPort, StackAdoption, StackUpdate
from handlers.resources import Kind, Resource, Stack
from tests.contract.cloud.bench import Bench, only
from tests.contract.cloud.stacked import Stacked, change

Template = Mapping[str, Any]

#: The kinds of the members, by the names that the template has for them.
KINDS = {
    "security-group": Kind.SECURITY_GROUP,
    "port_user-0": Kind.PORT,
    "volume_data": Kind.VOLUME,
    "server": Kind.SERVER,
}


class Live(msgspec.Struct, frozen=True):
    """A group with a rule, a port, a volume and a server, with their ids by resource name."""

    bench: Bench
    subject: str
    members: dict[str, str]

    @property
    def server(self) -> str:
        return self.members["server"]

    @property
    def volume(self) -> str:
        return self.members["volume_data"]

    def seen(self) -> dict[str, Resource | None]:
        """Everything that the services tell of the members."""
        look = self.bench.cloud.in_full
        return {name: look(kind, "", self.members[name]) for name, kind in KINDS.items()}

    def rest(self) -> None:
        """Wait until the server is ACTIVE and the volume in use."""
        self.bench.server_in("ACTIVE", self.server)
        self.bench.volume_in("in-use", self.volume)


def live(bench: Bench, **more: Any) -> Live:
    """An instance that is at rest."""
    subject, cloud = bench.subject(), bench.cloud
    group = bench.group(subject, "10.0.0.0/8")
    new = NewPort(subject=subject, role="port/user-0", network=bench.site.network, groups=(group,))
    port = cloud.create_port(new).resources[0].id
    volume = bench.volume(subject).id
    server = bench.server(subject, ports=(port,), volumes=(volume,), **more).id
    found = Live(bench, subject, dict(zip(KINDS, (group, port, volume, server), strict=True)))
    found.rest()
    return found


def order(one: Live, *, retain: Collection[str] = tuple(KINDS)) -> StackAdoption:
    """What adopts the instance; nothing in it can be replaced, and `retain` survives its stack."""
    new = Stacked(one.bench).instance(one.subject)
    fields = {name: getattr(new, name) for name in new.__struct_fields__}
    fields["template"] = retaining(new.template, retain)
    return StackAdoption(members=one.members, **fields)


def adopted(one: Live, wanted: StackAdoption) -> Stack:
    """The stack, when its adoption has ended. A name that a stack just had may be taken still."""

    def begin() -> Stack | None:
        try:
            return only(one.bench.cloud.adopt_stack(wanted), Stack)
        except Ambiguous:
            return None

    return Stacked(one.bench).rested(one.bench.until(begin).id)


def retaining(template: Template, names: Collection[str]) -> dict[str, Any]:
    """The template with `deletion_policy: Retain` on these resources only."""
    resources = {}
    for name, given in template["resources"].items():
        one = {key: value for key, value in given.items() if key != "deletion_policy"}
        resources[name] = {**one, "deletion_policy": "Retain"} if name in names else one
    return {**template, "resources": resources}


def resolved(template: Any, members: Mapping[str, str]) -> Any:
    """The template with ids where it names its own resources."""
    if isinstance(template, Mapping):
        if template.keys() == {"get_resource"}:
            return members[template["get_resource"]]
        return {key: resolved(value, members) for key, value in template.items()}
    if isinstance(template, list):
        return [resolved(each, members) for each in template]
    return template


def with_template(stack: Stack, template: Template, **parameters: Any) -> StackUpdate:
    """An update to another template."""
    return replace(change(stack, "template", **parameters), template=template)


def gone(one: Live, stack: Stack) -> dict[str, bool]:
    """Delete the stack; which members went with it."""
    cloud = one.bench.cloud
    cloud.delete_stack(one.subject, stack.id)
    one.bench.gone(Kind.STACK, stack.id)
    return {name: not cloud.get(kind, [one.members[name]]) for name, kind in KINDS.items()}


def without(told: Resource | None, *fields: str) -> dict[str, Any]:
    """What is told of a resource, but for some fields."""
    assert told is not None
    return {key: value for key, value in asdict(told).items() if key not in fields}
