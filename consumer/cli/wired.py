"""The tools on real parts."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from types import FrameType
from typing import NamedTuple

from consumer import app, wiring
from consumer.broker.inbox import Delivery
from consumer.broker.link import Down
from consumer.cli.tools import Finding, Mistake
from consumer.client import Client
from consumer.config import Misconfigured, Settings, load
from consumer.imports.rows import Row
from consumer.imports.trove import rows_of_trove
from consumer.ledger.base import Ledger, Unavailable
from consumer.telemetry.logs import Logs
from consumer.worker import Outcome, Worker
from handlers.base import Clouds, Probe
from handlers.clouds import openstack
from handlers.migration import NAME as MIGRATION
from handlers.operation import SECOND
from handlers.orchestrator import NAME as ORCHESTRATOR
from handlers.secret import Secret


class Wired:
    """Implements Tools for the settings of these configuration files."""

    def __init__(self, files: tuple[str, ...]) -> None:
        self._files = files

    @cached_property
    def settings(self) -> Settings:
        return load(self._files)

    def ledger(self) -> Ledger:
        _refuse_old_tables(self.settings)
        return wiring.ledger_of(self.settings)

    def client(self) -> Client:
        return wiring.client_of(self.settings, f"trove-resources-cli/{self.settings.worker.host}")

    def clouds(self, probe: Probe | None = None) -> Clouds:
        return wiring.clouds_of(self.settings, probe)

    def trove(self, url: Secret) -> tuple[Row, ...]:
        return rows_of_trove(url)

    def peek(self, limit: int) -> tuple[Delivery, ...]:
        return wiring.peek_of(self.settings, limit)

    def upgrade(self) -> tuple[str, str]:
        return wiring.upkeep_of(self.settings).upgrade()

    def findings(self) -> Iterator[Finding]:
        return findings(lambda: self.settings)

    def work(self) -> int:
        logs = Logs(self.settings.telemetry, sys.stdout, wiring.secrets_of(self.settings))
        _refuse_old_tables(self.settings)
        try:
            worker = app.build(self.settings, logs.logger())
        except OSError as error:
            telemetry = self.settings.telemetry
            raise Mistake(
                f"{telemetry.bind}:{telemetry.port} cannot be had ({error.strerror}): "
                "give [telemetry] another bind or port, or port 0 to do without."
            ) from None
        logs.bridge(logging.getLogger())
        return run_until_signal(worker)


def run_until_signal(worker: Worker) -> Outcome:
    """Run a worker until SIGTERM, SIGINT or its own end. A second signal ends the process."""
    asked = False

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            os._exit(128 + number)
        asked = True
        worker.request_stop()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, on_signal)
    worker.start()
    worker.wait()
    outcome = worker.stop()
    if outcome is Outcome.HURRIED:  # threads are still in calls, and would keep the process
        sys.stdout.flush()
        os._exit(outcome)
    return outcome


def _refuse_old_tables(settings: Settings) -> None:
    """A ledger that is away may come back; tables that nobody makes do not."""
    try:
        current = wiring.upkeep_of(settings).is_current()
    except Unavailable:
        return
    if not current:
        raise Mistake(
            "The ledger's tables are not those of this release: run 'trove-resources db upgrade'."
        )


# -- config check -------------------------------------------------------------------------------


class _Probe(NamedTuple):
    what: str
    look: Callable[[Settings], str]
    remedy: str = ""  # for what does not answer


def findings(settings: Callable[[], Settings]) -> Iterator[Finding]:
    """Look at everything that a worker needs; raises nothing."""
    try:
        known = settings()
    except Misconfigured as error:
        for line in str(error).splitlines():
            yield Finding("configuration", good=False, text=line)
        return
    yield Finding("configuration", good=True, text="read, and free of contradictions")
    for probe in _PROBES:
        try:
            yield Finding(probe.what, good=True, text=probe.look(known))
        except (Mistake, Misconfigured) as error:
            yield Finding(probe.what, good=False, text=str(error))
        except (Unavailable, Down) as error:
            yield Finding(probe.what, good=False, text=f"{error}: {probe.remedy}")
    yield from _clouds(known)


def _keys(settings: Settings) -> str:
    wiring.vault_of(settings)
    if settings.secrets.keys.reveal():
        return "secret fields are encrypted"
    return "none: commands with user data are refused; 'trove-resources config key' makes one"


def _ledger(settings: Settings) -> str:
    began = time.time()
    database = wiring.upkeep_of(settings).time() / SECOND
    skew = database - (began + time.time()) / 2
    return f"answers; its clock differs from this host's by {skew:+.3f} s"


def _tables(settings: Settings) -> str:
    if not wiring.upkeep_of(settings).is_current():
        raise Mistake("not those of this release: run 'trove-resources db upgrade'")
    return "those of this release"


def _broker(settings: Settings) -> str:
    wire = wiring.brokers_of(settings).connect()
    wire.close()
    return f"{wire.peer} answers"


def _events(settings: Settings) -> str:
    wire = wiring.event_brokers_of(settings).connect()
    wire.close()
    return f"{wire.peer} answers"


def _clouds(settings: Settings) -> Iterator[Finding]:
    try:
        clouds = wiring.clouds_of(settings)
    except Misconfigured as error:
        yield Finding("clouds", good=False, text=str(error))
        return
    heat = settings.managers.default in (ORCHESTRATOR, MIGRATION)
    for cloud in clouds.all.values():
        for found in openstack.check(cloud, orchestration=heat):
            yield Finding(f"cloud {found.name}", good=found.ok, text=found.text)


_LEDGER = "start the database, or correct [ledger] url and what its user may do"
_PROBES = (
    _Probe("secret keys", _keys),
    _Probe("ledger", _ledger, _LEDGER),
    _Probe("ledger tables", _tables, _LEDGER),
    _Probe("broker of commands", _broker, "start it, or correct [broker] url"),
    _Probe("broker of events", _events, "start it, or correct [notifications] or [broker] url"),
)
