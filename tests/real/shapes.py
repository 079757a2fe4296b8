"""The instances that are moved: of different shapes, and made by us or as Trove made them."""

import json
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from handlers.commands import CreateInstance
from handlers.parts import Access, DataVolume, Network
from handlers.resources import PortRange
from tests.contract.managers.place import Site
from tests.contract.managers.project import HttpProject
from tests.contract.managers.trove import HttpTrove
from tests.real.phases import TENANT

#: Instances that are made as Trove made them at once.
_AT_ONCE = 3

_CIDRS = (("10.0.0.0/8",), ("10.0.0.0/8", "192.168.0.0/16"), ("172.16.0.0/12", "2001:db8::/32"))
_PORTS = (PortRange("tcp", 3306, 3306), PortRange("tcp", 5432, 5440))


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """One instance to make.

    `size` of its volume in GiB; a port for users, one for `management` where that is so; one rule
    per range and CIDR. A `trove` one gets one port and one rule, and its volume dies with its
    server.
    """

    subject: str
    trove: bool
    flavor: str
    size: int
    management: bool
    cidrs: tuple[str, ...]
    ranges: tuple[PortRange, ...]

    @property
    def ports(self) -> int:
        return 2 if self.management else 1


def shapes(site: Site, number: int) -> tuple[Shape, ...]:
    """So many; every other one as Trove made it, and no two neighbours alike."""
    return tuple(
        Shape(
            subject=str(uuid.uuid4()),
            trove=n % 2 == 1,
            flavor=(site.small, site.small, site.large)[n % 3],
            size=1 + n // 2 % 3,
            management=n % 2 == 0 and n % 4 == 0,
            cidrs=_CIDRS[n % 3][: 1 if n % 2 else 2],
            ranges=_PORTS[: 1 + n % 4 // 2],
        )
        for n in range(number)
    )


def create_of(site: Site, shape: Shape) -> CreateInstance:
    """The command that makes one of ours."""
    management = (Network(network=site.management, role="management"),)
    return CreateInstance(
        project=TENANT,
        name=f"fleet-{shape.subject[:8]}",
        flavor=shape.flavor,
        image=site.image,
        networks=(*(management if shape.management else ()), Network(network=site.user)),
        volume=DataVolume(size=shape.size),
        access=Access(ports=shape.ranges, cidrs=shape.cidrs),
    )


def make_as_trove(project: HttpProject, site: Site, some: Iterable[Shape]) -> list[dict[str, Any]]:
    """Make them through the APIs; the rows of a file for `instances import`."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(lambda shape: _made(project, site, shape), some))


def write_rows(rows: Sequence[dict[str, Any]], folder: Path) -> Path:
    """The file."""
    file = folder / "fleet.json"
    file.write_text(json.dumps(rows, indent=2))
    return file


def _made(project: HttpProject, site: Site, shape: Shape) -> dict[str, Any]:
    trove = HttpTrove(project, project, replace(site, small=shape.flavor))
    group = trove.security_group(shape.subject, shape.cidrs[0])
    port = trove.port(shape.subject, group)
    volume = trove.volume(shape.subject, shape.size)
    server = trove.server(shape.subject, port, volume, doomed=True)
    return {
        "id": shape.subject,
        "project": TENANT,
        "server": server,
        "volume": volume,
        "ports": [port],
        "security_group": group,
        "flavor": shape.flavor,
        "volume_size": shape.size,
    }
