"""Worker processes that are started again whenever one dies."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support.processes import wait_until

#: Seconds after SIGTERM until a worker counts as stuck.
PATIENCE = 60.0

#: Lines of a crash that are shown.
_CRASH = 20

#: What a worker's log says when it listens to signals.
STARTED = "worker starts"


class Fleet:
    """So many workers; `tend` looks after them, `stop` ends them by SIGTERM, and after it `start`
    has others in their place.

    `exits` counts exit codes: -9 for a kill. `odd` tells of workers that ended in another way than
    `expected`, with the errors of their logs. Each start writes a log of its own.
    """

    def __init__(self, size: int, folder: Path, expected: Collection[int]) -> None:
        self._size = size
        self._expected = expected
        self._arguments: Sequence[str] = ()
        self._folder = folder
        self._starts = 0
        self.exits: Counter[int] = Counter()
        self.odd: list[str] = []
        self._workers: list[_Started] = []

    def start(self, arguments: Sequence[str]) -> None:
        """Start the workers with these arguments, which are also those of the ones to come."""
        self._arguments = arguments
        self._workers = [self._start() for _ in range(self._size)]

    @property
    def starts(self) -> int:
        return self._starts

    def tend(self) -> None:
        """Start anew what has ended."""
        for place, worker in enumerate(self._workers):
            code = worker.process.poll()
            if code is None:
                continue
            self.exits[code] += 1
            if code not in self._expected:
                self.odd.append(f"exit code {code}: {errors_in(worker.log)}")
            self._workers[place] = self._start()

    def kill_one(self) -> None:
        """Kill the worker that runs longest, wherever it is."""
        worker = self._workers.pop(0).process
        worker.kill()
        self.exits[worker.wait()] += 1
        self._workers.append(self._start())

    def kill_all(self) -> int:
        """Kill every worker, wherever they are; how many lived."""
        living = [each.process for each in self._workers if each.process.poll() is None]
        for worker in living:
            worker.kill()
        for worker in living:
            worker.wait()
        return len(living)

    def stop(self) -> None:
        """Ask all to end, once they listen: their exit code must be 0. What does not end is
        killed."""
        ended: Counter[int] = Counter()
        wait_until(lambda: all(STARTED in each.log.read_text() for each in self._workers), PATIENCE)
        processes = [worker.process for worker in self._workers]
        for worker in processes:
            worker.send_signal(signal.SIGTERM)
        end = time.monotonic() + PATIENCE
        for worker in processes:
            try:
                ended[worker.wait(max(0.1, end - time.monotonic()))] += 1
            except subprocess.TimeoutExpired:
                worker.kill()
                ended[worker.wait()] += 1
        if set(ended) - {0}:
            self.odd.append(f"exit codes after SIGTERM: {dict(ended)}")
        self._workers.clear()

    def _start(self) -> "_Started":
        self._starts += 1
        path = self._folder / f"worker-{self._starts:03}.log"
        command = [sys.executable, "-m", "tests.real.worker", *self._arguments]
        with path.open("wb") as log:
            environment = {**os.environ, "PYTHONFAULTHANDLER": "1"}  # a crash says where
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        return _Started(process, path)


class _Started(NamedTuple):
    process: "subprocess.Popen[bytes]"
    log: Path


def errors_in(log: Path, most: int = 5) -> str:
    """The last lines of a log that tell of an error; its very last ones where none does."""
    lines = log.read_text().splitlines()
    crashes = [place for place, line in enumerate(lines) if line.startswith("Fatal Python error")]
    if crashes:
        return " | ".join(lines[crashes[0] : crashes[0] + _CRASH])
    told = [line for line in lines if '"level":"error"' in line or line.startswith("Traceback")]
    return " | ".join((told or lines)[-most:])[-2000:]
