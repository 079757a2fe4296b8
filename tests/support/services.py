"""The services that some tests need, and the one rule for when they are missing.

A test that needs a service asks `need(...)` for its URL. Where the service is not there the test is
skipped with a sentence that says how to start it; where CI=true it fails, so that a run that was
meant to be complete never passes on skips.
"""

import os
from collections.abc import Callable
from functools import cache
from shutil import which
from typing import NamedTuple, NoReturn

import pytest
from kombu.connection import Connection
from openstack import connect
from sqlalchemy import create_engine


class Service(NamedTuple):
    """A service on this machine: where it is (an environment variable says otherwise), how to get
    one, and a probe that logs in and raises when that does not work.
    """

    name: str
    variable: str
    default: str
    how: str
    probe: Callable[[str], None]

    @property
    def url(self) -> str:
        """Its URL; for a cloud an entry of clouds.yaml, for a program its name."""
        return os.environ.get(self.variable, self.default)


def _probe_broker(url: str) -> None:
    with Connection(url, connect_timeout=3) as connection:
        connection.ensure_connection(max_retries=1, timeout=3)


def _probe_database(url: str) -> None:
    create_engine(url, connect_args={"connect_timeout": 3}).connect().close()


def _probe_program(name: str) -> None:
    if not which(name):
        raise FileNotFoundError(name)


def _probe_cloud(name: str) -> None:
    if not name:
        raise LookupError("no cloud is named")
    connect(cloud=name).authorize()


RABBITMQ = Service(
    "RabbitMQ",
    "TEST_RABBITMQ_URL",
    "amqp://guest:guest@127.0.0.1:5672//",
    "start it with tests/services/up.sh, then run `make integration`",
    _probe_broker,
)
MARIADB = Service(
    "MariaDB",
    "TEST_MARIADB_URL",
    "mysql+pymysql://trove_resources:trove_resources@127.0.0.1:3306/",
    "start it with tests/services/up.sh, then run `make integration`",
    _probe_database,
)
#: The same server for a user that may only read.
MARIADB_READER = Service(
    "MariaDB for a reader",
    "TEST_MARIADB_READER_URL",
    "mysql+pymysql://trove_reader:trove_reader@127.0.0.1:3306/",
    "start it with tests/services/up.sh, then run `make integration`",
    _probe_database,
)
POSTGRESQL = Service(
    "PostgreSQL",
    "TEST_POSTGRESQL_URL",
    "postgresql+psycopg://trove_resources:trove_resources@127.0.0.1:5432/postgres",
    "start it with tests/services/up.sh, then run `make integration`",
    _probe_database,
)
CLOUD = Service(
    "OpenStack",
    "TEST_CLOUD",
    "",
    "run `make cloud`, which starts one, or name an entry of your clouds.yaml in TEST_CLOUD",
    _probe_cloud,
)
PROMETHEUS = Service(
    "Prometheus",
    "TEST_PROMETHEUS",
    "prometheus",
    "on Debian: apt-get install prometheus",
    _probe_program,
)
PROMTOOL = Service(
    "promtool",
    "TEST_PROMTOOL",
    "promtool",
    "on Debian: apt-get install prometheus",
    _probe_program,
)


@cache
def problem(service: Service) -> str | None:
    """Why the service cannot be used, or None; asked once per process."""
    try:
        service.probe(service.url)
    except Exception as error:  # whatever a client raises means the same here
        return f"{type(error).__name__}: {error}"
    return None


def need(service: Service, *, ci: bool | None = None) -> str:
    """The service's URL. Skips the test where it is missing, fails it where CI=true."""
    trouble = problem(service)
    if trouble:
        missing(service, trouble, ci=os.environ.get("CI") == "true" if ci is None else ci)
    return service.url


def missing(service: Service, trouble: str, *, ci: bool) -> NoReturn:
    """The rule itself: skip on a developer's machine, fail in CI."""
    sentence = f"{service.name} is needed: {service.how} ({trouble})"
    if ci:
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
