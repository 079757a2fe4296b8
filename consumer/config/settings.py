"""Every setting of the worker: its type, unit, bounds, default and the reason for the default.

The structs are the only source: options.py makes the oslo.config options from them, and so the
sample file, the command line and the environment. Tests build them directly.
"""

import socket
from typing import Annotated, Literal

import msgspec

from consumer.config.fleet import Migration, Trove
from consumer.config.metas import number as _number
from consumer.config.metas import text as _text
from handlers.resources import Service
from handlers.secret import Secret

Level = Literal["debug", "info", "warning", "error"]


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """How much one worker process takes on. Scale by starting more processes."""

    host: Annotated[
        str, _text("Name of this worker's host in the ledger, in logs and as event publisher.")
    ] = msgspec.field(default_factory=socket.gethostname)
    tick: Annotated[
        float,
        _number(0.05, 60, "Seconds between two rounds of look-ups: half of it is the mean delay."),
    ] = 1.0
    max_in_flight: Annotated[
        int,
        _number(1, 100_000, "Operations that one worker holds, waiting ones too (about 4 KiB)."),
    ] = 1000
    threads: Annotated[
        int, _number(1, 64, "Threads per cloud service: the calls that may be under way at once.")
    ] = 4
    accept_batch: Annotated[
        int, _number(1, 1000, "Commands that are written to the ledger in one commit, at most.")
    ] = 100
    stop_timeout: Annotated[
        float,
        _number(1, 600, "Seconds after SIGTERM until the worker exits, its calls over or not."),
    ] = 45.0


class Broker(msgspec.Struct, frozen=True, kw_only=True):
    """Where commands come from: RabbitMQ, or any other transport of kombu."""

    url: Annotated[
        Secret, _text("AMQP URL with user and password; separate several brokers by semicolons.")
    ] = Secret("amqp://guest:guest@127.0.0.1:5672//")
    exchange: Annotated[
        str, _text("Exchange that commands are published to (direct, durable).")
    ] = "trove.resources"
    queue: Annotated[str, _text("Queue of commands (quorum); also the routing key.")] = (
        "trove.resources.commands"
    )
    dead_letter_exchange: Annotated[str, _text("Exchange of refused messages (durable).")] = (
        "trove.resources.dead"
    )
    dead_letter_queue: Annotated[str, _text("Queue of refused messages (quorum).")] = (
        "trove.resources.commands.dead"
    )
    heartbeat: Annotated[
        float, _number(0, 600, "Seconds between AMQP heartbeats: finds a dead peer; 0 turns off.")
    ] = 30.0
    connect_timeout: Annotated[
        float, _number(0.1, 60, "Seconds until an attempt to connect is given up.")
    ] = 5.0
    confirm_timeout: Annotated[
        float, _number(0.1, 60, "Seconds that a publisher waits for the broker's confirm.")
    ] = 10.0
    max_message: Annotated[
        int, _number(1024, 16_777_216, "Bytes of the longest command; a longer one is refused.")
    ] = 262_144
    tls: Annotated[bool, _text("Speak TLS to the broker.")] = False
    tls_ca: Annotated[
        str, _text("File of the CA that the broker's certificate must come from.")
    ] = ""
    tls_cert: Annotated[
        str, _text("File of the client certificate, where the broker wants one.")
    ] = ""
    tls_key: Annotated[str, _text("File of the client certificate's key.")] = ""


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """The database that holds operations, instances, events to send and workers."""

    url: Annotated[
        Secret,
        _text(
            "SQLAlchemy URL, for example mysql+pymysql://user:password@host/trove_resources, "
            "postgresql+psycopg://… or sqlite:////var/lib/trove-resources/ledger.db."
        ),
    ] = Secret("")
    lease_ttl: Annotated[
        float,
        _number(1, 3600, "Seconds without a heartbeat after which others take a worker's rows."),
    ] = 30.0
    retention: Annotated[
        float,
        _number(
            3600,
            315_360_000,
            "Seconds that finished operations, tombstones and ended migrations are kept; until "
            "then an ended migration can be rolled back, and reported.",
        ),
    ] = 2_592_000.0
    pool_size: Annotated[int, _number(1, 100, "Connections that one worker keeps, at most.")] = 5
    connect_timeout: Annotated[
        float, _number(0.1, 60, "Seconds until an attempt to connect is given up.")
    ] = 5.0
    tls_ca: Annotated[str, _text("File of the CA of the database; naming it turns TLS on.")] = ""
    tls_cert: Annotated[
        str, _text("File of the client certificate, where the database wants one.")
    ] = ""
    tls_key: Annotated[str, _text("File of the client certificate's key.")] = ""


