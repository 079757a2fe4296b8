"""Instances as Trove itself made them before us: no roles anywhere, and a volume that Nova deletes
with its server."""

import msgspec

from handlers import identity
from handlers.clouds.memory import CloudState
from handlers.clouds.memory.compute import ServerSpec
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import Call
from handlers.clouds.memory.network import PortSpec, RuleSpec
from handlers.clouds.memory.storage import VolumeSpec
from handlers.resources import PortRange, Service

#: Who makes it, in the journal of the state.
VERB = "trove"


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """The cloud ids of an instance."""

    server: str
    volume: str
    port: str
    group: str


class Trove:
    """Makes instances in a state; time has to pass before the server is ACTIVE.

    The volume is made first: `volume` gives its id, and when it is available `instance` makes the
    rest.
    """

    def __init__(self, state: CloudState, project: str = "") -> None:
        self._state = state
        self._project = project or state.project

    def volume(self, subject: str, size: int = 1) -> str:
        """Id of a new data volume."""
        spec = VolumeSpec(size=size, name=identity.resource_name(subject))
        doing = self._doing(Service.BLOCK_STORAGE, subject)
        with self._state.core.lock:
            self._state.core.advance()
            return self._state.storage.create(doing, self._project, spec).id

    def instance(self, subject: str, volume: str, flavor: str = "", cidr: str = "") -> Made:
        """Group, port and server; `cidr` may reach port 3306."""
        state, catalogue = self._state, self._state.catalogue
        network = self._doing(Service.NETWORK, subject)
        name = identity.resource_name(subject)
        with state.core.lock:
            state.core.advance()
            group = state.network.create_group(
                network, self._project, identity.group_name(subject), f"Trove instance {subject}"
            )
            if cidr:
                rule = RuleSpec(group.id, PortRange("tcp", 3306, 3306), cidr)
                state.network.create_rules(network, [rule])
            port = state.network.create_port(
                network,
                self._project,
                PortSpec(network=catalogue.networks[0].id, name=name, groups=(group.id,)),
            )
            spec = ServerSpec(
                name="a database",
                flavor=flavor or catalogue.flavors[0].id,
                image=catalogue.images[0].id,
                ports=(port.id,),
                volumes=(volume,),
                delete_with=frozenset({volume}),
                metadata={identity.SUBJECT_KEY: subject},
                tags=(identity.server_tag(subject),),
            )
            doing = self._doing(Service.COMPUTE, subject)
            server = state.compute.create(doing, self._project, spec)
        return Made(server=server.id, volume=volume, port=port.id, group=group.id)

    def _doing(self, service: Service, subject: str) -> Doing:
        return Doing(Call(service, VERB, subject), "req-trove")
