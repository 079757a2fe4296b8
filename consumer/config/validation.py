"""What no single option can say: settings that contradict one another."""

from collections.abc import Iterator

import msgspec

from consumer.config.settings import Settings
from handlers.commands import BODIES, PREFIX
from handlers.parts import Id
from handlers.registry import managers


def problems(settings: Settings) -> list[str]:
    """One sentence for each thing that is wrong, with what to do; empty when all is well."""
    return [
        *_ledger(settings),
        *_times(settings),
        *_choices(settings),
        *_placement(settings),
        *_tls(settings),
        *_deadlines(settings),
    ]


def _ledger(settings: Settings) -> Iterator[str]:
    if not settings.ledger.url.reveal():
        yield (
            "[ledger] url is not set: give a database URL such as "
            "mysql+pymysql://user:password@host/trove_resources."
        )


def _times(settings: Settings) -> Iterator[str]:
    limits, clouds, ttl = settings.limits, settings.clouds, settings.ledger.lease_ttl
    quiet = clouds.slowest_call + clouds.list_lag
    for name, seconds in (("deadline", limits.deadline), ("undo_budget", limits.undo_budget)):
        if seconds <= 2 * quiet:
            yield (
                f"[limits] {name} ({seconds:g} s) leaves no time to look again after a lost call: "
                f"make it more than {2 * quiet:g} s, or lower the time-outs in [clouds]."
            )
    if ttl < 3 * settings.worker.tick:
        yield (
            f"[ledger] lease_ttl ({ttl:g} s) is too short for a [worker] tick of "
            f"{settings.worker.tick:g} s: make it at least {3 * settings.worker.tick:g} s."
        )


def _choices(settings: Settings) -> Iterator[str]:
    names = [manager.name for manager in managers()]
    if settings.managers.default not in names:
        yield (
            f"[managers] default {settings.managers.default!r} is no manager of this release: "
            f"choose one of {', '.join(names)}."
        )
    for place in settings.clouds.others:
        if place.count("/") != 1:
            yield f"[clouds] others: {place!r} is not entry/region, such as east/RegionTwo."


def _placement(settings: Settings) -> Iterator[str]:
    migration = settings.migration
    for name, ids in (("flavors", migration.flavors), ("projects", migration.projects)):
        for one in ids:
            try:
                msgspec.convert(one, Id)
            except msgspec.ValidationError:
                yield f"[migration] {name}: {one!r} is no id: write ids, not names."


def _tls(settings: Settings) -> Iterator[str]:
    for name, group in (("broker", settings.broker), ("ledger", settings.ledger)):
        if bool(group.tls_cert) != bool(group.tls_key):
            yield f"[{name}] tls_cert and tls_key go together: give both or neither."
    if settings.broker.tls_ca and not settings.broker.tls:
        yield "[broker] tls_ca is set but tls is not: set tls = true, or remove tls_ca."
    if (settings.ledger.tls_cert or settings.ledger.tls_key) and not settings.ledger.tls_ca:
        yield "[ledger] tls_cert is set but tls_ca is not: name the CA of the database."


def _deadlines(settings: Settings) -> Iterator[str]:
    names = {name.removeprefix(PREFIX) for name in BODIES}
    for name, seconds in settings.limits.deadlines.items():
        if name not in names:
            yield f"[limits] deadlines names {name!r}, which is no command: see 'send --help'."
        elif seconds < 10:
            yield f"[limits] deadlines gives {name} {seconds:g} s: make it at least 10 s."
