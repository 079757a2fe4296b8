"""Rate, time left and freezes of a migration, and what the gauges get."""

from msgspec.structs import replace

from consumer.fleet.orders import pause
from consumer.fleet.progress import freezes, movings, progress
from consumer.ledger.fleet import Stage, Status
from handlers.operation import SECOND
from tests.unit.fleet.world import QUICK, START, World, items_of


def test_the_time_left_lies_between_the_last_minute_and_the_mean() -> None:
    world = World(settings=replace(QUICK, canary=0, soak=60))
    begun = tuple(START + 90 * SECOND for _ in range(10))
    migration = replace(world.migration, begun=begun, batch=1, judged=True)

    found = progress(migration, {Stage.PLANNED: 20, Stage.COMMITTED: 8}, START + 120 * SECOND)

    assert found.rate == 10
    assert found.eta == (20 / 10 * 60 + 60, 20 / 4 * 60 + 60)


def test_a_canary_soaks_first() -> None:
    world = World(settings=replace(QUICK, soak=100))
    migration = replace(world.migration, begun=(START,))

    found = progress(migration, {Stage.PLANNED: 1, Stage.OBSERVED: 1}, START + 60 * SECOND - 1)

    assert found.eta is not None
    assert found.eta[1] - found.eta[0] >= 100


def test_nobody_can_tell_before_the_first_one_has_begun() -> None:
    world = World()

    assert progress(world.migration, {Stage.PLANNED: 6}, START).eta is None


def test_nobody_can_tell_while_it_is_paused() -> None:
    world = World()
    world.run(30)
    world.give(pause("wait"))

    stages = world.ledger.stages(world.migration.id)
    assert progress(world.migration, stages, world.time).eta is None


def test_what_soaks_is_through_after_the_soak() -> None:
    world = World(settings=replace(QUICK, soak=300))

    assert progress(world.migration, {Stage.SOAKING: 6}, START).eta == (0.0, 300.0)


def test_an_empty_migration_is_all_done() -> None:
    world = World(count=0)

    assert progress(world.migration, {}, START).share == 1.0


def test_freezes_are_told_by_median_and_longest() -> None:
    items = [
        replace(item, freeze=seconds * SECOND)
        for item, seconds in zip(items_of(["a", "b", "c"], QUICK), (4, 9, 0), strict=True)
    ]

    found = freezes(items)

    assert (found.count, found.median, found.most) == (2, 6.5, 9.0)


def test_the_gauges_keep_the_newest_migration_when_none_is_active() -> None:
    world = World()
    world.run(60)

    (only,) = movings(world.ledger, world.time)

    assert (only.direction, only.status) == ("adopt", str(Status.DONE))
    assert only.stages["committed"] == 6 and only.stages["planned"] == 0
