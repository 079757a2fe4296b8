"""The product's own command line, as a user types it."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

#: Seconds that one command may take, and after which one that failed is typed again.
_LONGEST, _PAUSE = 120.0, 3.0

#: Seconds that a command has which is to end by itself.
_PATIENCE = 30.0

#: So often, at most: on a busy machine the cloud may not answer in time.
_TRIES = 4


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a command printed, its exit code, and how many seconds it took."""

    line: str
    code: int
    out: str
    err: str
    seconds: float


class Shell:
    """Runs `trove-resources` with one configuration file, in the folder of that file."""

    def __init__(self, config: Path) -> None:
        self._config = config

    def insist(self, *words: str) -> Said:
        """Run it until it ends well, a few times at most; what it said last."""
        for _ in range(_TRIES - 1):
            said = self.run(*words)
            if said.code == 0:
                return said
            time.sleep(_PAUSE)
        return self.run(*words)

    @contextmanager
    def beside(self, out: Path, *words: str) -> Iterator[None]:
        """Run it beside the block, and print into a file; it has some seconds to end by itself."""
        with out.open("wb") as file:
            process = subprocess.Popen(self._line(words), cwd=self._config.parent, stdout=file)
        try:
            yield
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)
        finally:
            process.kill()
            process.wait()

    def run(self, *words: str) -> Said:
        """Run it to its end."""
        began = time.monotonic()
        done = subprocess.run(
            self._line(words),
            cwd=self._config.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            check=False,
        )
        return Said(
            line=" ".join(("trove-resources", *words)),
            code=done.returncode,
            out=done.stdout,
            err=done.stderr,
            seconds=time.monotonic() - began,
        )

    def _line(self, words: Sequence[str]) -> list[str]:
        program = str(Path(sys.executable).with_name("trove-resources"))
        return [program, "--config-file", str(self._config), *words]
