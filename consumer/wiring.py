"""Single parts, each made from the settings: what app.py puts together, and tools use alone."""

import time
from urllib.parse import urlsplit

from consumer.broker.deadletters import DeadLetters, peek
from consumer.broker.inbox import Delivery
from consumer.broker.link import Brokers, Tls, hosts
from consumer.broker.publisher import Publisher
from consumer.broker.tap import Tap
from consumer.broker.topology import Notices, Topology, declare_notices
from consumer.client import Client, Door
from consumer.codec.cloudevents import rfc3339
from consumer.config import Misconfigured, Settings
from consumer.ledger.sql import connect
from consumer.ledger.sql.ledger import SqlLedger
from consumer.ledger.upkeep import Upkeep
from consumer.listening import Heard
from consumer.notifications import Notifier, from_amqp, per_host, to_amqp
from consumer.policy import Policy
from consumer.secrets import Vault
from consumer.telemetry.base import Telemetry
from handlers.base import Probe
from handlers.clouds.openstack import Limits, OpenStackClouds, Place
from handlers.errors import Fault
from handlers.operation import SECOND, Micros
from handlers.placement import Placement
from handlers.registry import KNOWN_REVISIONS
from handlers.resources import Service

#: Seconds between saving an intent and making its call, at most.
SLACK = 5.0


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """Every secret text of the settings, for the log's second net."""
    urls = (
        settings.broker.url,
        settings.ledger.url,
        settings.notifications.url,
        settings.trove.database,
    )
    passwords = (urlsplit(part).password for url in urls for part in hosts(url.reveal()))
    return (*(text for text in passwords if text and text != "guest"), *_keys(settings))


def vault_of(settings: Settings) -> Vault:
    """Raises Misconfigured for a key that is none."""
    try:
        return Vault(_keys(settings))
    except ValueError as error:
        raise Misconfigured(
            f"[secrets] keys: {error}: make one with 'trove-resources config key'."
        ) from None


def policy_of(settings: Settings) -> Policy:
    """How long the reconciler waits for what."""
    limits, clouds = settings.limits, settings.clouds
    calls = cloud_limits_of(settings)
    tick = _micros(settings.worker.tick)
    return Policy(
        poll=tick,
        call_timeouts={each: _micros(calls.longest(each)) for each in clouds.timeouts},
        slack=_micros(SLACK),
        lag=_micros(clouds.list_lag),
        skew=_micros(clouds.clock_skew),
        backoff=tick,
        undo_budget=_micros(limits.undo_budget),
        limit=_micros(limits.deadline),
        limits={name: _micros(seconds) for name, seconds in limits.deadlines.items()},
    )


def placement_of(settings: Settings) -> Placement:
    """Which new subjects the manager migration makes as stacks."""
    migration = settings.migration
    return Placement(
        percent=migration.new_instances_percent,
        flavors=frozenset(migration.flavors),
        projects=frozenset(migration.projects),
    )


def cloud_limits_of(settings: Settings) -> Limits:
    """The adapter's time-outs and connections."""
    clouds = settings.clouds
    return Limits(
        answers=clouds.timeouts,
        connect=clouds.connect_timeout,
        token=clouds.token_timeout,
        threads=settings.worker.threads * len(Service),  # one host may serve them all
    )


def clouds_of(settings: Settings, probe: Probe | None = None) -> OpenStackClouds:
    """The clouds; nothing is sent yet. Raises Misconfigured for what clouds.yaml does not have."""
    clouds = settings.clouds
    others = (place.split("/") for place in clouds.others)
    try:
        return OpenStackClouds(
            [Place(clouds.default, clouds.region), *(Place(*parts) for parts in others)],
            limits=cloud_limits_of(settings),
            probe=probe,
            files=[clouds.config_file] if clouds.config_file else [],
        )
    except Fault as fault:
        raise Misconfigured(f"[clouds] {fault.message}.") from None


# -- ledger -------------------------------------------------------------------------------------


def upkeep_of(settings: Settings) -> Upkeep:
    """The ledger's database; raises Misconfigured for a URL that cannot be used."""
    ledger = settings.ledger
    try:
        return Upkeep(
            ledger.url.reveal(),
            connect.Limits(pool_size=ledger.pool_size, connect_timeout=ledger.connect_timeout),
            connect.Tls(ca=ledger.tls_ca, cert=ledger.tls_cert, key=ledger.tls_key),
        )
    except ValueError as error:
        raise Misconfigured(f"[ledger] url: {error}.") from None


