"""Records that no operation writes: what is imported, and pins."""

from collections.abc import Callable
from functools import partial

import pytest
from msgspec.structs import replace

from consumer.ledger.base import Ledger, Unavailable
from handlers.instance import Instance, State
from handlers.operation import SECOND, Operation, Phase
from tests.contract.ledger.builders import (
    EPOCH,
    accept,
    failure,
    offer,
    opened,
    opener,
    record,
    success,
)
from tests.contract.ledger.racing import at_once
from tests.contract.ledger.sites import Site, SqlSite
from tests.contract.ledger.test_failures import deaf

LATER = EPOCH + 3600 * SECOND


def test_records_are_imported_where_there_is_none(ledger: Ledger) -> None:
    assert ledger.import_records([record("s2"), record("s1")]) == (True, True)
    assert ledger.instances() == (record("s1"), record("s2"))
    assert ledger.import_records([]) == ()
    assert ledger.backlog().instances == {("NATIVES", "active"): 2}


def test_an_import_overwrites_nothing(site: Site) -> None:
    ledger = site.ledger
    gone = record("s1", State.DELETED)
    ledger.finish(success(opened(ledger), site.clock.now(), gone))
    ledger.import_records([record("s2")])
    again = [record("s2", flavor="f9"), record("s1"), record("s3"), record("s3", flavor="f9")]
    assert ledger.import_records(again) == (False, False, True, False)
    assert ledger.instances() == (gone, record("s2"), record("s3"))


def test_an_import_leaves_a_subject_to_the_operation_that_is_open_on_it(site: Site) -> None:
    ledger = site.ledger
    op = opened(ledger)
    assert ledger.import_records([record(), record("s2")]) == (False, True)
    ledger.finish(failure(op, site.clock.now()))
    assert ledger.instance("s1") is None
    assert ledger.import_records([record()]) == (True,)


def test_an_operation_that_opens_after_an_import_starts_from_its_record(ledger: Ledger) -> None:
    accept(ledger, offer("c1"))
    assert ledger.import_records([record()]) == (True,)
    (op,) = ledger.open("w1", opener, 10)
    assert op.basis == record()


def test_an_import_with_a_lost_answer_has_written(sql_site: SqlSite) -> None:
    with pytest.raises(Unavailable):
        deaf(sql_site).import_records([record()])
    assert sql_site.ledger.import_records([record()]) == (False,)
    assert sql_site.ledger.instance("s1") == record()
    assert opened(sql_site.ledger).basis == record()


def test_many_records_are_imported_in_one_call(ledger: Ledger) -> None:
    records = [record(f"s{n}") for n in range(1200)]
    assert ledger.import_records(records) == (True,) * 1200
    assert len(ledger.instances(limit=2000)) == 1200


def test_an_import_and_a_command_that_opens_at_the_same_time_agree(site: Site) -> None:
    one, two = site.ledger, site.another()
    for n in range(10):
        name = f"s{n}"
        accept(one, offer(f"c{n}", name))
        calls: list[Callable[[], object]] = [
            partial(one.import_records, [record(name)]),
            partial(two.open, "w1", opener, 10),
        ]
        imported, _ = at_once(calls)
        (op,) = [op for op in (*one.open("w1", opener, 10), *one.owned("w1")) if op.subject == name]
        assert imported == ((True,) if op.basis else (False,))
        assert one.instance(name) == op.basis


def test_two_imports_of_the_same_records_write_each_once(site: Site) -> None:
    one, two = site.ledger, site.another()
    for n in range(5):
        names = [f"s{n}-{place}" for place in range(20)]
        calls = [
            partial(one.import_records, [record(name, flavor="f1") for name in names]),
            partial(two.import_records, [record(name, flavor="f2") for name in reversed(names)]),
        ]
        first, second = (flags_of(result) for result in at_once(calls))
        assert [a is not b for a, b in zip(first, reversed(second), strict=True)] == [True] * 20
        flavors = ["f1" if won else "f2" for won in first]
        assert [found_in(one, name).flavor for name in names] == flavors


def flags_of(result: object) -> tuple[bool, ...]:
    assert isinstance(result, tuple), result
    return result


def found_in(ledger: Ledger, name: str) -> Instance:
    found = ledger.instance(name)
    assert found is not None
    return found


