"""One cloud, region and set of credentials, put together from the services."""

from collections.abc import Callable, Collection, Mapping
from time import monotonic, sleep
from typing import Any

from handlers.base import Answer, Probe
from handlers.clouds.openstack.abilities import lacks
from handlers.clouds.openstack.block_storage import BlockStorage
from handlers.clouds.openstack.caller import Caller
from handlers.clouds.openstack.compute import Compute
from handlers.clouds.openstack.limits import Limits
from handlers.clouds.openstack.link import Link
from handlers.clouds.openstack.network import Network
from handlers.clouds.openstack.orchestration import Orchestration
from handlers.clouds.openstack.trusts import no_trusts
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
from handlers.resources import Kind, Resource, Service


class OpenStackCloud:
    """`Cloud` on a real OpenStack. Threads may share it."""

    def __init__(
        self,
        link: Link,
        limits: Limits,
        probe: Probe | None = None,
        clock: Callable[[], float] = monotonic,
        pause: Callable[[float], None] = sleep,
    ) -> None:
        self.link = link
        self._pause = pause
        self._compute = Compute(Caller(Service.COMPUTE, link, limits, probe, clock))
        self._storage = BlockStorage(Caller(Service.BLOCK_STORAGE, link, limits, probe, clock))
        self._network = Network(Caller(Service.NETWORK, link, limits, probe, clock))
        self.stacks = Orchestration(
            Caller(Service.ORCHESTRATION, link, limits, probe, clock),
            lambda: no_trusts(link.ready().session),
        )

    @property
    def project(self) -> str:
        return self.link.ready().project

    # -- look-ups -------------------------------------------------------------------------------

    def changed(self, kind: Kind, since: Micros) -> tuple[Resource, ...] | None:
        if kind is Kind.SERVER:
            return self._compute.changed(since)
        if kind is Kind.VOLUME:
            return self._storage.changed(since)
        return None

    def get(self, kind: Kind, ids: Collection[str]) -> tuple[Resource, ...]:
        match kind:
            case Kind.SERVER:
                return self._compute.get(ids)
            case Kind.VOLUME:
                return self._storage.get(ids)
            case Kind.PORT:
                return self._network.get_ports(ids)
            case Kind.SECURITY_GROUP:
                return self._network.get_groups(ids)
            case Kind.STACK:
                return self.stacks.get(ids)

    def find(self, kind: Kind, subjects: Collection[str]) -> tuple[Resource, ...]:
        match kind:
            case Kind.SERVER:
                return self._compute.find(subjects)
            case Kind.VOLUME:
                return self._storage.find(subjects)
            case Kind.PORT:
                return self._network.find_ports(subjects)
            case Kind.SECURITY_GROUP:
                return self._network.find_groups(subjects)
            case Kind.STACK:
                return self.stacks.find(subjects)

    def in_full(self, kind: Kind, name: str, one: str) -> Resource | None:
        match kind:
            case Kind.SERVER:
                return self._compute.in_full(one)
            case Kind.VOLUME:
                return self._storage.in_full(one)
            case Kind.PORT:
                return self._network.port_in_full(one)
            case Kind.SECURITY_GROUP:
                return self._network.group_in_full(one)
            case Kind.STACK:
                return self.stacks.in_full(name, one)

    def every(self, kind: Kind) -> tuple[Resource, ...]:
        match kind:
            case Kind.SERVER:
                return self._compute.every()
            case Kind.VOLUME:
                return self._storage.every()
            case Kind.PORT:
                return self._network.every_port()
            case Kind.SECURITY_GROUP:
                return self._network.every_group()
            case Kind.STACK:
                return self.stacks.every()

    def stack_template(self, subject: str, stack: str) -> Mapping[str, Any] | None:
        return self.stacks.template(subject, stack)

    def stack_members(self, subject: str, stack: str) -> Mapping[str, str]:
        return self.stacks.members(subject, stack)

    def lacks(self) -> tuple[Lacks, ...]:
        return lacks(self.link.ready().microversions[Service.COMPUTE], self.stacks, self._pause)

    # -- network --------------------------------------------------------------------------------

    def create_security_group(self, subject: str, role: str, text: str) -> Answer:
        return self._network.create_group(subject, role, text)

    def delete_security_group(self, group: str) -> Answer:
        return self._network.delete_group(group)

    def create_rules(self, new: Rules) -> Answer:
        return self._network.create_rules(new)

    def delete_rule(self, rule: str) -> Answer:
        return self._network.delete_rule(rule)

    def create_port(self, new: NewPort) -> Answer:
        return self._network.create_port(new)

    def delete_port(self, port: str) -> Answer:
        return self._network.delete_port(port)

    # -- block storage --------------------------------------------------------------------------

    def create_volume(self, new: NewVolume) -> Answer:
        return self._storage.create(new)

    def extend_volume(self, volume: str, size: int) -> Answer:
        return self._storage.extend(volume, size)

    def reset_volume(self, volume: str, status: str) -> Answer:
        return self._storage.reset(volume, status)

    def delete_volume(self, volume: str) -> Answer:
        return self._storage.delete(volume)

    # -- compute --------------------------------------------------------------------------------

    def create_server(self, new: NewServer) -> Answer:
        return self._compute.create(new)

    def resize_server(self, server: str, flavor: str) -> Answer:
        return self._compute.resize(server, flavor)

    def confirm_resize(self, server: str) -> Answer:
        return self._compute.confirm_resize(server)

    def revert_resize(self, server: str) -> Answer:
        return self._compute.revert_resize(server)

    def reset_server(self, server: str) -> Answer:
        return self._compute.reset(server)

    def delete_server(self, server: str) -> Answer:
        return self._compute.delete(server)

    def doom_volume(self, server: str, volume: str, doomed: bool) -> Answer:
        return self._compute.doom(server, volume, doomed)

    # -- orchestration --------------------------------------------------------------------------

    def create_stack(self, new: NewStack) -> Answer:
        return self.stacks.create(new)

    def adopt_stack(self, new: StackAdoption) -> Answer:
        return self.stacks.adopt(new)

    def check_stack(self, subject: str, stack: str) -> Answer:
        return self.stacks.check(subject, stack)

    def preview_stack(self, change: StackUpdate) -> Answer:
        return self.stacks.preview(change)

    def update_stack(self, change: StackUpdate) -> Answer:
        return self.stacks.update(change)

    def cancel_stack_update(self, subject: str, stack: str) -> Answer:
        return self.stacks.cancel_update(subject, stack)

    def delete_stack(self, subject: str, stack: str) -> Answer:
        return self.stacks.delete(subject, stack)
