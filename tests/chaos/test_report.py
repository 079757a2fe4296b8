"""The page that `make chaos` writes speaks of all that there is, and of nothing else."""

import re
from pathlib import Path

from tests.chaos.ablation import ABLATIONS
from tests.chaos.campaign import Found, Results
from tests.chaos.explorer import Explorer
from tests.chaos.mutants import MUTANTS
from tests.chaos.play import play
from tests.chaos.report import report
from tests.chaos.scenarios import CASES, ENGINES, Case
from tests.chaos.schedule import Do, Schedule
from tests.chaos.tally import Tally

CASE = Case("natives", "group-create")

PAGE = Path(__file__).parents[2] / "docs" / "chaos.md"


def test_the_page_is_about_the_suite_as_it_is() -> None:
    page = PAGE.read_text()

    rows = set(re.findall(r"^\| ([^|]+?) \|", page, re.MULTILINE))
    cases = set(re.findall(r"^\| (\w+) \| ([^|]+?) \|", page, re.MULTILINE))
    assert set(CASES) <= cases, "run `make chaos`"
    assert {*ABLATIONS, *(each.name for each in MUTANTS)} <= rows, "run `make chaos`"


def test_the_page_says_that_nothing_went_wrong_and_everything_was_noticed() -> None:
    page = PAGE.read_text()

    total = re.search(r"^\| all \|(.*)\|$", page, re.MULTILINE)
    assert total is not None
    played, *by_manager, wrong = map(int, total[1].split("|"))
    assert len(by_manager) == len(ENGINES)
    assert played == sum(by_manager)
    assert played >= 20_000
    assert min(by_manager) >= 2_000
    assert wrong == 0
    assert "| NO |" not in page
    assert "| 0 of " not in page


def test_a_campaign_complains_of_whatever_nobody_noticed() -> None:
    results = Results(ablations={"an idea": Found(played=9)}, mutants={"a mistake": False})

    assert results.complaints() == ["nobody misses: an idea", "nobody noticed: a mistake"]


def test_a_tally_complains_of_what_was_not_covered() -> None:
    tally = Tally()
    Explorer(CASE, tally).places(Do.CRASH)
    assert tally.is_good

    for cell in [cell for cell in tally.cells if cell.place == "in-call"]:
        del tally.cells[cell]

    assert {cell[3] for cell in tally.missing()} == {"in-call"}
    assert "not covered" in tally.explain()


def test_the_report_has_a_row_for_each_step_that_acts() -> None:
    results = Results()
    Explorer(CASE, results.tally).places(Do.CRASH)
    results.tally.add("random", play(Schedule(scenario="group-create")))

    page = report(results)

    assert "| natives | group-create | security-group |" in page
    assert "| natives | group-create | rules |" in page
    assert "| random | 1 | 1 | 0 | 0 |" in page
