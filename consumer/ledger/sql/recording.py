"""Records that no operation writes: imported ones, and pins; the caller holds the transaction.

Both take the locks of their subjects until the commit, as an operation that opens does: it waits,
and finds what was written; or they find its lock, and leave the subject to it.
"""

from collections.abc import Sequence
from uuid import uuid4

from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from consumer.ledger.sql.codec import Codec
from consumer.ledger.sql.saving import LOCK
from consumer.ledger.sql.schema import instances, locks
from handlers.instance import Instance
from handlers.operation import Micros

_HELD = select(locks.c.subject).where(
    locks.c.subject.in_(bindparam("subjects", expanding=True)),
    locks.c.operation == bindparam("holder"),
)
_UNLOCK = delete(locks).where(
    locks.c.subject.in_(bindparam("subjects", expanding=True)),
    locks.c.operation == bindparam("holder"),
)
_THERE = select(instances.c.id).where(instances.c.id.in_(bindparam("subjects", expanding=True)))
_NEW = insert(instances)
_RECORD = select(instances.c.record).where(instances.c.id == bindparam("name"))
_PIN = update(instances).where(instances.c.id == bindparam("name")).values(record=bindparam("text"))


def write_new(
    connection: Connection, codec: Codec, records: Sequence[Instance], now: Micros
) -> tuple[bool, ...]:
    """Write those that have no record and no open operation; the first of two for a subject."""
    wanted = {one.id: one for one in reversed(records)}
    holder = str(uuid4())
    held = _take(connection, sorted(wanted), holder)
    there = connection.execute(_THERE, {"subjects": held}).scalars().all()
    new = set(held).difference(there)
    if new:
        connection.execute(_NEW, [codec.record(wanted[name], now) for name in sorted(new)])
    _free(connection, held, holder)
    first = {one.id: place for place, one in reversed(list(enumerate(records)))}
    return tuple(one.id in new and first[one.id] == place for place, one in enumerate(records))


def pin(connection: Connection, codec: Codec, subject: str, *, pinned: bool) -> Instance:
    """As Ledger.pin promises."""
    holder = str(uuid4())
    if not _take(connection, [subject], holder):
        raise ValueError(f"an operation of {subject} is open")
    text = connection.execute(_RECORD, {"name": subject}).scalar()
    if text is None:
        raise LookupError(f"there is no record of {subject}")
    after = replace(codec.instance(text), pinned=pinned)
    values = {"name": subject, "text": codec.record(after, 0)["record"]}
    connection.execute(_PIN, values)
    _free(connection, [subject], holder)
    return after


def _take(connection: Connection, subjects: list[str], holder: str) -> list[str]:
    """Lock what is free of these subjects, in their order: no deadlock with those that open."""
    rows = [{"subject": name, "operation": holder} for name in subjects]
    connection.execute(LOCK[connection.dialect.name], rows)
    return sorted(connection.execute(_HELD, {"subjects": subjects, "holder": holder}).scalars())


def _free(connection: Connection, subjects: list[str], holder: str) -> None:
    connection.execute(_UNLOCK, {"subjects": subjects, "holder": holder})
