"""A worker in this process, in real time: the product's own, with broker and ledger in memory."""

import time
from collections import Counter
from collections.abc import Callable
from io import StringIO
from threading import Lock
from uuid import uuid4

from consumer import app, wiring
from consumer.client import Client, Door
from consumer.config import Settings
from consumer.config.settings import Broker, Ledger, Managers, Secrets, Telemetry, Worker
from consumer.config.settings import Clouds as CloudSettings
from consumer.ledger import base
from consumer.ledger.memory import MemoryLedger
from consumer.listening import Board
from consumer.secrets import Vault
from consumer.telemetry.logs import Logs
from handlers.base import Cloud, Clouds
from handlers.commands import Command
from handlers.instance import Scope
from handlers.resources import Service
from handlers.secret import Secret
from tests.support.processes import wait_until
from tests.support.traffic import Sort, Traffic

#: Seconds until a worker must be ready.
READY = 30.0

Adjust = Callable[[Settings], Settings]


class Tally:
    """Counts the requests to a cloud; the adapter's probe. Any thread may call it."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[Service, Sort]] = Counter()
        self._lock = Lock()

    def traffic(self) -> Traffic:
        with self._lock:
            return Traffic(dict(self._counts))

    def __call__(
        self, service: Service, method: str, route: str, status: str, seconds: float
    ) -> None:
        sort = Sort.CHANGE
        if method == "GET":
            sort = Sort.LOOK if "{id}" in route else Sort.LISTING
        with self._lock:
            self._counts[service, sort] += 1


class LiveDeployment:
    """One worker on one cloud. `start` it, and `stop` it in the end."""

    def __init__(
        self,
        clouds: Clouds,
        scope: Scope,
        manager: str,
        tally: Tally,
        tick: float,
        adjust: Adjust = lambda settings: settings,
        ledger: base.Ledger | None = None,
    ) -> None:
        """`tick` in seconds; `adjust` changes the settings, `ledger` may be another one's."""
        self.scope = scope
        self._clouds = clouds
        self._tally = tally
        key = Vault.new_key()
        settings = adjust(_settings(scope, manager, key, tick))
        self.ledger: base.Ledger = ledger or MemoryLedger(_wall_clock, Vault([key]))
        door = Door(wiring.publisher_of(settings), wiring.topology_of(settings))
        self._client = Client(door, "live")
        given = app.Given(ledger=self.ledger, clouds=clouds, announcer=Board())
        logger = Logs(settings.telemetry, StringIO()).logger()
        self._worker = app.build(settings, logger, given)

    def start(self) -> None:
        self._worker.start()
        assert wait_until(lambda: self._worker.is_ready, READY), "the worker is not ready"

    def stop(self) -> None:
        self._client.close()
        self._worker.stop()

    @property
    def cloud(self) -> Cloud:
        return self._clouds.of(self.scope)

    def seconds(self) -> float:
        return time.monotonic()

    def traffic(self) -> Traffic:
        return self._tally.traffic()

    def deliver(self, command: Command) -> None:
        """Publish it to the worker's queue."""
        self._client.send(command)

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        return wait_until(until, seconds)


def _settings(scope: Scope, manager: str, key: str, tick: float) -> Settings:
    name = f"live-{uuid4()}"  # kombu's memory is one for the whole process
    return Settings(
        worker=Worker(host="test", tick=tick, stop_timeout=20),
        broker=Broker(
            url=Secret("memory://"),
            exchange=name,
            queue=name,
            dead_letter_exchange=f"{name}.dead",
            dead_letter_queue=f"{name}.dead",
        ),
        ledger=Ledger(url=Secret("in memory")),
        managers=Managers(default=manager),
        secrets=Secrets(keys=Secret(key)),
        telemetry=Telemetry(port=0),
        clouds=CloudSettings(default=scope.cloud, region=scope.region),
    )


def _wall_clock() -> int:
    return time.time_ns() // 1000
