"""Mistakes planted in the core, one at a time, in a copy of it: the suite has to notice each."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: What the copy needs to play schedules.
_PARTS = ("consumer", "handlers", "tests/support", "tests/chaos", "tests/__init__.py")

#: Seconds after which a mutant counts as noticed: it runs in circles.
_PATIENCE = 1200


@dataclass(frozen=True, slots=True)
class Mutant:
    """`old` occurs exactly once in the file; `new` takes its place."""

    name: str
    file: str
    old: str
    new: str


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "an unanswered call counts as one without effect",
        "consumer/hands.py",
        "if isinstance(fault, Ambiguous):",
        "if isinstance(fault, str):",
    ),
    Mutant(
        "only pivots have an intent",
        "consumer/hands.py",
        "if step.unique or step.pivot:",
        "if step.pivot:",
    ),
    Mutant(
        "there is a way back from everywhere",
        "consumer/reconciler.py",
        "return op.phase is Phase.UNDO or any(",
        "return op.phase is Phase.UNDO or all(",
    ),
    Mutant(
        "what is said to be gone need not have been looked for late enough",
        "consumer/reconciler.py",
        "if verdict is Next.WAIT or (verdict is Next.DONE and held.op.phase is Phase.FORWARD):",
        "if verdict is not Next.ACT:",
    ),
    Mutant(
        "one lane puts off what waits for another",
        "consumer/reconciler.py",
        "held.waits = {each: min(at, before.get(each, at)) for each, at in held.waits.items()}",
        "held.waits = dict(held.waits)",
    ),
    Mutant(
        "what was taken over is taken as told",
        "consumer/scheduler.py",
        'self._hold(op.note(now, "taken over").doubted())',
        'self._hold(op.note(now, "taken over"))',
    ),
    Mutant(
        "that a call was made is forgotten when its step is done",
        "handlers/operation.py",
        "if facts or key in self.quiet:",
        "if facts:",
    ),
    Mutant(
        "one of several things is taken for all",
        "handlers/steps/remove.py",
        "settled=at_once and not rest",
        "settled=at_once",
    ),
    Mutant(
        "the audit removes what is known",
        "handlers/steps/audit.py",
        "and op.fact(each.role) != each.id",
        "and op.fact(each.role) == each.id",
    ),
    Mutant(
        "a reverted server may have any flavor",
        "handlers/steps/servers.py",
        "        if server.flavor == self.flavor:\n            raise Terminal(",
        "        if server.flavor is None:\n            raise Terminal(",
    ),
    Mutant(
        "whatever a command names is the instance's",
        "handlers/steps/claim.py",
        "if resource.subject != self.subject and not self._plugged(op, resource):",
        "if not resource.id:",
    ),
    Mutant(
        "a look counts from its end",
        "consumer/observer.py",
        "        began = self._now()\n        found = ",
        "        began = self._now() + 20_000_000\n        found = ",
    ),
    Mutant(
        "a deletion takes a stack of our name that carries no mark",
        "handlers/steps/stack_removal.py",
        "return stack.role is not None and (",
        "return bool(stack.id) and (",
    ),
    Mutant(
        "what Heat could not delete is not asked for again",
        "handlers/steps/stack_removal.py",
        'return tuple(op.fact(self.rest_of, "rest", ()))',
        "return ()",
    ),
    Mutant(
        "an update that failed is not taken back",
        "handlers/steps/stack_undo.py",
        "    return op.touched(UPDATE)\n",
        "    return op.phase is None\n",
    ),
    Mutant(
        "a server that waits for a verdict is at rest",
        "handlers/steps/stack_undo.py",
        'if server.status in ("ERROR", "VERIFY_RESIZE"):',
        'if server.status == "ERROR":',
    ),
    Mutant(
        "what Heat made last shows at once",
        "handlers/steps/remove.py",
        "return gone is not None and seen.at < gone + _SHOWS",
        "return gone is not None and seen.at < gone",
    ),
    Mutant(
        "a server without a tag is nobody's",
        "consumer/observer.py",
        "if since else None",
        "if not since else None",
    ),
    Mutant(
        "all services have one quiet time",
        "consumer/policy.py",
        "self.call_timeouts.get(service, self.call_timeout)",
        "self.call_timeout",
    ),
    Mutant(
        "Heat may replace what it likes",
        "handlers/template.py",
        '{"restricted_actions": "replace"}',
        '{"restricted_actions": []}',
    ),
    Mutant(
        "the volume goes with its stack",
        "handlers/template.py",
        'deletion_policy="Retain"',
        'deletion_policy="Delete"',
    ),
    Mutant(
        "a stack is told of the old size",
        "handlers/orchestrator.py",
        "{**values_of(on.basis), **size}",
        "values_of(on.basis)",
    ),
    Mutant(
        "a policy that Heat failed to set is set",
        "handlers/steps/policies.py",
        'if last == self._write(op) and stack.status == "UPDATE_COMPLETE":',
        "if last == self._write(op):",
    ),
    Mutant(
        "of a second set ours is removed too",
        "handlers/steps/twin.py",
        'return "" if one in adopted_members(op.basis).values() else one',
        "return one",
    ),
    Mutant(
        "an instance is native before its stack is told to go",
        "handlers/migration.py",
        "if isinstance(op.command.body, ReleaseInstance) and op.touched(LET_GO):",
        "if isinstance(op.command.body, ReleaseInstance) and op.touched(RETAIN):",
    ),
    Mutant(
        "a volume that went with its server does not any more",
        "handlers/migration.py",
        "return Doom(doomed=True, needed=was_doomed, needs=frozenset({after.key}))",
        "return Doom(doomed=False, needed=was_doomed, needs=frozenset({after.key}))",
    ),
    Mutant(
        "an adoption that may still land is forgotten",
        "handlers/steps/adopt.py",
        "unique: bool = True",
        "unique: bool = False",
    ),
    Mutant(
        "a word to Nova that may still land is forgotten",
        "handlers/steps/doom.py",
        "unique: bool = True",
        "unique: bool = False",
    ),
    Mutant(
        "the stack that a move left is forgotten",
        "handlers/registry.py",
        "left = supersedes(command) and STACK in basis.resources",
        "left = supersedes(command) and STACK not in basis.resources",
    ),
)


def mistaken(mutant: Mutant) -> str:
    """The text of the file with the mistake in it. Raises ValueError when it does not fit the core
    any more: choose another one."""
    text = (ROOT / mutant.file).read_text()
    if text.count(mutant.old) != 1:
        raise ValueError(f"mutant {mutant.name!r} does not fit {mutant.file} any more")
    return text.replace(mutant.old, mutant.new)


def plant(mutant: Mutant, where: Path) -> None:
    """Copy the core and the suite, with the mistake in it. Raises as `mistaken`."""
    for part in _PARTS:
        source, target = ROOT / part, where / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    (where / mutant.file).write_text(mistaken(mutant))


def is_noticed(where: Path) -> bool:
    """Whether the suite goes red on a copy, and names a schedule: one that breaks the suite itself
    is no proof of what the suite sees."""
    environment = {**os.environ, "PYTHONPATH": str(where), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "tests.chaos", "hunt"]
    try:
        done = subprocess.run(
            command, cwd=where, env=environment, timeout=_PATIENCE, capture_output=True, check=False
        )
    except subprocess.TimeoutExpired:
        return True
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr.decode())
    return done.returncode == 1 and b"tests.chaos replay" in done.stdout
