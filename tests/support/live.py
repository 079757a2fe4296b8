"""A worker in this process, in real time: the product's own, with broker and ledger in memory."""

import time
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
from handlers.base import Clouds
from handlers.commands import Command
from handlers.instance import Scope
from handlers.resources import Service
from handlers.secret import Secret
from tests.support.processes import wait_until

#: Seconds until a worker must be ready.
READY = 30.0


class Tally:
    """Counts the requests to a cloud; the adapter's probe. Any thread may call it."""

    def __init__(self) -> None:
        self.all = 0
        self.changes = 0
        self._lock = Lock()

    def __call__(
        self, service: Service, method: str, route: str, status: str, seconds: float
    ) -> None:
        with self._lock:
            self.all += 1
            self.changes += method != "GET"


class LiveDeployment:
    """One worker on one cloud. `start` it, and `stop` it in the end."""

    def __init__(
        self, clouds: Clouds, scope: Scope, manager: str, tally: Tally, tick: float
    ) -> None:
        """`tick` in seconds."""
        self.scope = scope
        self._tally = tally
        key = Vault.new_key()
        settings = _settings(scope, manager, key, tick)
        self.ledger: base.Ledger = MemoryLedger(_wall_clock, Vault([key]))
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

    def seconds(self) -> float:
        return time.monotonic()

    def calls(self) -> tuple[int, int]:
        return self._tally.all, self._tally.changes

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
