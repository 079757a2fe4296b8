"""A ledger under test with its clock; one that keeps its data can be opened again."""

from abc import ABC, abstractmethod
from pathlib import Path

from sqlalchemy import Engine, select

from consumer.ledger.base import Ledger
from consumer.ledger.memory import MemoryLedger
from consumer.ledger.sql.database import Database
from consumer.ledger.sql.ledger import SqlLedger
from consumer.ledger.sql.schema import metadata
from consumer.secrets import Vault
from tests.contract.ledger.builders import VirtualClock


class Site(ABC):
    """Where a ledger lives. `ledger` is the first process's view of it."""

    def __init__(self, clock: VirtualClock, vault: Vault) -> None:
        self.clock = clock
        self.vault = vault

    @property
    @abstractmethod
    def ledger(self) -> Ledger: ...

    @abstractmethod
    def another(self) -> Ledger:
        """What a second process sees."""

    @abstractmethod
    def content(self) -> str:
        """All that is kept, as text."""


class MemorySite(Site):
    def __init__(self, clock: VirtualClock, vault: Vault) -> None:
        super().__init__(clock, vault)
        self._ledger = MemoryLedger(clock.now, vault)

    @property
    def ledger(self) -> Ledger:
        return self._ledger

    def another(self) -> Ledger:
        return self._ledger

    def content(self) -> str:
        return repr((self._ledger.operations(), self._ledger.instances(), self._ledger.unsent(99)))


class SqlSite(Site):
    def __init__(self, engine: Engine, clock: VirtualClock, vault: Vault) -> None:
        super().__init__(clock, vault)
        self.engine = engine
        self._ledger = self.another()

    @property
    def ledger(self) -> Ledger:
        return self._ledger

    def another(self, vault: Vault | None = None) -> SqlLedger:
        return SqlLedger(Database(self.engine), vault or self.vault, now=self.clock.now)

    def content(self) -> str:
        with self.engine.connect() as connection:
            tables = metadata.sorted_tables
            return repr([list(connection.execute(select(table))) for table in tables])

    def clear(self) -> None:
        with self.engine.begin() as connection:
            for table in metadata.sorted_tables:
                connection.execute(table.delete())

    def files(self) -> bytes:
        """SQLite's files, byte by byte."""
        path = Path(str(self.engine.url.database))
        return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
