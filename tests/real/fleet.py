"""Worker processes that are started again whenever one dies."""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

#: Seconds after SIGTERM until a worker counts as stuck.
PATIENCE = 60.0


class Fleet:
    """So many workers; `tend` looks after them, `stop` ends them by SIGTERM.

    `exits` counts exit codes: -9 for a kill. Each start writes a log of its own.
    """

    def __init__(self, size: int, arguments: Sequence[str], folder: Path) -> None:
        self._arguments = arguments
        self._folder = folder
        self._starts = 0
        self.exits: Counter[int] = Counter()
        self._workers = [self._start() for _ in range(size)]

    @property
    def starts(self) -> int:
        return self._starts

    def tend(self) -> None:
        """Start anew what has ended."""
        for place, worker in enumerate(self._workers):
            code = worker.poll()
            if code is not None:
                self.exits[code] += 1
                self._workers[place] = self._start()

    def kill_one(self) -> None:
        """Kill the worker that runs longest, wherever it is."""
        worker = self._workers.pop(0)
        worker.kill()
        self.exits[worker.wait()] += 1
        self._workers.append(self._start())

    def stop(self) -> dict[int, int]:
        """Ask all to end; gives their exit codes. What does not end is killed."""
        ended: Counter[int] = Counter()
        for worker in self._workers:
            worker.send_signal(signal.SIGTERM)
        end = time.monotonic() + PATIENCE
        for worker in self._workers:
            try:
                ended[worker.wait(max(0.1, end - time.monotonic()))] += 1
            except subprocess.TimeoutExpired:
                worker.kill()
                ended[worker.wait()] += 1
        self._workers.clear()
        return dict(ended)

    def tail(self, lines: int = 40) -> str:
        """The last lines of each log that says anything of level warning or above."""
        found = []
        for log in sorted(self._folder.glob("worker-*.log")):
            text = [line for line in log.read_text().splitlines() if '"level":"info"' not in line]
            found += [f"{log.name}: {line}" for line in text[-lines:]]
        return "\n".join(found[-lines:])

    def _start(self) -> "subprocess.Popen[bytes]":
        self._starts += 1
        with (self._folder / f"worker-{self._starts:03}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.real.worker", *self._arguments],
                stdout=log,
                stderr=log,
            )
