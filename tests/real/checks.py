"""What is found wrong in a run: after every phase, and at its end."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from consumer import wiring
from handlers.commands import Command
from handlers.orchestrator import NAME as ORCHESTRATOR
from tests.real.ground import Ground
from tests.real.listener import Listener
from tests.real.phases import Phase
from tests.real.truth import wrong


class Checks:
    """Collects in `wrong` one line for everything that is; `owners` maps subjects to managers."""

    def __init__(self, on: Ground, owners: Mapping[str, str], listener: Listener) -> None:
        self._on = on
        self._owners = owners
        self._listener = listener
        self._ids: dict[str, set[str]] = {}
        self._before = self.trusts()
        self.wrong: list[str] = []

    def phase(self, phase: Phase, commands: Sequence[Command]) -> None:
        """Every command ended well, ids are what they were, the cloud is as it must be."""
        there = self._on.project.look()
        for command in commands:
            data = self._listener.payloads[command.id]["data"]
            if data["error"] or data["left_behind"]:
                self.wrong.append(f"failed: {command.name} of {command.subject}: {data['error']}")
            self._check(command, data, there.ids if phase.expected else frozenset())
        known = {each: self._owners[each] for each in self._ids}
        self.wrong += wrong(there, known, phase.expected)

    def _check(self, command: Command, data: dict[str, Any], there: frozenset[str]) -> None:
        told = {ref["id"] for ref in data["resources"].values()}
        known = self._ids.setdefault(command.subject, told)
        if not told <= there or (told and told != known):
            self.wrong.append(f"untrue: {command.name} of {command.subject} told of {told}")
        if data["manager"] != self._owners[command.subject]:
            self.wrong.append(f"untrue: {command.subject} is said to be {data['manager']}'s")

    def end(self, sent: Iterable[Command]) -> None:
        """One terminal event each, no dead letter, no trust, nothing that nobody knows of."""
        self.wrong += told_wrong(self._on, self._listener, sent)
        stacks = sum(owner == ORCHESTRATOR for owner in self._owners.values())
        for kind, most in (("servers", len(self._owners)), ("stacks", stacks)):
            if (number := self.made()[kind]) > most:
                self.wrong.append(f"doubled: {number} {kind} were made in all")
        if self.trusts() != self._before:
            self.wrong.append(f"leaked: {self.trusts() - self._before} trusts")

    def made(self) -> dict[str, int]:
        """How many servers and stacks there ever were: Nova and Heat remember deleted ones."""
        mine = f"deleted=true&all_tenants=true&project_id={self._on.project.id}&limit=1000"
        gone = self._on.project.get("compute", f"/servers?{mine}")["servers"]
        there = self._on.project.look()
        all_of_them = f"show_deleted=true&tenant={self._on.project.id}"
        stacks = self._on.project.get("orchestration", f"/stacks?{all_of_them}")["stacks"]
        return {
            "servers": len({each["id"] for each in gone} | {s.id for s in there.servers}),
            "stacks": len(stacks),
        }

    def trusts(self) -> int:
        """How many trusts Keystone has of the project."""
        return trusts(self._on)


def told_wrong(on: Ground, listener: Listener, sent: Iterable[Command]) -> Iterator[str]:
    """Commands without exactly one terminal event, and dead letters."""
    for command in sent:
        ids = listener.terminal[command.id]
        if len(ids) != 1:
            kind = "lost" if not ids else "doubled"
            yield f"{kind}: {len(ids)} terminal events of {command.name}"
    dead = len(wiring.peek_of(on.settings, 100))
    if dead:
        yield f"dead letters: {dead}"


def trusts(on: Ground) -> int:
    """How many trusts Keystone has of the project."""
    found = on.admin.identity.get("/OS-TRUST/trusts").json()["trusts"]
    return sum(each["project_id"] == on.project.id for each in found)
