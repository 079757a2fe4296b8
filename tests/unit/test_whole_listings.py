"""`every`: as many requests as there are pages, and nothing twice."""

from collections.abc import Iterator

import pytest

from handlers.base import Cloud
from handlers.clouds.memory import CloudState, MemoryCloud
from handlers.clouds.memory.things import (
    GroupThing,
    PortThing,
    ServerThing,
    StackThing,
    VolumeThing,
)
from handlers.resources import SERVICE_OF, Kind
from tests.contract.cloud.simulated import simulator

#: Three pages of 1,000.
MANY = 2_001


@pytest.fixture(scope="module", params=["memory", "simulator"])
def crowd(request: pytest.FixtureRequest) -> Iterator[tuple[CloudState, Cloud]]:
    """A cloud with many things of each kind, and some of another project's."""
    if request.param == "memory":
        state = CloudState()
        _fill(state)
        yield state, MemoryCloud(state)
        return
    with simulator() as place:
        _fill(place.state)
        yield place.state, place.cloud


@pytest.mark.parametrize("kind", Kind)
def test_whole_listing_comes_in_the_largest_pages(
    crowd: tuple[CloudState, Cloud], kind: Kind
) -> None:
    state, cloud = crowd
    state.counts.clear()
    found = cloud.every(kind)
    assert len({one.id for one in found}) == len(found) == MANY
    assert {one.project for one in found} == {cloud.project}
    assert sum(state.counts.values()) == 3
    assert {service for service, _ in state.counts} == {SERVICE_OF[kind]}


def _fill(state: CloudState) -> None:
    core, catalogue = state.core, state.catalogue
    network = catalogue.networks[0]
    for number in range(MANY + 5):
        one = f"{number:08x}-0000-4000-8000-000000000000"
        whose = state.project if number < MANY else "somebody-else"
        core.servers[one] = ServerThing(id=one, project=whose, flavor="1", image="")
        core.volumes[one] = VolumeThing(id=one, project=whose, size=1)
        core.groups[one] = GroupThing(id=one, project=whose)
        core.stacks[one] = StackThing(id=one, project=whose, status="COMPLETE")
        core.ports[one] = PortThing(
            id=one, project=whose, network=network.id, subnet=network.subnet, address="", mac=""
        )
