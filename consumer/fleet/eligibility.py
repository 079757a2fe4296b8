"""Whether one instance can be moved, and if not, why and what to do. Pure."""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum

import msgspec

from consumer.fleet.inventory import Inventory
from consumer.ledger.fleet import Direction
from handlers.instance import Instance, Ref, State
from handlers.keys import SERVER, STACK, VOLUME
from handlers.orchestrator import NAME as ORCHESTRATOR
from handlers.resources import Kind, Port, Server, Volume

#: GiB from which a volume is called big: what can go wrong with it takes longer to put right.
BIG = 100


class Verdict(StrEnum):
    """What a plan says of one instance. ALREADY: it is where it shall go."""

    ELIGIBLE = "eligible"
    BLOCKED = "blocked"
    ALREADY = "already"


class Why(StrEnum):
    """The closed list of reasons that block an instance."""

    DELETED = "deleted"
    NOT_AN_INSTANCE = "not_an_instance"
    PINNED = "pinned"
    STATE_ERROR = "state_error"
    OPERATION_OPEN = "operation_open"
    IN_MIGRATION = "in_migration"
    OTHER_PROJECT = "other_project"
    OTHER_IDENTITY = "other_identity"
    SERVER_MISSING = "server_missing"
    SERVER_ERROR = "server_error"
    SERVER_STATUS = "server_status"
    SERVER_BUSY = "server_busy"
    BOOTS_FROM_VOLUME = "boots_from_volume"
    FLAVOR_DIFFERS = "flavor_differs"
    VOLUME_MISSING = "volume_missing"
    VOLUME_SIZE_DIFFERS = "volume_size_differs"
    VOLUME_DETACHED = "volume_detached"
    VOLUME_ELSEWHERE = "volume_elsewhere"
    PORT_MISSING = "port_missing"
    PORT_UNPLUGGED = "port_unplugged"
    GROUP_MISSING = "group_missing"
    STACK_EXISTS = "stack_exists"
    STACK_LIMIT = "stack_limit"
    STACK_MISSING = "stack_missing"
    STACK_BUSY = "stack_busy"
    STACK_FAILED = "stack_failed"


