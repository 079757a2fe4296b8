"""The ledgers: in memory, SQLite, MariaDB, PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine

from consumer.ledger.base import Ledger
from consumer.ledger.migrations import upgrade
from consumer.ledger.sql.connect import Limits, engine_of
from consumer.secrets import Vault
from tests.contract.ledger.builders import VirtualClock
from tests.contract.ledger.sites import MemorySite, Site, SqlSite
from tests.support.databases import fresh_database
from tests.support.services import MARIADB, POSTGRESQL, need

SERVERS = {"mariadb": MARIADB, "postgresql": POSTGRESQL}
SQL = [
    "sqlite",
    pytest.param("mariadb", marks=pytest.mark.integration),
    pytest.param("postgresql", marks=pytest.mark.integration),
]


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Engine]]:
    """A migrated database of each kind, made when the first test asks for it."""
    made: dict[str, Engine] = {}
    with ExitStack() as stack:

        def engine(kind: str) -> Engine:
            if kind not in made:
                path = tmp_path_factory.mktemp("ledger") / "ledger.db"
                url = _url(stack, kind, path)
                made[kind] = engine_of(url, Limits(pool_size=12))
                stack.callback(made[kind].dispose)
                upgrade(made[kind])
            return made[kind]

        yield engine


def _url(stack: ExitStack, kind: str, path: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{path}"
    return stack.enter_context(fresh_database(need(SERVERS[kind])))


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def vault() -> Vault:
    return Vault([Vault.new_key()])


@pytest.fixture(params=SQL)
def sql_site(
    request: pytest.FixtureRequest,
    engines: Callable[[str], Engine],
    clock: VirtualClock,
    vault: Vault,
) -> SqlSite:
    """An empty ledger in SQL."""
    site = SqlSite(engines(request.param), clock, vault)
    site.clear()
    return site


@pytest.fixture(params=["memory", *SQL])
def site(
    request: pytest.FixtureRequest,
    engines: Callable[[str], Engine],
    clock: VirtualClock,
    vault: Vault,
) -> Site:
    """An empty ledger of any kind."""
    if request.param == "memory":
        return MemorySite(clock, vault)
    site = SqlSite(engines(request.param), clock, vault)
    site.clear()
    return site


@pytest.fixture
def ledger(site: Site) -> Ledger:
    return site.ledger
