"""Where work runs: a few threads per service, so that a hanging service delays no other."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from handlers.resources import Service


class Pools(Protocol):
    """Runs work in the lane of a service. MUST NOT raise; `stop` waits for what is running."""

    def submit(self, service: Service, work: Callable[..., None], *args: Any) -> None: ...
    def stop(self) -> None: ...


class ThreadPools:
    """A pool of threads per service."""

    def __init__(self, sizes: Mapping[Service, int]) -> None:
        self._pools = {
            service: ThreadPoolExecutor(size, thread_name_prefix=str(service))
            for service, size in sizes.items()
        }
        self._open = True

    def submit(self, service: Service, work: Callable[..., None], *args: Any) -> None:
        if self._open:
            self._pools[service].submit(work, *args)

    def stop(self) -> None:
        """Let what runs come to its end; what has not begun is left to the next owner."""
        self._open = False
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)


class Inline:
    """Runs everything at once, in the caller's thread: for virtual time."""

    def submit(self, service: Service, work: Callable[..., None], *args: Any) -> None:
        work(*args)

    def stop(self) -> None:
        """Nothing runs on its own here."""
