"""Placement: who makes a new subject while a fleet is moving from NATIVES to ORCHESTRATOR."""

from hashlib import sha256

import msgspec

from handlers.commands import Command, CreateInstance
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Which new subjects become stacks; all others are made by NATIVES.

    * `percent` of them, 0 to 100, chosen by their ids alone: every worker decides alike, a second
      look gives the same answer, and whoever is chosen at 10 % is chosen at 20 % too.
    * `flavors`, `projects`: only instances of these flavors, and subjects of these projects; empty:
      all. A security group of its own has no flavor.
    """

    percent: int = 100
    flavors: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()

    def engine(self, command: Command) -> str:
        """The name of the manager that makes the command's subject, which is new."""
        return ORCHESTRATOR if self._allows(command) else NATIVES

    def _allows(self, command: Command) -> bool:
        body = command.body
        if self.projects and body.project not in self.projects:
            return False
        if self.flavors and isinstance(body, CreateInstance) and body.flavor not in self.flavors:
            return False
        return hundredth(command.subject) < self.percent


def hundredth(subject: str) -> int:
    """Which of a hundred equal parts the subject falls into, 0 to 99, for ever.

    A change of this function would move subjects between managers: a test pins it.
    """
    return int.from_bytes(sha256(subject.encode()).digest()[:8], "big") % 100
