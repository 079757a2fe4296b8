"""migrate status|watch|pause|resume|tune|abort|rollback|report: what an operator sees and does."""

import io
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace
from rich.console import Console

from consumer.cli.migrate.view import drawn
from consumer.cli.migrate.watch import look, view_for, watched
from consumer.ledger.fleet import Migration, Status
from handlers.errors import Reason
from tests.unit.cli.conftest import Bench
from tests.unit.fleet.world import NAME, QUICK, World


def shown(bench: Bench, world: World) -> Bench:
    """The command line over the ledger of that world."""
    bench.memory = world.ledger
    return bench


def another(world: World, name: str) -> None:
    """One more migration, that has just begun."""
    other = Migration(
        id=name,
        direction=world.migration.direction,
        status=Status.RUNNING,
        settings=QUICK,
        fingerprint="g",
        cloud="trove",
        region="R",
        created=world.time,
        changed=world.time,
    )
    world.ledger.start_migration(other, [], [])


def test_status_tells_how_it_stands_and_what_to_do_next(bench: Bench) -> None:
    world = World(failing={("db-0", "adopt"): Reason.CLOUD_ERROR})
    world.run(20)

    done = shown(bench, world).run("migrate", "status", "-f", "json")

    assert done.code == 0
    found = json.loads(done.out)
    assert (found["status"], found["instances"]) == ("paused", 6)
    assert found["stages"] == {"planned": "5", "failed": "1"}
    assert found["failures"] == {"cloud_error": "1"}
    assert found["next"][0].endswith(f"go on: migrate resume {NAME}")
    assert found["time_left"] == ""


def test_status_without_any_migration_says_how_to_begin(bench: Bench) -> None:
    done = bench.run("migrate", "status")

    assert done.code == 1
    assert "make a plan with 'migrate plan'" in done.err


def test_the_id_is_needed_when_several_are_active(bench: Bench) -> None:
    world = World()
    another(world, "mig-2")

    done = shown(bench, world).run("migrate", "pause")

    assert done.code == 1
    assert "name one of" in done.err and "mig-2" in done.err


def test_an_unknown_id_is_told_with_the_known_ones(bench: Bench) -> None:
    done = shown(bench, World()).run("migrate", "status", "nobody")

    assert "There is no migration nobody; the newest ones are mig-1." in done.err


