"""The URL of Trove's database: what is refused before anything is asked."""

import pytest

from consumer.imports.rows import Unreadable
from consumer.imports.trove import rows_of_trove
from handlers.secret import Secret


@pytest.mark.parametrize(
    "url",
    [
        "pl4nted",
        "sqlite:///trove.db?x=pl4nted",
        "postgresql://trove:pl4nted@127.0.0.1/trove",
        "mysql://trove:pl4nted@127.0.0.1/trove",
        "mysql+nothing://trove:pl4nted@127.0.0.1/trove",
        "mysql+pymysql://trove:pl4nted@127.0.0.1",
        "mysql+pymysql://trove:pl4nted@127.0.0.1:port/trove",
    ],
)
def test_a_url_that_is_none_of_trove_s_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(Unreadable, match=r"write mysql\+pymysql://") as caught:
        rows_of_trove(Secret(url))

    assert "pl4nted" not in str(caught.value)


def test_a_server_that_is_away_is_one_sentence() -> None:
    with pytest.raises(Unreadable, match=r"Trove's database: .*127\.0\.0\.1") as caught:
        rows_of_trove(Secret("mysql+pymysql://trove:pl4nted@127.0.0.1:9/trove"))

    assert "pl4nted" not in str(caught.value)
