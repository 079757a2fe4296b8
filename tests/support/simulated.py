"""A simulator in virtual time, and openstacksdk as it is on PyPI talking to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests
from openstack.config import OpenStackConfig
from openstack.connection import Connection

from simulator import clouds_yaml, running
from tests.support.small_cloud import SmallCloud

Connect = Callable[[str, dict[str, str]], Connection]


class Simulated:
    """A small cloud served over HTTP. Its clock stands still unless a test lets time pass."""

    def __init__(self, small: SmallCloud, url: str, connect: Connect) -> None:
        self.small = small
        self.url = url
        self._connect = connect

    def connect(self, user: str = "trove", **auth: str) -> Any:
        """A connection of openstacksdk, `auth` changing what it logs in with.

        Typed loosely, as its proxies are made at run time.
        """
        return self._connect(user, auth)

    def session(self, user: str = "trove") -> requests.Session:
        """Plain requests with a token, for what openstacksdk hides."""
        session = requests.Session()
        session.headers["X-Auth-Token"] = self.connect(user).session.get_token()
        return session

    def wait(self, seconds: float) -> None:
        self.small.wait(seconds)


@contextmanager
def simulated(small: SmallCloud | None = None) -> Iterator[Simulated]:
    """Serve a small cloud; closes every connection at the end."""
    small = small or SmallCloud()
    opened: list[Connection] = []
    with running(small.state) as url:
        entries = clouds_yaml(url)["clouds"]

        def connect(user: str, auth: dict[str, str]) -> Connection:
            # no file, no environment: only what is said here
            config = OpenStackConfig(load_yaml_config=False, load_envvars=False)
            entry = {**entries[user], "auth": {**entries[user]["auth"], **auth}}
            connection = Connection(config=config.get_one(**entry))
            opened.append(connection)
            return connection

        try:
            yield Simulated(small, url, connect)
        finally:
            for connection in opened:
                connection.close()
