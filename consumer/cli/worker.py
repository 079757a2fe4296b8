"""`worker`: the worker process."""

import argparse

from consumer.cli.base import Command


class Run(Command):
    """Be a worker until SIGTERM or SIGINT.

    The signal lets calls come to their end; a second one ends it at once. Exit code 0 after a
    clean stop, 1 after a defect, 2 when calls did not end in time, 3 when others took it for dead,
    4 when it stalled: start it anew after any of them.
    """

    def run(self, parsed_args: argparse.Namespace) -> int:
        super().run(parsed_args)
        return self._code

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        self._code = self.tools.work()