def test_a_pin_is_set_and_taken_away(ledger: Ledger) -> None:
    ledger.import_records([record()])
    pinned = replace(record(), pinned=True)
    for _ in range(2):
        assert ledger.pin("s1", pinned=True) == pinned
    assert ledger.instance("s1") == pinned
    assert opened(ledger).basis == pinned


def test_a_pin_goes(ledger: Ledger) -> None:
    ledger.import_records([replace(record(), pinned=True)])
    assert ledger.pin("s1", pinned=False) == record()
    assert ledger.instance("s1") == record()


def test_what_has_no_record_is_not_pinned(ledger: Ledger) -> None:
    with pytest.raises(LookupError):
        ledger.pin("s1", pinned=True)
    opened(ledger)
    assert ledger.instances() == ()


def test_nothing_is_pinned_while_an_operation_is_open_on_it(site: Site) -> None:
    ledger = site.ledger
    ledger.import_records([record()])
    op = opened(ledger)
    with pytest.raises(ValueError, match="open"):
        ledger.pin("s1", pinned=True)
    accept(ledger, offer("c2"))
    ledger.finish(success(op, site.clock.now(), record()))
    assert ledger.pin("s1", pinned=True).pinned, "what is queued does not count"
    (second,) = ledger.open("w1", opener, 10)
    assert second.basis == replace(record(), pinned=True)


def test_a_pin_and_a_command_that_opens_at_the_same_time_agree(site: Site) -> None:
    one, two = site.ledger, site.another()
    one.import_records([record(f"s{n}") for n in range(10)])
    for n in range(10):
        accept(one, offer(f"c{n}", f"s{n}"))
        calls: list[Callable[[], object]] = [
            partial(one.pin, f"s{n}", pinned=True),
            partial(two.open, "w1", opener, 10),
        ]
        pinned, _ = at_once(calls)
        found = (*one.open("w1", opener, 10), *one.owned("w1"))
        (op,) = [op for op in found if op.subject == f"s{n}"]
        assert op.basis is not None
        assert op.basis.pinned is isinstance(pinned, Instance)
        one.finish(success(op, site.clock.now(), op.basis))
        assert found_in(one, f"s{n}").pinned is isinstance(pinned, Instance)


def test_an_operation_that_is_resumed_keeps_a_pin_that_was_set_since(site: Site) -> None:
    ledger = site.ledger
    ledger.import_records([record()])
    ledger.finish(failure(opened(ledger), site.clock.now(), record()))
    ledger.pin("s1", pinned=True)
    again = ledger.reopen("c1", "w1", LATER)
    assert again.basis == replace(record(), pinned=True)
    assert ledger.owned("w1") == (again,)


def test_a_create_whose_remains_were_pinned_is_not_resumed(site: Site) -> None:
    ledger = site.ledger
    left = record(state=State.ERROR)
    ledger.finish(failure(opened(ledger), site.clock.now(), left))
    ledger.pin("s1", pinned=True)
    with pytest.raises(ValueError, match="pinned since"):
        ledger.reopen("c1", "w1", LATER)
    ledger.pin("s1", pinned=False)
    assert ledger.reopen("c1", "w1", LATER).phase is Phase.FORWARD


def test_an_operation_is_not_resumed_over_a_record_that_was_imported_since(site: Site) -> None:
    ledger = site.ledger
    ledger.finish(failure(opened(ledger), site.clock.now()))
    site.clock.advance(1)
    ledger.import_records([record()])
    with pytest.raises(ValueError, match="imported since"):
        ledger.reopen("c1", "w1", LATER)
    assert opened(ledger, "c2").basis == record()


def test_many_operations_are_read_by_their_ids(site: Site) -> None:
    ledger = site.ledger
    accept(ledger, *(offer(f"c{n}", f"s{n}") for n in range(1100)))
    (op,) = ledger.open("w1", opener, 1)
    names = [f"c{n}" for n in range(0, 1100, 2)]
    found = ledger.operations_of([*names, "c9999", "c0"])
    assert found.keys() == set(names)
    assert found[op.id].phase is Phase.FORWARD
    assert all(isinstance(one, Operation) for one in found.values())
    assert ledger.operations_of([]) == {}
