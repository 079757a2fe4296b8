"""A whole migration from its first canary to its end, in virtual time."""

import pytest
from msgspec.structs import replace

from consumer.fleet.orders import abort, pause, resume, roll_back, tune
from consumer.ledger.fleet import Direction, Stage, Status
from handlers.errors import Reason
from handlers.events import Event
from handlers.natives import NAME as NATIVES
from handlers.operation import SECOND
from handlers.orchestrator import NAME as ORCHESTRATOR
from tests.unit.fleet.world import QUICK, World, deleted


def test_a_fleet_is_adopted_and_committed() -> None:
    world = World()
    world.run(60)

    assert world.migration.status is Status.DONE
    assert set(world.stages()) == {"committed"}
    assert set(world.managers()) == {ORCHESTRATOR}
    assert dict.fromkeys(world.ran, 1) == world.ran
    assert not any(record.soaking for record in world.ledger.instances())


def test_the_news_of_a_migration_that_goes_well() -> None:
    world = World()
    world.run(60)

    assert [(str(event.kind), event.data.batch) for event in world.told()] == [
        ("batch.start", 0),
        ("batch.end", 0),
        ("canary.passed", 0),
        ("batch.start", 1),
        ("batch.end", 1),
        ("batch.start", 2),
        ("batch.end", 2),
        ("done", 2),
    ]
    assert world.told("done")[0].data.stages == {"committed": 6}


def test_a_fleet_is_released_without_a_soak() -> None:
    world = World(direction=Direction.RELEASE)
    world.run(40)

    assert world.migration.status is Status.DONE
    assert set(world.managers()) == {NATIVES}
    assert {name.rsplit(".", 2)[1] for name in world.ran} == {"release"}


def test_nothing_follows_the_canary_before_it_has_soaked() -> None:
    world = World(settings=replace(QUICK, soak=20))
    world.run(15)

    assert world.stages() == ["soaking", *["planned"] * 5]


def test_the_canary_is_not_committed_before_it_is_judged() -> None:
    world = World(settings=replace(QUICK, soak=5, hold=True))
    world.run(30)

    assert world.migration.status is Status.HELD
    assert world.stages()[0] == "soaking"
    assert [str(event.kind) for event in world.told()][-2:] == ["canary.passed", "held"]


def test_an_approval_lets_the_others_follow() -> None:
    world = World(settings=replace(QUICK, hold=True))
    world.run(15)
    world.give(resume)
    world.run(60)

    assert world.migration.status is Status.DONE
    _batches_are_told_in_pairs(world)


def test_a_canary_that_fails_stops_the_migration_before_anything_else_is_touched() -> None:
    world = World(failing={("db-0", "adopt"): Reason.CLOUD_ERROR})
    world.run(20)

    assert world.migration.status is Status.PAUSED
    assert "the cloud said so" in world.migration.reason
    assert world.stages() == ["failed", *["planned"] * 5]
    assert len(world.told("canary.failed")) == 1


def test_after_a_failed_canary_people_may_go_on() -> None:
    world = World(failing={("db-0", "adopt"): Reason.CLOUD_ERROR})
    world.run(20)
    world.give(resume)
    world.run(60)

    assert world.migration.status is Status.DONE
    assert world.stages() == ["failed", *["committed"] * 5]
    _batches_are_told_in_pairs(world)


@pytest.mark.parametrize(("canary", "batches"), [(0, [1, 2]), (6, [0])])
def test_only_batches_that_there_are_are_told(canary: int, batches: list[int]) -> None:
    world = World(settings=replace(QUICK, canary=canary, concurrency=6, per_project=6))
    world.run(90)

    assert world.migration.status is Status.DONE
    assert [event.data.batch for event in world.told("batch.start")] == batches
    _batches_are_told_in_pairs(world)


