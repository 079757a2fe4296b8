"""`config check|show|key` and `db upgrade`: is this installation fit to work?"""

import argparse

import msgspec

from consumer.cli.base import Command, Lister, Rows
from consumer.secrets import Vault


class Check(Lister):
    """Look at configuration, keys, ledger, brokers and clouds, and say what to do.

    Exit code 1 when something is not as a worker needs it.
    """

    def run(self, parsed_args: argparse.Namespace) -> int:
        code = super().run(parsed_args)
        return code or int(self._bad)

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        found = list(self.tools.findings())
        self._bad = any(not each.good for each in found)
        rows = [(each.what, "ok" if each.good else "NOT OK", each.text) for each in found]
        return ("What", "State", "Finding"), rows


class Show(Lister):
    """Show every option with the value in force; secrets are masked."""

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        settings = self.tools.settings
        rows = [
            (group, name, _shown(value))
            for group in settings.__struct_fields__
            for name, value in msgspec.structs.asdict(getattr(settings, group)).items()
        ]
        return ("Group", "Option", "Value"), rows


class Key(Command):
    """Make a key for [secrets] keys."""

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        self.say(Vault.new_key())


class Upgrade(Command):
    """Make the ledger's tables, or bring them to the form that this release needs."""

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        before, after = self.tools.upgrade()
        if before == after:
            self.say(f"The ledger's tables are at {after} already.")
        else:
            self.say(f"The ledger's tables went from {before} to {after}.")


def _shown(value: object) -> str:
    match value:
        case tuple():
            return ", ".join(map(str, value))
        case dict():
            return ", ".join(f"{name}:{each:g}" for name, each in value.items())
        case _:
            return str(value)
