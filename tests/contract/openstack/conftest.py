"""The adapter, connected to a scripted server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from handlers.clouds.openstack import Limits, OpenStackCloud, OpenStackClouds, Place
from tests.contract.openstack.scripted import Script, serve

PASSWORD = "hunter2-do-not-show"

#: (service, method, route, status) of each request that the probe was told of.
Told = list[tuple[str, str, str, str]]


@pytest.fixture
def script() -> Iterator[Script]:
    """A running server without any acts yet."""
    script = Script()
    with serve(script):
        yield script


@pytest.fixture
def told() -> Told:
    """What the probe was told."""
    return []


Adapter = Callable[..., OpenStackCloud]


@pytest.fixture
def adapter(tmp_path: Path, told: Told) -> Adapter:
    """Makes the adapter for a server's URL; more settings go into its entry of clouds.yaml."""

    def make(script: Script, *, answer: float = 5.0, **more: Any) -> OpenStackCloud:
        auth = {
            "auth_url": f"{script.url}/v3",
            "username": "u",
            "password": PASSWORD,
            "project_name": "p",
            "user_domain_id": "default",
            "project_domain_id": "default",
        }
        entry = {"region_name": "One", "auth": auth, **more}
        file = tmp_path / "clouds.yaml"
        file.write_text(yaml.safe_dump({"clouds": {"test": entry}}))
        place = Place("test", "One")
        clouds = OpenStackClouds(
            [place],
            limits=Limits(answer=answer, connect=2.0, token=2.0, threads=8),
            probe=lambda service, method, route, status, seconds: told.append(
                (service.value, method, route, status)
            ),
            files=[str(file)],
        )
        return clouds.all[place]

    return make


@pytest.fixture
def cloud(script: Script, adapter: Adapter) -> OpenStackCloud:
    """The adapter, connected."""
    cloud = adapter(script)
    cloud.link.ready()
    return cloud