def test_a_canary_whose_freeze_was_too_long_fails() -> None:
    world = World(settings=replace(QUICK, max_freeze=10))
    world.slow["db-0"] = 12
    world.run(30)

    assert world.migration.status is Status.PAUSED
    assert "longer than max_freeze" in world.migration.reason


def test_more_failures_than_allowed_pause_it() -> None:
    bad = {("db-2", "adopt"): Reason.CLOUD_ERROR, ("db-3", "adopt"): Reason.QUOTA}
    world = World(failing=bad, settings=replace(QUICK, max_failures=1))
    world.run(60)

    assert world.migration.status is Status.PAUSED
    assert world.migration.reason == "2 instances failed, more than max_failures (1)"
    assert [event.data.reason for event in world.told("instance.failed")] == [
        "cloud_error",
        "quota",
    ]


def test_to_resume_is_to_accept_the_failures_so_far() -> None:
    world = World(failing={("db-2", "adopt"): Reason.QUOTA})
    world.run(30)
    assert str(world.migration.status) == "paused"

    world.give(resume)
    world.run(60)

    assert world.migration.settings.max_failures == 1
    assert world.migration.status is Status.DONE


def test_an_adoption_past_its_deadline_counts_as_rolled_back() -> None:
    world = World(
        failing={("db-2", "adopt"): Reason.DEADLINE}, settings=replace(QUICK, max_failures=9)
    )
    world.run(60)

    assert world.stages()[2] == "rolled_back"
    assert world.managers()[2] == NATIVES
    assert len(world.told("instance.rolled_back")) == 1


def test_the_next_batch_waits_for_every_item_of_this_one() -> None:
    world = World(settings=replace(QUICK, concurrency=4, per_project=4))
    world.slow["db-2"] = 25
    world.run(25)

    assert world.migration.batch == 1
    assert world.stages()[4:] == ["planned", "planned"]


def test_no_more_begin_in_a_minute_than_the_rate() -> None:
    world = World(count=8, settings=replace(QUICK, canary=0, batch=8, rate=3, concurrency=8))
    world.run(50)

    assert world.stages().count("planned") == 5
    world.run(120)
    assert world.migration.status is Status.DONE


def test_while_paused_nothing_begins_and_nothing_is_committed_but_what_runs_ends() -> None:
    world = World(settings=replace(QUICK, canary=0, soak=1))
    conductor = world.conductor()
    world.run(2, conductor)
    world.give(pause("a look at it"))
    world.run(30, conductor)

    assert world.stages() == ["soaking", "soaking", *["planned"] * 4]
    assert world.migration.reason == "a look at it"
    world.give(resume)
    world.run(60, conductor)
    assert world.migration.status is Status.DONE


def test_an_abort_calls_back_what_runs_and_leaves_what_was_adopted() -> None:
    world = World(settings=replace(QUICK, canary=0, batch=6))
    world.slow["db-2"] = 100
    world.run(12)
    world.give(abort)
    world.run(30)

    assert world.migration.status is Status.ABORTED
    assert world.stages()[2] == "rolled_back"
    assert world.items()[2].reason == "operator"
    assert set(world.stages()) <= {"soaking", "committed", "rolled_back", "skipped"}
    assert world.managers()[2] == NATIVES


def test_what_is_called_back_before_it_began_is_no_failure() -> None:
    world = World(settings=replace(QUICK, canary=0))
    conductor = world.conductor()
    world.run(1, conductor)
    assert "observed" in world.stages()
    world.give(abort)
    world.run(10, conductor)

    assert world.migration.status is Status.ABORTED
    assert set(world.stages()) == {"rolled_back", "skipped"}
    assert not world.told("instance.failed")


def test_a_rollback_moves_everything_back() -> None:
    world = World()
    world.run(25)
    assert ORCHESTRATOR in world.managers()
    world.give(roll_back, (Stage.FAILED,))
    world.run(60)

    assert world.migration.status is Status.ROLLED_BACK
    assert set(world.managers()) == {NATIVES}
    assert set(world.stages()) <= {"rolled_back", "skipped"}


