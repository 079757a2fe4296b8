"""instances import, pin, unpin and show: what they print, write and end with."""

import json
import re
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from consumer.config import Settings
from consumer.config.fleet import Trove
from consumer.imports.rows import Row, Why
from handlers.commands import DeleteInstance
from handlers.instance import Instance, Ref
from handlers.resources import Kind
from handlers.secret import Secret
from tests.support.small_cloud import MYSQL, OFFICE, SUBJECT
from tests.unit.cli.conftest import SCOPE, Bench

PAGE = Path(__file__).parents[3] / "docs" / "operators.md"


def lived_in(bench: Bench) -> Row:
    """An instance in the cloud, and its row in Trove's database."""
    small = bench.small
    group, volume = small.group(), small.volume()
    small.rules(group, OFFICE)
    server = small.active(ports=[small.port(SUBJECT, group)], volumes=[volume])
    return Row(
        id=SUBJECT,
        project=SCOPE.project,
        server=server,
        volume=volume,
        flavor="1",
        volume_size=1,
        region=SCOPE.region,
    )


def test_an_instance_of_trove_s_database_becomes_a_record(bench: Bench) -> None:
    row = lived_in(bench)
    bench.in_trove = (row,)

    done = bench.run("instances", "import", "--trove-database", "mysql+pymysql://u:pl4nted@h/t")

    record = bench.memory.instance(SUBJECT)
    assert done.code == 0
    assert done.err == "1 recorded now\n"
    assert record is not None
    assert (record.manager, record.scope) == ("natives", SCOPE)
    assert record.ids(Kind.SERVER) == (row.server,)
    assert [rule.ports for rule in record.rules] == [MYSQL]


def test_a_dry_run_writes_nothing(bench: Bench) -> None:
    bench.in_trove = (lived_in(bench),)

    done = bench.run("instances", "import", "--trove-database", "mysql://h/t", "--dry-run")

    assert done.code == 0
    assert done.err == "1 match, and are not recorded\nA dry run: nothing was written.\n"
    assert bench.memory.instances() == ()


def test_a_second_import_knows_it(bench: Bench) -> None:
    bench.in_trove = (lived_in(bench),)
    bench.run("instances", "import", "--trove-database", "mysql://h/t")

    done = bench.run("instances", "import", "--trove-database", "mysql://h/t")

    assert (done.code, done.err) == (0, "1 were recorded before\n")


def test_what_does_not_match_is_a_row_of_the_table_and_an_exit_code(bench: Bench) -> None:
    bench.in_trove = (replace(lived_in(bench), flavor="9"),)

    done = bench.run("instances", "import", "--trove-database", "mysql://h/t", "-f", "json")

    (told,) = json.loads(done.out)
    assert done.code == 1
    assert (told["Instance"], told["Why"]) == (SUBJECT, "flavor")
    assert "--take-cloud-values" in told["What to do"]
    assert bench.memory.instances() == ()


def test_the_cloud_s_values_are_recorded_when_asked_for(bench: Bench) -> None:
    bench.in_trove = (replace(lived_in(bench), flavor="9"),)

    done = bench.run(
        "instances", "import", "--trove-database", "mysql://h/t", "--take-cloud-values"
    )

    record = bench.memory.instance(SUBJECT)
    assert done.code == 0
    assert record is not None
    assert record.flavor == "1"


def test_a_file_is_a_source_too_and_reports_are_written(bench: Bench, tmp_path: Path) -> None:
    row = lived_in(bench)
    given = {name: getattr(row, name) for name in ("id", "project", "server", "volume")}
    (tmp_path / "fleet.json").write_bytes(msgspec.json.encode([given]))

    done = bench.run(
        "instances",
        "import",
        "--from",
        str(tmp_path / "fleet.json"),
        "--report",
        str(tmp_path / "told"),
    )

    assert done.code == 0
    assert json.loads((tmp_path / "told.json").read_bytes())["counts"]["imported"] == 1
    assert "# Import of instances" in (tmp_path / "told.md").read_text()


def test_the_url_may_come_from_the_configuration(bench: Bench) -> None:
    bench.settings = Settings(trove=Trove(database=Secret("mysql://u:pl4nted@h/t")))

    done = bench.run("instances", "import", "--trove-database", "--dry-run")

    assert bench.asked_trove == [Secret("mysql://u:pl4nted@h/t")]
    assert "pl4nted" not in done.out + done.err


def test_without_any_url_it_says_where_one_may_stand(bench: Bench) -> None:
    done = bench.run("instances", "import", "--trove-database")

    assert done.code == 1
    assert "set [trove] database or OS_TROVE__DATABASE" in done.err


@pytest.mark.parametrize(
    "options",
    [[], ["--from", "a.csv", "--trove-database"], ["--from", "a.csv", "--cloud", "east"]],
)
def test_a_command_line_that_makes_no_sense_ends_with_2(bench: Bench, options: list[str]) -> None:
    assert bench.run("instances", "import", *options).code == 2


def test_a_place_that_is_not_configured_is_a_sentence(bench: Bench) -> None:
    done = bench.run(
        "instances", "import", "--trove-database", "mysql://h/t", "--cloud", "east/Two"
    )

    assert done.code == 1
    assert "east" in done.err


def test_every_reason_is_told_to_operators() -> None:
    section = PAGE.read_text().split("## Bringing an existing fleet in")[1].split("\n## ")[0]
    told = {
        name
        for line in re.findall(r"^\* ((?:`[a-z_]+`(?:, )?)+):", section, re.MULTILINE)
        for name in re.findall(r"[a-z_]+", line)
    }

    assert told == {str(why) for why in Why}


# -- pins -----------------------------------------------------------------------------------------


def recorded(bench: Bench) -> None:
    server = {"server": Ref(kind=Kind.SERVER, id="server-1")}
    bench.memory.import_records(
        [Instance(id=SUBJECT, scope=SCOPE, manager="natives", resources=server)]
    )


def shown(bench: Bench) -> dict[str, object]:
    found: dict[str, object] = json.loads(bench.run("instances", "show", SUBJECT, "-f", "json").out)
    return found


def test_a_pin_is_set_shown_and_taken_away(bench: Bench) -> None:
    recorded(bench)

    done = bench.run("instances", "pin", SUBJECT)
    assert (done.code, done.out) == (0, f"{SUBJECT} is pinned: it stays with natives.\n")
    assert (shown(bench)["pinned"], shown(bench)["soaking"]) == (True, False)

    done = bench.run("instances", "unpin", SUBJECT)
    assert (done.code, done.out) == (0, f"{SUBJECT} is not pinned; its manager is natives.\n")
    assert shown(bench)["pinned"] is False


def test_what_is_not_recorded_cannot_be_pinned(bench: Bench) -> None:
    done = bench.run("instances", "pin", SUBJECT)

    assert done.code == 1
    assert "'instances import' records what Trove made" in done.err


def test_a_pin_waits_until_the_command_under_way_has_ended(bench: Bench) -> None:
    recorded(bench)
    bench.accept("c-1", SUBJECT, DeleteInstance(project=SCOPE.project))
    bench.open()

    done = bench.run("instances", "pin", SUBJECT)

    assert done.code == 1
    assert "ask again when it has ended" in done.err
