"""One sample of every command, with every field in use, and of every event."""

from collections.abc import Iterator

from handlers.commands import (
    AdoptInstance,
    Body,
    Command,
    ConfirmResize,
    CreateInstance,
    CreateSecurityGroup,
    CreateSecurityGroupRules,
    DeleteInstance,
    DeleteSecurityGroup,
    MigrateInstance,
    RebootInstance,
    RebuildInstance,
    ReleaseInstance,
    ResizeInstance,
    ResizeVolume,
    RevertResize,
    UpdateAccess,
    UpdateSecurityGroupRules,
)
from handlers.errors import Reason
from handlers.events import Event, EventKind, event_of
from handlers.instance import Instance, Ref, Scope
from handlers.operation import SECOND, Failure, Operation, Phase
from handlers.parts import Access, DataVolume, NamedResources, Network
from handlers.resources import Kind, PortRange, Rule
from handlers.secret import Secret

_SUBJECT = "7f1c6d0e-3b0f-4a53-9a59-6f0f4f6f2d11"
_PROJECT = "5a3b1c9d7e5f4a2b8c6d4e2f0a1b3c5d"
_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_AT = 1_767_323_045_000_006

_MYSQL = PortRange(protocol="tcp", first=3306, last=3306)
_CIDRS = ("203.0.113.0/24", "2001:db8:10::/48")
_NAMED = NamedResources(
    server="0b1d3f5a-7c9e-4b2d-8f60-1a3c5e7d9b0f",
    volume="1c2e4a6b-8d0f-4c3e-9a71-2b4d6f8e0c1a",
    ports=("2d3f5b7c-9e1a-4d4f-8b82-3c5e7a9f1d2b",),
    security_group="3e4a6c8d-0f2b-4e5a-9c93-4d6f8b0a2e3c",
)

_BODIES: tuple[Body, ...] = (
    CreateInstance(
        project=_PROJECT,
        name="orders-db",
        flavor="d1c8a6f2-3b5e-4d70-8f92-a4b6c8d0e2f4",
        image="9e8d7c6b-5a49-4837-a625-1403f2e1d0c9",
        networks=(
            Network(network="a0b1c2d3-e4f5-4a6b-8c7d-9e0f1a2b3c4d", role="management"),
            Network(
                network="b1c2d3e4-f5a6-4b7c-9d8e-0f1a2b3c4d5e",
                subnet="c2d3e4f5-a6b7-4c8d-8e9f-1a2b3c4d5e6f",
                ip_address="192.0.2.15",
                security_groups=("d3e4f5a6-b7c8-4d9e-9fa0-2b3c4d5e6f7a",),
            ),
        ),
        volume=DataVolume(size=20, type="ssd", zone="az1"),
        access=Access(ports=(_MYSQL,), cidrs=_CIDRS),
        zone="az1",
        user_data=Secret("#cloud-config\nruncmd: [systemctl start trove-guest]\n"),
        metadata={"datastore": "mysql-8.4"},
        tags=("orders",),
        key_name="trove-operators",
        config_drive=True,
    ),
    DeleteInstance(project=_PROJECT, resources=_NAMED),
    ResizeInstance(
        project=_PROJECT, flavor="e2d9b7a3-4c6f-4e81-9fa3-b5c7d9e1f3a5", resources=_NAMED
    ),
    ResizeVolume(project=_PROJECT, size=40, resources=_NAMED),
    CreateSecurityGroup(
        project=_PROJECT,
        name="reporting",
        description="read-only clients",
        access=Access(ports=(_MYSQL,), cidrs=_CIDRS),
    ),
    DeleteSecurityGroup(project=_PROJECT),
    CreateSecurityGroupRules(
        project=_PROJECT,
        access=Access(ports=(_MYSQL,), cidrs=("198.51.100.0/24",)),
        resources=_NAMED,
    ),
    UpdateSecurityGroupRules(
        project=_PROJECT, cidrs=("198.51.100.0/24",), ports=(_MYSQL,), resources=_NAMED
    ),
    UpdateAccess(project=_PROJECT, is_public=True, cidrs=_CIDRS, resources=_NAMED),
    MigrateInstance(project=_PROJECT, host="compute-07", resources=_NAMED),
    RebootInstance(project=_PROJECT, hard=True, resources=_NAMED),
    RebuildInstance(
        project=_PROJECT,
        image="8d7c6b5a-4938-4726-9514-03f2e1d0c9b8",
        user_data=Secret("#cloud-config\nruncmd: [systemctl start trove-guest]\n"),
        resources=_NAMED,
    ),
    ConfirmResize(project=_PROJECT),
    RevertResize(project=_PROJECT),
    AdoptInstance(project=_PROJECT),
    ReleaseInstance(project=_PROJECT),
)

COMMANDS: dict[str, Command] = {
    body.TYPE: Command(
        id=f"4c1f0e2a-9b3d-4f5e-8a7c-{place:012d}",
        subject=_SUBJECT,
        source="trove-api/controller-1",
        trace=_TRACE,
        body=body,
    )
    for place, body in enumerate(_BODIES, start=1)
}

_RECORD = Instance(
    id=_SUBJECT,
    scope=Scope(cloud="trove", region="RegionOne", project=_PROJECT),
    manager="natives",
    resources={
        "server": Ref(kind=Kind.SERVER, id=_NAMED.server or "", role="server"),
        "volume/data": Ref(kind=Kind.VOLUME, id=_NAMED.volume or "", role="data"),
        "port/user-0": Ref(kind=Kind.PORT, id=_NAMED.ports[0], role="user-0"),
        "security-group": Ref(
            kind=Kind.SECURITY_GROUP, id=_NAMED.security_group or "", role="instance"
        ),
    },
    flavor="e2d9b7a3-4c6f-4e81-9fa3-b5c7d9e1f3a5",
    volume_size=40,
    rules=(Rule(ports=_MYSQL, cidr=_CIDRS[0]),),
)

_QUOTA = Failure(
    reason=Reason.QUOTA,
    message="VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed"
    " gigabytes quota. Requested 20G, quota is 1000G and 990G has been consumed.",
    service="block_storage",
    request_id="req-6f0e1d2c-3b4a-4958-8776-655443322110",
)
_DOWN = Failure(reason=Reason.UNAVAILABLE, message="503 Service Unavailable", service="compute")


def events() -> Iterator[Event]:
    """Every event of every command, as the ledger makes them."""
    for command in COMMANDS.values():
        yield from (_event(command, kind) for kind in EventKind)


def _event(command: Command, kind: EventKind) -> Event:
    creates = isinstance(command.body, CreateInstance)
    deletes = isinstance(command.body, DeleteInstance | DeleteSecurityGroup)
    ends = kind is EventKind.END
    there = ends if creates else not (deletes and ends)
    failed = kind is EventKind.ERROR
    op = Operation(
        command=command,
        scope=_RECORD.scope,
        accepted=_AT,
        manager=_RECORD.manager,
        phase=Phase.FAILED if failed else Phase.SUCCEEDED,
        learned={"port/user-0": {"addresses": ["192.0.2.15"]}} if creates and there else {},
        failure=(_QUOTA if creates else _DOWN) if failed else None,
        left=(_RECORD.resources["port/user-0"],) if failed and creates else (),
    )
    after = 0 if kind is EventKind.START else 21 * SECOND + 500_000
    return event_of(op, kind, _AT + after, _RECORD if there else None)
