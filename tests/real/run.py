"""The real run.

    python -m tests.real.run [--small] [--instances N] [--minutes M] [--report FILE]

Two workers, RabbitMQ, MariaDB and an OpenStack, all real. Half of the instances are made while
workers have NATIVES for new ones, then the workers are started anew, with ORCHESTRATOR: from then
on any worker carries out any command. Instances are created, resized both ways, get other rules and
are deleted, while workers are killed at every boundary of every step of both managers' plans. At
the end nothing may be lost, doubled or leaked, and each command must have had one terminal event.
Exit code 0 only then.
"""

import argparse
import signal
import sys
import time
import uuid
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from consumer import wiring
from handlers.commands import Command
from tests.real.checks import Checks
from tests.real.desk import Desk, OutOfTime
from tests.real.fleet import Fleet
from tests.real.ground import MANAGERS, Ground, ground
from tests.real.phases import SMALL, Phase, phases
from tests.real.rehearsal import rehearse
from tests.real.report import Report, markdown, recoveries
from tests.real.targets import Minefield, Target, spread

WORKERS = 2

#: Exit codes that a worker may have: killed, or taken for dead by the other one on a busy machine.
EXPECTED_EXITS = frozenset({-9, 3})


class Run:
    """One run on its ground, which ends before `end` (monotonic)."""

    def __init__(self, on: Ground, instances: int, end: float, small: bool) -> None:
        self._on = on
        self._small = small
        self._rehearsed = {manager: rehearse(manager) for manager in MANAGERS}
        self._owners = {str(uuid.uuid4()): MANAGERS[n % 2] for n in range(instances)}
        self._minefield = Minefield(on.folder)
        self._phases = self._strays = 0
        self._fleet = Fleet(WORKERS, on.folder, EXPECTED_EXITS)
        self._desk = Desk(on, self._fleet, end)
        self._checks = Checks(on, self._owners, self._desk.listener)

    def go(self) -> Report:
        """All phases; whatever happens, the workers are ended."""
        began = time.monotonic()
        create, *others = phases(self._on.site)
        try:
            for manager in MANAGERS:
                self._fleet.stop()
                config = self._on.configs[manager]
                self._fleet.start((str(self._on.folder), "--config-file", str(config)))
                mine = [each for each, owner in self._owners.items() if owner == manager]
                self._phase(create, mine)
                self._tell(began, f"{create.name} with {manager}")
            for phase in others:
                self._phase(phase, tuple(self._owners))
                self._tell(began, phase.name)
        except OutOfTime as error:
            waiting = self._minefield.waiting()
            self._checks.wrong.append(f"{error}; never crossed: {waiting}")
        finally:
            self._desk.close()
        self._checks.end(self._desk.sent)
        self._checks.wrong += self._fleet.odd
        return self._report(time.monotonic() - began)

    def _tell(self, began: float, what: str) -> None:
        self._phases += 1
        kills = self._fleet.exits[-9]
        say(f"{time.monotonic() - began:4.0f} s  {what}: {kills} kills so far")

    # -- phases ---------------------------------------------------------------------------------

    def _phase(self, phase: Phase, subjects: Sequence[str]) -> None:
        self._minefield.arm(chain(*(self._targets(phase, each, subjects) for each in MANAGERS)))
        commands = [self._desk.send(body, one) for body in phase.bodies for one in subjects]
        self._desk.wait(f"phase {phase.name!r}", lambda: self._is_over(commands))
        missed = [f"never crossed: {each.name}" for each in self._minefield.waiting()]
        self._checks.wrong += [each for each in missed if each not in self._checks.wrong]
        self._checks.phase(phase, commands)

    def _targets(self, phase: Phase, manager: str, subjects: Sequence[str]) -> tuple[Target, ...]:
        """The manager's crossings, for its own of the subjects."""
        crossings = self._rehearsed[manager][phase.name]
        chosen = [each for each in crossings if not self._small or each in SMALL]
        return spread(chosen, [each for each in subjects if self._owners[each] == manager])

    def _is_over(self, commands: Sequence[Command]) -> bool:
        """All ended. Targets of those that did are passed on; the last ones see a stray kill."""
        open_ = self._desk.open(commands)
        waiting = self._minefield.waiting()
        self._minefield.pass_on({(each.subject, each.name) for each in open_})
        if open_ and not waiting and self._strays == self._phases:
            self._fleet.kill_one()
            self._strays += 1
        return not open_

    def _report(self, seconds: float) -> Report:
        ledger = wiring.ledger_of(self._on.settings)
        found = [ledger.operation(each.id) for each in self._desk.sent]
        ledger.close()
        operations = [op for op in found if op is not None]
        return Report(
            owners=self._owners,
            workers=WORKERS,
            seconds=seconds,
            commands=tuple(self._desk.sent),
            recoveries=tuple(recoveries(self._minefield.deaths(), operations)),
            killed=self._fleet.exits[-9] - self._strays,
            strays=self._strays,
            lease=self._on.settings.ledger.lease_ttl,
            quiet=self._on.settings.clouds.slowest_call + self._on.settings.clouds.list_lag,
            starts=self._fleet.starts,
            terminal={
                each.id: dict(self._desk.listener.terminal[each.id]) for each in self._desk.sent
            },
            made=self._checks.made(),
            trusts=self._checks.trusts(),
            wrong=tuple(self._checks.wrong),
        )


def say(text: str) -> None:
    print(text, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.real.run", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a few instances and kills: for CI")
    parser.add_argument("--instances", type=int, default=0, help="20, or 4 in a small run")
    parser.add_argument("--minutes", type=float, default=0, help="at most: 20, small: 10")
    parser.add_argument("--report", type=Path, help="write the tables here too")
    chosen = parser.parse_args(arguments)
    instances = chosen.instances or (4 if chosen.small else 20)
    minutes = chosen.minutes or (10 if chosen.small else 20)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # clean up, then
    with ground() as on:
        run = Run(on, instances, time.monotonic() + 60 * minutes, chosen.small)
        report = run.go()
    page = "\n".join(markdown(report)).rstrip() + "\n"
    say(page)
    if chosen.report:
        chosen.report.write_text(page)
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
