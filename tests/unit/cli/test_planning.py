"""migrate plan and migrate start: what an operator sees, and what is refused."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from consumer.ledger.fleet import Status
from handlers.clouds.memory import MemoryClouds
from handlers.clouds.memory.settings import Abilities
from handlers.events import MigrationEvent
from handlers.instance import Instance, Ref
from handlers.keys import SERVER, VOLUME
from handlers.natives import NAME as NATIVES
from handlers.resources import Kind
from tests.support.small_cloud import SmallCloud
from tests.unit.cli.conftest import SCOPE, Bench, Done

#: The instances: the server of each is one of the small cloud.
NAMES = ("db-0", "db-1", "db-2")


def instance(bench: Bench, name: str) -> Instance:
    """A server with a volume, in the cloud."""
    small = bench.small
    volume = small.volume(subject=name)
    new = replace(small.new_server(volumes=[volume]), subject=name)
    server = small.cloud.create_server(new).resources[0].id
    small.wait(3)
    return Instance(
        id=name,
        scope=SCOPE,
        manager=NATIVES,
        resources={
            SERVER: Ref(kind=Kind.SERVER, id=server, role=SERVER),
            VOLUME: Ref(kind=Kind.VOLUME, id=volume, role=VOLUME),
        },
        flavor="1",
        volume_size=1,
    )


@pytest.fixture
def fleet(bench: Bench) -> Bench:
    """Three instances that can be moved."""
    bench.memory.import_records([instance(bench, name) for name in NAMES])
    return bench


@pytest.fixture
def file(fleet: Bench, tmp_path: Path) -> Path:
    """Their plan."""
    path = tmp_path / "plan.json"
    done = fleet.run("migrate", "plan", "--output", str(path), "--batch", "1")
    assert done.code == 0, done
    return path


def start(bench: Bench, file: Path, *options: str) -> Done:
    return bench.run("migrate", "start", str(file), *options)


# -- plan -----------------------------------------------------------------------------------------


def test_a_plan_is_shown_and_changes_nothing(fleet: Bench) -> None:
    before = fleet.small.state.inventory()

    done = fleet.run("migrate", "plan")

    assert done.code == 0
    assert "eligible" in done.out and "canary" in done.out
    assert "3 instances" in done.out and "--output plan.json" in done.out
    assert fleet.small.state.inventory() == before
    assert fleet.memory.migrations() == ()


def test_a_plan_is_written_with_a_page_beside_it(file: Path) -> None:
    plan = json.loads(file.read_text())

    assert [each["batch"] for each in plan["instances"]] == [0, 1, 2]
    assert "| eligible |  | 3 |" in file.with_name("plan.json.md").read_text()


def test_json_is_the_whole_plan(fleet: Bench) -> None:
    done = fleet.run("migrate", "plan", "-f", "json", "--instances", "db-1")

    assert [each["instance"] for each in json.loads(done.out)["instances"]] == ["db-1"]


def test_nothing_to_move_is_exit_code_1_and_says_why(fleet: Bench) -> None:
    fleet.memory.pin("db-0", pinned=True)

    done = fleet.run("migrate", "plan", "--instances", "db-0")

    assert done.code == 1
    assert "'instances unpin db-0'" in done.out


def test_what_the_cloud_lacks_comes_first_and_cannot_be_started(
    fleet: Bench, tmp_path: Path
) -> None:
    fleet.small.state.set_abilities(Abilities(adoption=False))
    path = tmp_path / "plan.json"

    done = fleet.run("migrate", "plan", "--output", str(path))

    assert done.code == 1
    assert done.out.startswith("The cloud lacks something")
    refused = start(fleet, path)
    assert refused.code == 1
    assert "enable_stack_adopt = true" in refused.err


def test_named_instances_that_are_not_recorded_are_told(fleet: Bench) -> None:
    done = fleet.run("migrate", "plan", "--instances", "db-0", "nobody")

    assert done.code == 1
    assert "no record in trove/RegionOne of nobody" in done.err


def test_a_setting_out_of_bounds_is_told(fleet: Bench) -> None:
    done = fleet.run("migrate", "plan", "--max-freeze", "5")

    assert done.code == 1
    assert "max_freeze" in done.err


# -- start ----------------------------------------------------------------------------------------


def test_start_writes_the_migration_and_tells_of_it(fleet: Bench, file: Path) -> None:
    done = start(fleet, file, "--id", "fleet", "--rate", "7", "--canary", "2")

    assert done.code == 0
    assert "migrate watch fleet" in done.out
    migration = fleet.memory.migration("fleet")
    assert migration is not None
    assert (migration.status, migration.settings.rate) == (Status.RUNNING, 7)
    assert [(item.place, item.batch) for item in fleet.memory.items("fleet")] == [
        (0, 0),
        (1, 0),
        (2, 1),
    ]
    told = [each for each in fleet.memory.unsent(100) if isinstance(each, MigrationEvent)]
    assert [(each.type, each.data.stages) for each in told] == [
        ("trove.resources.migration.started", {"planned": 3})
    ]


@pytest.mark.parametrize("options", [(), ("--id", "other"), ("--replan",)])
def test_starting_twice_is_starting_once(
    fleet: Bench, file: Path, options: tuple[str, ...]
) -> None:
    start(fleet, file, *(options if "--replan" in options else ()))

    again = start(fleet, file, *options)

    assert again.code == 0
    assert "was started before" in again.out
    assert len(fleet.memory.migrations()) == 1


def test_an_edited_plan_is_refused(fleet: Bench, file: Path) -> None:
    file.write_text(file.read_text().replace("db-0", "db-9"))

    done = start(fleet, file)

    assert done.code == 1
    assert "it was edited" in done.err


def test_a_plan_of_another_ledger_is_refused(file: Path) -> None:
    done = start(Bench(), file)

    assert done.code == 1
    assert "no record of db-0, db-1, db-2" in done.err


def test_a_plan_of_another_cloud_is_refused(fleet: Bench, file: Path) -> None:
    elsewhere = SmallCloud()
    cloud = type(elsewhere.cloud)(elsewhere.state, project="another")
    fleet.sky = MemoryClouds({SCOPE.cloud: cloud})

    done = start(fleet, file)

    assert "made for another cloud" in done.err


def test_records_that_changed_since_are_named_and_can_be_planned_again(
    fleet: Bench, file: Path
) -> None:
    fleet.memory.pin("db-1", pinned=True)

    refused = start(fleet, file)

    assert refused.code == 1
    assert "the records of db-1 changed" in refused.err and "--replan" in refused.err
    done = start(fleet, file, "--replan", "--id", "fleet")
    assert done.code == 0
    assert [item.subject for item in fleet.memory.items("fleet")] == ["db-0", "db-2"]


def test_nothing_is_not_planned_again_as_everything(fleet: Bench, file: Path) -> None:
    fleet.memory.pin("db-1", pinned=True)
    fleet.run("migrate", "plan", "--instances", "db-1", "--output", str(file))
    fleet.memory.pin("db-1", pinned=False)

    done = start(fleet, file, "--replan")

    assert done.code == 1
    assert "nothing in this plan can be moved" in done.err
    assert not fleet.memory.migrations()


def test_an_instance_of_another_active_migration_is_refused(fleet: Bench, file: Path) -> None:
    other = file.with_name("other.json")
    fleet.run("migrate", "plan", "--instances", "db-1", "--output", str(other))
    start(fleet, other, "--id", "first")

    done = start(fleet, file)

    assert done.code == 1
    assert "migration first is active and has db-1" in done.err


def test_an_id_that_no_command_could_carry_is_refused(fleet: Bench, file: Path) -> None:
    assert "is no id" in start(fleet, file, "--id", "a b").err


def test_a_file_that_is_not_there_is_told(fleet: Bench, tmp_path: Path) -> None:
    assert "cannot be read" in start(fleet, tmp_path / "none.json").err
