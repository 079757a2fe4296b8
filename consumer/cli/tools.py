"""What commands work with: one protocol, so that tests hand in their own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import msgspec

from consumer.config import Settings
from consumer.ledger.base import Ledger, Unavailable


class Mistake(Exception):
    """What the operator can put right; the message says how, in one sentence."""


class Finding(msgspec.Struct, frozen=True):
    """One line of `config check`: what was looked at, and what to do unless all is well."""

    what: str
    good: bool
    text: str


class Tools(Protocol):
    """Collaborators made from the settings, each when it is first asked for."""

    @property
    def settings(self) -> Settings:
        """Raises Misconfigured."""
        ...

    def ledger(self) -> Ledger: ...


Probe = Callable[[], Finding]


@contextmanager
def plainly() -> Iterator[None]:
    """Say what an operator should do about what commonly goes wrong."""
    try:
        yield
    except Unavailable as error:
        raise Mistake(
            f"The ledger does not answer ({error}): check [ledger] url with 'config check'."
        ) from None
