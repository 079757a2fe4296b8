"""`demo`: sets the stage, plays, and says what came of it."""

import argparse
import logging
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

import msgspec

from consumer import app, wiring
from consumer.cli.base import Command
from consumer.cli.demo.play import Actor, Play, Steps, View
from consumer.cli.demo.report import Report, growth, report, tables
from consumer.cli.demo.simulated import Simulated, simulated
from consumer.cli.demo.story import lives
from consumer.cli.demo.view import Board, Lines, Silence
from consumer.cli.render import console
from consumer.cli.tools import Mistake
from consumer.client import Client, Door
from consumer.config import Settings
from consumer.config.settings import Broker, Clouds, Ledger, Managers, Secrets, Telemetry
from consumer.config.settings import Worker as WorkerSettings
from consumer.listening import Board as Notices
from consumer.secrets import Vault
from consumer.telemetry.logs import Logs
from consumer.telemetry.metrics import Sample, new_registry, samples
from consumer.worker import Worker
from handlers.registry import managers
from handlers.secret import Secret

#: Seconds after which the demo is given up.
LIMIT = 60.0

#: The worker's log, in the demo's directory.
LOG = "worker.log"


_INTRODUCTION = """\
The real worker takes commands from a broker in memory, keeps them in a ledger in SQLite and makes
them so on a simulated OpenStack over HTTP, as on a real one; its manager is {manager}.
{count} instances live side by side; one cannot be built, and what was made for it is undone;
one command arrives twice.
"""


class Demo(Command):
    """Play the lives of some instances with the real worker on a simulated OpenStack.

    Exit code 0 only when every command ended as it should and the cloud is empty again.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("--json", action="store_true", help="print one JSON document instead")
        parser.add_argument(
            "--instances", type=int, default=4, metavar="N", help="default: %(default)s"
        )
        parser.add_argument(
            "--manager",
            choices=[manager.name for manager in managers()],
            default=Managers().default,
            help="who makes the instances (default: %(default)s)",
        )
        parser.add_argument(
            "--build-seconds",
            default="1-2",
            metavar="FIRST-LAST",
            help="how long a simulated server builds (default: %(default)s)",
        )
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        code = super().run(parsed_args)
        return code or self._code

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        story = lives(parsed_args.instances, parsed_args.manager)
        actors = {life.subject: Actor(life) for life in story}
        view = _view(self.app.stdout, actors, quiet=parsed_args.json)
        if not parsed_args.json:
            told = {"count": parsed_args.instances, "manager": parsed_args.manager.upper()}
            self.say(_INTRODUCTION.format(**told))
        with _stage(self.app.stderr) as place:
            with simulated(place / "clouds.yaml", parsed_args.build_seconds) as cloud:
                settings = _settings(place, parsed_args.manager)
                found, grown = _play(place, settings, cloud, actors, view)
            if found.ok:
                (place / LOG).unlink()
        self._code = 0 if found.ok else 1
        if parsed_args.json:
            self.say(msgspec.json.format(msgspec.json.encode(found)).decode())
            return
        page = console(self.app.stdout)
        for part in tables(found, grown):
            page.print(part)


@contextmanager
def _stage(err: TextIO) -> Iterator[Path]:
    """A directory; it stays when a log is left in it, which tells why something went wrong."""
    place = Path(tempfile.mkdtemp(prefix="trove-resources-demo-"))
    try:
        yield place
    finally:
        if (place / LOG).exists():
            err.write(f"The worker's log: {place / LOG}\n")
        else:
            shutil.rmtree(place)


def _view(out: TextIO, actors: Mapping[str, Actor], *, quiet: bool) -> View:
    if quiet:
        return Silence()
    return Board(out, actors) if out.isatty() else Lines(out)


def _play(
    place: Path, settings: Settings, cloud: Simulated, actors: Mapping[str, Actor], view: View
) -> tuple[Report, dict[Sample, float]]:
    wiring.upkeep_of(settings).upgrade()
    registry, board, began = new_registry(), Notices(), time.monotonic()
    with ExitStack() as stack:
        log = stack.enter_context((place / LOG).open("w", encoding="utf-8"))
        logs = Logs(settings.telemetry, log, wiring.secrets_of(settings))
        stack.enter_context(logs.bridged(logging.getLogger()))
        given = app.Given(announcer=board, listener=Steps(actors), metrics=registry)
        worker = app.build(settings, logs.logger(), given)
        before = samples(registry)
        door = Door(wiring.publisher_of(settings), wiring.topology_of(settings))
        source = board.reader()
        source.open()
        worker.start()
        stack.callback(worker.stop)
        _await(worker)
        view.start()
        stack.callback(view.stop)
        outcome = Play(actors, Client(door, "trove-resources-demo"), view).run(
            source, cloud.counts, LIMIT
        )
        after = samples(registry)
    grown = growth(before, after)
    return report(outcome, grown, cloud.leftovers(), time.monotonic() - began), grown


def _await(worker: Worker) -> None:
    """Until commands are taken: the in-memory broker loses what it has no queue for."""
    end = time.monotonic() + LIMIT
    while not worker.is_ready:
        if time.monotonic() > end or worker.wait(0.05):
            raise Mistake("The worker did not start.")


def _settings(place: Path, manager: str) -> Settings:
    """As in production, but for addresses, and times that suit an audience."""
    return Settings(
        worker=WorkerSettings(host="demo", tick=0.2, stop_timeout=5.0),
        broker=Broker(url=Secret("memory://")),
        ledger=Ledger(url=Secret(f"sqlite:///{place}/ledger.db")),
        clouds=Clouds(config_file=str(place / "clouds.yaml")),
        managers=Managers(default=manager),
        secrets=Secrets(keys=Secret(Vault.new_key())),
        telemetry=Telemetry(port=0, log_format="json", fleet_refresh=1.0),
    )
