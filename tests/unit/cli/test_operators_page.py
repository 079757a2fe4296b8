"""docs/operators.md and migration.md: their command lines parse; the first leaves no command and no
exit code out."""

import io
import re
import shlex
from pathlib import Path

import pytest

from consumer.cli.main import COMMANDS, Main
from consumer.fleet.eligibility import Risk, Why
from consumer.worker import Outcome
from tests.unit.cli.conftest import Bench

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "operators.md").read_text()
FLEETS = (DOCS / "migration.md").read_text()
EXAMPLE = re.compile(r"^    trove-resources (.+)$", re.MULTILINE)
LINES = EXAMPLE.findall(PAGE)


@pytest.mark.parametrize("line", sorted({*LINES, *EXAMPLE.findall(FLEETS)}))
def test_an_example_is_a_command_line_that_parses(line: str) -> None:
    main = Main(lambda files: Bench(), io.StringIO(), io.StringIO())
    options, rest = main.parser.parse_known_args(shlex.split(line))
    factory, name, arguments = main.command_manager.find_command(rest)

    command = factory(main, options)

    assert name in COMMANDS
    command.get_parser(f"trove-resources {name}").parse_args(arguments)


def test_every_command_has_an_example_and_a_line_in_the_table() -> None:
    listed = set(re.findall(r"^\| `([a-z ]+)` \|", PAGE, re.MULTILINE))
    shown = {name for name in COMMANDS if any(_begins(line, name) for line in LINES)}

    assert listed == set(COMMANDS)
    assert set(COMMANDS) - shown == {"demo"}  # it needs no installation: see README.md


def _begins(line: str, name: str) -> bool:
    without = re.sub(r"^(--\S+ \S+ )*", "", line)
    return without == name or without.startswith(f"{name} ")


def test_every_exit_code_of_a_worker_is_explained() -> None:
    codes = set(map(int, re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)))

    assert codes == {outcome.value for outcome in Outcome}


def test_every_reason_and_every_risk_of_a_plan_is_explained() -> None:
    assert {name for name in (*Why, *Risk) if f"`{name}`" not in FLEETS} == set()
