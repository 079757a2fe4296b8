"""A release that fails when its stack is gone: where the instance is counts, not how it ended."""

import pytest
from msgspec.structs import replace

from consumer.fleet.following import as_recorded
from consumer.ledger.fleet import Direction, Stage
from handlers.instance import State
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR
from tests.unit.fleet.world import World, record


@pytest.mark.parametrize(
    ("direction", "moved"),
    [(Direction.RELEASE, Stage.COMMITTED), (Direction.ADOPT, Stage.ROLLED_BACK)],
)
@pytest.mark.parametrize("stage", [Stage.FAILED, Stage.ROLLED_BACK])
def test_what_is_native_by_now_was_released(
    direction: Direction, moved: Stage, stage: Stage
) -> None:
    world = World(direction=direction)
    item = replace(world.items()[0], stage=stage, operation="mig-1.0.release.1")
    native = record(item.subject, NATIVES)

    assert as_recorded(world.migration, item, native).stage is moved
    for other in (None, record(item.subject, ORCHESTRATOR), replace(native, state=State.ERROR)):
        assert as_recorded(world.migration, item, other) is item


def test_an_adoption_that_failed_has_failed() -> None:
    world = World()
    item = replace(world.items()[0], stage=Stage.FAILED, operation="mig-1.0.adopt.1")

    assert as_recorded(world.migration, item, record(item.subject, NATIVES)) is item
