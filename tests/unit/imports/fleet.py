"""A fleet that Trove made, as values: a cloud that lists it, rows that name it, a ledger."""

from collections.abc import Sequence

from msgspec.structs import replace

from consumer.imports.importing import Outcome, Place, Records, compare
from consumer.imports.rows import Judgement, Row, Why
from handlers.errors import Retryable
from handlers.instance import Instance
from handlers.resources import (
    Kind,
    Port,
    PortRange,
    Resource,
    Rule,
    SecurityGroup,
    Server,
    Volume,
)

PLACE = Place("trove", "RegionOne")
SERVICE, TENANT = "service", "tenant"
MYSQL = PortRange("tcp", 3306, 3306)


def subject(n: int) -> str:
    return f"00000000-0000-4000-8000-{n:012}"


def parts(n: int) -> list[Resource]:
    """One instance as Trove leaves it in the project of its credentials."""
    one, server = subject(n), f"server-{n}"
    return [
        Server(id=server, name="db", status="ACTIVE", flavor="2", subject=one, project=SERVICE),
        Volume(
            id=f"volume-{n}",
            status="in-use",
            size=5,
            servers=(server,),
            subject=one,
            project=SERVICE,
        ),
        Port(id=f"port-{n}-a", device=server, subject=one, project=SERVICE),
        Port(id=f"port-{n}-b", device=server, subject=one, project=SERVICE),
        SecurityGroup(
            id=f"group-{n}",
            rules=(Rule(MYSQL, "10.0.0.0/8", "rule-1"),),
            subject=one,
            project=SERVICE,
        ),
    ]


def row(n: int) -> Row:
    """The instance as Trove's database has it: no ports, and in new Troves no group."""
    return Row(
        id=subject(n),
        project=TENANT,
        server=f"server-{n}",
        volume=f"volume-{n}",
        flavor="2",
        volume_size=5,
        region=PLACE.region,
    )


class Sky:
    """Implements Listing over a list of resources, and counts the listings."""

    def __init__(self, *resources: Resource) -> None:
        self.resources = list(resources)
        self.asked: list[Kind] = []
        self.no_heat = ""

    @property
    def project(self) -> str:
        return SERVICE

    def every(self, kind: Kind) -> tuple[Resource, ...]:
        self.asked.append(kind)
        if kind is Kind.STACK and self.no_heat:
            raise Retryable(self.no_heat)
        return tuple(one for one in self.resources if one.kind is kind)

    def change(self, resource: str, **values: object) -> None:
        """Give a resource other values."""
        self.resources = [
            replace(one, **values) if one.id == resource else one for one in self.resources
        ]

    def lose(self, resource: str) -> None:
        self.resources = [one for one in self.resources if one.id != resource]


class Book:
    """Implements Records in a dictionary; `locked` are subjects with an open operation."""

    def __init__(self, *records: Instance) -> None:
        self.kept = {record.id: record for record in records}
        self.locked: set[str] = set()
        self.writes = 0

    def instance(self, subject: str) -> Instance | None:
        return self.kept.get(subject)

    def instances(self, limit: int = 100, after: str = "") -> tuple[Instance, ...]:
        later = sorted(one for one in self.kept if one > after)
        return tuple(self.kept[one] for one in later[:limit])

    def import_records(self, records: Sequence[Instance]) -> tuple[bool, ...]:
        self.writes += 1
        return tuple(self._import(record) for record in records)

    def _import(self, record: Instance) -> bool:
        if record.id in self.kept or record.id in self.locked:
            return False
        self.kept[record.id] = record
        return True


def compared(sky: Sky, *rows: Row, book: Records | None = None, take: bool = False) -> Outcome:
    return compare(rows, sky, book or Book(), PLACE, take_cloud_values=take)


def reasons(judgement: Judgement) -> list[Why]:
    return [each.why for each in judgement.mismatches]
