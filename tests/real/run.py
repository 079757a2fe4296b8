"""The real run.

    python -m tests.real.run [--small] [--instances N] [--minutes M] [--report FILE]

Two workers, RabbitMQ, MariaDB and an OpenStack, all real. Instances are created, resized both ways,
get other rules and are deleted, while workers are killed at every boundary of every step. At the
end nothing may be lost, doubled or leaked, and each command must have had one terminal event.
Exit code 0 only then.
"""

import argparse
import signal
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from consumer import wiring
from consumer.broker.link import Down
from consumer.broker.publisher import Unroutable
from handlers.commands import Body, Command
from tests.real.fleet import Fleet
from tests.real.ground import Ground, ground
from tests.real.listener import Listener
from tests.real.phases import SMALL, Phase, phases, wrong
from tests.real.report import Report, markdown, recoveries
from tests.real.targets import ANYBODY, Minefield, spread

WORKERS = 2

#: Exit codes that a worker may have: killed, or taken for dead by the other one on a busy machine.
EXPECTED_EXITS = frozenset({-9, 3})


class OutOfTime(Exception):
    """The run did not end in its time."""


class Run:
    """One run on its ground, which ends before `end` (monotonic)."""

    def __init__(self, on: Ground, instances: int, end: float, small: bool) -> None:
        self._on = on
        self._end = end
        self._small = small
        self._subjects = [str(uuid.uuid4()) for _ in range(instances)]
        self._minefield = Minefield(on.folder)
        self._sent: list[Command] = []
        self._wrong: list[str] = []
        self._ids: dict[str, set[str]] = {}
        self._phases = self._strays = 0
        notices = on.settings.notifications
        self._client = wiring.client_of(on.settings, "real-run")
        self._listener = Listener(on.events, notices.exchange, notices.topics)
        arguments = (str(on.folder), "--config-file", str(on.config))
        self._fleet = Fleet(WORKERS, arguments, on.folder, EXPECTED_EXITS)

    def go(self) -> Report:
        """All phases; whatever happens, the workers are ended."""
        began = time.monotonic()
        try:
            for phase in phases(self._on.site):
                self._phase(phase)
                self._phases += 1
                kills = self._fleet.exits[-9]
                say(f"{time.monotonic() - began:4.0f} s  {phase.name}: {kills} kills so far")
        except OutOfTime as error:
            self._wrong.append(str(error))
        finally:
            ended = self._fleet.stop()
            self._listener.stop()
            self._client.close()
        self._check_the_end(ended)
        return self._report(time.monotonic() - began)

    # -- phases ---------------------------------------------------------------------------------

    def _phase(self, phase: Phase) -> None:
        chosen = [each for each in phase.crossings if not self._small or each in SMALL]
        self._minefield.arm(spread(chosen, self._subjects))
        commands = [self._send(body, one) for body in phase.bodies for one in self._subjects]
        self._wait(f"phase {phase.name!r}", lambda: self._is_over(commands))
        self._wrong += [f"never crossed: {each.name}" for each in self._minefield.waiting()]
        self._check(phase, commands)

    def _is_over(self, commands: Sequence[Command]) -> bool:
        """All ended. Targets of those that did are passed on; the last ones see a stray kill."""
        open_ = [each for each in commands if not self._listener.has_ended(each.id)]
        waiting = self._minefield.waiting()
        busy = {(each.subject, each.name) for each in open_}
        for target in waiting:
            if target.subject != ANYBODY and (target.subject, target.command) not in busy:
                self._minefield.release(target)
        if open_ and not waiting and self._strays == self._phases:
            self._fleet.kill_one()
            self._strays += 1
        return not open_

    def _send(self, body: Body, subject: str) -> Command:
        """Publish; the queue is there as soon as the first worker is."""
        command = self._client.command(body, subject)
        self._sent.append(command)
        self._wait("the queue of commands", lambda: self._try_to_send(command))
        return command

    def _try_to_send(self, command: Command) -> bool:
        try:
            self._client.send(command)
        except (Down, Unroutable):  # no exchange yet, no queue yet
            return False
        return True

    def _wait(self, what: str, holds: Callable[[], bool]) -> None:
        while not holds():
            if time.monotonic() > self._end:
                raise OutOfTime(f"out of time: {what}; never crossed: {self._minefield.waiting()}")
            self._fleet.tend()
            time.sleep(0.1)

    # -- checks ---------------------------------------------------------------------------------

    def _check(self, phase: Phase, commands: Sequence[Command]) -> None:
        """Every command ended well, ids are what they were, the cloud is as it must be."""
        there = self._on.project.look()
        self._wrong += wrong(there, self._subjects, phase.expected)
        for command in commands:
            data = self._listener.payloads[command.id]["data"]
            if data["error"] or data["left_behind"]:
                self._wrong.append(f"failed: {command.name} of {command.subject}: {data['error']}")
            self._check_ids(command, data, there.ids if phase.expected else frozenset())

    def _check_ids(self, command: Command, data: dict[str, Any], there: frozenset[str]) -> None:
        told = {ref["id"] for ref in data["resources"].values()}
        known = self._ids.setdefault(command.subject, told)
        if not told <= there or (told and told != known):
            self._wrong.append(f"untrue: {command.name} of {command.subject} told of {told}")

    def _check_the_end(self, ended: dict[int, int]) -> None:
        """One terminal event each, no dead letter, clean ends, no server that nobody knows of."""
        for command in self._sent:
            ids = self._listener.terminal[command.id]
            if len(ids) != 1:
                kind = "lost" if not ids else "doubled"
                self._wrong.append(f"{kind}: {len(ids)} terminal events of {command.name}")
        dead = len(wiring.peek_of(self._on.settings, 100))
        if dead:
            self._wrong.append(f"dead letters: {dead}")
        if ended != {0: WORKERS}:
            self._wrong.append(f"exit codes after SIGTERM: {ended}")
        self._wrong += self._fleet.odd
        if self._servers_made() > len(self._subjects):
            self._wrong.append(f"doubled: Nova made {self._servers_made()} servers in all")

    def _servers_made(self) -> int:
        """All servers that there ever were in the project: Nova remembers deleted ones."""
        mine = f"deleted=true&all_tenants=true&project_id={self._on.project.id}"
        gone = self._on.project.get("compute", f"/servers?{mine}&limit=1000")["servers"]
        return len({each["id"] for each in gone} | {s.id for s in self._on.project.look().servers})

    def _report(self, seconds: float) -> Report:
        ledger = wiring.ledger_of(self._on.settings)
        found = [ledger.operation(each.id) for each in self._sent]
        ledger.close()
        operations = [op for op in found if op is not None]
        return Report(
            instances=len(self._subjects),
            workers=WORKERS,
            seconds=seconds,
            commands=tuple(self._sent),
            recoveries=tuple(recoveries(self._minefield.deaths(), operations)),
            killed=self._fleet.exits[-9] - self._strays,
            strays=self._strays,
            lease=self._on.settings.ledger.lease_ttl,
            quiet=self._on.settings.clouds.slowest_call + self._on.settings.clouds.list_lag,
            starts=self._fleet.starts,
            terminal={each.id: dict(self._listener.terminal[each.id]) for each in self._sent},
            servers_made=self._servers_made(),
            wrong=tuple(self._wrong),
        )


def say(text: str) -> None:
    print(text, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.real.run", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a few instances and kills: for CI")
    parser.add_argument("--instances", type=int, default=0, help="20, or 4 in a small run")
    parser.add_argument("--minutes", type=float, default=0, help="at most: 20, or 6 in a small run")
    parser.add_argument("--report", type=Path, help="write the tables here too")
    chosen = parser.parse_args(arguments)
    instances = chosen.instances or (4 if chosen.small else 20)
    minutes = chosen.minutes or (6 if chosen.small else 20)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # clean up, then
    with ground() as on:
        run = Run(on, instances, time.monotonic() + 60 * minutes, chosen.small)
        report = run.go()
    page = "\n".join(markdown(report)) + "\n"
    say(page)
    if chosen.report:
        chosen.report.write_text(page)
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
