"""A bench for every manager on every cloud; a test that passed has left nothing behind."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack

import msgspec
import pytest

from tests.contract.managers.bench import Bench
from tests.contract.managers.memory import MemoryPlace
from tests.contract.managers.place import Place
from tests.contract.managers.real import openstack
from tests.contract.managers.simulated import simulator
from tests.contract.managers.table import MANAGERS, Manager
from tests.support.matrix import CELL
from tests.support.services import CLOUD, need


class Places:
    """The clouds that the suite runs on: in memory a new one per test, others one per process."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._open: dict[str, Place] = {}

    def place(self, name: str) -> Place:
        if name == "memory":
            return MemoryPlace()
        if name not in self._open:
            self._open[name] = self._stack.enter_context(self._connect(name))
        return self._open[name]

    def _connect(self, name: str) -> AbstractContextManager[Place]:
        return simulator() if name == "simulator" else openstack(need(CLOUD))


@pytest.fixture(scope="session")
def places() -> Iterator[Places]:
    """At the end each place proves that nothing was left in it."""
    with ExitStack() as stack:
        yield Places(stack)


@pytest.fixture(params=["memory", "simulator", pytest.param("openstack", marks=pytest.mark.cloud)])
def place(request: pytest.FixtureRequest, places: Places) -> Place:
    return places.place(request.param)


@pytest.fixture
def manager(request: pytest.FixtureRequest) -> Manager:
    """The one with the name that a test is parametrized with."""
    return MANAGERS[request.param]


@pytest.fixture
def bench(place: Place, manager: Manager, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """After a test that failed, the place is made whole again for the next one."""
    bench = Bench(place, manager)
    yield bench
    for measure in bench.measures:
        request.node.user_properties.append((CELL, msgspec.to_builtins(measure)))
    place.faults.heal()
    place.faults.lift()
    if bench.look().ids:
        place.sweep()
