"""The simulated OpenStack: a process of its own, spoken to over HTTP like a real one."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from consumer.cli.tools import Mistake

#: Seconds until a request to the simulator's back door is given up.
_PATIENCE = 10.0

#: Short times, in seconds, so that the demo is one; the proportions are those of a real Nova.
TIMES = {
    "server_resize": (1.0, 2.0),
    "server_confirm": (0.4, 0.4),
    "volume_create": (0.2, 0.5),
    "volume_attach": (0.2, 0.4),
    "server_delete": (0.3, 0.8),
    "heat_leaf": (0.3, 0.3),
    "heat_poll": (0.3, 0.4),
}


class Simulated:
    """The back door of a running simulator."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc

    def hurry(self) -> None:
        """Let things take as long as TIMES says."""
        self._ask("PUT", "times", TIMES)

    def counts(self) -> dict[tuple[str, str], int]:
        """How often each service was called, by (service, method), Keystone too."""
        found: dict[tuple[str, str], int] = {}
        for each in self._ask("GET", "counts")["requests"]:
            key = (each["service"], each["method"])
            found[key] = found.get(key, 0) + each["count"]
        return found

    def launched(self) -> dict[str, int]:
        """When each server became ACTIVE: its id, and microseconds of wall time."""
        found: dict[str, int] = self._ask("GET", "audit")["launched"]
        return found

    def leftovers(self) -> list[str]:
        """Everything that exists, as `kind id of subject`: nothing, when all is cleaned up."""
        return [
            f"{kind} {each} of {subject or 'nobody'}"
            for subject, kinds in self._ask("GET", "inventory").items()
            for kind, ids in kinds.items()
            for each in ids
        ]

    def _ask(self, method: str, what: str, body: Any = None) -> Any:
        connection = HTTPConnection(self._host, timeout=_PATIENCE)
        try:
            connection.request(method, f"/simulator/{what}", msgspec.json.encode(body))
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                raise Mistake(f"The simulator refused {method} {what}: {text.decode()}")
            return msgspec.json.decode(text) if text else None
        finally:
            connection.close()


@contextmanager
def simulated(clouds_yaml: Path, build: str) -> Iterator[Simulated]:
    """A simulator while the block runs; `clouds_yaml` is written, `build` are seconds (`1-2`)."""
    options = ["--clouds-yaml", str(clouds_yaml), "--build-seconds", build]
    child = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "simulator", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None  # noqa: S101 - it is a pipe
        line = child.stdout.readline()
        child.stdout.readline()
        if not line.startswith("simulator: "):
            raise Mistake("The simulator did not start: 'python -m simulator' says why.")
        one = Simulated(line.split()[1])
        one.hurry()
        yield one
    finally:
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