def test_pause_and_resume(bench: Bench) -> None:
    world = World()

    assert shown(bench, world).run("migrate", "pause", "--reason", "upgrade").code == 0
    assert (world.migration.status, world.migration.reason) == (Status.PAUSED, "upgrade")
    assert world.told("paused")[0].data.message == "upgrade"

    assert bench.run("migrate", "resume", NAME).code == 0
    assert world.migration.status is Status.RUNNING


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (["resume"], "it is running and cannot be resumed: only one that is paused or held can be"),
        (["tune"], "Nothing to tune"),
        (["tune", "--rate", "0"], "That is no setting: Expected `int` >= 1"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_do(
    bench: Bench, order: list[str], sentence: str
) -> None:
    world = World()

    done = shown(bench, world).run("migrate", *order)

    assert done.code == 1
    assert sentence in done.err
    assert world.migration.version == 0


def test_tune_changes_only_what_is_named(bench: Bench) -> None:
    world = World()

    done = shown(bench, world).run("migrate", "tune", "--rate", "7", "--max-freeze", "300")

    assert done.code == 0
    assert world.migration.settings == replace(QUICK, rate=7, max_freeze=300)


def test_rollback_asks_first(bench: Bench) -> None:
    world = World()
    world.run(60)

    done = shown(bench, world).run("migrate", "rollback", NAME)

    assert "6 instances would be moved back" in done.out
    assert world.migration.status is Status.DONE

    assert bench.run("migrate", "rollback", NAME, "--yes").code == 0
    assert str(world.migration.status) == "rolling_back"


@pytest.mark.parametrize("options", [[], ["--yes"]])
def test_a_migration_that_has_ended_is_rolled_back_only_by_its_id(
    bench: Bench, options: list[str]
) -> None:
    world = World()
    world.run(60)

    done = shown(bench, world).run("migrate", "rollback", *options)

    assert done.code == 1
    assert f"No migration is active. The newest one, {NAME}, has ended (done)" in done.err
    assert f"'migrate rollback {NAME}'" in done.err
    assert world.migration.status is Status.DONE


def test_an_active_migration_is_rolled_back_without_its_id(bench: Bench) -> None:
    world = World()

    assert shown(bench, world).run("migrate", "rollback", "--yes").code == 0
    assert world.migration.status is Status.ROLLING_BACK


def test_an_old_migration_is_not_rolled_back_under_a_new_one(bench: Bench) -> None:
    world = World()
    world.run(60)
    another(world, "mig-2")

    done = shown(bench, world).run("migrate", "rollback", NAME, "--yes")

    assert done.code == 1
    assert "mig-2 is active: end that one first" in done.err


def test_abort(bench: Bench) -> None:
    world = World()

    assert shown(bench, world).run("migrate", "abort").code == 0
    assert world.migration.status is Status.ABORTING


def test_watch_ends_with_the_migration(bench: Bench) -> None:
    world = World()
    world.run(60)

    done = shown(bench, world).run("migrate", "watch")

    assert done.code == 0
    assert done.out == f"{NAME} done batch 2; 6/6 ended; committed 6\n"


def test_watch_tells_by_its_exit_code_that_instances_failed(bench: Bench) -> None:
    world = World(
        failing={("db-3", "adopt"): Reason.QUOTA}, settings=replace(QUICK, max_failures=5)
    )
    world.run(60)

    assert shown(bench, world).run("migrate", "watch").code == 1


def test_without_a_terminal_there_is_a_line_for_every_change() -> None:
    world = World()
    conductor = world.conductor()
    out = io.StringIO()

    watched(world.ledger, NAME, view_for(out), lambda: world.run(1, conductor))

    lines = out.getvalue().splitlines()
    assert len(set(lines)) == len(lines) > 10
    assert lines[0] == f"{NAME} running batch 0; 0/6 ended; planned 6"


def test_the_live_view_shows_the_funnel_what_moves_and_what_failed() -> None:
    world = World(
        failing={("db-1", "adopt"): Reason.QUOTA}, settings=replace(QUICK, max_failures=5, canary=0)
    )
    world.slow["db-2"] = 100
    world.run(20)
    console = Console(file=io.StringIO(), width=120, record=True)

    console.print(drawn(look(world.ledger, world.migration)))

    text = console.export_text()
    for expected in ("running", "soaking", "under way", "db-2", "not moved: quota 1", "db-1"):
        assert expected in text


def test_the_report_has_what_happened_to_everyone(bench: Bench, tmp_path: Path) -> None:
    world = World(
        failing={("db-3", "adopt"): Reason.QUOTA}, settings=replace(QUICK, max_failures=5)
    )
    world.run(60)

    done = shown(bench, world).run("migrate", "report", "--output", str(tmp_path / "reports"))

    assert done.code == 0
    assert [Path(line).suffix for line in done.out.split()] == [".md", ".json", ".svg"]
    found = json.loads((tmp_path / f"reports/migration-{NAME}.json").read_text())
    assert found["stages"] == {"committed": 5, "failed": 1}
    assert found["managers"] == {"natives": 1, "orchestrator": 5}
    assert [batch["moved"] for batch in found["batches"]] == [1, 2, 2]
    assert found["losses"][0]["remedy"].startswith("raise the quota")
    assert len(found["moved"]) == len(found["committed"]) == 5
    page = (tmp_path / f"reports/migration-{NAME}.md").read_text()
    assert f"![instances over time](migration-{NAME}.svg)" in page
    assert "| db-3 | p-1 | failed | quota | the cloud said so |" in page
    ET.parse(tmp_path / f"reports/migration-{NAME}.svg")


def test_the_report_can_be_printed(bench: Bench) -> None:
    world = World()

    done = shown(bench, world).run("migrate", "report")

    assert done.out.startswith(f"# Migration {NAME}\n")
    assert "| planned | 6 |" in done.out


def test_a_directory_that_cannot_be_written_is_told(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    done = shown(bench, World()).run("migrate", "report", "--output", str(tmp_path / "file"))

    assert done.code == 1
    assert "cannot be written" in done.err
