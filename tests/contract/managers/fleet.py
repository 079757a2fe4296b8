"""A fleet that goes into stacks and out of them again for as long as a test lasts."""

from collections.abc import Callable
from uuid import uuid4

from msgspec.structs import replace

from consumer.fleet.orders import abort, give, roll_back
from consumer.ledger.fleet import MOVING, Direction, Item, Migration, Settings, Stage, Status
from handlers.commands import Command, DeleteInstance
from handlers.instance import Instance, Ref
from handlers.keys import GROUP, NAMED_PORT, SERVER, VOLUME
from handlers.natives import NAME as NATIVES
from handlers.operation import Micros
from handlers.resources import Kind
from tests.contract.managers.bench import TENANT
from tests.contract.managers.inventory import Inventory
from tests.contract.managers.place import Deployment, Place

#: Small batches, so that nearly always something is under way.
SETTINGS = Settings(
    canary=1, batch=2, concurrency=2, per_project=2, rate=600, soak=2, max_freeze=300
)

_ABORTABLE = (Status.RUNNING, Status.HELD, Status.PAUSED)


class Fleet:
    """So many instances that Trove made, imported as NATIVES' own. `now` is the ledger's time;
    `carry` says what comes after a migration that has ended."""

    def __init__(
        self, place: Place, deployment: Deployment, now: Callable[[], Micros], size: int
    ) -> None:
        self._place = place
        self._deployment = deployment
        self._ledger = deployment.ledger
        self._now = now
        self._records = [self._made() for _ in range(size)]
        assert all(self._ledger.import_records(self._records))
        self._members = {ref.id for each in self._records for ref in each.resources.values()}
        self._before = self._mine()
        self._runs: list[str] = []
        self._start()

    def carry(self) -> None:
        """Into stacks, back, and into stacks again."""
        migration = self._current()
        assert migration.status not in (Status.PAUSED, Status.HELD), self._told(migration)
        if migration.status is Status.DONE:
            give(self._ledger, migration.id, roll_back, self._now, (Stage.FAILED,))
        elif migration.status is Status.ROLLED_BACK:
            self._start()

    def is_moving(self) -> bool:
        """Whether one of the instances is on its way right now."""
        return bool(self._ledger.items(self._runs[-1], MOVING))

    def moves(self) -> int:
        """How many instances have moved so far, each once per migration."""
        return sum(item.freeze > 0 for run in self._runs for item in self._ledger.items(run))

    def is_unharmed(self) -> bool:
        """Whether every instance is the same as before: no id, no time of launch, no attachment and
        no rule is another one. Fails when one could not be moved."""
        for run in self._runs:
            assert not self._ledger.items(run, (Stage.FAILED,)), self._told(self._current())
        return self._mine() == self._before

    def without(self, there: Inventory) -> Inventory:
        """What is there beside the fleet."""
        tags = {f"trove_instance_id_{each.id}" for each in self._records}
        return Inventory(
            servers=tuple(one for one in there.servers if one.id not in self._members),
            volumes=tuple(one for one in there.volumes if one.id not in self._members),
            ports=tuple(one for one in there.ports if one.id not in self._members),
            groups=tuple(one for one in there.groups if one.id not in self._members),
            stacks=tuple(one for one in there.stacks if not one.tags & tags),
            others=there.others,
        )

    def end(self) -> None:
        """Stop it in the middle, and delete every instance, wherever it stands."""
        if self._current().status in _ABORTABLE:
            give(self._ledger, self._runs[-1], abort, self._now)
        self._wait(lambda: self._current().status.is_final)
        deletes = [
            Command(id=str(uuid4()), subject=each.id, source="contract", body=_DELETE)
            for each in self._records
        ]
        for delete in deletes:
            self._deployment.deliver(delete)
        self._wait(lambda: all(self._is_over(delete) for delete in deletes))

    # -- inner ----------------------------------------------------------------------------------

    def _made(self) -> Instance:
        """One instance as Trove made it, whose volume goes with its server, and its record."""
        subject, trove, site = str(uuid4()), self._place.trove, self._place.site
        group = trove.security_group(subject, "10.0.0.0/8")
        port = trove.port(subject, group)
        volume = trove.volume(subject, size=1)
        server = trove.server(subject, port, volume, doomed=True)
        found = (
            (SERVER, Kind.SERVER, server),
            (VOLUME, Kind.VOLUME, volume),
            (f"{NAMED_PORT}0", Kind.PORT, port),
            (GROUP, Kind.SECURITY_GROUP, group),
        )
        return Instance(
            id=subject,
            scope=self._deployment.scope,
            manager=NATIVES,
            resources={key: Ref(kind=kind, id=one, role=key) for key, kind, one in found},
            flavor=site.small,
            volume_size=1,
        )

    def _start(self) -> None:
        """A migration of all of them, as `migrate start` writes it."""
        now, scope = self._now(), self._deployment.scope
        migration = Migration(
            id=f"beside-{uuid4()}",
            direction=Direction.ADOPT,
            status=Status.RUNNING,
            settings=SETTINGS,
            fingerprint="f",
            cloud=scope.cloud,
            region=scope.region,
            created=now,
            changed=now,
        )
        items = [
            Item(
                migration=migration.id,
                subject=each.id,
                project=scope.project,
                place=place,
                batch=(place + 1) // 2,
            )
            for place, each in enumerate(self._records)
        ]
        assert self._ledger.start_migration(migration, items, [])
        self._runs.append(migration.id)

    def _mine(self) -> Inventory:
        """The fleet's resources; whether the volumes outlive their servers is another matter."""
        there = self._place.look()
        mine = (one for one in there.servers if one.id in self._members)
        return Inventory(
            servers=tuple(replace(one, kept=frozenset()) for one in mine),
            volumes=tuple(one for one in there.volumes if one.id in self._members),
            ports=tuple(one for one in there.ports if one.id in self._members),
            groups=tuple(one for one in there.groups if one.id in self._members),
        )

    def _current(self) -> Migration:
        migration = self._ledger.migration(self._runs[-1])
        assert migration is not None
        return migration

    def _told(self, migration: Migration) -> str:
        return f"{migration.reason}: {self._ledger.items(migration.id)}"

    def _is_over(self, command: Command) -> bool:
        op = self._ledger.operation(command.id)
        return op is not None and op.phase.is_final

    def _wait(self, until: Callable[[], bool]) -> None:
        over = self._deployment.wait(until, self._place.patience)
        assert over, self._told(self._current())


_DELETE = DeleteInstance(project=TENANT)
