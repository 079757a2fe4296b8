"""What a play came to, as several checks need it."""

from handlers.clouds.memory.faults import Delay
from handlers.operation import Operation
from tests.chaos.schedule import Do
from tests.chaos.stage import Stage

#: Seconds that a dead worker's operations may lie until somebody takes them.
TAKE_OVER = 45

_STANDS_STILL = (Do.CRASH, Do.PAUSE, Do.STOP, Do.UNAVAILABLE, Do.ENGINE)


def operations_of(stage: Stage) -> tuple[Operation, ...]:
    """Those of the subject, newest first."""
    return stage.ledger.operations(subject=stage.subject)


def idle_of(stage: Stage) -> float:
    """Seconds that crashes, pauses, slow calls and a dead engine may have cost."""
    still = [s.seconds + TAKE_OVER for s, _ in stage.crossings.struck if s.do in _STANDS_STILL]
    return sum(still) + sum(e.seconds for _, _, e in stage.cloud.faults if isinstance(e, Delay))
