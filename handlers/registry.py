"""The managers by name, and which of them a command goes to."""

from collections.abc import Callable, Iterable

from handlers.admission import admit, heed_cancellation, supersedes
from handlers.base import ResourceManager, Step
from handlers.commands import Command
from handlers.errors import Reason, Terminal
from handlers.instance import Instance, Ref
from handlers.keys import STACK
from handlers.migration import MOVES, Migration
from handlers.migration import NAME as MIGRATION
from handlers.natives import NAME as NATIVES
from handlers.natives import Natives
from handlers.operation import Operation, Phase
from handlers.orchestrator import NAME as ORCHESTRATOR
from handlers.orchestrator import Orchestrator
from handlers.placement import Placement

#: The plans that this release makes; rows of the last one are taken too.
PLAN_REVISION = 1
KNOWN_REVISIONS = frozenset({1})


def managers() -> tuple[ResourceManager, ...]:
    """Every manager of this release."""
    return (Natives(), Orchestrator(), Migration())


class Registry:
    """Chooses the manager of an operation and makes its plans.

    The recorded owner of an instance decides; a stack that is left of a move is ORCHESTRATOR's to
    delete, whoever owns the rest. What has no record and is named by a command was made
    by Trove itself, and belongs to NATIVES; `default` gets all else: MIGRATION as the default gives
    it to one of the others by its `placement`. What moves an instance is always MIGRATION's own.
    """

    def __init__(
        self,
        engines: Iterable[ResourceManager],
        default: str,
        placement: Placement | None = None,
    ) -> None:
        self._engines = {engine.name: engine for engine in engines}
        self._placement = placement or Placement()
        if default not in self._engines:
            raise ValueError(
                f"manager {default!r} is not available: choose one of {', '.join(self._engines)}"
            )
        self._default = default

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._engines)

    def choose(self, command: Command, basis: Instance | None) -> str:
        """The name of the manager that an operation is given when it opens."""
        if isinstance(command.body, MOVES):
            return MIGRATION
        if basis:
            left = supersedes(command) and STACK in basis.resources  # by a move that failed
            return ORCHESTRATOR if left else basis.manager
        if command.resources:
            return NATIVES
        return self._placement.engine(command) if self._default == MIGRATION else self._default

    def steps(self, op: Operation) -> tuple[Step, ...]:
        """The plan of the operation's phase; Terminal for what must not or cannot be done. What was
        cancelled before it could be planned ends for that reason."""
        engine = self._of(op)
        if op.phase is Phase.UNDO:
            return _soundly(engine.undo, op)
        try:
            admit(op.command, op.basis)
            return _soundly(engine.plan, op)
        except Terminal:
            heed_cancellation(op)
            raise

    def way_back(self, op: Operation) -> tuple[Step, ...]:
        """The undo plan, empty where there is none."""
        try:
            return _soundly(self._of(op).undo, op)
        except Terminal:
            return ()

    def record(self, op: Operation) -> Instance | None:
        """The subject's record after the operation: unchanged by one that failed untouched."""
        if op.failure and (_is_untouched(op) or not self._is_possible(op)):
            return op.basis
        return self._of(op).record(op)

    def leftovers(self, op: Operation) -> tuple[Ref, ...]:
        """What a failed operation leaves in the cloud that should not be there."""
        return self._of(op).leftovers(op) if self._is_possible(op) else ()

    def _is_possible(self, op: Operation) -> bool:
        """Whether the operation could be planned; otherwise it never did anything."""
        try:
            admit(op.command, op.basis)
            _soundly(self._of(op).plan, op)
        except Terminal:
            return False
        return True

    def _of(self, op: Operation) -> ResourceManager:
        if op.plan_revision not in KNOWN_REVISIONS:
            raise Terminal(
                f"plan revision {op.plan_revision} is not known to this release", Reason.INTERNAL
            )
        engine = self._engines.get(op.manager)
        if engine is None:
            raise Terminal(
                f"{op.subject} belongs to manager {op.manager!r}, which this worker does not have",
                Reason.UNSUPPORTED,
            )
        return engine


def _soundly(
    make: Callable[[Command, Instance | None], tuple[Step, ...]], op: Operation
) -> tuple[Step, ...]:
    """The plan; a defect in it ends the operation, which would wait for ever otherwise."""
    try:
        return make(op.command, op.basis)
    except Terminal:
        raise
    except Exception as error:
        text = f"no plan could be made for {op.command.name} ({type(error).__name__})"
        raise Terminal(text, Reason.INTERNAL) from error


def _is_untouched(op: Operation) -> bool:
    """Whether no call was made and nothing was found that a failure could leave behind."""
    return not (op.learned or op.quiet or op.done or op.doubt)
