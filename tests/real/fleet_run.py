"""A fleet is moved on a real OpenStack.

    python -m tests.real.fleet_run [--small] [--instances N] [--minutes M] [--report FILE]

Native instances of different shapes, half of them made as Trove made them and imported, are moved
into stacks by `trove-resources migrate`, as an operator would do it; then resized both ways through
their stacks; half of them is moved back and resized natively; all are deleted. While they move,
some get ordinary commands. Nothing may restart, no id may change, nothing may be left. Exit code 0
only then.
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from consumer import wiring
from consumer.fleet.plan import read
from consumer.ledger.fleet import MOVING, Status
from handlers.commands import Body, Command, ResizeInstance, ResizeVolume, UpdateSecurityGroupRules
from handlers.natives import NAME as NATIVES
from handlers.operation import SECOND
from handlers.orchestrator import NAME as ORCHESTRATOR
from tests.real.checks import told_wrong, trusts
from tests.real.curve import Curve, svg
from tests.real.desk import Desk, OutOfTime
from tests.real.fleet import Fleet
from tests.real.fleet_page import Disturbed, Figures, Move, markdown
from tests.real.ground import Ground, ground
from tests.real.making import failed, make, remove
from tests.real.phases import NEW, TENANT
from tests.real.run import EXPECTED_EXITS, WORKERS, say
from tests.real.shapes import Shape, shapes
from tests.real.shell import Said, Shell
from tests.real.standing import Standing
from tests.real.targets import Minefield

#: Instances that are resized at once.
_AT_ONCE = 10

#: Every so many instances one gets an ordinary command while it moves.
_DISTURBED = 5

_SETTINGS = (
    *("--canary", "2", "--concurrency", "4", "--per-project", "100"),
    *("--max-freeze", "120", "--soak", "10"),
)


class FleetRun:
    """One run on its ground, which ends before `end` (monotonic)."""

    def __init__(self, on: Ground, instances: int, end: float) -> None:
        self._on = on
        self._shapes = shapes(on.site, instances)
        self._subjects = [each.subject for each in self._shapes]
        self._batch = str(max(2, instances // 4))
        Minefield(on.folder).arm(())  # nobody dies in this run
        self._shell = Shell(on.configs[NATIVES])
        self._ledger = wiring.ledger_of(on.settings)
        doomed = {each.subject for each in self._shapes if each.trove}
        self._standing = Standing(on.project, self._ledger, doomed)
        self._trusts = trusts(on)
        self._owners = dict.fromkeys(self._subjects, NATIVES)
        self._moves: list[Move] = []
        self._disturbed: list[Disturbed] = []
        self.curve = Curve(self._ledger)
        fleet = Fleet(WORKERS, on.folder, EXPECTED_EXITS)
        self._desk = Desk(on, fleet, end, self.curve.look)
        self.wrong: list[str] = []

    def go(self) -> Figures:
        """All parts; whatever happens, the workers are ended."""
        config = str(self._on.configs[NATIVES])
        half = self._subjects[: len(self._subjects) // 2]
        try:
            self._part("make")
            self._desk.fleet.start((str(self._on.folder), "--config-file", config))
            self.wrong += make(self._on, self._desk, self._shell, self._shapes)
            self.wrong += self._standing.note(self._subjects)
            self._part("adopt")
            self._move("adopt", ORCHESTRATOR, self._subjects)
            self._part("resize")
            self._resize(self._shapes, volumes=True)
            self._part("release")
            self._move("release", NATIVES, half)
            self._part("resize")
            self._resize([each for each in self._shapes if each.subject in half])
            self._part("delete")
            self.wrong += remove(self._on, self._desk, self._shapes)
        except OutOfTime as error:
            self.wrong.append(str(error))
        finally:
            self._desk.close()
        self.wrong += told_wrong(self._on, self._desk.listener, self._desk.sent)
        if (left := trusts(self._on) - self._trusts) != 0:
            self.wrong.append(f"leaked: {left} trusts")
        self.wrong += self._desk.fleet.odd
        return self._figures()

    # -- moves ------------------------------------------------------------------------------------

    def _move(self, name: str, to: str, subjects: Sequence[str]) -> None:
        """Plan, start, follow; then look at every instance."""
        began, plan = self.curve.seconds, f"{name}.json"
        which = ("--batch", self._batch, "--instances", *subjects)
        planned = self._run("plan", "--to", to, "--output", plan, *_SETTINGS, *which)
        self._run("start", plan, "--id", name)
        disturbed: dict[str, Command] = {}
        wanted = subjects[::_DISTURBED]
        watched = self._on.folder / f"{name}.watch"
        with self._shell.beside(watched, "migrate", "watch", name, "--interval", "5"):
            self._desk.wait(
                f"migration {name}", lambda: self._is_moved(name, wanted, disturbed), pause=0.3
            )
            seconds = self.curve.seconds - began
        told = self._run("report", name)
        self._owners |= dict.fromkeys(subjects, to)
        self._disturbed += [self._waited(name, command) for command in disturbed.values()]
        changed = {each: self._owners[each] for each in disturbed}
        calm = {each: who for each, who in self._owners.items() if each not in changed}
        self.wrong += [*self._standing.wrong(calm), *self._standing.wrong(changed, ("rules",))]
        self.wrong += self._standing.note(self._subjects)
        self._note(name, planned, told, seconds)

    def _is_moved(self, name: str, wanted: Sequence[str], disturbed: dict[str, Command]) -> bool:
        """Whether the migration has ended; whoever of `wanted` is on the move gets a command."""
        found = self._ledger.migration(name)
        if found is None or found.status in (Status.DONE, Status.PAUSED):
            return not self._desk.open(list(disturbed.values()))
        for item in self._ledger.items(name, MOVING):
            if item.subject in wanted and item.subject not in disturbed:
                body = UpdateSecurityGroupRules(project=TENANT, cidrs=NEW)
                disturbed[item.subject] = self._desk.send(body, item.subject)
        return False

    def _waited(self, name: str, command: Command) -> Disturbed:
        """How long the command had to wait; wrong when it ran while the instance moved."""
        self.wrong += failed(self._desk, [command])
        (item,) = (each for each in self._ledger.items(name) if each.subject == command.subject)
        mine = self._ledger.operation(command.id)
        moves = [
            self._ledger.operation(f"{name}.{item.place}.{verb}.{attempt}")
            for verb in ("adopt", "commit", "release")
            for attempt in range(1, item.attempt + 1)
        ]
        for move in moves:
            if mine and move and mine.opened < move.finished and move.opened < mine.finished:
                self.wrong.append(f"untrue: {command.id} ran while {move.id} did")
        waited = (mine.opened - mine.accepted) / SECOND if mine else 0.0
        return Disturbed(move=name, waited=waited, ended=not self._desk.data(command)["error"])

    def _note(self, name: str, planned: Said, told: Said, seconds: float) -> None:
        items, found = self._ledger.items(name), self._ledger.migration(name)
        plan = read((self._on.folder / f"{name}.json").read_bytes())
        stages = {str(stage): count for stage, count in self._ledger.stages(name).items()}
        if stages != {"committed": len(items)}:
            self.wrong.append(f"failed: migration {name} ended with {stages}")
        self.wrong += [f"failed: {each.subject}: {each.message}" for each in items if each.reason]
        self._moves.append(
            Move(
                name=name,
                instances=len(items),
                seconds=seconds,
                planning=planned.seconds,
                plan=planned.out,
                freezes=tuple(sorted(each.freeze / SECOND for each in items)),
                most=found.settings.max_freeze if found else 0,
                watched=(self._on.folder / f"{name}.watch").read_text(),
                report=told.out,
                asked=sum(each.requests for each in plan.cost.values()),
            )
        )

    def _run(self, *words: str) -> Said:
        said = self._shell.insist("migrate", *words)
        if said.code:
            self.wrong.append(f"failed: {said.line[:120]}: {said.out} {said.err}")
            raise OutOfTime("the run cannot go on")
        return said

    # -- changes ----------------------------------------------------------------------------------

    def _resize(self, some: Sequence[Shape], *, volumes: bool = False) -> None:
        """Another flavor and back; every other volume grows as well."""
        small, large = self._on.site.small, self._on.site.large
        for flavor in (lambda one: small if one.flavor == large else large, lambda one: one.flavor):
            for lot in (some[n : n + _AT_ONCE] for n in range(0, len(some), _AT_ONCE)):
                bodies = [(one, ResizeInstance(project=TENANT, flavor=flavor(one))) for one in lot]
                self._do([(one.subject, body) for one, body in bodies])
        if volumes:
            grown = [(one.subject, ResizeVolume(project=TENANT, size=one.size + 1)) for one in some]
            self._do(grown[::2])
        for text in self._standing.note([one.subject for one in some]):
            self.wrong.append(text)
        for one in some:
            seen = self._standing.traits[one.subject]
            if (seen.status, seen.flavor) != (("ACTIVE",), (one.flavor,)):
                self.wrong.append(f"wrong: {one.subject} is {seen.status} with {seen.flavor}")

    def _do(self, bodies: Sequence[tuple[str, Body]]) -> None:
        """Send them, and wait until all have ended."""
        commands = [self._desk.send(body, subject) for subject, body in bodies]
        self._desk.wait("changes", lambda: not self._desk.open(commands))
        self.wrong += failed(self._desk, commands)

    # -- the rest ---------------------------------------------------------------------------------

    def _part(self, name: str) -> None:
        self.curve.mark(name)
        say(f"{self.curve.seconds:4.0f} s  {name}; {len(self.wrong)} wrong so far")

    def _figures(self) -> Figures:
        self._ledger.close()
        return Figures(
            instances=len(self._subjects),
            trove=sum(each.trove for each in self._shapes),
            shapes=len(
                {
                    (each.flavor, each.size, each.ports, each.trove, each.ranges, each.cidrs)
                    for each in self._shapes
                }
            ),
            commands=len(self._desk.sent),
            seconds=self.curve.seconds,
            moves=tuple(self._moves),
            disturbed=tuple(self._disturbed),
            news={kind: len(ids) for kind, ids in sorted(self._desk.listener.news.items())},
            wrong=tuple(self.wrong),
        )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.real.fleet_run", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a few instances: for CI")
    parser.add_argument("--instances", type=int, default=0, help="50, or 4 in a small run")
    parser.add_argument("--minutes", type=float, default=0, help="at most: 60, small: 10")
    parser.add_argument("--report", type=Path, help="write page and picture here too")
    chosen = parser.parse_args(arguments)
    instances = chosen.instances or (4 if chosen.small else 50)
    minutes = chosen.minutes or (10 if chosen.small else 60)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # clean up, then
    with ground() as on:
        run = FleetRun(on, instances, time.monotonic() + 60 * minutes)
        figures = run.go()
    picture = chosen.report.with_suffix(".svg") if chosen.report else Path("fleet-run.svg")
    page = "\n".join(markdown(figures, picture.name)).rstrip() + "\n"
    say(page)
    if chosen.report:
        chosen.report.write_text(page)
        picture.write_text(svg(run.curve.moments, run.curve.marks, figures.seconds))
    return 1 if figures.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
