"""What others do in the cloud: Trove, before us, and operators, after a mishap."""

from collections.abc import Collection
from contextlib import suppress
from functools import partial

from handlers import identity
from handlers.clouds.memory import CloudState
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import Call, FaultRule, Refuse
from handlers.clouds.memory.orchestration import StackChange, StackSpec
from handlers.clouds.memory.refusal import Lost, Refusal
from handlers.clouds.memory.things import (
    GroupThing,
    PortThing,
    RuleThing,
    ServerThing,
    StackThing,
    VolumeThing,
)
from handlers.operation import SECOND
from handlers.parts import NamedResources
from handlers.resources import Service
from handlers.template import FLAVOR, HOT
from tests.chaos.scenario import ADMIN, CATALOGUE, KEPT, MYSQL, OLD

_EMPTY = {"heat_template_version": HOT}
_UPDATE = Call(Service.ORCHESTRATION, "update_stack")


def make_foreign(state: CloudState, subject: str) -> NamedResources:
    """An instance as Trove made it: its things carry its id, and no role of ours.

    Flavor 2, 2 GiB, two port ranges × two CIDRs; the port does not even carry the id.
    """
    core = state.core
    ids = [core.new_id() for _ in range(4)]
    server_id, volume_id, port_id, group_id = ids
    group = _group(state, subject, group_id)
    port = PortThing(
        id=port_id,
        project=state.project,
        network=CATALOGUE.networks[1].id,
        subnet=CATALOGUE.networks[1].subnet,
        address=f"10.64.9.{len(core.ports) + 1}",
        mac="fa:16:3e:00:00:01",
        status="ACTIVE",
        device=server_id,
        device_owner="compute:nova",
        groups=(group_id,),
    )
    volume = VolumeThing(
        id=volume_id,
        project=state.project,
        name=identity.resource_name(subject),
        subject=subject,
        size=2,
        type=CATALOGUE.volume_types[0],
        status="in-use",
        servers=[server_id],
    )
    server = ServerThing(
        id=server_id,
        project=state.project,
        name="db",
        subject=subject,
        flavor="2",
        image=CATALOGUE.images[0].id,
        status="ACTIVE",
        task=None,
        ports=[port_id],
        volumes=[volume_id],
        metadata={identity.SUBJECT_KEY: subject},
        tags=(identity.server_tag(subject),),
        hosted=True,
    )
    core.groups[group_id], core.ports[port_id] = group, port
    core.volumes[volume_id], core.servers[server_id] = volume, server
    return NamedResources(
        server=server_id, volume=volume_id, ports=(port_id,), security_group=group_id
    )


def _group(state: CloudState, subject: str, group_id: str) -> GroupThing:
    """Two port ranges for two CIDRs."""
    group = GroupThing(
        id=group_id,
        project=state.project,
        name=identity.group_name(subject),
        subject=subject,
        description="Security Group for the instance",
    )
    for ports in (MYSQL, ADMIN):
        for cidr in (OLD, KEPT):
            rule = RuleThing(id=state.core.new_id(), ports=ports, cidr=cidr)
            group.rules[rule.id] = rule
    return group


def doom(state: CloudState, named: NamedResources) -> None:
    """The volume goes with its server, as Trove has it made; both have run for a while."""
    server = state.core.servers[named.server or ""]
    server.delete_with = frozenset({named.volume or ""})
    server.launched = state.core.time
    state.audit.launched[server.id] = state.core.time


def repair(state: CloudState) -> None:
    """An operator sets what is stuck in the middle of something, or in error, to what it is."""
    core = state.core
    for server in core.servers.values():
        if server.task or server.confirming or server.status not in ("ACTIVE", "VERIFY_RESIZE"):
            server.epoch += 1
            server.task = None
            server.hosted = True
            server.confirming = False
            core.touch(server, "ACTIVE")
    for volume in core.volumes.values():
        if volume.status not in ("available", "in-use", "reserved", "attaching"):
            volume.epoch += 1
            core.touch(volume, "in-use" if volume.servers else "available")


def without_engine(state: CloudState, seconds: float) -> None:
    """Heat's engine dies after the bit of work that it is at; another one starts later."""
    core = state.core
    core.at(core.time, state.orchestration.kill_engine)
    core.at(core.time + int(seconds * SECOND), state.orchestration.start_engine)


def meddle(state: CloudState, ids: Collection[str], *, marks: bool) -> None:
    """Somebody updates these stacks without a change; their `marks` stay, or make way."""
    change = StackChange(existing=True, tags=None if marks else ("somebody",))
    for stack in list(state.core.stacks.values()):
        if stack.id in ids:
            update = partial(_update, state, stack, change)
            with suppress(Refusal, Lost):
                state.gate.call(_UPDATE, update)


def _update(state: CloudState, stack: StackThing, change: StackChange, doing: Doing) -> None:
    state.orchestration.update(doing, stack.project, stack.name, stack.id, change)


def resize(state: CloudState, subject: str, flavor: str) -> None:
    """Somebody gives the subject's server another flavor, and tells nobody."""
    for server in state.core.servers.values():
        if server.subject == subject:
            server.flavor = flavor


def mislead(state: CloudState, subject: str) -> None:
    """Somebody asks Heat for a flavor that Nova then refuses: the stack is left UPDATE_FAILED, with
    that flavor among its parameters."""
    refuse = FaultRule(effect=Refuse(status=403), verb="resize_server", times=1)
    change = StackChange(existing=True, parameters={FLAVOR: "4"})
    for stack in list(state.core.stacks.values()):
        if stack.subject == subject:
            state.inject(refuse)
            state.gate.call(_UPDATE, partial(_update, state, stack, change))


def occupy(state: CloudState, subject: str) -> str:
    """Somebody has a stack of the name that the subject's would have; its id."""
    spec = StackSpec(name=identity.resource_name(subject), template=_EMPTY)
    call = Call(Service.ORCHESTRATION, "create_stack")
    made = state.gate.call(
        call, lambda doing: state.orchestration.create(doing, state.project, spec)
    )
    return made.id


def vanish(state: CloudState, ids: Collection[str]) -> None:
    """Somebody deletes these stacks."""
    call = Call(Service.ORCHESTRATION, "delete_stack")
    for stack in list(state.core.stacks.values()):
        if stack.id in ids:
            with suppress(Refusal, Lost):
                state.gate.call(call, partial(_delete, state, stack))


def _delete(state: CloudState, stack: StackThing, doing: Doing) -> None:
    state.orchestration.delete(doing, stack.project, stack.name, stack.id)
