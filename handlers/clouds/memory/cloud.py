"""The in-memory cloud: the `Cloud` protocol on the state of a small OpenStack."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

from handlers import identity
from handlers.base import Answer, NewPort, NewServer, NewVolume, Rules
from handlers.clouds.memory.compute import ServerSpec
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import Call
from handlers.clouds.memory.network import PortSpec, RuleSpec
from handlers.clouds.memory.refusal import Lost, Refusal
from handlers.clouds.memory.remedy import fault_of
from handlers.clouds.memory.state import CloudState
from handlers.clouds.memory.storage import VolumeSpec
from handlers.clouds.memory.things import AnyThing
from handlers.clouds.memory.views import network_of, resource_of
from handlers.errors import Reason, Terminal
from handlers.operation import SECOND, Micros
from handlers.resources import SERVICE_OF, Kind, Resource, Server, Service

Answered = TypeVar("Answered")

#: Kinds that can only be asked for one id, or one name, at a time (measured).
_ONE_BY_ONE = frozenset({Kind.SERVER, Kind.VOLUME})
_NAME_BY_NAME = frozenset({Kind.VOLUME})


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
        core = state.core
        self._stores: dict[Kind, Mapping[str, AnyThing]] = {
            Kind.SERVER: core.servers,
            Kind.VOLUME: core.volumes,
            Kind.PORT: core.ports,
            Kind.SECURITY_GROUP: core.groups,
        }

    @property
    def project(self) -> str:
        return self._project

    # -- look-ups -------------------------------------------------------------------------------

    def changed(self, kind: Kind, since: Micros) -> tuple[Resource, ...] | None:
        """As the services list changes, whose time-stamps are whole seconds.

        Presence only: neither new volumes nor deleted things are in it. Neutron has no such filter.
        """
        if kind not in (Kind.SERVER, Kind.VOLUME):
            return None
        first = since // SECOND * SECOND

        def look(doing: Doing) -> tuple[Resource, ...]:
            return tuple(
                resource_of(thing)
                for thing in self._stores[kind].values()
                if thing.updated is not None
                and thing.updated >= first
                and thing.status != "DELETED"
                and self._listed(thing)
            )

        return self._call(SERVICE_OF[kind], f"changed_{kind}", look)

    def get(self, kind: Kind, ids: Collection[str]) -> tuple[Resource, ...]:
        """Nova and Cinder are asked once per id, Neutron once."""
        store = self._stores[kind]

        def pick(some: Collection[str]) -> list[AnyThing]:
            return [store[one] for one in some if one in store]

        return self._look(f"get_{kind}", kind, _batches(ids, kind in _ONE_BY_ONE), pick)

    def find(self, kind: Kind, subjects: Collection[str]) -> tuple[Resource, ...]:
        """Cinder is asked once per subject, the others once."""
        store = self._stores[kind]

        def pick(some: Collection[str]) -> list[AnyThing]:
            return [one for one in store.values() if one.subject in some and self._listed(one)]

        return self._look(f"find_{kind}", kind, _batches(subjects, kind in _NAME_BY_NAME), pick)

    def _look(
        self,
        verb: str,
        kind: Kind,
        batches: Iterable[list[str]],
        pick: Callable[[list[str]], list[AnyThing]],
    ) -> tuple[Resource, ...]:
        found: list[Resource] = []
        for some in batches:

            def look(doing: Doing, some: list[str] = some) -> list[Resource]:
                return [resource_of(thing) for thing in pick(some)]

            found += self._call(SERVICE_OF[kind], verb, look)
        return tuple(found)

    # -- network --------------------------------------------------------------------------------

    def create_security_group(self, subject: str, role: str, text: str) -> Answer:
        def effect(doing: Doing) -> Answer:
            group = self._state.network.create_group(
                doing,
                self._project,
                identity.group_name(subject),
                identity.description(role, text),
            )
            return _answer(doing, group)

        return self._call(Service.NETWORK, "create_security_group", effect, subject, role)

    def delete_security_group(self, group: str) -> Answer:
        return self._delete(Kind.SECURITY_GROUP, group, self._state.network.delete_group)

    def create_rules(self, new: Rules) -> Answer:
        specs = [RuleSpec(new.group, rule.ports, network_of(rule.cidr)) for rule in new.rules]
        create = self._state.network.create_rules
        return self._act(
            Kind.SECURITY_GROUP, "create_rules", new.group, lambda doing: create(doing, specs)
        )

    def delete_rule(self, rule: str) -> Answer:
        def effect(doing: Doing) -> Answer:
            _gone(self._state.network.delete_rule, doing, rule)
            return Answer(request_id=doing.request_id)

        return self._call(Service.NETWORK, "delete_rule", effect)

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
            return _answer(doing, self._state.network.create_port(doing, self._project, spec))

        return self._call(Service.NETWORK, "create_port", effect, new.subject, new.role)

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
            return _answer(doing, self._state.storage.create(doing, self._project, spec))

        return self._call(Service.BLOCK_STORAGE, "create_volume", effect, new.subject, new.role)

    def extend_volume(self, volume: str, size: int) -> Answer:
        extend = self._state.storage.extend
        return self._act(Kind.VOLUME, "extend_volume", volume, lambda d: extend(d, volume, size))

    def reset_volume(self, volume: str, status: str) -> Answer:
        self._must_be_admin()
        reset = self._state.storage.reset_status
        return self._act(Kind.VOLUME, "reset_volume", volume, lambda d: reset(d, volume, status))

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
            made = self._state.compute.create(doing, self._project, spec)
            server = Server(
                id=made.id,
                name=made.name,
                status=made.status,
                flavor=made.flavor,
                subject=made.subject,
                role=made.role,
                project=made.project,
            )
            return Answer(resources=(server,), request_id=doing.request_id)

        return self._call(Service.COMPUTE, "create_server", effect, new.subject, "server")

    def resize_server(self, server: str, flavor: str) -> Answer:
        resize = self._state.compute.resize
        return self._act(Kind.SERVER, "resize_server", server, lambda d: resize(d, server, flavor))

    def confirm_resize(self, server: str) -> Answer:
        confirm = self._state.compute.confirm
        return self._act(Kind.SERVER, "confirm_resize", server, lambda d: confirm(d, server))

    def revert_resize(self, server: str) -> Answer:
        revert = self._state.compute.revert
        return self._act(Kind.SERVER, "revert_resize", server, lambda d: revert(d, server))

    def reset_server(self, server: str) -> Answer:
        self._must_be_admin()
        reset = self._state.compute.reset_state
        return self._act(Kind.SERVER, "reset_server", server, lambda d: reset(d, server, "ACTIVE"))

    def delete_server(self, server: str) -> Answer:
        return self._delete(Kind.SERVER, server, self._state.compute.delete)

    # -- inner ----------------------------------------------------------------------------------

    def _call(
        self,
        service: Service,
        verb: str,
        effect: Callable[[Doing], Answered],
        subject: str | None = None,
        role: str | None = None,
    ) -> Answered:
        call = Call(service, verb, subject, role)
        try:
            return self._state.gate.call(call, effect)
        except (Refusal, Lost) as error:
            raise fault_of(error, call) from None

    def _act(
        self, kind: Kind, verb: str, thing_id: str, effect: Callable[[Doing], object]
    ) -> Answer:
        def answered(doing: Doing) -> Answer:
            effect(doing)
            return Answer(request_id=doing.request_id)

        return self._call(SERVICE_OF[kind], verb, answered, *self._whose(kind, thing_id))

    def _delete(self, kind: Kind, thing_id: str, delete: Callable[[Doing, str], None]) -> Answer:
        return self._act(
            kind, f"delete_{kind}", thing_id, lambda doing: _gone(delete, doing, thing_id)
        )

    def _listed(self, thing: AnyThing) -> bool:
        return thing.visible <= self._state.core.time and thing.project == self._project

    def _whose(self, kind: Kind, thing_id: str) -> tuple[str | None, str | None]:
        thing = self._stores[kind].get(thing_id)
        return (thing.subject, thing.role) if thing else (None, None)

    def _must_be_admin(self) -> None:
        if not self._admin:
            raise Terminal("Policy doesn't allow this to be performed.", Reason.CREDENTIALS)


def _answer(doing: Doing, thing: AnyThing) -> Answer:
    return Answer(resources=(resource_of(thing),), request_id=doing.request_id)


def _batches(values: Collection[str], singly: bool) -> list[list[str]]:
    """The distinct values, sorted, one per request or all in one; none when there are none."""
    whole = sorted(set(values))
    return [[one] for one in whole] if singly or not whole else [whole]


def _gone(delete: Callable[[Doing, str], None], doing: Doing, thing_id: str) -> None:
    """A DELETE of something that is not there is a success."""
    try:
        delete(doing, thing_id)
    except Refusal as refusal:
        if refusal.status != 404:
            raise
