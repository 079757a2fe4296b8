"""Where work runs: a few threads per service, so that a hanging service delays no other."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from handlers.resources import Service


class Pools(Protocol):
    """Runs work in the lane of a service. MUST NOT raise; `stop` waits for what is running.

    `look` has a thread of its own in each lane: calls that queue up do not delay the eyes.
    """

    def look(self, service: Service, work: Callable[..., None], *args: Any) -> None: ...
    def submit(self, service: Service, work: Callable[..., None], *args: Any) -> None: ...
    def stop(self) -> None: ...


class ThreadPools:
    """A pool of threads per service, and one thread that looks."""

    def __init__(self, sizes: Mapping[Service, int]) -> None:
        self._pools = {
            service: ThreadPoolExecutor(size, thread_name_prefix=str(service))
            for service, size in sizes.items()
        }
        self._eyes = {
            service: ThreadPoolExecutor(1, thread_name_prefix=f"{service} looks")
            for service in sizes
        }
        self._open = True

    def look(self, service: Service, work: Callable[..., None], *args: Any) -> None:
        if self._open:
            self._eyes[service].submit(work, *args)

    def submit(self, service: Service, work: Callable[..., None], *args: Any) -> None:
        if self._open:
            self._pools[service].submit(work, *args)

    def stop(self) -> None:
        """Let what runs come to its end; what has not begun is left to the next owner."""
        self._open = False
        for pool in (*self._eyes.values(), *self._pools.values()):
            pool.shutdown(wait=True, cancel_futures=True)


class Inline:
    """Runs everything at once, in the caller's thread: for virtual time."""

    def look(self, service: Service, work: Callable[..., None], *args: Any) -> None:
        work(*args)

    def submit(self, service: Service, work: Callable[..., None], *args: Any) -> None:
        work(*args)

    def stop(self) -> None:
        """Nothing runs on its own here."""
