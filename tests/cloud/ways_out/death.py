"""One death of Heat's engine, in the middle of five moves at once."""

import time
from collections.abc import Mapping
from threading import Event
from typing import Any

from msgspec.structs import replace

from handlers.base import Answer, Cloud
from handlers.commands import Body, Command
from handlers.orders import StackAdoption, StackUpdate
from tests.cloud.ways_out.engine import Engine
from tests.cloud.ways_out.moving import ADOPT, RELEASE, SOAK, Move, Tampered, one
from tests.cloud.ways_out.ways import Ways
from tests.contract.managers.orders import DELETE

#: Resources that are nothing, one after the other: Heat takes seconds for what takes it one.
_LINKS = 12

#: Seconds until all are under way.
_PATIENCE = 90.0

#: Which call of which command the engine dies in, by name.
_CALLS = {
    "adopt": "adopt_stack",
    "check": "check_stack",
    "commit": "update_stack",
    "retain": "update_stack",
    "delete": "delete_stack",
}
_WORK = {
    "adopt": "ADOPT_IN_PROGRESS",
    "check": "CHECK_IN_PROGRESS",
    "commit": "UPDATE_IN_PROGRESS",
    "retain": "UPDATE_IN_PROGRESS",
    "delete": "DELETE_IN_PROGRESS",
}
_BODIES: Mapping[str, Body] = {
    "adopt": ADOPT,
    "check": ADOPT,
    "commit": ADOPT,
    "retain": RELEASE,
    "delete": RELEASE,
}


class Death:
    """Brings five moves to their calls, lets all go at once, and the engine dies in the middle."""

    def __init__(self, ways: Ways, tampered: Tampered) -> None:
        self.ways = ways
        self._tampered = tampered
        self._operator = ways.operator
        self._held: dict[str, str] = {}
        self._waiting: set[str] = set()
        self._go = Event()
        self.moves: dict[str, Move] = {}
        self.commands: dict[str, Command] = {}
        tampered.calls.update(
            adopt_stack=self._adopt, preview_stack=self._preview, update_stack=self._update
        )

    def prepare(self) -> None:
        """Five instances: two of NATIVES, one soaks, two are in stacks; then one command each,
        which waits at its call."""
        bench, site = self.ways.bench, self.ways.site
        creates = {name: bench.send(bench.subject(), one(site)) for name in _CALLS}
        for name, create in creates.items():
            bench.ended_well(create)
            self.moves[name] = Move(self.ways, self._tampered, create.subject)
        first = {"commit": SOAK, "retain": ADOPT, "delete": ADOPT}
        sent = [bench.send(self.moves[name].subject, body) for name, body in first.items()]
        for command in sent:
            assert bench.ended(command).event.data.error is None
        self._tampered.calls.update(check_stack=self._check, delete_stack=self._delete)
        self._held = {self.moves[name].subject: call for name, call in _CALLS.items()}
        for name, move in self.moves.items():
            self.commands[name] = bench.send(move.subject, _BODIES[name])
        self._operator.waits(lambda: self._waiting >= set(self._held))

    def happen(self, engine: Engine) -> None:
        """The engine dies when Heat works on all five, and comes back at once."""
        self._go.set()
        end = time.monotonic() + _PATIENCE
        while self._working() != _WORK:
            assert time.monotonic() < end, f"Heat never worked on all of them: {self._working()}"
        engine.kill()
        self._held = {}
        engine.start()

    def clean_up(self) -> None:
        """Whatever became of them: after a delete of each nothing is left."""
        bench = self.ways.bench
        for delete in [bench.send(move.subject, DELETE) for move in self.moves.values()]:
            bench.ended_well(delete)
        self.ways.nothing_is_left()

    def _working(self) -> dict[str, str]:
        """The statuses of the stacks that there are."""
        names = {move.subject: name for name, move in self.moves.items()}
        stacks = self.ways.ground.project.stacks()
        return {names[stack.name.removeprefix("trove-")]: stack.status for stack in stacks}

    # -- calls ------------------------------------------------------------------------------------

    def _hold(self, subject: str, call: str) -> None:
        if self._held.get(subject) == call:
            self._waiting.add(subject)
            self._go.wait(_PATIENCE)

    def _adopt(self, cloud: Cloud, new: StackAdoption) -> Answer:
        self._hold(new.subject, "adopt_stack")
        members = {**new.members, **{name: name for name in _chain("")}}
        return cloud.adopt_stack(replace(new, template=_longer(new.template), members=members))

    def _preview(self, cloud: Cloud, change: StackUpdate) -> Answer:
        return cloud.preview_stack(replace(change, template=_longer(change.template or {})))

    def _update(self, cloud: Cloud, change: StackUpdate) -> Answer:
        self._hold(change.subject, "update_stack")
        return cloud.update_stack(change)

    def _check(self, cloud: Cloud, subject: str, stack: str) -> Answer:
        self._hold(subject, "check_stack")
        return cloud.check_stack(subject, stack)

    def _delete(self, cloud: Cloud, subject: str, stack: str) -> Answer:
        self._hold(subject, "delete_stack")
        return cloud.delete_stack(subject, stack)


def _chain(policy: str) -> dict[str, Any]:
    """Each waits for the one before."""
    links: dict[str, Any] = {}
    for number in range(_LINKS):
        before = {"depends_on": f"link_{number - 1}"} if number else {}
        kept = {"deletion_policy": policy} if policy else {}
        links[f"link_{number}"] = {"type": "OS::Heat::None", **kept, **before}
    return links


def _longer(template: Mapping[str, Any]) -> dict[str, Any]:
    """A template whose resources wait for the chain, and are no others."""
    last = f"link_{_LINKS - 1}"
    own = {name: {**one, "depends_on": last} for name, one in template["resources"].items()}
    return {**template, "resources": {**_chain("Retain"), **own}}
