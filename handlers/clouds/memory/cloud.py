"""The in-memory cloud: the `Cloud` protocol on the state of a small OpenStack."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from handlers import identity
from handlers.base import Answer
from handlers.clouds.memory.asking import Asking, gone, made
from handlers.clouds.memory.compute import ServerSpec
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.lookups import Lookups
from handlers.clouds.memory.network import PortSpec, RuleSpec
from handlers.clouds.memory.stacks import Stacks
from handlers.clouds.memory.state import CloudState
from handlers.clouds.memory.storage import VolumeSpec
from handlers.clouds.memory.views import network_of
from handlers.errors import Reason, Terminal
from handlers.lacks import Lacks
from handlers.operation import Micros
from handlers.orders import (
    NewPort,
    NewServer,
    NewStack,
    NewVolume,
    Rules,
    StackAdoption,
    StackUpdate,
)
from handlers.resources import Kind, Resource, Server, Service


class MemoryCloud:
    """One project's view of a `CloudState`; as the real adapter behaves, without a network.

    `admin` False takes away what only an administrator may do (setting a status by hand).
    """

    def __init__(
        self, state: CloudState, *, project: str | None = None, admin: bool = True
    ) -> None:
        self._state = state
        self._project = project or state.project
        self._admin = admin
        self._asking = Asking(state, self._project)
        self._lookups = Lookups(self._asking)
        self._stacks = Stacks(self._asking)

    @property
    def project(self) -> str:
        return self._project

    # -- look-ups -------------------------------------------------------------------------------

    def changed(self, kind: Kind, since: Micros) -> tuple[Resource, ...] | None:
        return self._lookups.changed(kind, since)

    def get(self, kind: Kind, ids: Collection[str]) -> tuple[Resource, ...]:
        return self._lookups.get(kind, ids)

    def find(self, kind: Kind, subjects: Collection[str]) -> tuple[Resource, ...]:
        return self._lookups.find(kind, subjects)

    def in_full(self, kind: Kind, name: str, one: str) -> Resource | None:
        if kind is Kind.STACK:
            return self._stacks.in_full(name, one)
        return self._lookups.in_full(kind, one)

    def every(self, kind: Kind) -> tuple[Resource, ...]:
        return self._lookups.every(kind)

    def stack_template(self, subject: str, stack: str) -> Mapping[str, Any] | None:
        return self._stacks.template(subject, stack)

    def stack_members(self, subject: str, stack: str) -> Mapping[str, str]:
        return self._stacks.members(subject, stack)

    def lacks(self) -> tuple[Lacks, ...]:
        return self._stacks.lacks()

    # -- network --------------------------------------------------------------------------------

    def create_security_group(self, subject: str, role: str, text: str) -> Answer:
        def effect(doing: Doing) -> Answer:
            group = self._state.network.create_group(
                doing,
                self._project,
                identity.group_name(subject),
                identity.description(role, text),
            )
            return made(doing, group)

        return self._asking.call(Service.NETWORK, "create_security_group", effect, subject, role)

    def delete_security_group(self, group: str) -> Answer:
        return self._delete(Kind.SECURITY_GROUP, group, self._state.network.delete_group)

    def create_rules(self, new: Rules) -> Answer:
        specs = [RuleSpec(new.group, rule.ports, network_of(rule.cidr)) for rule in new.rules]
        create = self._state.network.create_rules
        return self._asking.act(
            Kind.SECURITY_GROUP, "create_rules", new.group, lambda doing: create(doing, specs)
        )

    def delete_rule(self, rule: str) -> Answer:
        def effect(doing: Doing) -> Answer:
            gone(lambda again: self._state.network.delete_rule(again, rule), doing)
            return Answer(request_id=doing.request_id)

        return self._asking.call(Service.NETWORK, "delete_rule", effect)

    def create_port(self, new: NewPort) -> Answer:
        def effect(doing: Doing) -> Answer:
            spec = PortSpec(
                network=new.network,
                name=identity.resource_name(new.subject),
                description=identity.description(new.role),
                subnet=new.subnet,
                ip_address=new.ip_address,
                groups=new.groups or None,
            )
            return made(doing, self._state.network.create_port(doing, self._project, spec))

        return self._asking.call(Service.NETWORK, "create_port", effect, new.subject, new.role)

    def delete_port(self, port: str) -> Answer:
        return self._delete(Kind.PORT, port, self._state.network.delete_port)

    # -- block storage --------------------------------------------------------------------------

    def create_volume(self, new: NewVolume) -> Answer:
        def effect(doing: Doing) -> Answer:
            spec = VolumeSpec(
                size=new.size,
                name=identity.resource_name(new.subject),
                type=new.type,
                zone=new.zone,
                metadata=identity.metadata(new.subject, new.role),
            )
            return made(doing, self._state.storage.create(doing, self._project, spec))

        return self._asking.call(
            Service.BLOCK_STORAGE, "create_volume", effect, new.subject, new.role
        )

    def extend_volume(self, volume: str, size: int) -> Answer:
        extend = self._state.storage.extend
        return self._asking.act(
            Kind.VOLUME, "extend_volume", volume, lambda d: extend(d, volume, size)
        )

    def reset_volume(self, volume: str, status: str) -> Answer:
        self._must_be_admin()
        reset = self._state.storage.reset_status
        return self._asking.act(
            Kind.VOLUME, "reset_volume", volume, lambda d: reset(d, volume, status)
        )

    def delete_volume(self, volume: str) -> Answer:
        return self._delete(Kind.VOLUME, volume, self._state.storage.delete)

    # -- compute --------------------------------------------------------------------------------

    def create_server(self, new: NewServer) -> Answer:
        def effect(doing: Doing) -> Answer:
            spec = ServerSpec(
                name=new.name,
                flavor=new.flavor,
                image=new.image,
                ports=new.ports,
                volumes=new.volumes,
                metadata={**new.metadata, **identity.metadata(new.subject, "server")},
                tags=(identity.server_tag(new.subject), *new.tags),
                zone=new.zone,
                key_name=new.key_name,
                user_data=new.user_data,
                config_drive=new.config_drive,
            )
            thing = self._state.compute.create(doing, self._project, spec)
            server = Server(
                id=thing.id,
                name=thing.name,
                status=thing.status,
                flavor=thing.flavor,
                subject=thing.subject,
                role=thing.role,
                project=thing.project,
            )
            return Answer(resources=(server,), request_id=doing.request_id)

        return self._asking.call(Service.COMPUTE, "create_server", effect, new.subject, "server")

    def resize_server(self, server: str, flavor: str) -> Answer:
        resize = self._state.compute.resize
        return self._asking.act(
            Kind.SERVER, "resize_server", server, lambda d: resize(d, server, flavor)
        )

    def confirm_resize(self, server: str) -> Answer:
        confirm = self._state.compute.confirm
        return self._asking.act(Kind.SERVER, "confirm_resize", server, lambda d: confirm(d, server))

    def revert_resize(self, server: str) -> Answer:
        revert = self._state.compute.revert
        return self._asking.act(Kind.SERVER, "revert_resize", server, lambda d: revert(d, server))

    def reset_server(self, server: str) -> Answer:
        self._must_be_admin()
        reset = self._state.compute.reset_state
        return self._asking.act(
            Kind.SERVER, "reset_server", server, lambda d: reset(d, server, "ACTIVE")
        )

    def delete_server(self, server: str) -> Answer:
        return self._delete(Kind.SERVER, server, self._state.compute.delete)

    def doom_volume(self, server: str, volume: str, doomed: bool) -> Answer:
        doom = self._state.attachments.doom
        return self._asking.act(
            Kind.SERVER, "doom_volume", server, lambda d: doom(server, volume, doomed)
        )

    # -- orchestration --------------------------------------------------------------------------

    def create_stack(self, new: NewStack) -> Answer:
        return self._stacks.create(new)

    def adopt_stack(self, new: StackAdoption) -> Answer:
        return self._stacks.adopt(new)

    def check_stack(self, subject: str, stack: str) -> Answer:
        return self._stacks.check(subject, stack)

    def preview_stack(self, change: StackUpdate) -> Answer:
        return self._stacks.preview(change)

    def update_stack(self, change: StackUpdate) -> Answer:
        return self._stacks.update(change)

    def cancel_stack_update(self, subject: str, stack: str) -> Answer:
        return self._stacks.cancel_update(subject, stack)

    def delete_stack(self, subject: str, stack: str) -> Answer:
        return self._stacks.delete(subject, stack)

    # -- inner ----------------------------------------------------------------------------------

    def _delete(self, kind: Kind, thing: str, delete: Callable[[Doing, str], None]) -> Answer:
        return self._asking.delete(kind, thing, lambda doing: delete(doing, thing))

    def _must_be_admin(self) -> None:
        if not self._admin:
            raise Terminal("Policy doesn't allow this to be performed.", Reason.CREDENTIALS)
