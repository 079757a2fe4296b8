"""Makes the plan of a fleet migration: reads the ledger and the cloud, changes nothing."""

from collections.abc import Callable, Collection, Iterator
from threading import Lock
from typing import Protocol

import msgspec
from msgspec.structs import replace

from consumer.fleet import turns
from consumer.fleet.eligibility import Claims, Verdict, Why, judged
from consumer.fleet.inventory import Inventory, Source, inventory_of
from consumer.fleet.pages import every
from consumer.fleet.plan import STACKS, Cost, Entry, Plan, fingerprint, sealed
from consumer.ledger.base import Ledger
from consumer.ledger.fleet import Direction, Settings
from handlers.instance import Instance
from handlers.keys import SERVER
from handlers.lacks import Lacks
from handlers.operation import Phase
from handlers.resources import Kind, Service

#: Records read at once.
_PAGE = 1000

#: More operations than any fleet has open.
_ALL = 1_000_000

_LIVE = (Phase.QUEUED, Phase.FORWARD, Phase.UNDO)


class PlannedCloud(Source, Protocol):
    """What planning asks of a cloud."""

    def lacks(self) -> tuple[Lacks, ...]: ...


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What to plan. `instances` and `project` narrow it; neither means all that the ledger records
    in this cloud and region."""

    direction: Direction
    cloud: str
    region: str
    settings: Settings = Settings()
    instances: tuple[str, ...] = ()
    project: str = ""
    max_stacks: int = STACKS

    @property
    def told(self) -> str:
        """In words."""
        if self.instances:
            return f"{len(self.instances)} named instances"
        return f"all of project {self.project}" if self.project else "all"


class Unrecorded(LookupError):
    """Instances that were named and are not recorded in this cloud and region."""


class Meter:
    """Counts requests and their seconds by service: a Probe. Threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._cost: dict[Service, Cost] = {}

    def __call__(
        self, service: Service, method: str, route: str, status: str, seconds: float
    ) -> None:
        with self._lock:
            before = self._cost.get(service, Cost(0, 0.0))
            self._cost[service] = Cost(before.requests + 1, before.seconds + seconds)

    @property
    def cost(self) -> dict[str, Cost]:
        """By service, sorted."""
        with self._lock:
            return {
                str(service): Cost(cost.requests, round(cost.seconds, 3))
                for service, cost in sorted(self._cost.items())
            }


def plan_of(
    wish: Wish,
    ledger: Ledger,
    cloud: PlannedCloud,
    created: str,
    meter: Callable[[], dict[str, Cost]] = dict,
) -> Plan:
    """The plan, sealed; `created` is RFC 3339.

    Raises Unrecorded, the ledger's Unavailable and the cloud's faults. Adopting needs what
    `cloud.lacks` looks for; releasing does not.
    """
    records = tuple(_records(wish, ledger))
    lacks = cloud.lacks() if wish.direction is Direction.ADOPT else ()
    servers = [each.resources[SERVER].id for each in records if SERVER in each.resources]
    found = inventory_of(cloud, servers)
    claims = _claims(ledger)
    entries = [_entry(record, found, wish.direction, claims) for record in records]
    return sealed(
        Plan(
            created=created,
            direction=wish.direction,
            cloud=wish.cloud,
            region=wish.region,
            project=found.project,
            select=wish.told,
            settings=wish.settings,
            max_stacks=wish.max_stacks,
            lacks=lacks,
            cost=meter(),
            instances=_with_turns(entries, wish, len(found.stacks)),
        )
    )


def records_of(ledger: Ledger) -> Iterator[Instance]:
    """All records, by id."""
    after = ""
    while page := ledger.instances(_PAGE, after):
        yield from page
        after = page[-1].id


def _records(wish: Wish, ledger: Ledger) -> Iterator[Instance]:
    wanted, place = frozenset(wish.instances), (wish.cloud, wish.region)
    seen: set[str] = set()
    for record in _one(ledger, wish.instances[0]) if len(wanted) == 1 else records_of(ledger):
        here = (record.scope.cloud, record.scope.region) == place
        if not here or (wanted and record.id not in wanted):
            continue
        seen.add(record.id)
        if not wish.project or record.scope.project == wish.project:
            yield record
    if wanted - seen:
        raise Unrecorded(", ".join(sorted(wanted - seen)[:10]))


def _one(ledger: Ledger, subject: str) -> Collection[Instance]:
    record = ledger.instance(subject)
    return () if record is None else (record,)


def _claims(ledger: Ledger) -> Claims:
    operations = {op.subject: op.id for op in ledger.operations(_LIVE, limit=_ALL)}
    migrations = {
        item.subject: migration.id
        for migration in ledger.migrations(active_only=True)
        for item in every(ledger, migration.id)
        if not item.stage.is_final
    }
    return Claims(operations=operations, migrations=migrations)


def _entry(record: Instance, found: Inventory, direction: Direction, claims: Claims) -> Entry:
    result = judged(record, found, direction, claims)
    return Entry(
        instance=record.id,
        project=record.scope.project,
        verdict=result.verdict,
        reason=result.reason,
        message=result.message,
        risks=result.risks,
        shape=_shape(record) if result.verdict is Verdict.ELIGIBLE else "",
        volume_size=record.volume_size,
        fingerprint=fingerprint(record),
    )


def _shape(record: Instance) -> str:
    """Instances of one shape are made of the same kinds of things."""
    counts = [
        f"{len(ids)} {kind}"
        for kind in Kind
        if kind is not Kind.STACK and (ids := record.ids(kind))
    ]
    return ", ".join([f"flavor {record.flavor}", *counts])


def _with_turns(entries: list[Entry], wish: Wish, stacks: int) -> tuple[Entry, ...]:
    """The movable ones by turn, then all others by id; what finds no room for its stack, the last
    ones, is blocked."""
    eligible = [each for each in entries if each.verdict is Verdict.ELIGIBLE]
    movable = turns.with_turns(eligible, wish.settings)
    room = len(movable)
    if wish.direction is Direction.ADOPT and wish.max_stacks:
        room = max(0, wish.max_stacks - stacks)
    text = (
        f"the project may have {wish.max_stacks} stacks and has {stacks}: raise "
        "max_stacks_per_tenant in heat.conf, and give --max-stacks"
    )
    blocked = [
        replace(
            each, verdict=Verdict.BLOCKED, reason=Why.STACK_LIMIT, message=text, batch=-1, place=-1
        )
        for each in movable[room:]
    ]
    others = [each for each in entries if each.verdict is not Verdict.ELIGIBLE]
    return (*movable[:room], *sorted([*blocked, *others], key=lambda each: each.instance))
