"""Whoever dies wherever, and however many conductors there are: the migration ends the same."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any, cast

import pytest
from msgspec.structs import replace

from consumer.fleet.conductor import Conductor
from consumer.fleet.orders import Wrong, abort, pause, resume, roll_back
from consumer.ledger.base import Ledger, Unavailable
from consumer.ledger.fleet import Stage, Status
from handlers.errors import Reason
from handlers.events import MigrationEvent
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR
from tests.unit.fleet.crashes import Forgetful, Killed, Mortal
from tests.unit.fleet.world import QUICK, World

ROUGH = {
    ("db-1", "commit"): Reason.UNAVAILABLE,
    ("db-2", "adopt"): Reason.DEADLINE,
    ("db-4", "adopt"): Reason.CLOUD_ERROR,
    ("db-3", "release"): Reason.CLOUD_ERROR,
}
SETTINGS = replace(QUICK, max_failures=9, soak=1)

Ending = Callable[[World], None]


def to_its_end(world: World) -> None:
    """Nobody intervenes."""


def aborted(world: World) -> None:
    with suppress(Wrong):
        world.give(abort)


def rolled_back(world: World) -> None:
    with suppress(Wrong):
        world.give(roll_back, (Stage.FAILED,))


def mortal(world: World, fatal: int, error: Callable[[], BaseException]) -> Mortal:
    return Mortal(world.ledger, fatal, error)


def play(
    ending: Ending, fatal: int, error: Callable[[], BaseException] = Killed
) -> tuple[World, int]:
    """A migration whose conductor dies at a boundary; another one carries on at the next tick."""
    world = World(failing=ROUGH, settings=SETTINGS)
    ledger = mortal(world, fatal, error)
    conductor = world.conductor(cast(Ledger, ledger))
    for tick in range(140):
        if tick == 16:
            ending(world)
        try:
            conductor.tick()
        except Killed:
            conductor = world.conductor(cast(Ledger, ledger))
        except Unavailable:
            pass
        world.check_limits()
        world.work()
        world.sleep(1)
        if world.migration.status.is_final and tick > 16:
            break
    return world, ledger.boundaries


def facts(world: World) -> tuple[Any, ...]:
    """What must not depend on who died where."""
    ended = [(item.subject, str(item.stage), item.reason) for item in world.items()]
    return world.migration.status, ended, world.managers()


@pytest.mark.parametrize("error", [Killed, lambda: Unavailable("lost")], ids=["kill", "lost"])
@pytest.mark.parametrize("ending", [to_its_end, rolled_back])
def test_a_kill_at_any_write_changes_nothing(
    ending: Ending, error: Callable[[], BaseException]
) -> None:
    whole, boundaries = play(ending, fatal=-1)
    assert whole.migration.status.is_final and boundaries > 40

    for fatal in range(boundaries):
        world, _ = play(ending, fatal, error)
        check(world)
        if ending is to_its_end:
            assert facts(world) == facts(whole), fatal


def test_a_kill_at_any_write_of_an_abort_leaves_nothing_in_between() -> None:
    whole, boundaries = play(aborted, fatal=-1)
    assert whole.migration.status is Status.ABORTED

    for fatal in range(boundaries):
        world, _ = play(aborted, fatal)
        assert world.migration.status is Status.ABORTED, fatal
        check(world)


def check(world: World) -> None:
    """Everything ended; no command ran twice; every item tells where its instance is."""
    assert world.migration.status.is_final
    assert max(world.ran.values()) == 1
    ids = Counter(event.id for event in world.ledger.unsent(10_000))
    assert max(ids.values()) == 1
    ended = [event for event in world.told() if isinstance(event, MigrationEvent)]
    assert len([event for event in ended if event.kind == "done"]) == 1
    for item, manager in zip(world.items(), world.managers(), strict=True):
        left = world.migration.status is Status.ABORTED and item.stage is Stage.SOAKING
        assert item.stage.is_final or left, item
        stays = item.message.startswith("not moved back")
        adopted = item.stage in (Stage.SOAKING, Stage.COMMITTED) or stays
        assert manager == (ORCHESTRATOR if adopted else NATIVES), item


@pytest.mark.parametrize("seed", range(30))
def test_two_conductors_that_read_what_is_old_do_no_harm(seed: int) -> None:
    random = Random(seed)
    world = World(count=9, failing=ROUGH, settings=replace(SETTINGS, batch=4, concurrency=3))
    ledgers = [Forgetful(world.ledger, random) for _ in range(2)]
    conductors = [world.conductor(cast(Ledger, ledger)) for ledger in ledgers]
    ending = random.choice([to_its_end, rolled_back, aborted])
    for tick in range(300):
        if tick == 20:
            ending(world)
        for ledger, conductor in random.sample(list(zip(ledgers, conductors, strict=True)), 2):
            _tick(conductor, random)
            if random.random() < 0.3:
                ledger.wake_up()
        _meddle(world, random)
        world.check_limits()
        world.work()
        world.sleep(1)
        if world.migration.status.is_final and tick > 20:
            break
    check(world)


def _tick(conductor: Conductor, random: Random) -> None:
    if random.random() < 0.8:
        with suppress(Unavailable):
            conductor.tick()


def _meddle(world: World, random: Random) -> None:
    """Somebody pauses it now and then, and somebody resumes it."""
    order = random.choice([pause("wait"), resume])
    if world.migration.status is Status.PAUSED:
        order = resume
    elif random.random() < 0.9:
        return
    with suppress(Wrong):
        world.give(order)
