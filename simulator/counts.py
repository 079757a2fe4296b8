"""How many requests there were, by service, method and path template."""

from collections import Counter
from threading import Lock

#: Service, method and path template of a request.
Key = tuple[str, str, str]


class Counts:
    """A counter that threads may share."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counter: Counter[Key] = Counter()

    def add(self, method: str, path: str) -> None:
        """Count one request; the service is the first part of the path."""
        with self._lock:
            self._counter[path.split("/")[1], method, path] += 1

    def seen(self) -> dict[Key, int]:
        """All counts so far, sorted."""
        with self._lock:
            return dict(sorted(self._counter.items()))

    def clear(self) -> None:
        """Begin at zero again."""
        with self._lock:
            self._counter.clear()
