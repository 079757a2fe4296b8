"""The test stand: the whole worker in this process, the simulator in another one."""

import io
import logging
import resource
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from uuid import uuid4

from consumer import app, wiring
from consumer.cli.demo.simulated import Simulated, simulated
from consumer.client import Client, Door
from consumer.config import Settings
from consumer.config.settings import Broker, Clouds, Ledger, Managers, Secrets, Telemetry
from consumer.config.settings import Worker as WorkerSettings
from consumer.ledger.base import Ledger as LedgerProtocol
from consumer.listening import Board, Reader
from consumer.secrets import Vault
from consumer.telemetry.logs import Logs
from consumer.worker import Worker
from handlers.clouds.memory.settings import Catalogue
from handlers.commands import Body, CreateInstance
from handlers.events import Event
from handlers.natives import NAME as NATIVES
from handlers.operation import Operation
from handlers.parts import Access, DataVolume, Network
from handlers.resources import PortRange
from handlers.secret import Secret

_CATALOGUE = Catalogue()

#: One port, one data volume, one group with rules, one server: five mutating calls.
CREATE = CreateInstance(
    project="tenant",
    name="bench",
    flavor=_CATALOGUE.flavors[0].id,
    image=_CATALOGUE.images[0].id,
    networks=(Network(network=_CATALOGUE.networks[0].id),),
    volume=DataVolume(size=2),
    access=Access(ports=(PortRange("tcp", 3306, 3306),), cidrs=("10.0.0.0/8",)),
    user_data=Secret("#cloud-config\n" + "x" * 1000),
)


class Usage(NamedTuple):
    """What the worker has used: CPU seconds of all threads but this one, which publishes and
    measures, and resident memory in bytes."""

    cpu: float
    rss: int

    @classmethod
    def now(cls) -> "Usage":
        used = resource.getrusage(resource.RUSAGE_SELF)
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        cpu = used.ru_utime + used.ru_stime - time.thread_time()
        return cls(cpu, pages * resource.getpagesize())


class Stand:
    """A worker that runs, its cloud's back door, its ledger, and the events that it tells."""

    def __init__(
        self, worker: Worker, cloud: Simulated, ledger: LedgerProtocol, client: Client, told: Reader
    ) -> None:
        self.worker = worker
        self.cloud = cloud
        self._ledger = ledger
        self._client = client
        self._told = told

    def send(self, body: Body, count: int) -> list[str]:
        """Send a command for each of `count` new instances; returns the command ids."""
        commands = [self._client.command(body, str(uuid4())) for _ in range(count)]
        for command in commands:
            self._client.send(command)
        return [command.id for command in commands]

    def hear(self, commands: list[str], seconds: float) -> dict[str, Event]:
        """The terminal events of the commands; raises TimeoutError."""
        waiting, heard, end = set(commands), {}, time.monotonic() + seconds
        while waiting:
            if time.monotonic() > end:
                raise TimeoutError(f"{len(waiting)} commands have not ended after {seconds} s")
            event = self._told.take(0.2)
            if isinstance(event, Event) and not event.type.endswith(".start"):
                waiting.discard(event.data.operation)
                heard[event.data.operation] = event
        return heard

    def operation(self, command: str) -> Operation:
        """A finished operation with its timeline."""
        op = self._ledger.operation(command)
        if op is None:
            raise LookupError(command)
        return op

    def requests(self) -> dict[tuple[str, str], int]:
        """Requests to the cloud by (service, method), Keystone's left out."""
        return {key: n for key, n in self.cloud.counts().items() if key[0] != "identity"}


@contextmanager
def stand(build: str, manager: str = NATIVES, most: int = 5000) -> Iterator[Stand]:
    """Everything on: intake from a broker in memory, SQLite with full durability, encryption of
    user data, metrics, JSON logs, relay; `build` is how long a server builds, in seconds, `manager`
    who makes new instances."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        place = Path(name)
        cloud = stack.enter_context(simulated(place / "clouds.yaml", build))
        settings = _settings(place, manager, most)
        wiring.upkeep_of(settings).upgrade()
        logs = Logs(settings.telemetry, io.StringIO(), wiring.secrets_of(settings))
        stack.enter_context(logs.bridged(logging.getLogger()))
        board = Board()
        told = board.reader()
        told.open()
        worker = app.build(settings, logs.logger(), app.Given(announcer=board))
        door = Door(wiring.publisher_of(settings), wiring.topology_of(settings))
        worker.start()
        stack.callback(worker.stop)
        while not worker.is_ready:
            time.sleep(0.05)
        ledger = wiring.ledger_of(settings)
        stack.callback(ledger.close)
        yield Stand(worker, cloud, ledger, Client(door, "bench"), told)


def _settings(place: Path, manager: str, most: int) -> Settings:
    return Settings(
        worker=WorkerSettings(max_in_flight=most),
        broker=Broker(url=Secret("memory://")),
        ledger=Ledger(url=Secret(f"sqlite:///{place / 'ledger.db'}")),
        managers=Managers(default=manager),
        clouds=Clouds(config_file=str(place / "clouds.yaml")),
        secrets=Secrets(keys=Secret(Vault.new_key())),
        telemetry=Telemetry(port=0, log_format="json"),
    )
