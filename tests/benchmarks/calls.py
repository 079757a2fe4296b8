"""What one call through the adapter costs, beside the cheapest that the required client allows."""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
import requests

from consumer.cli.demo.simulated import simulated
from handlers.clouds.openstack import Limits, OpenStackClouds, Place
from handlers.instance import Scope

CALLS = 300


class Calls(NamedTuple):
    """CPU milliseconds per call, in this process."""

    adapter: float
    bare: float


def compare() -> Calls:
    """The same POST, of a security group, both ways in one run."""
    with TemporaryDirectory() as name:
        place = Path(name) / "clouds.yaml"
        with simulated(place, "1") as _:
            clouds = OpenStackClouds(
                [Place("trove", "RegionOne")], limits=Limits(), files=[str(place)]
            )
            cloud = clouds.of(Scope(cloud="trove", region="RegionOne", project="tenant"))
            bare = _bare(place)

            def adapter() -> None:
                cloud.create_security_group(str(uuid4()), "security-group", "bench")

            return Calls(adapter=_cpu(adapter), bare=_cpu(bare))


def _bare(place: Path) -> Callable[[], None]:
    """The same call with requests alone: a session, a token, a URL."""
    auth = msgspec.json.decode(place.read_bytes())["clouds"]["trove"]["auth"]
    session = requests.Session()
    session.trust_env = False
    who = {
        "name": auth["username"],
        "password": auth["password"],
        "domain": {"name": auth["user_domain_name"]},
    }
    project = {"name": auth["project_name"], "domain": {"name": auth["project_domain_name"]}}
    login: Any = {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": who}},
            "scope": {"project": project},
        }
    }
    answer = session.post(f"{auth['auth_url']}/auth/tokens", json=login, timeout=10)
    answer.raise_for_status()
    session.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
    url = auth["auth_url"].removesuffix("/identity/v3") + "/network/v2.0/security-groups"
    body = {"security_group": {"name": "bench", "description": "bench"}}

    def call() -> None:
        session.post(url, json=body, timeout=10).raise_for_status()

    return call


def _cpu(call: Callable[[], None]) -> float:
    for _ in range(20):
        call()
    began = time.process_time()
    for _ in range(CALLS):
        call()
    return (time.process_time() - began) / CALLS * 1e3