class Risk(StrEnum):
    """What makes an eligible instance one of the later ones."""

    BIG_VOLUME = "big_volume"
    STOPPED = "stopped"
    EXTRA_VOLUMES = "extra_volumes"
    DOOMED_VOLUME = "doomed_volume"


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """Who is at work on an instance: the operations, and the migrations, by subject."""

    operations: Mapping[str, str] = {}
    migrations: Mapping[str, str] = {}


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one instance; `message` says in a sentence what is the matter and what to do,
    `risks` are those of an eligible one."""

    verdict: Verdict
    reason: Why | None = None
    message: str = ""
    risks: tuple[Risk, ...] = ()


def judged(record: Instance, found: Inventory, direction: Direction, claims: Claims) -> Judged:
    """The verdict on the instance of this record; the first thing in its way is told."""
    if record.state is not State.DELETED and SERVER in record.resources:
        there = _already(record, direction)
        if there is not None:
            return there
    ways = (_by_record(record, claims), _by_cloud(record, found), _by_stack(record, found))
    for trouble in (each for way in ways for each in way):
        return Judged(verdict=Verdict.BLOCKED, reason=trouble[0], message=trouble[1])
    return Judged(verdict=Verdict.ELIGIBLE, risks=tuple(_risks(record, found)))


Troubles = Iterator[tuple[Why, str]]


def _already(record: Instance, direction: Direction) -> Judged | None:
    if (direction is Direction.ADOPT) != (record.manager == ORCHESTRATOR):
        return None
    text = ""
    if record.soaking and direction is Direction.ADOPT:
        text = "its stack was adopted and retains everything: send instance.adopt to commit it"
    return Judged(verdict=Verdict.ALREADY, message=text)


def _by_record(record: Instance, claims: Claims) -> Troubles:
    if record.state is State.DELETED:
        yield Why.DELETED, "it was deleted: there is nothing to move"
    if SERVER not in record.resources:
        yield Why.NOT_AN_INSTANCE, "it has no server (a security group of its own): it stays"
    if record.pinned:
        yield (
            Why.PINNED,
            f"it is pinned to {record.manager}: 'instances unpin {record.id}' lets it move",
        )
    if record.state is State.ERROR:
        yield Why.STATE_ERROR, "it is recorded in error: repair it by a command, or delete it"
    if record.id in claims.operations:
        name = claims.operations[record.id]
        yield Why.OPERATION_OPEN, f"operation {name} has not ended: plan again when it has"
    if record.id in claims.migrations:
        name = claims.migrations[record.id]
        yield Why.IN_MIGRATION, f"migration {name} has it: end that one first"


def _by_cloud(record: Instance, found: Inventory) -> Troubles:
    server = found.servers.get(record.resources[SERVER].id)
    if server is None:
        yield (
            Why.SERVER_MISSING,
            (
                f"server {record.resources[SERVER].id} is not in the credentials' project: find "
                "out whether it is gone, or in a project that these credentials do not see"
            ),
        )
        return
    yield from _belonging(record, server, found.project)
    yield from _server(record, server)
    for ref in record.resources.values():
        if ref.kind is Kind.VOLUME:
            yield from _volume(record, ref, server, found.volumes.get(ref.id))
        elif ref.kind is Kind.PORT:
            yield from _port(ref, server, found.ports.get(ref.id))
        elif ref.kind is Kind.SECURITY_GROUP and ref.id not in found.groups:
            yield Why.GROUP_MISSING, f"security group {ref.id} does not exist: {_COMPARE}"


_COMPARE = "record and cloud differ; find out who changed it, and put it right"


def _belonging(record: Instance, server: Server, project: str) -> Troubles:
    if server.project and server.project != project:
        yield (
            Why.OTHER_PROJECT,
            (
                f"its server is in project {server.project}: a stack holds only what is in the "
                f"credentials' project {project}"
            ),
        )
    if server.subject is not None and server.subject != record.id:
        yield (
            Why.OTHER_IDENTITY,
            f"server {server.id} carries the identity of instance {server.subject}: {_COMPARE}",
        )


def _server(record: Instance, server: Server) -> Troubles:
    name = f"server {server.id}"
    if server.status == "ERROR":
        yield Why.SERVER_ERROR, f"{name} is in ERROR: {server.fault or 'no reason told'}; repair it"
    if server.task is not None:
        yield Why.SERVER_BUSY, f"{name} is busy ({server.task}): plan again when it is done"
    may_be_stopped = record.manager == ORCHESTRATOR  # into a stack: Heat checks for ACTIVE
    if server.status != "ACTIVE" and not (may_be_stopped and server.status == "SHUTOFF"):
        yield Why.SERVER_STATUS, f"{name} is {server.status}: make it ACTIVE, then plan again"
    if server.details is not None and not server.details.get("image"):
        yield Why.BOOTS_FROM_VOLUME, f"{name} boots from a volume, which no stack can take over yet"
    if server.flavor != record.flavor:
        yield (
            Why.FLAVOR_DIFFERS,
            f"{name} has flavor {server.flavor}, recorded is {record.flavor}: {_COMPARE}",
        )


def _volume(record: Instance, ref: Ref, server: Server, volume: Volume | None) -> Troubles:
    name = f"volume {ref.id}"
    if volume is None:
        yield Why.VOLUME_MISSING, f"{name} does not exist in this project: {_COMPARE}"
        return
    if volume.size != record.volume_size:
        yield (
            Why.VOLUME_SIZE_DIFFERS,
            f"{name} has {volume.size} GiB, recorded are {record.volume_size}: {_COMPARE}",
        )
    if not volume.servers:
        yield Why.VOLUME_DETACHED, f"{name} is attached to nothing: attach it to {server.id}"
    elif volume.servers != (server.id,):
        others = ", ".join(volume.servers)
        yield Why.VOLUME_ELSEWHERE, f"{name} is attached to {others}, not only to {server.id}"


def _port(ref: Ref, server: Server, port: Port | None) -> Troubles:
    if port is None:
        yield Why.PORT_MISSING, f"port {ref.id} does not exist in this project: {_COMPARE}"
    elif port.device != server.id:
        where = port.device or "nothing"
        yield Why.PORT_UNPLUGGED, f"port {ref.id} is plugged into {where}, not into {server.id}"


def _by_stack(record: Instance, found: Inventory) -> Troubles:
    if record.manager != ORCHESTRATOR:
        for stack in found.carried.get(record.id, ()):
            yield (
                Why.STACK_EXISTS,
                (
                    f"stack {stack.name} ({stack.id}) has its name or tag: find out what is in it "
                    "before anybody deletes it"
                ),
            )
        return
    ref = record.resources.get(STACK)
    stack_there = found.stacks.get(ref.id) if ref else None
    if stack_there is None:
        yield Why.STACK_MISSING, f"stack {ref.id if ref else ''} does not exist: {_COMPARE}"
    elif stack_there.is_busy:
        yield Why.STACK_BUSY, f"its stack is {stack_there.status}: plan again when that is over"
    elif stack_there.has_failed:
        yield (
            Why.STACK_FAILED,
            f"its stack is {stack_there.status} ({stack_there.reason}): repair it first",
        )


def _risks(record: Instance, found: Inventory) -> Iterator[Risk]:
    server = found.servers[record.resources[SERVER].id]
    data = record.resources.get(VOLUME)
    own = {data.id} if data else set()
    if record.volume_size >= BIG:
        yield Risk.BIG_VOLUME
    if server.status == "SHUTOFF":
        yield Risk.STOPPED
    if set(server.volumes) - own:
        yield Risk.EXTRA_VOLUMES
    if _dies(server.doomed, own):
        yield Risk.DOOMED_VOLUME


def _dies(doomed: Collection[str], own: set[str]) -> bool:
    return any(one in own for one in doomed)