class Clouds(msgspec.Struct, frozen=True, kw_only=True):
    """The clouds of clouds.yaml that the worker may act on, and how long it waits for them."""

    default: Annotated[str, _text("Entry of clouds.yaml for commands that name no cloud.")] = (
        "trove"
    )
    region: Annotated[str, _text("Region of the default cloud, as its catalogue names it.")] = (
        "RegionOne"
    )
    others: Annotated[
        tuple[str, ...],
        _text("Other clouds whose recorded instances are managed too: entry/region, entry/region."),
    ] = ()
    config_file: Annotated[
        str, _text("Path of clouds.yaml; empty: where openstacksdk looks (OS_CLIENT_CONFIG_FILE).")
    ] = ""
    compute_timeout: Annotated[
        float, _number(1, 300, "Seconds of silence after which an answer of Nova counts as lost.")
    ] = 30.0
    block_storage_timeout: Annotated[
        float, _number(1, 300, "Seconds of silence after which an answer of Cinder counts as lost.")
    ] = 30.0
    network_timeout: Annotated[
        float,
        _number(1, 300, "Seconds of silence after which an answer of Neutron counts as lost."),
    ] = 30.0
    orchestration_timeout: Annotated[
        float,
        _number(
            1,
            600,
            "Seconds of silence after which an answer of Heat counts as lost. More than Heat's own "
            "rpc_response_timeout (60): so long a request waits for an engine and is still done.",
        ),
    ] = 75.0
    connect_timeout: Annotated[
        float, _number(0.1, 60, "Seconds until an attempt to connect to a service is given up.")
    ] = 5.0
    token_timeout: Annotated[
        float,
        _number(1, 60, "Seconds of silence after which an answer of Keystone counts as lost."),
    ] = 10.0
    list_lag: Annotated[
        float,
        _number(0.1, 300, "Seconds until what a call made shows in listings, at the very latest."),
    ] = 5.0
    clock_skew: Annotated[
        float,
        _number(0, 300, "Seconds by which the clouds' clocks may differ from the ledger's."),
    ] = 5.0

    @property
    def timeouts(self) -> dict[Service, float]:
        """Seconds of silence after which an answer counts as lost, by service."""
        return {
            Service.COMPUTE: self.compute_timeout,
            Service.BLOCK_STORAGE: self.block_storage_timeout,
            Service.NETWORK: self.network_timeout,
            Service.ORCHESTRATION: self.orchestration_timeout,
        }

    @property
    def slowest_call(self) -> float:
        """Seconds until any call is over: to send it, to connect, to wait for the answer."""
        return max(self.timeouts.values()) + 2 * self.connect_timeout


class Managers(msgspec.Struct, frozen=True, kw_only=True):
    """Which resource manager new instances get."""

    default: Annotated[
        str,
        _text(
            "Manager of new instances: natives talks to Nova, Cinder and Neutron itself, "
            "orchestrator makes one Heat stack per instance, migration chooses between the two."
        ),
    ] = "natives"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long things may take."""

    deadline: Annotated[
        float, _number(10, 86_400, "Seconds that an operation may be open before it is undone.")
    ] = 3600.0
    deadlines: Annotated[
        dict[str, float],
        _text("Other deadlines by command, in seconds: instance.create:1800,instance.delete:600."),
    ] = {}
    undo_budget: Annotated[
        float, _number(10, 86_400, "Seconds that undoing may take, on top of the deadline.")
    ] = 1800.0
    queue_limit: Annotated[
        float,
        _number(10, 604_800, "Seconds that a command may queue behind its instance's others."),
    ] = 7200.0


class Notifications(msgspec.Struct, frozen=True, kw_only=True):
    """Where events go: oslo.messaging notifications (messagingv2)."""

    url: Annotated[
        Secret, _text("oslo.messaging transport URL; empty: rabbit:// made from [broker] url.")
    ] = Secret("")
    exchange: Annotated[
        str, _text("Exchange of the notifications (topic); Trove's control_exchange by default.")
    ] = "openstack"
    topics: Annotated[
        tuple[str, ...], _text("Topics: events go to the queues <topic>.info and <topic>.error.")
    ] = ("notifications",)
    durable: Annotated[
        bool, _text("Make the exchange durable where it is not there: as amqp_durable_queues.")
    ] = False
    quorum: Annotated[
        bool, _text("Make quorum queues where they are not there: as rabbit_quorum_queue.")
    ] = False
    publisher_id: Annotated[
        str, _text("Publisher of the events; empty: trove-resources.<host>.")
    ] = ""
    timeout: Annotated[
        float, _number(0.1, 60, "Seconds that the relay waits for the broker's confirm.")
    ] = 10.0


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """Encryption of secret fields (user data) in the ledger."""

    keys: Annotated[
        Secret,
        _text(
            "Fernet keys separated by commas, the newest first; older ones still read. "
            "Without a key, commands with secret fields are refused."
        ),
    ] = Secret("")


class Telemetry(msgspec.Struct, frozen=True, kw_only=True):
    """Logs, metrics and health."""

    log_level: Annotated[Level, _text("The lowest level that is logged.")] = "info"
    log_levels: Annotated[
        dict[str, str], _text("Levels of libraries: urllib3:info,amqp:debug. Default: warning.")
    ] = {}
    log_format: Annotated[
        Literal["auto", "json", "console"],
        _text("One JSON object per line, or text for people; auto: JSON unless on a terminal."),
    ] = "auto"
    bind: Annotated[
        str, _text("Address of /metrics, /healthz and /readyz; they carry no authentication.")
    ] = "127.0.0.1"
    port: Annotated[int, _number(0, 65_535, "Port of /metrics and health; 0 turns them off.")] = (
        9142
    )
    fleet_refresh: Annotated[
        float,
        _number(1, 600, "Seconds for which the figures that are read from the ledger are kept."),
    ] = 15.0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings, one struct per group of the configuration file."""

    worker: Worker = msgspec.field(default_factory=Worker)
    broker: Broker = Broker()
    ledger: Ledger = Ledger()
    clouds: Clouds = Clouds()
    managers: Managers = Managers()
    migration: Migration = Migration()
    limits: Limits = Limits()
    notifications: Notifications = Notifications()
    secrets: Secrets = Secrets()
    telemetry: Telemetry = Telemetry()
    trove: Trove = Trove()
