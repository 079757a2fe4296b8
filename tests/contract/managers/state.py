"""What the in-memory cloud and the simulator have in common: a state that tests can reach."""

from collections.abc import Callable
from typing import TypeVar

from handlers.clouds.memory import CloudState
from handlers.clouds.memory.compute import ServerSpec
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import Call, FaultRule, Outcome, Spoil
from handlers.clouds.memory.network import PortSpec, RuleSpec
from handlers.clouds.memory.settings import Quotas
from handlers.clouds.memory.storage import VolumeSpec
from handlers.clouds.memory.things import ServerThing
from handlers.commands import CreateInstance
from handlers.resources import PortRange, Service
from tests.contract.managers.inventory import (
    Inventory,
    SeenGroup,
    SeenPort,
    SeenServer,
    SeenStack,
    SeenVolume,
)
from tests.contract.managers.place import Site

Made = TypeVar("Made")

HOST_SAYS_NO = "the host said no"


def site_of(state: CloudState) -> Site:
    """The state's catalogue."""
    catalogue = state.catalogue
    management, user = catalogue.networks
    return Site(
        image=catalogue.images[0].id,
        small=catalogue.flavors[0].id,
        large=catalogue.flavors[1].id,
        huge=catalogue.flavors[2].id,
        management=management.id,
        user=user.id,
        volume_type=catalogue.volume_types[1],
        zone=catalogue.zones[0],
    )


def inventory_of(state: CloudState) -> Inventory:
    """What is in the project of the state's credentials, read from its stores."""
    core = state.core
    with core.lock:
        core.advance()
        return Inventory(
            servers=tuple(
                _server(one, state)
                for one in core.servers.values()
                if one.project == state.project and one.deleted is None
            ),
            volumes=tuple(
                SeenVolume(
                    id=one.id,
                    name=one.name,
                    status=one.status,
                    size=one.size,
                    type=one.type,
                    zone=one.zone,
                    servers=frozenset(one.servers),
                )
                for one in core.volumes.values()
                if one.project == state.project
            ),
            ports=tuple(
                SeenPort(
                    id=one.id,
                    name=one.name,
                    network=one.network,
                    device=one.device,
                    addresses=(one.address,),
                    groups=frozenset(one.groups),
                )
                for one in core.ports.values()
                if one.project == state.project
            ),
            groups=tuple(
                SeenGroup(
                    id=one.id,
                    name=one.name,
                    rules={
                        (each.ports.protocol, each.ports.first, each.ports.last, each.cidr): each.id
                        for each in one.rules.values()
                    },
                )
                for one in core.groups.values()
                if one.project == state.project and one.name != "default"
            ),
            stacks=tuple(
                SeenStack(
                    id=one.id,
                    name=one.name,
                    status=f"{one.action}_{one.status}",
                    tags=frozenset(one.tags),
                )
                for one in core.stacks.values()
                if one.project == state.project
            ),
        )


def _server(one: ServerThing, state: CloudState) -> SeenServer:
    return SeenServer(
        id=one.id,
        name=one.name,
        status=one.status,
        launched=str(one.launched),
        flavor=one.flavor,
        image=one.image,
        zone=one.zone,
        metadata=dict(one.metadata),
        tags=frozenset(one.tags),
        volumes=frozenset(one.volumes),
        kept=frozenset(one.volumes) - one.delete_with,
        user_data=one.user_data,
        config_drive=one.config_drive,
    )


def gaps_of(state: CloudState, group: str) -> tuple[str, ...]:
    """Port ranges without any rule, and rules that came back, as the state's journal has them."""
    core = state.core
    with core.lock:
        return tuple(
            f"{gap.ports} {gap.cidr or 'from nowhere'}"
            for gap in core.audit.gaps
            if gap.group == group and (not gap.cidr or gap.until is not None)
        )


class StateTrove:
    """`Trove` on a state; `sleep` lets the time pass that a server needs."""

    def __init__(self, state: CloudState, site: Site, sleep: Callable[[float], None]) -> None:
        self._state = state
        self._site = site
        self._sleep = sleep

    def security_group(self, subject: str, cidr: str) -> str:
        network, project = self._state.network, self._state.project

        def make(doing: Doing) -> str:
            group = network.create_group(doing, project, f"trove_sg-{subject}", "made by Trove")
            network.create_rules(doing, [RuleSpec(group.id, PortRange("tcp", 3306, 3306), cidr)])
            return group.id

        return self._do(Service.NETWORK, make)

    def port(self, subject: str, group: str) -> str:
        spec = PortSpec(network=self._site.user, name=f"trove-{subject}", groups=(group,))
        create, project = self._state.network.create_port, self._state.project
        return self._do(Service.NETWORK, lambda doing: create(doing, project, spec).id)

    def volume(self, subject: str, size: int) -> str:
        return self._volume(self._state.project, subject, size)

    def elsewhere(self, subject: str) -> str:
        return self._volume("elsewhere", subject, 1)

    def server(self, subject: str, port: str, volume: str, *, doomed: bool = False) -> str:
        spec = ServerSpec(
            name="users-own-name",
            flavor=self._site.small,
            image=self._site.image,
            ports=(port,),
            volumes=(volume,),
            delete_with=frozenset({volume} if doomed else ()),
            metadata={"trove_instance_id": subject},
            tags=(f"trove_instance_id_{subject}",),
        )
        create, project = self._state.compute.create, self._state.project
        server = self._do(Service.COMPUTE, lambda doing: create(doing, project, spec).id)
        self._sleep(5.0)
        return server

    def _volume(self, project: str, subject: str, size: int) -> str:
        spec = VolumeSpec(size=size, name=f"trove-{subject}")
        create = self._state.storage.create
        volume = self._do(Service.BLOCK_STORAGE, lambda doing: create(doing, project, spec).id)
        self._sleep(1.5)
        return volume

    def _do(self, service: Service, make: Callable[[Doing], Made]) -> Made:
        return self._state.gate.call(Call(service, "made_by_trove"), make)


class StateFaults:
    """`Faults` by the state's fault plan and quotas."""

    quotas = ("instances", "volumes", "ports", "security_groups")

    def __init__(self, state: CloudState) -> None:
        self._state = state

    def spawn(self, body: CreateInstance) -> tuple[CreateInstance, str]:
        self._spoil("create_server")
        return body, HOST_SAYS_NO

    def volume(self, body: CreateInstance) -> CreateInstance:
        self._spoil("create_volume")
        return body

    def resize(self, server: str) -> str:
        self._spoil("resize_server")
        return HOST_SAYS_NO

    def extend(self, volume: str) -> None:
        self._spoil("extend_volume")

    def delete(self, volume: str) -> None:
        self._spoil("delete_volume")

    def heal(self, *things: str) -> None:
        """The operator also sets back what is in error_deleting."""
        self._state.heal()
        core = self._state.core
        with core.lock:
            core.advance()
            for volume in core.volumes.values():
                if volume.status == "error_deleting":
                    core.touch(volume, "available")

    def quota(self, kind: str) -> None:
        """Nothing more than there is now."""
        quotas = {
            "instances": Quotas(instances=0),
            "volumes": Quotas(volumes=0),
            "ports": Quotas(ports=0),
            "security_groups": Quotas(security_groups=0),
            "rules": Quotas(security_group_rules=0),
        }
        self._state.set_quotas(quotas[kind], self._state.project)

    def lift(self) -> None:
        self._state.set_quotas(Quotas(), self._state.project)

    def _spoil(self, verb: str) -> None:
        self._state.inject(FaultRule(verb=verb, effect=Spoil(Outcome.ERROR, HOST_SAYS_NO)))
