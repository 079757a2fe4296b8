"""Tiers are directories; those of TIERS give their tests the marker of their name.

A test elsewhere that needs a service carries the marker itself, for example as
`pytest.param("mariadb", marks=pytest.mark.integration)`.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from openstack import connect

from handlers.commands import BODIES, PREFIX
from tests.support import matrix, ways
from tests.support.databases import fresh_database
from tests.support.leftovers import Leftovers, inventory
from tests.support.services import CLOUD, MARIADB, POSTGRESQL, RABBITMQ, need

TIERS = {
    "integration": "real RabbitMQ, MariaDB and PostgreSQL: make integration",
    "cloud": "a real OpenStack: make cloud",
}

#: Tests whose commands take the time that a cloud takes.
_WAITING = tuple(Path(__file__).parent / each for each in ("contract/managers", "cloud"))

#: Seconds that one test on a real OpenStack may take beside four others on two slow cores.
_OPENSTACK = 600


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--ways-out", metavar="FILE", help="write the table of the ways out there")


def pytest_configure(config: pytest.Config) -> None:
    for tier, needs in TIERS.items():
        config.addinivalue_line("markers", f"{tier}: needs {needs}")
    config.pluginmanager.register(
        matrix.plugin(config, (kind.removeprefix(PREFIX) for kind in BODIES))
    )
    config.addinivalue_line("markers", "alone: stops what others use: runs after them, by itself")
    config.addinivalue_line("markers", "breadth: minutes long and like others: not in .ci/run")
    config.pluginmanager.register(ways.plugin(config))
    controls = not hasattr(config, "workerinput")  # which the workers of pytest-xdist have
    if CLOUD.url and controls and re.search(r"(?<!not )\bcloud\b", config.option.markexpr):
        config.pluginmanager.register(Leftovers(partial(inventory, connect(cloud=CLOUD.url))))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        tier = item.path.relative_to(here).parts[0] if item.path.is_relative_to(here) else ""
        if tier in TIERS:
            item.add_marker(tier)
        if item.get_closest_marker("cloud") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_OPENSTACK))
    items.sort(key=_is_quick)  # what is quick comes last, and fills the gaps between the others


def _is_quick(item: pytest.Item) -> bool:
    """Whether it has no cloud to wait for: one that is in memory needs no time."""
    waits = any(item.path.is_relative_to(each) for each in _WAITING)
    return not waits or "[memory" in item.name


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tiers this run left out, and how to run them."""
    chosen = terminalreporter.config.option.markexpr
    for tier, needs in TIERS.items():
        if f"not {tier}" in chosen:
            terminalreporter.write_line(f"not run here: {tier}, which needs {needs}")


@pytest.fixture
def rabbitmq_url() -> str:
    """URL of a real RabbitMQ; use queue and exchange names of your own, and remove them."""
    return need(RABBITMQ)


@pytest.fixture
def mariadb_url() -> Iterator[str]:
    """SQLAlchemy URL of an empty database on a real MariaDB."""
    with fresh_database(need(MARIADB)) as url:
        yield url


@pytest.fixture
def postgresql_url() -> Iterator[str]:
    """SQLAlchemy URL of an empty database on a real PostgreSQL."""
    with fresh_database(need(POSTGRESQL)) as url:
        yield url


@pytest.fixture
def cloud_name() -> str:
    """The entry of clouds.yaml on which the cloud tier runs."""
    return need(CLOUD)
