"""Watching the rules of a security group over HTTP."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from tests.contract.managers.inventory import RuleKey
from tests.contract.managers.project import HttpProject


@contextmanager
def sampled(project: HttpProject, group: str) -> Iterator["Samples"]:
    """Read the group's rules again and again, in a thread of its own."""
    samples = Samples(lambda: project.rules(group))
    samples.thread.start()
    try:
        yield samples
    finally:
        samples.stop()


class Samples:
    """A `Watch` of many looks, a few hundredths of a second apart."""

    def __init__(self, look: Callable[[], dict[RuleKey, str]]) -> None:
        self._look = look
        self._seen = [look()]
        self._over = Event()
        self.thread = Thread(target=self._run)

    def stop(self) -> None:
        self._over.set()
        self.thread.join()

    def gaps(self) -> tuple[str, ...]:
        """Ends the watch."""
        self.stop()
        first, last = self._seen[0], self._look()
        reached = {key[:3] for key in first} & {key[:3] for key in last}
        kept = {key for key in first if last.get(key) == first[key]}
        found = set()
        for seen in self._seen:
            found |= {f"{ports} from nowhere" for ports in reached - {key[:3] for key in seen}}
            found |= {f"{key} was away" for key in kept - set(seen)}
        return tuple(sorted(found))

    def _run(self) -> None:
        while not self._over.wait(0.02):
            self._seen.append(self._look())
