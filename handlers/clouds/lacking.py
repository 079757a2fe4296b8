"""How a cloud says that it lacks something: texts of Heat 27 and Nova 34, measured."""

from handlers.clouds.refusals import Effect
from handlers.clouds.row import Row
from handlers.errors import Reason, Terminal
from handlers.lacks import ADOPTION, DOOMING

ROWS: tuple[Row, ...] = (
    Row(
        why=str(ADOPTION),
        service="orchestration",
        statuses=frozenset({400}),
        effects=frozenset({Effect.MAKE}),
        text=r"\bNotSupported\b.*Stack Adopt",
        explains=True,
        fault=Terminal,
        reason=Reason.UNSUPPORTED,
    ),
    Row(
        why=str(DOOMING),
        service="compute",
        statuses=frozenset({406}),
        effects=frozenset({Effect.CHANGE}),
        text=r"Version 2\.85 is not supported",
        explains=True,
        fault=Terminal,
        reason=Reason.UNSUPPORTED,
    ),
)
