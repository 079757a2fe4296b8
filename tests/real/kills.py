"""Kills while instances change hands.

    python -m tests.real.kills [--small] [--instances N] [--minutes M] [--report FILE]

Instances of different shapes, some made as Trove made them, are adopted into stacks and released
again by real workers on a real OpenStack, first by commands, then by `trove-resources migrate`.
Workers are killed at the crossings of jobs.py, now and then all of them; moves are called back in
the middle. After every round each instance must be one manager's or the other's, and unharmed:
not restarted, with the same ids, addresses and attachments. Exit code 0 only then.
"""

import argparse
import signal
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from consumer import wiring
from consumer.ledger.fleet import Direction, Status
from handlers.commands import Command
from handlers.errors import Reason
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR
from tests.real.checks import told_wrong, trusts
from tests.real.desk import Desk, OutOfTime
from tests.real.fleet import Fleet
from tests.real.ground import Ground, ground
from tests.real.jobs import Round, Turn, conducted, program, turns
from tests.real.kills_page import Killed, Lot, markdown
from tests.real.making import make, remove
from tests.real.report import recoveries
from tests.real.run import EXPECTED_EXITS, WORKERS, say
from tests.real.shapes import shapes
from tests.real.shell import Shell
from tests.real.standing import Standing
from tests.real.targets import ANYBODY, Minefield, Target

#: So many kills there must be at least.
_ENOUGH, _SMALL = 40, 10

#: All workers are killed when so many of a lot have died.
_POOL_AFTER = 2

_TO = {Direction.ADOPT: ORCHESTRATOR, Direction.RELEASE: NATIVES}


