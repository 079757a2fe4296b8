"""One bench per implementation; every test runs on each of them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.contract.cloud.bench import Bench, Place
from tests.contract.cloud.places import memory
from tests.contract.cloud.real import openstack
from tests.contract.cloud.simulated import simulator
from tests.support.services import CLOUD, need

Open = Callable[[ExitStack], Place]

IMPLEMENTATIONS: dict[str, Open] = {
    "memory": lambda _: memory(),
    "simulator": lambda stack: stack.enter_context(simulator()),
    "openstack": lambda stack: stack.enter_context(openstack(need(CLOUD))),
}


class Session:
    """A place and the benches that were set up in it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.benches: list[Bench] = []


@pytest.fixture(
    scope="session",
    params=["memory", "simulator", pytest.param("openstack", marks=pytest.mark.cloud)],
)
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """The implementation. At the end it is proven that nothing of this run is left in it."""
    with ExitStack() as stack:
        session = Session(IMPLEMENTATIONS[request.param](stack))
        yield session
        left = [found for bench in session.benches for found in bench.left()]
        assert not left, f"left in the cloud: {left}"


@pytest.fixture
def bench(session: Session) -> Iterator[Bench]:
    """A bench of the test's own; what the test made is removed after it."""
    bench = Bench(session.place)
    session.benches.append(bench)
    yield bench
    bench.clean()
