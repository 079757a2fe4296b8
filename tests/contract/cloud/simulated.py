"""The simulator as a place: our adapter over real HTTP, in hurried real time."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import yaml

from handlers.base import Cloud
from handlers.clouds.memory import CloudState, Times
from handlers.clouds.openstack import OpenStackClouds
from handlers.clouds.openstack import Place as Entry
from handlers.operation import Micros
from simulator import clouds_yaml, running
from tests.contract.cloud.bench import Site
from tests.contract.cloud.places import HttpPlace, break_resize, site_of, small_quotas

#: A tenth of what the real services take; attaching is kept long enough to be seen.
_HURRY = 0.1


class SimulatedPlace(msgspec.Struct, frozen=True):
    """Like a real OpenStack, but resizes are broken by the fault plan."""

    http: HttpPlace
    state: CloudState

    @property
    def cloud(self) -> Cloud:
        return self.http.cloud

    @property
    def guest(self) -> Cloud:
        return self.http.guest

    @property
    def site(self) -> Site:
        return self.http.site

    @property
    def patience(self) -> int:
        return self.http.patience

    def now(self) -> Micros:
        return self.http.now()

    def pause(self) -> None:
        self.http.pause()

    def breaks_resize(self) -> dict[str, str]:
        return break_resize(self.state)


@contextmanager
def simulator() -> Iterator[SimulatedPlace]:
    """Two simulators: the guest's has next to no quota."""
    state, small = CloudState(times=_hurried()), CloudState(times=_hurried(), seed=1)
    small.set_quotas(small_quotas())
    with running(state) as url, running(small) as other, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clouds.yaml"
        entries = {
            "cloud": clouds_yaml(url)["clouds"]["trove"],
            "guest": clouds_yaml(other)["clouds"]["demo"],
        }
        file.write_text(yaml.safe_dump({"clouds": entries}))
        places = [Entry(name, "RegionOne") for name in entries]
        clouds = OpenStackClouds(places, files=[str(file)])
        cloud, guest = (clouds.all[place] for place in places)
        yield SimulatedPlace(HttpPlace(cloud, guest, site_of(state.catalogue)), state)


def _hurried() -> Times:
    slow = Times()
    return Times(
        **{
            name: tuple(seconds * _HURRY for seconds in getattr(slow, name))
            for name in slow.__struct_fields__
        }
    )