class Kills:
    """One run on its ground, which ends before `end` (monotonic)."""

    def __init__(self, on: Ground, instances: int, end: float, *, small: bool) -> None:
        self._on = on
        self._small = small
        self._shapes = shapes(on.site, instances)
        self._subjects = [each.subject for each in self._shapes]
        self._doomed = {each.subject for each in self._shapes if each.trove}
        self._minefield = Minefield(on.folder)
        self._fleet = Fleet(WORKERS, on.folder, EXPECTED_EXITS)
        self._desk = Desk(on, self._fleet, end)
        self._shell = Shell(on.configs[NATIVES])
        self._ledger = wiring.ledger_of(on.settings)
        self._standing = Standing(on.project, self._ledger, self._doomed)
        self._trusts = trusts(on)
        self._owners = dict.fromkeys(self._subjects, NATIVES)
        self._missed: list[Target] = []
        self._pools = 0
        self._lots: list[Lot] = []
        self._began = time.monotonic()
        self.wrong: list[str] = []

    def go(self) -> Killed:
        """All rounds; whatever happens, the workers are ended."""
        config = str(self._on.configs[NATIVES])
        self._minefield.arm(())
        try:
            self._fleet.start((str(self._on.folder), "--config-file", config))
            self.wrong += make(self._on, self._desk, self._shell, self._shapes)
            self.wrong += self._standing.note(self._subjects)
            self._say("instances are made")
            for each in program(small=self._small):
                if isinstance(each, Direction):
                    self._conduct(each)
                    continue
                for lot in turns(each, self._subjects, self._doomed):
                    self._play(each, lot)
            self._missed += self._minefield.waiting()
            self.wrong += remove(self._on, self._desk, self._shapes)
            self._say("instances are deleted")
        except OutOfTime as error:
            self.wrong.append(f"{error}; never crossed: {self._minefield.waiting()}")
        finally:
            self._desk.close()
        self.wrong += told_wrong(self._on, self._desk.listener, self._desk.sent)
        if (left := trusts(self._on) - self._trusts) != 0:
            self.wrong.append(f"leaked: {left} trusts")
        self.wrong += self._fleet.odd
        if (kills := len(self._minefield.deaths())) < (
            enough := _SMALL if self._small else _ENOUGH
        ):
            self.wrong.append(f"only {kills} kills, not {enough}")
        return self._killed()

    # -- moves by commands ------------------------------------------------------------------------

    def _play(self, a_round: Round, lot: Sequence[Turn]) -> None:
        """Send the moves of a lot, kill, call back, and look at what came of it."""
        backs = {turn.called_back: turn.subject for turn in lot if turn.called_back}
        before = len(self._minefield.deaths())
        self._minefield.arm([*(each for turn in lot for each in turn.targets), *backs])
        commands = {turn.subject: self._desk.send(a_round.body, turn.subject) for turn in lot}
        cancelled: dict[str, Target] = {}
        pools = self._pools

        def is_over() -> bool:
            self._call_back(a_round, backs, commands, cancelled)
            self._kill_pool(before, pools)
            open_ = self._desk.open(list(commands.values()))
            self._minefield.pass_on({(each.subject, each.name) for each in open_} | _kept(backs))
            return not open_

        self._desk.wait(a_round.name, is_over)
        self._missed += [each for each in backs if self._minefield.disarm(each)]
        self._minefield.pass_on(())
        for subject, command in commands.items():
            self._owners[subject] = a_round.manager
            if self._desk.data(command)["error"]:
                self._owners[subject] = a_round.back
            self.wrong += self._ended(command, _endings(a_round, subject in cancelled))
        back = sum(bool(self._desk.data(each)["error"]) for each in commands.values())
        self._look(a_round.name, tuple(commands), before, back)

    def _call_back(
        self,
        a_round: Round,
        backs: Mapping[Target, str],
        commands: Mapping[str, Command],
        cancelled: dict[str, Target],
    ) -> None:
        """Cancel the moves whose worker has just died where they are to be called back; those of a
        round that ends them by their deadline are left alone."""
        waiting = self._minefield.waiting()
        for target, subject in backs.items():
            if subject in cancelled or target in waiting:
                continue
            cancelled[subject] = target
            if a_round.reason is Reason.OPERATOR:
                self._ledger.cancel(commands[subject].id, "operator of the real run")

    def _kill_pool(self, before: int, pools: int) -> None:
        """Once in a lot: all workers at the same time, wherever they are."""
        if self._pools == pools and len(self._minefield.deaths()) >= before + _POOL_AFTER:
            self._fleet.kill_all()
            self._pools += 1

    def _ended(self, command: Command, endings: Collection[str | None]) -> list[str]:
        data = self._desk.data(command)
        error = data["error"] or {}
        if error.get("reason") not in endings or data["left_behind"]:
            return [f"failed: {command.name} of {command.subject}: {error} {data['left_behind']}"]
        return []

    # -- moves by `migrate` -----------------------------------------------------------------------

    def _conduct(self, direction: Direction) -> None:
        """Move all of them by a migration whose conductors are killed."""
        before = len(self._minefield.deaths())
        plan, name = f"{direction}.json", f"kills-{direction}"
        targets = conducted(direction, small=self._small)
        self._minefield.arm([Target(ANYBODY, each) for each in targets])
        for words in (
            ("plan", "--to", _TO[direction], "--output", plan, *_SETTINGS),
            ("start", plan, "--id", name),
        ):
            said = self._shell.insist("migrate", *words)
            if said.code:
                self.wrong.append(f"failed: {said.line}: {said.out} {said.err}")
                return
        pools = self._pools

        def is_over() -> bool:
            self._kill_pool(before, pools)
            found = self._ledger.migration(name)
            return found is not None and found.status in (Status.DONE, Status.PAUSED)

        self._desk.wait(f"migration {name}", is_over)
        stages = self._ledger.stages(name)
        if {str(each) for each in stages} != {"committed"}:
            self.wrong.append(f"failed: migration {name} ended with {stages}")
        self._owners = dict.fromkeys(self._subjects, _TO[direction])
        self._look(f"migration to {_TO[direction]}", tuple(self._subjects), before, 0)

    # -- what came of it --------------------------------------------------------------------------

    def _look(self, name: str, subjects: Sequence[str], before: int, called_back: int) -> None:
        found = list(self._standing.wrong({each: self._owners[each] for each in subjects}))
        self.wrong += found
        owners = [self._owners[each] for each in subjects]
        lot = Lot(
            name=name,
            moves=len(subjects),
            kills=len(self._minefield.deaths()) - before,
            called_back=called_back,
            adopted=owners.count(ORCHESTRATOR),
            native=owners.count(NATIVES),
            wrong=len(found),
        )
        self._lots.append(lot)
        self._say(f"{name}: {lot.kills} kills, {called_back} called back, {len(found)} wrong")

    def _say(self, text: str) -> None:
        say(f"{time.monotonic() - self._began:4.0f} s  {text}")

    def _killed(self) -> Killed:
        found = [self._ledger.operation(each.id) for each in self._desk.sent]
        self._ledger.close()
        deaths = self._minefield.deaths()
        return Killed(
            instances=len(self._subjects),
            doomed=len(self._doomed),
            commands=len(self._desk.sent),
            seconds=time.monotonic() - self._began,
            recoveries=tuple(recoveries(deaths, [each for each in found if each])),
            pools=self._pools,
            exits=self._fleet.exits[-9],
            starts=self._fleet.starts,
            lots=tuple(self._lots),
            missed=tuple(each.crossing for each in self._missed),
            wrong=tuple(self.wrong),
        )


#: Of the migrations: small batches, and freezes as long as the kills make them.
_SETTINGS = (
    *("--canary", "1", "--batch", "4", "--soak", "3"),
    *("--concurrency", "4", "--per-project", "10", "--max-freeze", "600"),
)


def _endings(a_round: Round, called_back: bool) -> tuple[str | None, ...]:
    """The reasons that a move may end with, None for success. A deadline may pass anywhere, and
    those that got through in time are the orchestrator's."""
    if a_round.reason is Reason.DEADLINE:
        return (None, str(Reason.DEADLINE))
    return (str(a_round.reason),) if called_back else (None,)


def _kept(backs: Mapping[Target, str]) -> set[tuple[str, str]]:
    """Where something is called back nobody else shall die."""
    return {(each.subject, each.crossing.command) for each in backs}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.real.kills", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a few instances and kills: for CI")
    parser.add_argument("--instances", type=int, default=0, help="8, or 4 in a small run")
    parser.add_argument("--minutes", type=float, default=0, help="at most: 40, small: 10")
    parser.add_argument("--report", type=Path, help="write the tables here too")
    chosen = parser.parse_args(arguments)
    instances = chosen.instances or (4 if chosen.small else 8)
    minutes = chosen.minutes or (10 if chosen.small else 40)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # clean up, then
    with ground() as on:
        killed = Kills(on, instances, time.monotonic() + 60 * minutes, small=chosen.small).go()
    page = "\n".join(markdown(killed)).rstrip() + "\n"
    say(page)
    if chosen.report:
        chosen.report.write_text(page)
    return 1 if killed.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
