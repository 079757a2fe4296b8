"""What an operator does to the database of the ledger: look whether it is fit, and upgrade it."""

from sqlalchemy.exc import SQLAlchemyError

from consumer.ledger import migrations
from consumer.ledger.base import Unavailable
from consumer.ledger.sql import connect
from consumer.ledger.sql.database import Database
from handlers.operation import Micros


class Upkeep:
    """One database. Every method raises Unavailable, with the database's own words."""

    def __init__(self, url: str, limits: connect.Limits, tls: connect.Tls) -> None:
        """Raises ValueError for a URL that cannot be used; connects to nothing yet."""
        self._engine = connect.engine_of(url, limits, tls)

    def database(self) -> Database:
        """For a ledger on this database."""
        return Database(self._engine)

    def time(self) -> Micros:
        """The database's own time."""
        return self.database().time()

    def is_current(self) -> bool:
        """Whether the tables have the form that this release needs."""
        try:
            return migrations.is_current(self._engine)
        except SQLAlchemyError as error:
            raise Unavailable(_words(error)) from error

    def upgrade(self) -> tuple[str, str]:
        """Bring the tables to this release's form; returns the revision before and after."""
        try:
            before = migrations.current(self._engine)
            migrations.upgrade(self._engine)
        except SQLAlchemyError as error:
            raise Unavailable(_words(error)) from error
        return before or "nothing", migrations.newest()


def _words(error: SQLAlchemyError) -> str:
    """The driver's message in one line; it holds no password."""
    return " ".join(str(getattr(error, "orig", None) or error).split())[:300]
