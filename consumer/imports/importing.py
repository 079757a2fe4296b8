"""An import from end to end: rows, cloud and ledger are compared, then records are written."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from consumer.imports.inventory import Inventory, inventory_of
from consumer.imports.judging import against, ground_of, judge
from consumer.imports.rows import Judgement, Mismatch, Row, Verdict, Why
from consumer.listing import Listing
from handlers.instance import Instance
from handlers.resources import Kind

#: Records that are read, or written in one transaction, at once.
_BATCH = 500


class Records(Protocol):
    """What an import asks of the ledger: these are three methods of `Ledger`."""

    def instance(self, subject: str) -> Instance | None: ...

    def instances(self, limit: int = 100, after: str = "") -> tuple[Instance, ...]: ...

    def import_records(self, records: Sequence[Instance]) -> tuple[bool, ...]: ...


class Place(NamedTuple):
    """Where the fleet lives: an entry of clouds.yaml, and one of its regions."""

    cloud: str
    region: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """All rows with what became of them, in the source's order.

    `unlisted` are instances whose servers the cloud has, but neither the source nor the ledger.
    `no_heat` says why nobody could look whether stacks have them; empty when somebody did.
    """

    place: Place
    project: str
    judgements: tuple[Judgement, ...]
    unlisted: tuple[str, ...] = ()
    no_heat: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """Rows by verdict."""
        found = Counter(each.verdict for each in self.judgements)
        return {str(verdict): found[verdict] for verdict in Verdict}

    @property
    def mismatches(self) -> Iterator[tuple[str, Mismatch]]:
        """Instance and what does not match, as often as there is something."""
        for each in self.judgements:
            for wrong in each.mismatches:
                yield each.row.id, wrong

    @property
    def matches(self) -> bool:
        """Whether nothing speaks against any row."""
        return not any(each.mismatches for each in self.judgements)


def compare(
    rows: Sequence[Row],
    cloud: Listing,
    ledger: Records,
    place: Place,
    *,
    take_cloud_values: bool = False,
) -> Outcome:
    """Look at everything and write nothing; raises the faults of cloud and ledger.

    The cloud is asked for one listing per kind of resource, whatever the number of rows.
    """
    records = tuple(_records(ledger))
    inventory = inventory_of(cloud)
    ground = ground_of(rows, inventory, records, place=place, take_cloud_values=take_cloud_values)
    return Outcome(
        place=place,
        project=inventory.project,
        judgements=tuple(judge(row, ground) for row in rows),
        unlisted=_unlisted(inventory, {row.id for row in rows} | ground.records.keys()),
        no_heat=inventory.no_heat,
    )


def write(outcome: Outcome, ledger: Records) -> Outcome:
    """Write what is new, each instance wholly or not at all; raises Unavailable.

    Safe to repeat after any end: what was written is KNOWN then. Whatever got a record since the
    comparison keeps it, and is compared with it.
    """
    new = [(n, each.record) for n, each in enumerate(outcome.judgements) if _is_new(each)]
    judged = list(outcome.judgements)
    for start in range(0, len(new), _BATCH):
        some = new[start : start + _BATCH]
        written = ledger.import_records([record for _, record in some if record is not None])
        for (n, _), done in zip(some, written, strict=True):
            judged[n] = _written(judged[n]) if done else _refused(judged[n], ledger)
    return replace(outcome, judgements=tuple(judged))


def _is_new(judgement: Judgement) -> bool:
    return judgement.verdict is Verdict.NEW and judgement.record is not None


def _written(judgement: Judgement) -> Judgement:
    return replace(judgement, verdict=Verdict.IMPORTED)


def _refused(judgement: Judgement, ledger: Records) -> Judgement:
    record = ledger.instance(judgement.row.id)
    if record is not None:
        return against(judgement.row, record)
    busy = Mismatch(Why.BUSY, "a command for it is under way here")
    return replace(judgement, verdict=Verdict.MISMATCH, record=None, mismatches=(busy,))


def _records(ledger: Records) -> Iterator[Instance]:
    after = ""
    while page := ledger.instances(_BATCH, after):
        yield from page
        after = page[-1].id


def _unlisted(inventory: Inventory, known: set[str]) -> tuple[str, ...]:
    there = {subject for kind, subject in inventory.carried if kind is Kind.SERVER}
    return tuple(sorted(there - known))
