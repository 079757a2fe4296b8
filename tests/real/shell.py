"""The product's own command line, as a user types it."""

import subprocess
import sys
import time
from pathlib import Path

import msgspec

#: Seconds that one command may take.
_LONGEST = 120.0


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a command printed, its exit code, and how many seconds it took."""

    line: str
    code: int
    out: str
    err: str
    seconds: float


class Shell:
    """Runs `trove-resources` with one configuration file; `said` keeps all of it."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self.said: list[Said] = []

    def run(self, *words: str) -> Said:
        """Run it to its end."""
        program = str(Path(sys.executable).with_name("trove-resources"))
        began = time.monotonic()
        done = subprocess.run(
            [program, "--config-file", str(self._config), *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            check=False,
        )
        said = Said(
            line=" ".join(("trove-resources", *words)),
            code=done.returncode,
            out=done.stdout,
            err=done.stderr,
            seconds=time.monotonic() - began,
        )
        self.said.append(said)
        return said
