"""`trove-resources`: the console script."""

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import TextIO

from cliff.app import App
from cliff.commandmanager import CommandManager

from consumer.cli import config, dlq, importing, instances, operations, send, template, worker
from consumer.cli.base import Command
from consumer.cli.demo.command import Demo
from consumer.cli.migrate import orders as migrating
from consumer.cli.migrate import plan as migrate_plan
from consumer.cli.migrate import report as migrate_report
from consumer.cli.migrate import start as migrate_start
from consumer.cli.migrate import status as migrate_status
from consumer.cli.migrate import watch as migrate_watch
from consumer.cli.tools import MakeTools
from consumer.cli.wired import Wired

COMMANDS: dict[str, type[Command]] = {
    "config check": config.Check,
    "config key": config.Key,
    "config show": config.Show,
    "db upgrade": config.Upgrade,
    "demo": Demo,
    "dlq list": dlq.List,
    "dlq show": dlq.Show,
    "instances import": importing.Import,
    "instances list": instances.List,
    "instances pin": instances.Pin,
    "instances show": instances.Show,
    "instances unpin": instances.Unpin,
    "migrate abort": migrating.Abort,
    "migrate pause": migrating.Pause,
    "migrate plan": migrate_plan.Make,
    "migrate report": migrate_report.Make,
    "migrate resume": migrating.Resume,
    "migrate rollback": migrating.Rollback,
    "migrate start": migrate_start.Start,
    "migrate status": migrate_status.Show,
    "migrate tune": migrating.Tune,
    "migrate watch": migrate_watch.Watch,
    "operations explain": operations.Explain,
    "operations fail": operations.Fail,
    "operations list": operations.List,
    "operations resume": operations.Resume,
    "operations show": operations.Show,
    "send": send.Send,
    "template show": template.Show,
    "worker": worker.Run,
}


class Main(App):
    """Parses, picks the command and hands it the tools. Exit code 0 only when all went well."""

    NAME = "trove-resources"

    def __init__(
        self,
        make_tools: MakeTools,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        stdin: TextIO | None = None,
    ) -> None:
        """`make_tools` takes the --config-file and --config-dir arguments."""
        manager = CommandManager()
        for name, command in COMMANDS.items():
            manager.add_command(name, command)
        super().__init__(
            description="The resource-management worker of OpenStack Trove.",
            version=version("trove-resources"),
            command_manager=manager,
            deferred_help=True,  # or `send --help` would tell nothing about `send`
            stdout=stdout,
            stderr=stderr,
            stdin=stdin,
        )
        self._make_tools = make_tools
        self.tools = make_tools(())

    def build_option_parser(
        self,
        description: str | None,
        version: str | None,
        argparse_kwargs: dict[str, object] | None = None,
    ) -> argparse.ArgumentParser:
        kwargs = {"prog": self.NAME, **(argparse_kwargs or {})}
        parser = super().build_option_parser(description, version, kwargs)
        for name, text in (("file", "configuration file"), ("dir", "directory of such files")):
            parser.add_argument(
                f"--config-{name}",
                action="append",
                default=[],
                metavar=name.upper(),
                help=f"{text}; may be given several times, the last one wins",
            )
        return parser

    def configure_logging(self) -> None:
        """Only what matters to somebody at a terminal, on standard error."""
        level = {0: logging.ERROR, 1: logging.WARNING, 2: logging.INFO}
        console = logging.StreamHandler(self.stderr)
        console.setFormatter(logging.Formatter(self.CONSOLE_MESSAGE_FORMAT))
        root = logging.getLogger()
        root.handlers[:] = [console]
        if self.options.log_file:
            file = logging.FileHandler(self.options.log_file)
            file.setFormatter(logging.Formatter(self.LOG_FILE_MESSAGE_FORMAT))
            root.addHandler(file)
        root.setLevel(level.get(self.options.verbose_level, logging.DEBUG))

    def initialize_app(self, argv: list[str]) -> None:
        files = [f"--config-file={path}" for path in self.options.config_file]
        directories = [f"--config-dir={path}" for path in self.options.config_dir]
        self.tools = self._make_tools((*files, *directories))

    def interact(self) -> None:
        """Without a command there is nothing to do but to say which ones there are."""
        self.run_subcommand(["help"])


def main(argv: Sequence[str] | None = None) -> int:
    """The console script; returns the exit code."""
    return Main(Wired).run(list(sys.argv[1:] if argv is None else argv))
