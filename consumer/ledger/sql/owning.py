"""Workers and what they own: heartbeats, and the rows of the dead."""

from typing import Any

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, or_, select, update

from consumer.ledger.base import Worker
from consumer.ledger.sql.codec import OPERATION_COLUMNS, Codec
from consumer.ledger.sql.saving import OPEN
from consumer.ledger.sql.schema import operations, workers
from handlers.operation import Micros, Operation

_IS_OPEN = operations.c.phase.in_(OPEN)
_KNOWN = select(workers.c.gone).where(workers.c.id == bindparam("name"))
_NEW = insert(workers)
_BEAT = (
    update(workers)
    .where(workers.c.id == bindparam("name"), workers.c.gone == 0)
    .values(seen=bindparam("now"))
)
_RETIRE = update(workers).where(workers.c.id == bindparam("name")).values(gone=1)
_DEAD = (
    select(workers.c.id, workers.c.seen, workers.c.claims)
    .where(
        workers.c.id != bindparam("worker"),
        or_(workers.c.gone == 1, workers.c.seen <= bindparam("silent")),
    )
    .order_by(workers.c.seen, workers.c.id)
)
_CLAIM = (
    update(workers)
    .where(
        workers.c.id == bindparam("name"),
        workers.c.seen == bindparam("before"),
        workers.c.claims == bindparam("count"),
    )
    .values(gone=1, claims=workers.c.claims + 1)
)
_GONE = delete(workers).where(workers.c.id == bindparam("name"), workers.c.gone == 1)
_MINE = select(*OPERATION_COLUMNS).where(operations.c.owner == bindparam("owner"), _IS_OPEN)
_ANY = select(operations.c.id).where(operations.c.owner == bindparam("owner"), _IS_OPEN).limit(1)
_TAKE = (
    update(operations)
    .where(
        operations.c.id == bindparam("name"),
        operations.c.owner == bindparam("holder"),
        operations.c.version == bindparam("before"),
        _IS_OPEN,
    )
    .values(owner=bindparam("worker"), version=operations.c.version + 1)
)
_CANCELLED = select(operations.c.id, operations.c.cancelled).where(
    operations.c.owner == bindparam("owner"), _IS_OPEN, operations.c.cancelled.is_not(None)
)


class Owning:
    """Moves operations from the dead to the living; the caller holds the transaction.

    `revisions` are the plan revisions that this release can carry on, all when it is empty.
    """

    def __init__(self, codec: Codec, revisions: frozenset[int]) -> None:
        self._codec = codec
        known: ColumnElement[bool] | None = (
            operations.c.revision.in_(sorted(revisions)) if revisions else None
        )
        conditions = [] if known is None else [known]
        held = select(*OPERATION_COLUMNS).where(_IS_OPEN, *conditions)
        self._of_owner = (
            held.where(operations.c.owner == bindparam("owner"))
            .order_by(operations.c.accepted)
            .limit(bindparam("rows"))
        )
        self._orphans = (
            held.outerjoin_from(operations, workers, workers.c.id == operations.c.owner)
            .where(workers.c.id.is_(None), operations.c.owner != bindparam("worker"))
            .order_by(operations.c.accepted)
            .limit(bindparam("rows"))
        )

    def take_over(
        self, connection: Connection, worker: str, silent: Micros, limit: int
    ) -> tuple[Operation, ...]:
        """As Ledger.take_over promises; `silent`: who was not seen after that is dead."""
        taken: list[Operation] = []
        for name, seen, claims in connection.execute(
            _DEAD, {"worker": worker, "silent": silent}
        ).all():
            if len(taken) >= limit:
                break
            claim = {"name": name, "before": seen, "count": claims}
            if connection.execute(_CLAIM, claim).rowcount == 1:
                values = {"owner": name, "rows": limit - len(taken)}
                taken += self._take(connection, self._of_owner, values, worker)
                if connection.execute(_ANY, {"owner": name}).first() is None:
                    connection.execute(_GONE, {"name": name})
        if len(taken) < limit:
            values = {"worker": worker, "rows": limit - len(taken)}
            taken += self._take(connection, self._orphans, values, worker)
        return tuple(taken)

    def _take(
        self, connection: Connection, statement: Any, values: dict[str, Any], worker: str
    ) -> list[Operation]:
        """The operations of the statement that this worker wins, row by row."""
        found = self._codec.operations(connection.execute(statement, values).mappings().all())
        taken = []
        for op in sorted(found, key=lambda op: op.id):
            fence = {"name": op.id, "holder": op.owner, "before": op.version, "worker": worker}
            if connection.execute(_TAKE, fence).rowcount == 1:
                taken.append(replace(op, owner=worker, version=op.version + 1))
        return taken

    def owned(self, connection: Connection, worker: str) -> tuple[Operation, ...]:
        rows = connection.execute(_MINE, {"owner": worker}).mappings().all()
        return tuple(self._codec.operations(rows))


def register(connection: Connection, worker: str, host: str, now: Micros) -> bool:
    """Write the worker's row, or its heartbeat when it is there; False when it is gone."""
    if connection.execute(_KNOWN, {"name": worker}).first() is not None:
        return beat(connection, worker, now)
    row = {"id": worker, "host": host, "started": now, "seen": now, "gone": 0, "claims": 0}
    connection.execute(_NEW, row)
    return True


def beat(connection: Connection, worker: str, now: Micros) -> bool:
    """Write a heartbeat; False when the worker's row is gone."""
    return connection.execute(_BEAT, {"name": worker, "now": now}).rowcount == 1


def retire(connection: Connection, worker: str) -> None:
    """Say in the worker's row that it stops: its rows may be taken at once."""
    connection.execute(_RETIRE, {"name": worker})


def cancelled(connection: Connection, worker: str) -> dict[str, str]:
    """Open operations of this worker that were cancelled: their id -> the cancelling id."""
    rows = connection.execute(_CANCELLED, {"owner": worker})
    return {row.id: row.cancelled for row in rows}


def listed(connection: Connection) -> tuple[Worker, ...]:
    """All workers, the longest silent first."""
    statement = select(workers).order_by(workers.c.seen, workers.c.id)
    return tuple(
        Worker(id=row.id, host=row.host, started=row.started, seen=row.seen)
        for row in connection.execute(statement)
    )