def ledger_of(settings: Settings, telemetry: Telemetry | None = None) -> SqlLedger:
    """The ledger; raises Misconfigured."""
    database, vault = upkeep_of(settings).database(), vault_of(settings)
    return SqlLedger(database, vault, telemetry, revisions=KNOWN_REVISIONS)


# -- broker -------------------------------------------------------------------------------------


def brokers_of(settings: Settings) -> Brokers:
    """Connections for commands."""
    return _brokers(settings, _broker_urls(settings), "[broker]")


def topology_of(settings: Settings) -> Topology:
    """The names of queue and exchanges on the broker."""
    broker = settings.broker
    return Topology(
        exchange=broker.exchange,
        queue=broker.queue,
        dead_exchange=broker.dead_letter_exchange,
        dead_queue=broker.dead_letter_queue,
    )


def publisher_of(settings: Settings) -> Publisher:
    """A publisher with confirms, on the commands' broker."""
    return Publisher(brokers_of(settings), confirm_timeout=settings.broker.confirm_timeout)


def dead_letters_of(settings: Settings) -> DeadLetters:
    """Where refused messages are put."""
    return DeadLetters(
        publisher_of(settings), topology_of(settings), lambda: rfc3339(time.time_ns() // 1000)
    )


def peek_of(settings: Settings, limit: int) -> tuple[Delivery, ...]:
    """Up to `limit` refused messages, which stay where they are; raises Down or NoQueue."""
    return peek(brokers_of(settings), topology_of(settings).dead_queue, limit)


def client_of(settings: Settings, source: str) -> Client:
    """For publishers: sends commands, and hears of their events."""
    return Client(
        Door(publisher_of(settings), topology_of(settings)),
        source,
        events=lambda: Heard(Tap(event_brokers_of(settings), notices_of(settings))),
    )


# -- events -------------------------------------------------------------------------------------


def notices_of(settings: Settings) -> Notices:
    """Where events go: exchange, topics and the form of their queues."""
    events = settings.notifications
    return Notices(
        exchange=events.exchange,
        topics=events.topics,
        durable=events.durable,
        quorum=events.quorum,
    )


def notifier_of(settings: Settings) -> Notifier:
    """Publishes events; exchange and queues are made where they are missing."""
    events = settings.notifications
    url = events.url.reveal()
    brokers, notices = event_brokers_of(settings), notices_of(settings)

    def prepare() -> None:
        wire = brokers.connect()
        try:
            with wire.guarded("declare exchange and queues of events"):
                declare_notices(wire, notices)
        finally:
            wire.close()

    return Notifier(
        per_host(url) if url else [from_amqp(each) for each in _broker_urls(settings)],
        exchange=events.exchange,
        topics=events.topics,
        publisher_id=events.publisher_id or f"trove-resources.{settings.worker.host}",
        timeout=events.timeout,
        tls=tls_of(settings),
        prepare=prepare,
    )


def event_brokers_of(settings: Settings) -> Brokers:
    """Connections to the broker of the events, to declare and to listen there."""
    url = settings.notifications.url.reveal()
    if not url:
        return brokers_of(settings)
    try:
        urls = to_amqp(url)
    except ValueError:
        urls = ()
    if not urls:
        raise Misconfigured(
            "[notifications] url names no host: write rabbit://user:password@host:5672/vhost."
        )
    return _brokers(settings, urls, "[notifications]")


def _broker_urls(settings: Settings) -> tuple[str, ...]:
    return hosts(settings.broker.url.reveal())


def _brokers(settings: Settings, urls: tuple[str, ...], group: str) -> Brokers:
    broker = settings.broker
    try:
        return Brokers(
            urls,
            tls=tls_of(settings),
            heartbeat=broker.heartbeat,
            connect_timeout=broker.connect_timeout,
            patience=broker.confirm_timeout,
            name=f"trove-resources {settings.worker.host}",
        )
    except ValueError as error:
        raise Misconfigured(f"{group} url: {error}.") from None


def tls_of(settings: Settings) -> Tls | None:
    """For commands and events; an amqps URL asks for it too."""
    broker = settings.broker
    if not broker.tls and not any(url.startswith("amqps:") for url in _broker_urls(settings)):
        return None
    return Tls(broker.tls_ca, broker.tls_cert, broker.tls_key)


def _keys(settings: Settings) -> tuple[str, ...]:
    keys = settings.secrets.keys.reveal().replace("\n", ",")
    return tuple(key.strip() for key in keys.split(",") if key.strip())


def _micros(seconds: float) -> Micros:
    return int(seconds * SECOND)