def test_a_migration_that_is_done_can_still_be_rolled_back() -> None:
    world = World()
    world.run(60)
    world.give(roll_back, (Stage.FAILED,))
    world.run(60)

    assert world.stages() == ["rolled_back"] * 6
    assert set(world.managers()) == {NATIVES}


def test_what_could_not_be_moved_back_is_told_and_can_be_tried_again() -> None:
    world = World(failing={("db-3", "release"): Reason.CLOUD_ERROR})
    world.run(60)
    world.give(roll_back, (Stage.FAILED,))
    world.run(60)

    assert world.migration.status is Status.ROLLED_BACK
    assert world.items()[3].stage is Stage.FAILED
    assert world.items()[3].message.startswith("not moved back: ")

    world.give(roll_back, (Stage.FAILED,))
    world.run(30)
    assert world.stages() == ["rolled_back"] * 6
    assert set(world.managers()) == {NATIVES}


def test_a_rollback_moves_back_what_could_not_be_committed() -> None:
    settings = replace(QUICK, soak=1, max_failures=1)
    world = World(failing={("db-3", "commit"): Reason.REFUSED}, settings=settings)
    world.run(60)
    assert world.items()[3].message.startswith("adopted, but not committed: ")
    world.give(roll_back, (Stage.FAILED,))
    world.run(60)

    assert world.stages() == ["rolled_back"] * 6
    assert set(world.managers()) == {NATIVES}
    assert dict.fromkeys(world.ran, 1) == world.ran


def test_a_commit_that_fails_for_something_that_passes_is_tried_again() -> None:
    world = World(failing={("db-1", "commit"): Reason.UNAVAILABLE})
    world.run(120)

    assert world.migration.status is Status.DONE
    assert world.items()[1].attempt == 3
    assert world.items()[1].message == ""


def test_an_instance_that_somebody_else_moved_fails_at_its_turn_without_a_freeze() -> None:
    world = World(settings=replace(QUICK, max_failures=9))
    world.put_record("db-4", lambda found: replace(found, manager=ORCHESTRATOR))
    world.put_record("db-5", lambda found: replace(found, pinned=True))
    world.run(60)

    assert world.stages()[4:] == ["failed", "failed"]
    assert [item.reason for item in world.items()[4:]] == ["drift", "operator"]
    assert not any(isinstance(event, Event) and event.subject == "db-4" for event in _all(world))


def test_an_instance_that_its_owner_deleted_is_left_out_and_no_failure() -> None:
    world = World()
    world.put_record("db-4", deleted)
    world.run(60)

    assert world.migration.status is Status.DONE
    assert world.stages()[4] == "skipped"


def test_an_instance_that_is_deleted_while_it_soaks_is_left_out() -> None:
    world = World(settings=replace(QUICK, canary=0, soak=10))
    world.run(8)
    world.put_record("db-0", deleted)
    world.run(60)

    assert world.stages()[0] == "skipped"
    assert world.migration.status is Status.DONE


def test_another_batch_size_divides_what_is_in_no_batch_yet() -> None:
    world = World(count=10)
    world.give(tune({"batch": 5}), (Stage.PLANNED,))

    assert [item.batch for item in world.items()] == [0, *[1] * 5, *[2] * 4]
    world.run(80)
    assert world.migration.status is Status.DONE


def test_the_freeze_is_the_time_that_the_operation_was_open() -> None:
    world = World()
    world.slow["db-3"] = 9
    world.run(60)

    assert world.items()[3].freeze == 12 * SECOND


def _all(world: World) -> tuple[object, ...]:
    return world.ledger.unsent(10_000)


def _batches_are_told_in_pairs(world: World) -> None:
    begun, ended = world.told("batch.start"), world.told("batch.end")
    assert [each.data.batch for each in begun] == [each.data.batch for each in ended]
