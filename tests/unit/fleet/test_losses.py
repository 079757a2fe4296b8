"""What was not moved: how it is told, and what counts as a failure."""

from msgspec.structs import replace

from consumer.fleet.following import followed
from consumer.fleet.page import markdown
from consumer.fleet.report import Report, report_of
from consumer.ledger.fleet import Stage
from handlers.errors import Reason
from handlers.instance import Ref
from handlers.keys import STACK
from handlers.resources import Kind
from tests.unit.fleet.world import QUICK, World, deleted


def _reported(world: World) -> Report:
    return report_of(world.migration, world.items(), {}, {}, world.now())


def test_what_a_way_back_has_left_is_told() -> None:
    world = World(failing={("db-0", "adopt"): Reason.DEADLINE})
    world.run(20)
    item = world.items()[0]
    op = world.ledger.operation(item.operation)
    assert op is not None
    left = replace(op, left=(Ref(kind=Kind.STACK, id="stack-1", role=STACK, note="holds all"),))

    assert item.stage is Stage.ROLLED_BACK
    after = followed(world.migration, replace(item, stage=Stage.ROLLING_BACK), left, world.now())
    assert after.stage is Stage.FAILED
    assert after.message.startswith("not wholly given back: the cloud said so")
    assert after.message.endswith("(left: stack stack-1: holds all)")


def test_what_its_owner_deleted_is_left_out_of_the_failures() -> None:
    failing = {("db-3", "adopt"): Reason.QUOTA}
    world = World(failing=failing, settings=replace(QUICK, max_failures=1))
    world.put_record("db-4", deleted)
    world.run(60)
    found = _reported(world)

    assert found.failures == {"quota": 1}
    assert [(each.instance, each.stage) for each in found.losses] == [
        ("db-3", Stage.FAILED),
        ("db-4", Stage.SKIPPED),
    ]
    page = markdown(found, str)
    assert page.index("| quota | 1 |") < page.index("## Not moved") < page.index("| db-4 |")


def test_a_migration_without_failures_says_so() -> None:
    world = World()
    world.run(60)

    assert "## Failures\n\nNone.\n" in markdown(_reported(world), str)
