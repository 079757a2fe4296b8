"""The options that a migration is set by, as `plan` and `start` take them."""

import argparse

import msgspec

from consumer.cli.tools import Mistake
from consumer.ledger.fleet import Settings

_TEXTS = {
    "canary": "instances that go first; all others wait until these have soaked (0: none)",
    "batch": "instances that go together",
    "concurrency": "instances under way at once",
    "per_project": "of them, of one project",
    "rate": "instances that may begin per minute",
    "max_freeze": "seconds that the commands of an instance may wait; past it, it is undone",
    "soak": "seconds between an adoption and its commit",
    "max_failures": "failures after which the migration pauses itself",
}


def settings_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the settings, none with a default."""
    usual = Settings()
    for name, text in _TEXTS.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=int,
            metavar="S" if name in ("max_freeze", "soak") else "N",
            help=f"{text} ({getattr(usual, name)})",
        )
    parser.add_argument(
        "--order", choices=("risk", "project", "id"), help=f"who goes first ({usual.order})"
    )
    parser.add_argument(
        "--hold",
        action=argparse.BooleanOptionalAction,
        help="after the canary wait for an approval ('migrate resume')",
    )


def settings_of(options: argparse.Namespace, base: Settings) -> Settings:
    """The settings with what was given; raises Mistake for a value out of bounds."""
    names = (*_TEXTS, "order", "hold")
    given = {name: value for name in names if (value := getattr(options, name, None)) is not None}
    try:
        return msgspec.convert({**msgspec.to_builtins(base), **given}, Settings)
    except msgspec.ValidationError as error:
        raise Mistake(f"That is no setting: {error}.") from None
