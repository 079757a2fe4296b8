"""Comparing rows with the cloud and with the ledger. Pure: no request is made here."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from consumer.imports.inventory import Inventory
from consumer.imports.parts import Parts, parts_of, wrong_parts
from consumer.imports.rows import Judgement, Mismatch, Row, Verdict, Why
from handlers.instance import Instance, Ref, Scope, State
from handlers.keys import GROUP, NAMED_PORT, SERVER, VOLUME
from handlers.natives import NAME as NATIVES
from handlers.resources import Kind

#: Codes of Trove's tasks (trove/instance/tasks.py): nothing, restart required; build errors.
_IDLE = frozenset({1, 7})
_BROKEN = range(0x50, 0x59)


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What rows are compared with: the cloud, the ledger's records by instance, the instances by
    the ids that are recorded for them, and the ids that more than one row names."""

    cloud: str
    region: str
    inventory: Inventory
    records: Mapping[str, Instance]
    owners: Mapping[str, str]
    crowded: frozenset[str]
    take_cloud_values: bool = False


def ground_of(
    rows: Iterable[Row],
    inventory: Inventory,
    records: Iterable[Instance],
    *,
    place: tuple[str, str],
    take_cloud_values: bool = False,
) -> Ground:
    """`place` is cloud and region. Rows of other regions do not count."""
    cloud, region = place
    known = {record.id: record for record in records}
    named = Counter(
        each for row in rows if _is_here(row, region) for each in (row.id, *dict.fromkeys(row.ids))
    )
    return Ground(
        cloud=cloud,
        region=region,
        inventory=inventory,
        records=known,
        owners={
            ref.id: record.id
            for record in known.values()
            if record.state is not State.DELETED
            for ref in record.resources.values()
        },
        crowded=frozenset(one for one, times in named.items() if times > 1),
        take_cloud_values=take_cloud_values,
    )


def judge(row: Row, ground: Ground) -> Judgement:
    """What becomes of a row: everything that does not match is named, not the first thing only."""
    if not _is_here(row, ground.region):
        return Judgement(row=row, verdict=Verdict.ELSEWHERE, notes=(f"region {row.region}",))
    record = ground.records.get(row.id)
    if record is not None:
        return against(row, record)
    parts = parts_of(row, ground.inventory)
    differing = tuple(_values(row, parts))
    wrong = (
        *_row(row),
        *_crowd(row, parts, ground),
        *wrong_parts(row, parts, ground.inventory),
        *(() if ground.take_cloud_values else differing),
    )
    notes = tuple(each.text for each in differing) if ground.take_cloud_values else ()
    if wrong:
        return Judgement(row=row, verdict=Verdict.MISMATCH, mismatches=wrong, notes=notes)
    made = _record(row, parts, Scope(ground.cloud, ground.region, row.project))
    return Judgement(row=row, verdict=Verdict.NEW, record=made, notes=notes)


def against(row: Row, record: Instance) -> Judgement:
    """A row whose instance is recorded: KNOWN, unless other ids or another project are recorded.

    A record is never changed; what the row names beyond it is a note.
    """
    wrong = tuple(_other_record(row, record))
    if wrong:
        return Judgement(row=row, verdict=Verdict.MISMATCH, mismatches=wrong)
    lacks = set(row.ids) - {ref.id for ref in record.resources.values()}
    notes = tuple(f"recorded without {one}" for one in sorted(lacks))
    return Judgement(row=row, verdict=Verdict.KNOWN, record=record, notes=notes)


def _is_here(row: Row, region: str) -> bool:
    return row.region in ("", region)


def _other_record(row: Row, record: Instance) -> Iterator[Mismatch]:
    if record.state is State.DELETED:
        yield Mismatch(Why.DELETED, "it is recorded as deleted")
        return
    if row.project and row.project != record.scope.project:
        yield Mismatch(Why.RECORDED, f"it is recorded under project {record.scope.project}")
    named = (
        (Kind.SERVER, (row.server,)),
        (Kind.VOLUME, (row.volume,)),
        (Kind.PORT, row.ports),
        (Kind.SECURITY_GROUP, (row.security_group,)),
    )
    for kind, ids in named:
        recorded = record.ids(kind)
        for one in ids:
            if one and recorded and one not in recorded:
                text = f"{kind} {one} is named, {', '.join(recorded)} recorded"
                yield Mismatch(Why.RECORDED, text)


def _row(row: Row) -> Iterator[Mismatch]:
    """What the row says of itself."""
    if not row.project:
        yield Mismatch(Why.INCOMPLETE, "it names no project")
    if not row.server:
        yield Mismatch(Why.INCOMPLETE, "it names no server")
    if row.volume_size and not row.volume:
        yield Mismatch(Why.INCOMPLETE, f"it has {row.volume_size} GiB, but names no volume")
    if row.task in _BROKEN:
        yield Mismatch(Why.FAILED, f"Trove says: {row.doing or row.task}")
    elif row.task not in _IDLE:
        yield Mismatch(Why.BUSY, f"Trove is busy with it: {row.doing or row.task}")


def _crowd(row: Row, parts: Parts, ground: Ground) -> Iterator[Mismatch]:
    """Instances and resources that somebody else names or has too."""
    if row.id in ground.crowded:
        yield Mismatch(Why.SHARED, f"instance {row.id} is in more than one row")
    for one in dict.fromkeys(row.ids):
        if one in ground.crowded:
            yield Mismatch(Why.SHARED, f"{one} is named by more than one row")
    for one in sorted({*row.ids, *parts.ids} & ground.owners.keys()):
        yield Mismatch(Why.SHARED, f"{one} is recorded for instance {ground.owners[one]}")


def _values(row: Row, parts: Parts) -> Iterator[Mismatch]:
    """Where the cloud has another flavor or size than the row."""
    server, volume = parts.server, parts.volume
    if row.flavor and server is not None and server.flavor != row.flavor:
        text = f"server {server.id} has flavor {server.flavor}, not {row.flavor}"
        yield Mismatch(Why.FLAVOR, text)
    if row.volume_size and volume is not None and volume.size != row.volume_size:
        text = f"volume {volume.id} has {volume.size} GiB, not {row.volume_size}"
        yield Mismatch(Why.VOLUME_SIZE, text)


def _record(row: Row, parts: Parts, scope: Scope) -> Instance:
    found = [(SERVER, parts.server), (VOLUME, parts.volume)]
    keyed = [
        *((key, one) for key, one in found if one is not None),
        *((f"{NAMED_PORT}{n}", port) for n, port in enumerate(parts.ports)),
        *([(GROUP, parts.group)] if parts.group else []),
    ]
    return Instance(
        id=row.id,
        scope=scope,
        manager=NATIVES,
        resources={key: Ref(kind=one.kind, id=one.id, role=key) for key, one in keyed},
        flavor=parts.server.flavor if parts.server else "",
        volume_size=parts.volume.size if parts.volume else 0,
        rules=tuple(rule.wanted for rule in parts.group.rules) if parts.group else (),
    )
