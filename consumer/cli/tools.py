"""What commands work with: one protocol, so that tests hand in their own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import msgspec

from consumer.broker.deadletters import NoQueue
from consumer.broker.inbox import Delivery
from consumer.broker.link import Down
from consumer.broker.publisher import Nacked, Unroutable
from consumer.client import Client
from consumer.config import Misconfigured, Settings
from consumer.imports.rows import Row, Unreadable
from consumer.ledger.base import Ledger, Unavailable
from handlers.base import Clouds, Probe
from handlers.errors import Fault
from handlers.secret import Secret


class Mistake(Exception):
    """What the operator can put right; the message says how, in one sentence."""


class Finding(msgspec.Struct, frozen=True):
    """One line of `config check`: what was looked at, and what to do unless all is well."""

    what: str
    good: bool
    text: str


class Tools(Protocol):
    """Collaborators made from the settings, each when it is asked for."""

    @property
    def settings(self) -> Settings:
        """Raises Misconfigured."""
        ...

    def ledger(self) -> Ledger: ...

    def client(self) -> Client: ...

    def clouds(self, probe: Probe | None = None) -> Clouds:
        """The configured clouds; nothing is sent yet. `probe` hears of every request."""
        ...

    def trove(self, url: Secret) -> tuple[Row, ...]:
        """The instances of Trove's database; raises Unreadable."""
        ...

    def peek(self, limit: int) -> tuple[Delivery, ...]:
        """Refused messages; raises Down or NoQueue."""
        ...

    def upgrade(self) -> tuple[str, str]:
        """Bring the ledger's tables up to date: revision before and after; raises Unavailable."""
        ...

    def findings(self) -> Iterator[Finding]:
        """What `config check` finds out, one thing after the other; raises nothing."""
        ...

    def work(self) -> int:
        """Be a worker until a signal comes; returns the exit code."""
        ...


#: Makes the tools from the --config-file and --config-dir arguments.
MakeTools = Callable[[tuple[str, ...]], Tools]


@contextmanager
def plainly() -> Iterator[None]:
    """Say what an operator should do about what commonly goes wrong."""
    try:
        yield
    except Unavailable as error:
        raise Mistake(
            f"The ledger does not answer ({error}): check [ledger] url with 'config check'."
        ) from None
    except Down as error:
        raise Mistake(
            f"The broker does not answer ({error}): check [broker] url with 'config check'."
        ) from None
    except Unroutable as error:
        raise Mistake(f"Nothing was sent: {error}: start a worker, it makes the queue.") from None
    except NoQueue as error:
        raise Mistake(
            f"{error}: start a worker, it makes the queue, or correct [broker] dead_letter_queue."
        ) from None
    except Nacked as error:
        raise Mistake(f"Nothing was sent: {error}") from None
    except Unreadable as error:
        raise Mistake(f"Nothing was imported: {error}.") from None
    except Fault as fault:
        raise Mistake(
            f"Nothing was done: {fault.message}; 'config check' looks at the clouds."
        ) from None
    except Misconfigured as error:
        raise Mistake(str(error)) from None
