"""A ground per process, workers per test; a test that passed has left nothing behind."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from consumer.config.settings import Limits
from handlers.base import Clouds
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR
from tests.cloud.ways_out.ground import Ground, ground
from tests.cloud.ways_out.moving import Move, Tampered, straight
from tests.cloud.ways_out.ways import Ways, Workers
from tests.support.services import CLOUD, need
from tests.support.ways import SECONDS

#: Makes what a test works with.
Stage = Callable[..., Ways]

#: Is told how long a way out was.
Note = Callable[[str], None]

_COMMANDS = {
    "create": "instance.create",
    "resize": "instance.resize",
    "delete": "instance.delete",
    "grow": "volume.resize",
    "group": "security_group.create",
    "adopt": "instance.adopt",
    "release": "instance.release",
}


@pytest.fixture(scope="session")
def own_ground() -> Iterator[Ground]:
    with ground(need(CLOUD)) as made:
        yield made


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Note:
    def keep(took: str) -> None:
        request.node.user_properties.append((SECONDS, took))

    return keep


@pytest.fixture
def stage(own_ground: Ground, note: Note) -> Iterator[Stage]:
    with stages(own_ground, note) as make:
        yield make


@pytest.fixture
def move(own_ground: Ground, note: Note) -> Iterator[Move]:
    """An instance of NATIVES that is about to change hands. At the end it must be as it was."""
    tampered = Tampered()
    with stages(own_ground, note) as make:
        moving = Move(make(manager=NATIVES, through=tampered.between), tampered)
        yield moving
        moving.ends()


@contextmanager
def stages(on: Ground, note: Note) -> Iterator[Stage]:
    """Deadlines by what is done, in seconds. At the end the workers are stopped,
    and the ground is swept."""
    with ExitStack() as stack:

        def make(
            *,
            file: str = "",
            heat_timeout: float = 75,
            natives: bool = False,
            manager: str = ORCHESTRATOR,
            through: Callable[[Clouds], Clouds] = straight,
            **deadlines: float,
        ) -> Ways:
            limits = Limits(
                deadline=150,
                deadlines={_COMMANDS[name]: each for name, each in deadlines.items()},
                undo_budget=240,
            )
            workers = Workers(on, limits, file or on.file, heat_timeout, through)
            stack.callback(workers.close)
            return Ways(on, workers, note, natives, manager)

        yield make
    on.faults.lift()
    on.operator.heals()
    if on.project.look().ids:
        on.project.sweep()
