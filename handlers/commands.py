"""The commands: what a publisher may ask for.

A command is an envelope (`Command`) around one of the bodies below. The body's class says what is
asked; its `TYPE` is the CloudEvents type on the wire. Adding a command: a class here, a line in the
plan table of each manager that can do it, a sample in docs/samples/.
"""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from handlers.parts import (
    Access,
    Cidr,
    DataVolume,
    GiB,
    Id,
    NamedResources,
    Network,
    Seconds,
    Text,
    UserData,
)
from handlers.resources import PortRange

PREFIX = "trove.resources."


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every command says: the tenant that owns the subject.

    A command for a subject that is recorded under another project is refused.
    """

    TYPE: ClassVar[str] = ""

    project: Id


class CreateInstance(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Make a server with its ports, security group and data volume."""

    TYPE: ClassVar[str] = PREFIX + "instance.create"

    name: Text
    flavor: Id
    image: Id
    networks: Annotated[tuple[Network, ...], Meta(min_length=1, max_length=8)]
    volume: DataVolume | None = None
    access: Access = Access()
    zone: Text | None = None
    user_data: UserData | None = None
    metadata: Annotated[dict[Text, Text], Meta(max_length=100)] = {}
    tags: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=60, pattern="^[^,/]+$")], ...],
        Meta(max_length=40),
    ] = ()
    key_name: Text | None = None
    config_drive: bool = False


class DeleteInstance(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Remove everything that belongs to the instance; it ends well only when nothing is left."""

    TYPE: ClassVar[str] = PREFIX + "instance.delete"

    resources: NamedResources | None = None


class ResizeInstance(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give the server another flavor; the resize is confirmed by itself."""

    TYPE: ClassVar[str] = PREFIX + "instance.resize"

    flavor: Id
    resources: NamedResources | None = None


class ResizeVolume(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Grow the data volume, online."""

    TYPE: ClassVar[str] = PREFIX + "volume.resize"

    size: GiB
    resources: NamedResources | None = None


class CreateSecurityGroup(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Make a security group of its own; the subject is the id that the publisher gives it."""

    TYPE: ClassVar[str] = PREFIX + "security_group.create"

    name: Text
    description: Annotated[str, Meta(max_length=200)] = ""
    access: Access = Access()


class DeleteSecurityGroup(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Remove a security group that `security_group.create` made."""

    TYPE: ClassVar[str] = PREFIX + "security_group.delete"


class CreateSecurityGroupRules(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Add rules to the subject's group: an instance's own, or one of its own."""

    TYPE: ClassVar[str] = PREFIX + "security_group_rules.create"

    access: Access
    resources: NamedResources | None = None


class UpdateSecurityGroupRules(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Replace the CIDRs of the group's rules: new rules are added before old ones go.

    `ports` narrows the update to these port ranges; left out, it means all that have rules now.
    """

    TYPE: ClassVar[str] = PREFIX + "security_group_rules.update"

    cidrs: Annotated[tuple[Cidr, ...], Meta(max_length=128)]
    ports: Annotated[tuple[PortRange, ...], Meta(max_length=32)] = ()
    resources: NamedResources | None = None


class UpdateAccess(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Make the instance public or not, and say who may reach it."""

    TYPE: ClassVar[str] = PREFIX + "access.update"

    is_public: bool
    cidrs: Annotated[tuple[Cidr, ...], Meta(max_length=128)] = ()
    resources: NamedResources | None = None


class MigrateInstance(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Move the server to another host, to a named one where `host` is given."""

    TYPE: ClassVar[str] = PREFIX + "instance.migrate"

    host: Text | None = None
    resources: NamedResources | None = None


class RebootInstance(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reboot the server."""

    TYPE: ClassVar[str] = PREFIX + "instance.reboot"

    hard: bool = False
    resources: NamedResources | None = None


class RebuildInstance(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Put another image on the server; the data volume stays."""

    TYPE: ClassVar[str] = PREFIX + "instance.rebuild"

    image: Id
    user_data: UserData | None = None
    resources: NamedResources | None = None


class ConfirmResize(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keep the new flavor of a held resize."""

    TYPE: ClassVar[str] = PREFIX + "resize.confirm"


class RevertResize(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Go back to the old flavor of a held resize."""

    TYPE: ClassVar[str] = PREFIX + "resize.revert"


class AdoptInstance(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hand a live instance from NATIVES to ORCHESTRATOR: its server, volume, ports and group become
    a Heat stack, without a restart and without another id.

    Without `commit` the stack retains everything until a second `instance.adopt` with `commit`
    ends that: until then a deletion of the stack by mistake harms nothing. Other commands of the
    instance wait while this one runs, `max_freeze` seconds at most: then it is undone.
    """

    TYPE: ClassVar[str] = PREFIX + "instance.adopt"

    commit: bool = True
    max_freeze: Seconds | None = None


class ReleaseInstance(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hand a live instance from ORCHESTRATOR back to NATIVES: its stack goes, all else stays.

    `max_freeze` is as in `instance.adopt`.
    """

    TYPE: ClassVar[str] = PREFIX + "instance.release"

    max_freeze: Seconds | None = None


BODIES: dict[str, type[Body]] = {
    body.TYPE: body
    for body in (
        CreateInstance,
        DeleteInstance,
        ResizeInstance,
        ResizeVolume,
        CreateSecurityGroup,
        DeleteSecurityGroup,
        CreateSecurityGroupRules,
        UpdateSecurityGroupRules,
        UpdateAccess,
        MigrateInstance,
        RebootInstance,
        RebuildInstance,
        ConfirmResize,
        RevertResize,
        AdoptInstance,
        ReleaseInstance,
    )
}


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One command: its id, the subject that it is about, and what is asked of it.

    `subject` is the instance id, or the id of a security group of its own. `trace` is the W3C
    traceparent of the publisher, handed on to the event.
    """

    id: str
    subject: str
    source: str
    body: Body
    trace: str | None = None

    @property
    def type(self) -> str:
        """The CloudEvents type, `trove.resources.<noun>.<verb>`."""
        return self.body.TYPE

    @property
    def name(self) -> str:
        """`<noun>.<verb>`, as logs, metrics and the CLI say it."""
        return self.body.TYPE.removeprefix(PREFIX)

    @property
    def subjects(self) -> tuple[str, ...]:
        """What the operation locks while it is open, sorted."""
        return (self.subject,)

    @property
    def resources(self) -> NamedResources | None:
        """The resources that the command names, for subjects that the ledger does not know."""
        return getattr(self.body, "resources", None)

    @property
    def needs_home(self) -> bool:
        """Whether its plan compares the project of resources with that of the credentials."""
        moves = isinstance(self.body, AdoptInstance | ReleaseInstance)
        return moves or self.resources is not None


class Invalid(ValueError):
    """A body that has the right shape but makes no sense; the message says what to correct."""
