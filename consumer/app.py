"""The composition root: a worker is put together here, and nowhere else."""

import os
from collections.abc import Callable
from contextlib import ExitStack, closing
from importlib.metadata import version
from typing import Any, NamedTuple
from uuid import uuid4

from consumer import intake, relay, wiring
from consumer.broker.inbox import Inbox
from consumer.clock import LedgerClock
from consumer.config import Settings
from consumer.fleet.conductor import Conductor
from consumer.fleet.progress import movings
from consumer.hands import Checkpoint
from consumer.intake import Intake
from consumer.lease import Lease
from consumer.ledger.base import Ledger, Unavailable
from consumer.observer import Observer
from consumer.policy import Policy
from consumer.pools import ThreadPools
from consumer.reconciler import Reconciler
from consumer.relay import Announcer, Relay
from consumer.scheduler import Scheduler
from consumer.telemetry.base import Telemetry
from consumer.telemetry.fanout import fan_out
from consumer.telemetry.gauges import Fleet, Moves
from consumer.telemetry.health import Check, Health, HealthServer, Pulse
from consumer.telemetry.journal import Journal
from consumer.telemetry.logs import Logger
from consumer.telemetry.metrics import Metrics, new_registry
from consumer.worker import Parts, Worker
from handlers.base import Clouds
from handlers.clouds.openstack import OpenStackClouds
from handlers.operation import SECOND, Micros
from handlers.registry import Registry, managers
from handlers.resources import Service

#: Rows that one round of housekeeping forgets, at most.
PRUNE = 500

#: A loop that is silent for so many leases has stalled.
STALLED = 4


class Given(NamedTuple):
    """What the caller brings; everything else is made from the settings.

    `listener` is told of the moments besides metrics and log; `metrics` is a Prometheus registry.
    """

    ledger: Ledger | None = None
    clouds: Clouds | None = None
    announcer: Announcer | None = None
    listener: Telemetry | None = None
    metrics: Any = None
    policy: Policy | None = None
    checkpoint: Checkpoint = lambda name, op, step: None


class Base(NamedTuple):
    """What several parts share."""

    settings: Settings
    name: str
    ledger: Ledger
    clouds: Clouds
    policy: Policy
    clock: LedgerClock
    lease: Lease
    telemetry: Telemetry
    close: ExitStack


def build(settings: Settings, logger: Logger, given: Given | None = None) -> Worker:
    """A worker that can be started. Raises Misconfigured, or OSError for a port that is taken."""
    close = ExitStack()
    try:
        return _build(settings, logger, given or Given(), close)
    except BaseException:
        close.close()
        raise


def _build(settings: Settings, logger: Logger, given: Given, close: ExitStack) -> Worker:
    metrics = given.metrics or new_registry()
    pulse = Pulse(STALLED * max(settings.ledger.lease_ttl, 15.0))
    telemetry = _telemetry(metrics, logger, given.listener)
    base = _base(settings, given, telemetry, pulse, close)
    ledger, clouds, lease = base.ledger, base.clouds, base.lease
    scheduler = _scheduler(base, given.checkpoint)
    taking = _intake(base, scheduler)
    announcer = given.announcer or close.enter_context(closing(wiring.notifier_of(settings)))
    telling = Relay(ledger, announcer, base.telemetry, relay.Pace(poll=settings.worker.tick))
    refresh = settings.telemetry.fleet_refresh
    Fleet(ledger.backlog, refresh).register(metrics)
    Moves(lambda: movings(ledger, base.clock.now()), refresh).register(metrics)
    checks: dict[str, Check] = {
        "broker": lambda: None if taking.is_ready else _NO_COMMANDS,
        "ledger": lambda: None if lease.sure() else _NO_LEDGER,
        "events": lambda: None if telling.is_ready else _NO_EVENTS,
    }
    return Worker(
        Parts(
            name=base.name,
            lease=lease,
            scheduler=scheduler,
            intake=taking,
            relay=telling,
            conduct=_conductor(base, scheduler),
            pulse=pulse,
            logger=logger,
            health=_health(settings, Health(metrics, checks, pulse)),
            connect=lambda: _connect(clouds, logger),
            keep_house=_housekeeper(settings, ledger, base.clock),
            is_told=lambda: _is_told(ledger),
            close=close,
            tick=settings.worker.tick,
            stop_timeout=settings.worker.stop_timeout,
        )
    )


_NO_COMMANDS = "no commands are taken: the broker is away, or this worker holds all it may"
_NO_LEDGER = "the ledger does not answer: 'trove-resources config check' says why"
_NO_EVENTS = "events wait: the broker of the notifications does not take them"


