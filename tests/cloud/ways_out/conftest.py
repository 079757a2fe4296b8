"""A ground per process, workers per test; a test that passed has left nothing behind."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from consumer.config.settings import Limits
from tests.cloud.ways_out.ground import Ground, ground
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
            **deadlines: float,
        ) -> Ways:
            limits = Limits(
                deadline=150,
                deadlines={_COMMANDS[name]: each for name, each in deadlines.items()},
                undo_budget=240,
            )
            workers = Workers(on, limits, file or on.file, heat_timeout)
            stack.callback(workers.close)
            return Ways(on, workers, note, natives)

        yield make
    on.faults.lift()
    on.operator.heals()
    if on.project.look().ids:
        on.project.sweep()
