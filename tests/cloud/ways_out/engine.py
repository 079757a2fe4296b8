"""The engine of the test cloud's Heat: killed by its pid file, and started again."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

_SCRIPT = Path(__file__).parents[1] / "up.sh"
_NAME = "heat-engine"

#: Seconds until the engine must answer.
_PATIENCE = 60.0


class Engine:
    """`answers` says whether Heat does."""

    def __init__(self, answers: Callable[[], bool]) -> None:
        self._answers = answers
        root = Path(os.environ.get("CLOUD_ROOT", "/opt/cloud"))
        self._pid_file = root / "run" / f"{_NAME}.pid"

    @property
    def is_here(self) -> bool:
        """Whether the cloud is the one of tests/cloud, on this machine."""
        return self._pid_file.exists()

    def kill(self) -> None:
        """At once, with its workers: they are one process group."""
        os.killpg(int(self._pid_file.read_text()), signal.SIGKILL)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        subprocess.run(
            [str(_SCRIPT), "restart", _NAME],
            check=True,
            timeout=_PATIENCE,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        end = time.monotonic() + _PATIENCE
        while not self._answers():
            assert time.monotonic() < end, "Heat's engine does not answer"
            time.sleep(0.2)
