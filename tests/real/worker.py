"""A real worker process that dies at the targets of a minefield.

python -m tests.real.worker FOLDER --config-file FILE
"""

import logging
import sys
from contextlib import closing
from pathlib import Path
from typing import cast

from msgspec.structs import replace

from consumer import app, wiring
from consumer.cli.wired import run_until_signal
from consumer.config import load
from consumer.ledger.base import Ledger
from consumer.telemetry.logs import Logs
from handlers.operation import SECOND
from tests.real.mines import MinedLedger
from tests.real.targets import Minefield


def main(folder: str, *files: str) -> int:
    """The product's own worker, but for the places to die at and for shorter waits after that."""
    settings = load(files)
    logs = Logs(settings.telemetry, sys.stdout, wiring.secrets_of(settings))
    policy = replace(wiring.policy_of(settings), slack=2 * SECOND)
    minefield = Minefield(Path(folder))
    with closing(wiring.ledger_of(settings)) as ledger:
        given = app.Given(
            ledger=cast(Ledger, MinedLedger(ledger, minefield)),
            checkpoint=minefield.checkpoint,
            policy=policy,
        )
        worker = app.build(settings, logs.logger(), given)
        logs.bridge(logging.getLogger())
        return run_until_signal(worker)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
