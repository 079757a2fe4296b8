"""What a ledger costs: rows per second and CPU of this process per row.

`python -m tests.benchmarks.bench_ledger`. A save is one of about twelve that a create makes; each
thread has operations of its own.
"""

import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from consumer.ledger.base import Offer
from consumer.ledger.migrations import upgrade
from consumer.ledger.sql.connect import Limits, engine_of
from consumer.ledger.sql.database import Database
from consumer.ledger.sql.ledger import SqlLedger
from consumer.secrets import Vault
from handlers.operation import Operation
from tests.contract.ledger.builders import create, offer, opener, record, success
from tests.contract.ledger.conftest import SERVERS
from tests.support.databases import fresh_database
from tests.support.services import problem

OPERATIONS = 200
SAVES = 12


class Meter:
    """Rows written, seconds passed and CPU used, by stage."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def measure(self, stage: str, rows: int, work: Callable[[], None]) -> None:
        cpu, start = _cpu(), time.perf_counter()
        work()
        seconds, used = time.perf_counter() - start, _cpu() - cpu
        self.lines.append(f"{stage:<28}{rows / seconds:>10.0f}{used / rows * 1e6:>12.0f}")


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def bench(ledger: SqlLedger, threads: int) -> list[str]:
    """Accept, open, save and finish operations; one line per stage."""
    meter = Meter()
    offers = [offer(f"c{n}", f"s{n}", body=create(secret="x" * 2000)) for n in range(OPERATIONS)]
    meter.measure("accept (20 at a time)", OPERATIONS, lambda: _accept(ledger, offers))
    ops: list[Operation] = []
    meter.measure("open (50 at a time)", OPERATIONS, lambda: ops.extend(_open(ledger)))

    def every(work: Callable[[Operation], None]) -> Callable[[], None]:
        def run() -> None:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(work, ops))

        return run

    latest: dict[str, Operation] = {}

    def save(op: Operation) -> None:
        for n in range(SAVES):
            op = op.note(op.opened + n, "acted", f"port/{n}", "create_port", request_id="r" * 40)
            op = ledger.save(op.learn(f"port/{n}", {"id": "i" * 36}, op.opened))
        latest[op.id] = op

    def finish(op: Operation) -> None:
        ledger.finish(success(latest[op.id], op.opened + 100, record(op.subject)))

    meter.measure(f"save ({threads} threads)", OPERATIONS * SAVES, every(save))
    meter.measure(f"finish ({threads} threads)", OPERATIONS, every(finish))
    return meter.lines


def _accept(ledger: SqlLedger, offers: list[Offer]) -> None:
    for first in range(0, len(offers), 20):
        ledger.accept(offers[first : first + 20], "w1")


def _open(ledger: SqlLedger) -> Iterator[Operation]:
    while found := ledger.open("w1", opener, 50):
        yield from found


@contextmanager
def database(kind: str) -> Iterator[Engine]:
    """An empty, migrated database that goes away."""
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        if kind in SERVERS:
            url = stack.enter_context(fresh_database(SERVERS[kind].url))
        engine = engine_of(url, Limits(pool_size=20))
        stack.callback(engine.dispose)
        upgrade(engine)
        yield engine


def sql_ledger(engine: Engine) -> SqlLedger:
    """A ledger with a key of its own."""
    return SqlLedger(Database(engine), Vault([Vault.new_key()]))


def main() -> None:
    for kind in ("sqlite", *SERVERS):
        if kind in SERVERS and problem(SERVERS[kind]):
            print(f"{kind} is not there: {SERVERS[kind].how}")
            continue
        for threads in (1, 16):
            with database(kind) as engine:
                lines = bench(sql_ledger(engine), threads)
            print(f"{kind:<28}{'rows/s':>10}{'CPU us/row':>12}", *lines, sep="\n")


if __name__ == "__main__":
    main()
