"""A fleet that Trove made is imported on every cloud, and managed from then on."""

import pytest
from msgspec.structs import replace

from consumer.imports.importing import Outcome, Place, compare, write
from consumer.imports.rows import Row, Verdict, Why
from handlers.commands import ResizeInstance, ResizeVolume, UpdateSecurityGroupRules
from handlers.instance import State
from tests.contract.managers.bench import TENANT, Bench
from tests.contract.managers.orders import DELETE
from tests.contract.managers.place import Deployment

pytestmark = pytest.mark.parametrize("manager", ["natives"], indirect=True)

SIZE = 2


def _made_by_trove(bench: Bench) -> Row:
    """An instance in the cloud, and its row in Trove's database."""
    subject, trove = bench.subject(), bench.place.trove
    port = trove.port(subject, trove.security_group(subject, "10.0.0.0/8"))
    volume = trove.volume(subject, size=1)
    return Row(
        id=subject,
        project=TENANT,
        server=trove.server(subject, port, volume),
        volume=volume,
        flavor=bench.site.small,
        volume_size=1,
    )


def _compared(on: Deployment, rows: list[Row], *, take: bool = False) -> Outcome:
    place = Place(on.scope.cloud, on.scope.region)
    return compare(rows, on.cloud, on.ledger, place, take_cloud_values=take)


def test_a_fleet_is_imported_and_managed_from_then_on(bench: Bench) -> None:
    on = bench.deployment
    rows = [_made_by_trove(bench) for _ in range(SIZE)]
    before, sent = bench.look(), on.traffic()

    outcome = _compared(on, rows)
    assert [each.mismatches for each in outcome.judgements] == [()] * SIZE
    written = write(outcome, on.ledger)
    again = _compared(on, rows)

    assert {each.verdict for each in written.judgements} == {Verdict.IMPORTED}
    assert {each.verdict for each in again.judgements} == {Verdict.KNOWN}
    assert on.traffic().changes == sent.changes
    records = [bench.record(row.id) for row in rows]
    assert {ref.id for one in records for ref in one.resources.values()} == before.ids
    assert {(one.manager, one.flavor, one.volume_size) for one in records} == {
        ("natives", bench.site.small, 1)
    }
    assert {rule.cidr for one in records for rule in one.rules} == {"10.0.0.0/8"}
    first = rows[0].id
    bench.succeed(first, ResizeVolume(project=TENANT, size=2))
    bench.succeed(first, ResizeInstance(project=TENANT, flavor=bench.site.large))
    bench.succeed(first, UpdateSecurityGroupRules(project=TENANT, cidrs=("::/0",)))
    assert bench.look().ids == before.ids
    for row in rows:
        bench.succeed(row.id, DELETE)
        assert bench.record(row.id).state is State.DELETED
    bench.nothing_is_left()


def test_what_differs_is_told_and_the_cloud_s_values_can_be_taken(bench: Bench) -> None:
    on = bench.deployment
    row = _made_by_trove(bench)
    other = replace(row, flavor=bench.site.large, volume_size=7)

    (told,) = _compared(on, [other]).judgements
    (taken,) = _compared(on, [other], take=True).judgements

    assert [each.why for each in told.mismatches] == [Why.FLAVOR, Why.VOLUME_SIZE]
    assert taken.record is not None
    assert (taken.record.flavor, taken.record.volume_size) == (bench.site.small, 1)
    write(_compared(on, [row]), on.ledger)
    bench.succeed(row.id, DELETE)
    bench.nothing_is_left()
