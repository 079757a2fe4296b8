"""Views, figures and the outbox."""

from collections.abc import Collection, Iterable

import msgspec
from sqlalchemy import Connection, bindparam, func, select, update

from consumer.ledger.base import Backlog
from consumer.ledger.sql.accepting import PENDING
from consumer.ledger.sql.codec import OPERATION_COLUMNS, Codec
from consumer.ledger.sql.fleets import chunks
from consumer.ledger.sql.schema import instances, operations, outbox, workers
from handlers.events import Event, News
from handlers.instance import Instance
from handlers.operation import Micros, Operation, Phase

_UNSENT = (
    select(outbox.c.event)
    .where(outbox.c.sent == 0)
    .order_by(outbox.c.number)
    .limit(bindparam("rows"))
)
_TOLD = (
    select(outbox.c.event).where(outbox.c.operation == bindparam("name")).order_by(outbox.c.number)
)
_SENT = (
    update(outbox)
    .where(outbox.c.id.in_(bindparam("ids", expanding=True)))
    .values(sent=bindparam("now"))
)
_OPERATION = select(*OPERATION_COLUMNS).where(operations.c.id == bindparam("name"))
_OPERATIONS_OF = select(*OPERATION_COLUMNS).where(
    operations.c.id.in_(bindparam("ids", expanding=True))
)
_INSTANCE = select(instances.c.record).where(instances.c.id == bindparam("name"))
_INSTANCES = (
    select(instances.c.record)
    .where(instances.c.id > bindparam("after"))
    .order_by(instances.c.id)
    .limit(bindparam("rows"))
)
_OF_PENDING = operations.c.phase.in_(PENDING)
_OPERATION_COUNTS = (
    select(operations.c.manager, operations.c.command, operations.c.phase, func.count())
    .where(_OF_PENDING)
    .group_by(operations.c.manager, operations.c.command, operations.c.phase)
)
_INSTANCE_COUNTS = select(instances.c.manager, instances.c.state, func.count()).group_by(
    instances.c.manager, instances.c.state
)
_OLDEST_OPERATION = select(func.min(operations.c.accepted)).where(_OF_PENDING)
_OUTBOX = select(func.count(), func.min(outbox.c.time)).where(outbox.c.sent == 0)
_WORKERS = select(func.count()).select_from(workers)


class Reading:
    """Answers questions; the caller holds the connection. Secrets are left out of what it shows."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    def unsent(self, connection: Connection, limit: int) -> tuple[News, ...]:
        return self._events(connection.execute(_UNSENT, {"rows": limit}).scalars())

    def events(self, connection: Connection, operation: str) -> tuple[Event, ...]:
        told = self._events(connection.execute(_TOLD, {"name": operation}).scalars())
        return tuple(event for event in told if isinstance(event, Event))

    def _events(self, texts: Iterable[str]) -> tuple[News, ...]:
        """Those that this release can read: a newer worker sends what a newer one wrote."""
        events: list[News] = []
        for text in texts:
            try:
                events.append(self._codec.event(text))
            except msgspec.MsgspecError:
                continue
        return tuple(events)

    def operation(self, connection: Connection, operation: str) -> Operation | None:
        row = connection.execute(_OPERATION, {"name": operation}).mappings().first()
        return self._codec.operation(row, secrets=False) if row else None

    def operations(
        self, connection: Connection, phases: Collection[Phase], subject: str, limit: int
    ) -> tuple[Operation, ...]:
        statement = (
            select(*OPERATION_COLUMNS)
            .order_by(operations.c.accepted.desc(), operations.c.seq.desc(), operations.c.id.desc())
            .limit(limit)
        )
        if phases:
            names = sorted(phase.value for phase in phases)
            statement = statement.where(operations.c.phase.in_(names))
        if subject:
            statement = statement.where(operations.c.subject == subject)
        rows = connection.execute(statement).mappings().all()
        return tuple(self._codec.operations(rows, secrets=False))

    def operations_of(self, connection: Connection, ids: Collection[str]) -> dict[str, Operation]:
        found: list[Operation] = []
        for some in chunks(sorted(ids)):
            rows = connection.execute(_OPERATIONS_OF, {"ids": some}).mappings().all()
            found += self._codec.operations(rows, secrets=False)
        return {op.id: op for op in found}

    def instance(self, connection: Connection, subject: str) -> Instance | None:
        text = connection.execute(_INSTANCE, {"name": subject}).scalar()
        return self._codec.instance(text) if text else None

    def instances(self, connection: Connection, limit: int, after: str) -> tuple[Instance, ...]:
        texts = connection.execute(_INSTANCES, {"after": after, "rows": limit}).scalars()
        return tuple(self._codec.instance(text) for text in texts)

    def backlog(self, connection: Connection, now: Micros) -> Backlog:
        oldest = connection.execute(_OLDEST_OPERATION).scalar()
        unsent, first = connection.execute(_OUTBOX).one()
        return Backlog(
            operations={
                (manager, command, phase): count
                for manager, command, phase, count in connection.execute(_OPERATION_COUNTS)
            },
            instances={
                (manager, state): count
                for manager, state, count in connection.execute(_INSTANCE_COUNTS)
            },
            oldest_operation=_age(oldest, now),
            outbox=unsent,
            oldest_event=_age(first, now),
            workers=connection.execute(_WORKERS).scalar_one(),
        )


def sent(connection: Connection, events: Collection[str], now: Micros) -> None:
    """These events were published."""
    if events:
        connection.execute(_SENT, {"ids": sorted(events), "now": now})


def _age(since: Micros | None, now: Micros) -> float:
    return max(0.0, (now - since) / 1e6) if since else 0.0
