"""A database of its own for every test that needs a real server."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

PREFIX = "trove_resources_"


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """Make an empty database on the server; yields its URL and drops it at the end.

    `server` is a SQLAlchemy URL of a user that may create databases named trove_resources_*.
    """
    url = make_url(server)
    name = PREFIX + uuid4().hex[:12]
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    postgresql = admin.dialect.name == "postgresql"
    create = "CREATE DATABASE " + name + ("" if postgresql else " CHARACTER SET utf8mb4")
    drop = "DROP DATABASE " + name + (" WITH (FORCE)" if postgresql else "")
    try:
        with admin.connect() as connection:
            connection.execute(text(create))
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(drop))
        admin.dispose()
