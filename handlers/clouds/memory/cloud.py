"""The in-memory cloud: the `Cloud` protocol on the state of a small OpenStack."""

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from handlers import identity
from handlers.base import Answer, NewPort, NewServer, NewVolume, Rules
from handlers.clouds.memory.compute import ServerSpec
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import Call
from handlers.clouds.memory.network import PortSpec, RuleSpec
from handlers.clouds.memory.refusal import Lost, Refusal
from handlers.clouds.memory.remedy import fault_of, lost
from handlers.clouds.memory.state import CloudState
from handlers.clouds.memory.storage import VolumeSpec
from handlers.clouds.memory.things import AnyThing
from handlers.clouds.memory.views import resource_of
from handlers.errors import Reason, Terminal
from handlers.instance import Scope
from handlers.operation import SECOND, Micros
from handlers.resources import SERVICE_OF, Kind, Resource, SecurityGroup, Service

Answered = TypeVar("Answered")


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

    @property
    def project(self) -> str:
        return self._project

    # -- look-ups -------------------------------------------------------------------------------

    def changed(self, kind: Kind, since: Micros) -> tuple[Resource, ...] | None:
        """As the services list changes, whose time-stamps are whole seconds.

        Nova: also servers that are DELETED, unless they went in BUILD. Cinder: neither new volumes
        nor deleted ones. Neutron has no such filter.
        """
        if kind not in (Kind.SERVER, Kind.VOLUME):
            return None
        core = self._state.core
        first = since // SECOND * SECOND

        def look(doing: Doing) -> tuple[Resource, ...]:
            things: list[AnyThing] = list(self._store(kind).values())
            if kind is Kind.SERVER:
                things += [one for one in core.gone.values() if one.id not in core.servers]
            return tuple(
                resource_of(thing)
                for thing in things
                if thing.updated is not None and thing.updated >= first and self._listed(thing)
            )

        return self._call(SERVICE_OF[kind], f"changed_{kind}", look)

    def get(self, kind: Kind, ids: Collection[str]) -> tuple[Resource, ...]:
        def look(doing: Doing) -> tuple[Resource, ...]:
            store = self._store(kind)
            return tuple(resource_of(store[one]) for one in ids if one in store)

        return self._call(SERVICE_OF[kind], f"get_{kind}", look)

    def find(self, kind: Kind, subjects: Collection[str]) -> tuple[Resource, ...]:
        wanted = frozenset(subjects)

        def look(doing: Doing) -> tuple[Resource, ...]:
            return tuple(
                resource_of(thing)
                for thing in self._store(kind).values()
                if thing.subject in wanted and self._listed(thing)
            )

        return self._call(SERVICE_OF[kind], f"find_{kind}", look)

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
        """The answer describes the rules that were made: the group with just these."""

        def effect(doing: Doing) -> Answer:
            specs = [RuleSpec(new.group, rule.ports, rule.cidr) for rule in new.rules]
            made = self._state.network.create_rules(doing, specs)
            rules = tuple(
                rule.__class__(ports=rule.ports, cidr=rule.cidr, id=thing.id)
                for rule, thing in zip(new.rules, made, strict=True)
            )
            group = SecurityGroup(id=new.group, rules=rules, project=self._project)
            return Answer(resources=(group,), request_id=doing.request_id)

        return self._call(
            Service.NETWORK, "create_rules", effect, *self._whose(Kind.SECURITY_GROUP, new.group)
        )

    def delete_rule(self, rule: str) -> Answer:
        def effect(doing: Doing) -> Answer:
            self._state.network.delete_rule(doing, rule)
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
                groups=new.groups,
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
            return _answer(doing, self._state.compute.create(doing, self._project, spec))

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
        except Refusal as refusal:
            raise fault_of(refusal, call) from None
        except Lost as error:
            raise lost(error, call) from None

    def _act(self, kind: Kind, verb: str, thing_id: str, effect: Callable[[Doing], None]) -> Answer:
        def answered(doing: Doing) -> Answer:
            effect(doing)
            return Answer(request_id=doing.request_id)

        return self._call(SERVICE_OF[kind], verb, answered, *self._whose(kind, thing_id))

    def _delete(self, kind: Kind, thing_id: str, delete: Callable[[Doing, str], None]) -> Answer:
        """A DELETE of something that is not there is a success."""

        def effect(doing: Doing) -> None:
            try:
                delete(doing, thing_id)
            except Refusal as refusal:
                if refusal.status != 404:
                    raise

        return self._act(kind, f"delete_{kind}", thing_id, effect)

    def _store(self, kind: Kind) -> Mapping[str, AnyThing]:
        core = self._state.core
        stores: dict[Kind, Mapping[str, AnyThing]] = {
            Kind.SERVER: core.servers,
            Kind.VOLUME: core.volumes,
            Kind.PORT: core.ports,
            Kind.SECURITY_GROUP: core.groups,
        }
        return stores[kind]

    def _listed(self, thing: AnyThing) -> bool:
        return thing.visible <= self._state.core.time and thing.project == self._project

    def _whose(self, kind: Kind, thing_id: str) -> tuple[str | None, str | None]:
        thing = self._store(kind).get(thing_id)
        return (thing.subject, thing.role) if thing else (None, None)

    def _must_be_admin(self) -> None:
        if not self._admin:
            raise Terminal("Policy doesn't allow this to be performed.", Reason.CREDENTIALS)


class MemoryClouds:
    """`Clouds` over named states; "" stands for any name that is not given."""

    def __init__(self, clouds: Mapping[str, MemoryCloud]) -> None:
        self._clouds = dict(clouds)

    def of(self, scope: Scope) -> MemoryCloud:
        cloud = self._clouds.get(scope.cloud) or self._clouds.get("")
        if cloud is None:
            raise Terminal(f"cloud {scope.cloud!r} is not configured", Reason.INVALID)
        return cloud


def _answer(doing: Doing, thing: AnyThing) -> Answer:
    return Answer(resources=(resource_of(thing),), request_id=doing.request_id)
