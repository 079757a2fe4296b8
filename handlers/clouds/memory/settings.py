"""What a small OpenStack can be told: how long things take, how much there may be."""

import msgspec

#: A range of seconds; the state draws from it with its seeded random.
Range = tuple[float, float]


class Times(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long each thing takes, in seconds; the defaults were measured on Nova 34, Cinder 29 and
    Heat 27.

    `list_lag` is how long a new thing is missing from listings while it can be had by its id.
    `listed_deleted` is how long a deleted server is still listed with status DELETED,
    `server_fault` how long one is in ERROR before its fault shows, after a resize.

    Heat: `heat_step` until a resource's turn comes, `heat_leaf` between the first ones of a
    traversal, `heat_poll` between looks at what is under way, `heat_retry` what the n-th repeat
    waits, times 2**n, `heat_cancel` until a deletion has stopped what was under way, `heat_purge`
    until a deleted stack gives its name free, `rule_gap` between the old rules and the new ones,
    `heat_silence` how long a call hangs while no engine is up.
    """

    server_bind: Range = (1.2, 1.5)
    server_build: Range = (1.5, 3.4)
    server_resize: Range = (2.5, 4.9)
    server_confirm: Range = (1.0, 1.0)
    server_revert: Range = (1.5, 1.5)
    server_reboot: Range = (1.0, 3.0)
    server_delete: Range = (0.5, 1.5)
    server_fault: Range = (0.1, 0.1)
    listed_deleted: Range = (0.2, 0.2)
    volume_create: Range = (0.3, 1.0)
    volume_attach: Range = (0.5, 1.0)
    volume_extend: Range = (0.4, 0.4)
    volume_delete: Range = (0.3, 0.6)
    list_lag: Range = (0.0, 0.0)
    heat_step: Range = (0.05, 0.2)
    heat_leaf: Range = (1.0, 1.0)
    heat_poll: Range = (1.0, 1.1)
    heat_retry: Range = (1.0, 1.2)
    heat_cancel: Range = (5.0, 5.0)
    heat_purge: Range = (0.0, 0.2)
    heat_silence: Range = (10.0, 10.0)
    rule_gap: Range = (0.1, 0.3)


class Quotas(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most of each that a project may have; -1 is no limit."""

    instances: int = -1
    volumes: int = -1
    gigabytes: int = -1
    ports: int = -1
    security_groups: int = -1
    security_group_rules: int = -1
    stacks: int = -1


class Abilities(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the services are configured, as far as a migration depends on it.

    `adoption`: Heat adopts stacks (`enable_stack_adopt`). `twins`: it loses the data of an adoption
    and makes a second set of everything instead (`reauthentication_auth_method = trusts`, measured
    on Heat 27). `compute`: the newest microversion of Nova; 2.85 is Ussuri's.
    """

    adoption: bool = True
    twins: bool = False
    compute: tuple[int, int] = (2, 104)


class Flavor(msgspec.Struct, frozen=True, kw_only=True):
    """A Nova flavor; `ram` in MiB, `disk` in GiB."""

    id: str
    name: str
    ram: int
    vcpus: int
    disk: int = 5


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """A Glance image."""

    id: str
    name: str


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """A shared network with its one subnet."""

    id: str
    name: str
    subnet: str
    cidr: str


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """What is there before anybody makes anything. The first of each is the default choice."""

    flavors: tuple[Flavor, ...] = (
        Flavor(id="1", name="db.small", ram=512, vcpus=1),
        Flavor(id="2", name="db.medium", ram=1024, vcpus=2),
        Flavor(id="3", name="db.large", ram=2048, vcpus=4),
        Flavor(id="4", name="db.xlarge", ram=4096, vcpus=8),
    )
    images: tuple[Image, ...] = (Image(id="5c1c7d2e-52d0-4d4f-9c7e-3a1a57d0b001", name="db-image"),)
    networks: tuple[Network, ...] = (
        Network(
            id="9a3e8f10-6d0f-4a51-8d0c-0f6ab7d0c001",
            name="db-mgmt",
            subnet="9a3e8f10-6d0f-4a51-8d0c-0f6ab7d0c002",
            cidr="10.16.0.0/12",
        ),
        Network(
            id="9a3e8f10-6d0f-4a51-8d0c-0f6ab7d0c003",
            name="db-user",
            subnet="9a3e8f10-6d0f-4a51-8d0c-0f6ab7d0c004",
            cidr="10.64.0.0/16",
        ),
    )
    volume_types: tuple[str, ...] = ("fake-default", "fake-1", "fake-2")
    zones: tuple[str, ...] = ("nova",)
