"""One death of Heat's engine, with many commands under way."""

import time
from typing import NamedTuple

from handlers.commands import (
    Body,
    Command,
    CreateInstance,
    CreateSecurityGroup,
    ResizeInstance,
    ResizeVolume,
)
from handlers.operation import SECOND
from tests.cloud.ways_out.engine import Engine
from tests.cloud.ways_out.ways import Ways
from tests.contract.managers.bench import TENANT
from tests.contract.managers.inventory import Inventory
from tests.contract.managers.orders import ANYBODY, DELETE

#: Seconds that the engine is away.
AWAY = 25.0


class Victim(NamedTuple):
    """A command that was under way when the engine died, and what there was of its subject."""

    command: Command
    before: Inventory

    @property
    def subject(self) -> str:
        return self.command.subject


class Crash:
    """Brings commands to where the engine shall die, and lets it die.

    `natives` are the seconds that a resize by NATIVES took, before and meanwhile.
    """

    def __init__(self, ways: Ways) -> None:
        self.ways = ways
        self.victims: dict[str, Victim] = {}
        self.natives: list[float] = []
        self._operator = ways.operator

    def prepare(self) -> None:
        """A create, a delete and two resizes are under way; one of these is just confirmed."""
        self._resize_natively(self.ways.site.large)
        self._make("resize", "confirmed", "delete", "waits", "refused")
        self._slow("delete", "15")
        self._slow("resize", "8")
        self._create("create", self.ways.instance(**{"cloudfake:delay": "20"}))
        create = self.victims["create"].subject
        self._operator.waits(lambda: bool(self.ways.of(create).servers))
        self._send("delete", DELETE, begun="delete")
        self._send("resize", self._bigger(), begun="resize")
        self._send("confirmed", self._bigger(), begun="confirmResize")

    def happen(self, engine: Engine) -> None:
        """The engine is away for a while; more commands come meanwhile."""
        engine.kill()
        try:
            died = time.monotonic()
            self._send("waits", DELETE)  # a look that dies with the engine hangs for a minute
            self._send("refused", ResizeVolume(project=TENANT, size=2))
            group = CreateSecurityGroup(project=TENANT, name="late", access=ANYBODY)
            self._create("late", group)
            self._resize_natively(self.ways.site.small)
            time.sleep(max(0.0, died + AWAY - time.monotonic()))
        finally:
            engine.start()

    def clean_up(self) -> None:
        """Whatever became of them: after a delete of each nothing is left."""
        subjects = [*(each.subject for each in self.victims.values()), self.ways.natives]
        for delete in [self.ways.bench.send(each, DELETE) for each in subjects]:
            self.ways.bench.ended_well(delete)
        self.ways.nothing_is_left()

    def _resize_natively(self, flavor: str) -> None:
        """Without a look at the cloud after it: stacks cannot be listed meanwhile."""
        body = ResizeInstance(project=TENANT, flavor=flavor)
        done = self.ways.bench.ended(self.ways.bench.send(self.ways.natives, body))
        assert done.event.data.error is None
        self.natives.append((done.operation.finished - done.operation.opened) / SECOND)

    def _make(self, *names: str) -> None:
        """Instances, all at once."""
        ways = self.ways
        creates = {name: ways.bench.send(ways.bench.subject(), ways.instance()) for name in names}
        for name, create in creates.items():
            ways.bench.ended_well(create)
            self.victims[name] = Victim(create, ways.of(create.subject))

    def _slow(self, name: str, seconds: str) -> None:
        """The hosts take so long for whatever they do with it."""
        self._operator.marks(self.victims[name].before.server.id, delay=seconds)

    def _send(self, name: str, body: Body, begun: str = "") -> None:
        """A command for an instance; wait until Nova has begun this with the server."""
        command, before = self.victims[name]
        self.victims[name] = Victim(self.ways.bench.send(command.subject, body), before)
        if begun:
            self._operator.waits(lambda: self._operator.begun(before.server.id, begun))

    def _create(self, name: str, body: CreateInstance | CreateSecurityGroup) -> None:
        """A command for something new."""
        command = self.ways.bench.send(self.ways.bench.subject(), body)
        self.victims[name] = Victim(command, Inventory())

    def _bigger(self) -> ResizeInstance:
        return ResizeInstance(project=TENANT, flavor=self.ways.site.large)
