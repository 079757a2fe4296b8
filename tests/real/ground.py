"""What the real run stands on: a project, a database and a corner of the broker of its own."""

import configparser
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
from openstack.connection import Connection

from consumer import wiring
from consumer.broker.topology import Notices, Topology
from consumer.config import Settings, load
from consumer.notifications import from_amqp
from consumer.secrets import Vault
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR
from handlers.resources import Service
from tests.contract.managers.place import Site
from tests.contract.managers.project import MORE, HttpProject
from tests.contract.managers.real import site_of
from tests.support.broker import corner
from tests.support.databases import fresh_database
from tests.support.projects import own_projects
from tests.support.services import CLOUD, MARIADB, RABBITMQ

_CLOUD = "real-run"

#: Half of the instances belong to each.
MANAGERS = (NATIVES, ORCHESTRATOR)


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """`folder` is scratch space, `configs` are the workers' configuration files by the manager that
    they have for new instances, `events` the transport URL of their events, `admin` an
    administrator's connection."""

    folder: Path
    configs: Mapping[str, Path]
    settings: Settings
    admin: Connection
    events: str
    project: HttpProject
    site: Site


@contextmanager
def ground() -> Iterator[Ground]:
    """Make it; remove it at the end, with everything that is left in the project."""
    with ExitStack() as stack:
        admin = Connection(cloud=CLOUD.url or "trove")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clouds = stack.enter_context(own_projects(admin, (_CLOUD,)))
        database = stack.enter_context(fresh_database(MARIADB.url))
        topology, notices = stack.enter_context(corner(RABBITMQ.url))
        region = admin.config.region_name or "RegionOne"
        options = _options(str(clouds), region, database, topology, notices)
        configs = {each: folder / f"{each}.conf" for each in MANAGERS}
        for manager, config in configs.items():
            _write(config, {**options, "managers": {"default": manager}})
        settings = load(("--config-file", str(configs[MANAGERS[0]])))
        wiring.upkeep_of(settings).upgrade()
        project = HttpProject(str(clouds), _CLOUD, MORE)
        stack.callback(project.sweep)
        yield Ground(
            folder=folder,
            configs=configs,
            settings=settings,
            admin=admin,
            events=from_amqp(RABBITMQ.url),
            project=project,
            site=site_of(project),
        )


def _options(
    clouds: str, region: str, database: str, topology: Topology, notices: Notices
) -> dict[str, dict[str, object]]:
    """Short times, so that the run ends soon: a dead worker is found after 8 s, a lost call is
    over after 12 s, and its effect shows 2 s later at the latest."""
    timeouts = (f"{each}_timeout" for each in Service)
    return {
        "worker": {"host": "real-run", "tick": 0.5},
        "broker": {
            "url": RABBITMQ.url,
            "exchange": topology.exchange,
            "queue": topology.queue,
            "dead_letter_exchange": topology.dead_exchange,
            "dead_letter_queue": topology.dead_queue,
        },
        "ledger": {"url": database, "lease_ttl": 8},
        "clouds": {
            "default": _CLOUD,
            "region": region,
            "config_file": clouds,
            "connect_timeout": 1,
            "token_timeout": 5,
            "list_lag": 2,
            **dict.fromkeys(timeouts, 10),
        },
        "limits": {"deadline": 600, "undo_budget": 300},
        "notifications": {"exchange": notices.exchange, "topics": ",".join(notices.topics)},
        "secrets": {"keys": Vault.new_key()},
        "telemetry": {"port": 0, "log_format": "json"},
    }


def _write(file: Path, options: dict[str, dict[str, object]]) -> None:
    config = configparser.RawConfigParser()
    config.read_dict(options)
    with file.open("w") as out:
        config.write(out)