def _telemetry(metrics: Any, logger: Logger, listener: Telemetry | None) -> Telemetry:
    parts: list[Telemetry] = [Metrics(metrics, version("trove-resources")), Journal(logger)]
    return fan_out(*parts, *([listener] if listener else []))


def _base(
    settings: Settings, given: Given, telemetry: Telemetry, pulse: Pulse, close: ExitStack
) -> Base:
    name = f"{settings.worker.host}/{os.getpid()}/{uuid4().hex[:8]}"
    ledger = given.ledger or close.enter_context(closing(wiring.ledger_of(settings, telemetry)))
    clock = LedgerClock()
    lease = Lease(
        ledger,
        worker=name,
        host=settings.worker.host,
        ttl=settings.ledger.lease_ttl,
        clock=clock,
        telemetry=telemetry,
        beat=lambda: pulse.beat("lease"),
    )
    return Base(
        settings=settings,
        name=name,
        ledger=ledger,
        clouds=given.clouds or wiring.clouds_of(settings, telemetry.request),
        policy=given.policy or wiring.policy_of(settings),
        clock=clock,
        lease=lease,
        telemetry=telemetry,
        close=close,
    )


def _scheduler(base: Base, checkpoint: Checkpoint) -> Scheduler:
    """The scheduler with all that advances operations."""
    settings, clock, telemetry = base.settings, base.clock, base.telemetry
    placement = wiring.placement_of(settings)
    registry = Registry(managers(), settings.managers.default, placement)
    eyes = {
        service: Observer(service, base.clouds, base.policy, clock.now, telemetry)
        for service in Service
    }
    reconciler = Reconciler(
        ledger=base.ledger,
        registry=registry,
        clouds=base.clouds,
        eyes=eyes,
        policy=base.policy,
        clock=clock,
        telemetry=telemetry,
        sure=base.lease.sure,
        checkpoint=checkpoint,
    )
    return Scheduler(
        worker=base.name,
        ledger=base.ledger,
        registry=registry,
        reconciler=reconciler,
        eyes=eyes,
        pools=ThreadPools(dict.fromkeys(Service, settings.worker.threads)),
        policy=base.policy,
        clock=clock,
        telemetry=telemetry,
        most=settings.worker.max_in_flight,
        ttl=_micros(settings.ledger.lease_ttl),
        queue_limit=_micros(settings.limits.queue_limit),
    )


def _intake(base: Base, scheduler: Scheduler) -> Intake:
    settings = base.settings
    return Intake(
        Inbox(wiring.brokers_of(settings), wiring.topology_of(settings)),
        base.close.enter_context(closing(wiring.dead_letters_of(settings))),
        base.ledger,
        worker=base.name,
        place=intake.Place(settings.clouds.default, settings.clouds.region),
        telemetry=base.telemetry,
        admit=wiring.vault_of(settings).admit,
        room=scheduler.room,
        wake=scheduler.wake,
        pace=intake.Pace(
            batch=settings.worker.accept_batch, max_message=settings.broker.max_message
        ),
    )


def _conductor(base: Base, scheduler: Scheduler) -> Callable[[], bool]:
    """One step of all migrations; tells whether there are any, and whatever goes wrong."""
    conductor = Conductor(
        base.ledger,
        worker=base.name,
        clock=base.clock,
        telemetry=base.telemetry,
        wake=scheduler.wake,
    )

    def conduct() -> bool:
        if not base.lease.sure():
            return False
        try:
            return conductor.tick()
        except Unavailable:
            return False  # waited out; the lease tells of it
        except Exception as error:  # a defect there must not stop the worker's other work
            base.telemetry.conductor_failed(error)
            return False

    return conduct


def _health(settings: Settings, health: Health) -> HealthServer | None:
    port = settings.telemetry.port
    return HealthServer(health, settings.telemetry.bind, port) if port else None


def _connect(clouds: Clouds, logger: Logger) -> None:
    """Meet every cloud once, from one thread; one that is away is tried again by later calls."""
    if isinstance(clouds, OpenStackClouds):
        for place, fault in clouds.connect().items():
            logger.warning(
                "cloud is away", cloud=place.cloud, region=place.region, message=fault.message
            )


def _housekeeper(settings: Settings, ledger: Ledger, clock: LedgerClock) -> Callable[[], None]:
    def keep_house() -> None:
        try:
            ledger.prune(clock.now() - _micros(settings.ledger.retention), PRUNE)
        except Unavailable:
            return  # another time

    return keep_house


def _is_told(ledger: Ledger) -> bool:
    try:
        return not ledger.unsent(1)
    except Unavailable:
        return True  # nothing can be done about it now


def _micros(seconds: float) -> Micros:
    return int(seconds * SECOND)
