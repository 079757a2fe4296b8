"""The clouds that a worker may act on, as clouds.yaml describes them."""

from collections.abc import Collection, Mapping

import msgspec
from openstack.config import OpenStackConfig
from openstack.exceptions import ConfigException

from handlers.base import Probe
from handlers.clouds.openstack.cloud import OpenStackCloud
from handlers.clouds.openstack.limits import Limits
from handlers.clouds.openstack.link import Link
from handlers.clouds.text import clean
from handlers.errors import Fault, Reason, Terminal
from handlers.instance import Scope


class Place(msgspec.Struct, frozen=True, order=True):
    """An entry of clouds.yaml and one of its regions."""

    cloud: str
    region: str


class OpenStackClouds:
    """`Clouds` on real OpenStacks: one `OpenStackCloud` per place, built here, before any thread.

    `files` are clouds.yaml files, and nothing else is read. Without them openstacksdk looks where
    it always does (OS_CLIENT_CONFIG_FILE, the working directory, the user's and the system's
    configuration). Raises Terminal(INVALID) for a place that the files do not have. Nothing is sent
    yet: `connect` does that, or the first call.
    """

    def __init__(
        self,
        places: Collection[Place],
        *,
        limits: Limits | None = None,
        probe: Probe | None = None,
        files: Collection[str] = (),
    ) -> None:
        self._limits = limits or Limits()
        try:
            config = OpenStackConfig(config_files=list(files) or None, load_envvars=not files)
        except (ConfigException, OSError) as error:
            raise Terminal(f"clouds.yaml: {clean(str(error))}", Reason.INVALID) from None
        self._clouds = {
            place: OpenStackCloud(
                Link(config, place.cloud, place.region, self._limits), self._limits, probe
            )
            for place in sorted(set(places))
        }

    @property
    def all(self) -> Mapping[Place, OpenStackCloud]:
        """Every cloud by its place."""
        return self._clouds

    def of(self, scope: Scope) -> OpenStackCloud:
        place = Place(scope.cloud, scope.region)
        try:
            return self._clouds[place]
        except KeyError:
            known = ", ".join(f"{one.cloud}/{one.region}" for one in self._clouds)
            raise Terminal(
                f"cloud {place.cloud}/{place.region} is not configured here (known: {known})",
                Reason.INVALID,
            ) from None

    def connect(self) -> dict[Place, Fault]:
        """Connect to all; gives the faults of those that are away, which later calls try again."""
        faults = {}
        for place, cloud in self._clouds.items():
            try:
                cloud.link.ready()
            except Fault as fault:
                faults[place] = fault
        return faults
