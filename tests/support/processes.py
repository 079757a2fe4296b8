"""Programs that a test starts: each is stopped at the end, by its own pid."""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

#: Seconds after SIGTERM until SIGKILL.
PATIENCE = 30.0


class Programs:
    """Starts programs in one environment and writes what each prints into a file of its own."""

    def __init__(self, folder: Path, environment: Mapping[str, str], stack: ExitStack) -> None:
        self._folder, self._environment, self._stack = folder, dict(environment), stack

    def start(self, name: str, command: Sequence[str], **more: str) -> "subprocess.Popen[bytes]":
        """Start it in the background; `more` is added to its environment."""
        with self.log(name).open("wb") as log:
            process = subprocess.Popen(
                command, env={**self._environment, **more}, stdout=log, stderr=log
            )
        self._stack.callback(_stop, process)
        return process

    def run(self, name: str, command: Sequence[str], seconds: float, **more: str) -> int:
        """Run it to its end; its exit code."""
        return self.start(name, command, **more).wait(seconds)

    def log(self, name: str) -> Path:
        return self._folder / f"{name}.log"


@contextmanager
def programs(folder: Path, environment: Mapping[str, str]) -> Iterator[Programs]:
    """Programs that end with the block, the newest first."""
    with ExitStack() as stack:
        yield Programs(folder, environment, stack)


def wait_until(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether it came to hold within the time."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
