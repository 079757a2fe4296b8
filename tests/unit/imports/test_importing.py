"""A whole import: how often it asks, what it writes, and that it may be repeated."""

import json
import time
from pathlib import Path

from msgspec.structs import replace

from consumer.imports import report
from consumer.imports.importing import Outcome, write
from consumer.imports.rows import Verdict, Why
from consumer.ledger.memory import MemoryLedger
from handlers.instance import Instance
from handlers.resources import Kind
from tests.unit.imports.fleet import Book, Sky, compared, parts, reasons, row, subject


def verdicts(outcome: Outcome) -> list[Verdict]:
    return [each.verdict for each in outcome.judgements]


def fleet(size: int) -> Sky:
    return Sky(*(one for n in range(size) for one in parts(n)))


def test_a_fleet_of_any_size_costs_one_listing_per_kind() -> None:
    sky = fleet(300)

    outcome = compared(sky, *map(row, range(300)))

    assert outcome.matches
    assert sorted(sky.asked) == sorted(Kind)


def test_ten_thousand_rows_are_compared_in_less_than_a_minute() -> None:
    sky, rows = fleet(10_000), [row(n) for n in range(10_000)]

    began = time.monotonic()
    outcome = compared(sky, *rows)

    assert outcome.counts["new"] == 10_000
    assert time.monotonic() - began < 60


def test_comparing_writes_nothing() -> None:
    book = Book()

    compared(fleet(3), *map(row, range(3)), book=book)

    assert (book.writes, book.kept) == (0, {})


def test_what_matches_is_written_and_the_rest_left_out() -> None:
    sky, book = fleet(3), Book()
    sky.change("server-1", status="ERROR")

    outcome = write(compared(sky, *map(row, range(3)), book=book), book)

    assert verdicts(outcome) == [
        Verdict.IMPORTED,
        Verdict.MISMATCH,
        Verdict.IMPORTED,
    ]
    assert set(book.kept) == {subject(0), subject(2)}
    assert not outcome.matches


def test_a_second_import_knows_everything_and_changes_nothing() -> None:
    sky, book = fleet(3), Book()
    write(compared(sky, *map(row, range(3)), book=book), book)
    before = dict(book.kept)

    outcome = write(compared(sky, *map(row, range(3)), book=book), book)

    assert set(verdicts(outcome)) == {Verdict.KNOWN}
    assert book.kept == before
    assert book.writes == 1


def test_more_records_than_one_transaction_takes_are_all_written() -> None:
    sky, book = fleet(1_101), Book()

    outcome = write(compared(sky, *map(row, range(1_101)), book=book), book)

    assert outcome.counts["imported"] == len(book.kept) == 1_101
    assert book.writes == 3


def test_a_record_that_came_in_between_is_kept_and_compared() -> None:
    sky, book = fleet(2), Book()
    outcome = compared(sky, row(0), row(1), book=book)
    first, second = (each.record for each in outcome.judgements)
    assert first is not None
    assert second is not None
    other = replace(second.resources["server"], id="server-9")
    book.kept[subject(0)] = replace(first, flavor="9")
    book.kept[subject(1)] = replace(second, resources={**second.resources, "server": other})

    written = write(outcome, book)

    assert verdicts(written) == [Verdict.KNOWN, Verdict.MISMATCH]
    assert book.kept[subject(0)].flavor == "9"


def test_an_instance_with_a_command_under_way_is_left_out() -> None:
    book = Book()
    book.locked.add(subject(0))

    (found,) = write(compared(fleet(1), row(0), book=book), book).judgements

    assert (found.verdict, reasons(found)) == (Verdict.MISMATCH, [Why.BUSY])


def test_instances_that_only_the_cloud_has_are_told() -> None:
    recorded: list[Instance] = []
    for each in compared(fleet(1), row(0)).judgements:
        assert each.record is not None
        recorded.append(each.record)

    outcome = compared(fleet(4), row(1), book=Book(*recorded))

    assert outcome.unlisted == (subject(2), subject(3))


def test_a_ledger_takes_what_an_import_writes() -> None:
    ledger = MemoryLedger(lambda: 1_700_000_000_000_000)

    for expected in (Verdict.IMPORTED, Verdict.KNOWN):
        outcome = write(compared(fleet(2), row(0), row(1), book=ledger), ledger)
        assert set(verdicts(outcome)) == {expected}

    assert [each.id for each in ledger.instances()] == [subject(0), subject(1)]


def test_a_cloud_without_heat_is_imported_all_the_same_and_told() -> None:
    sky = fleet(1)
    sky.no_heat = "the catalogue has no Heat"

    outcome = compared(sky, row(0))

    assert outcome.matches
    assert "stacks were not looked at: the catalogue has no Heat" in report.summary(outcome)


# -- reports --------------------------------------------------------------------------------------


def test_a_report_is_written_for_programs_and_for_people(tmp_path: Path) -> None:
    sky = fleet(3)
    sky.change("server-0", status="ERROR", fault="No | host")
    outcome = compared(sky, row(0), replace(row(1), flavor="9"), take=True)

    data, page = report.save(tmp_path / "fleet.md", outcome, "fleet.csv", dry_run=True)

    told = json.loads(data.read_bytes())
    assert (data.name, page.name) == ("fleet.json", "fleet.md")
    assert told["counts"] == {"new": 1, "imported": 0, "known": 0, "elsewhere": 0, "mismatch": 1}
    assert told["instances"][0]["mismatches"][0]["why"] == "failed"
    assert told["unlisted"] == [subject(2)]
    text = page.read_text()
    assert "fleet.csv, compared with cloud trove/RegionOne, project service." in text
    assert "A dry run: nothing was written." in text
    assert f"| {subject(0)} | failed | server server-0 is ERROR: No \\| host |" in text
    assert f"| {subject(1)} | server server-1 has flavor 2, not 9 |" in text


def test_a_report_s_name_may_have_dots(tmp_path: Path) -> None:
    data, page = report.save(tmp_path / "2026.11", compared(Sky()), "fleet.csv", dry_run=False)

    assert (data.name, page.name) == ("2026.11.json", "2026.11.md")


def test_the_summary_tells_every_verdict() -> None:
    assert set(report.MEANING) == {str(each) for each in Verdict}
