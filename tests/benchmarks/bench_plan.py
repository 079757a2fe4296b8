"""What it costs to plan the migration of a fleet: seconds, and requests per service.

`python -m tests.benchmarks.bench_plan [INSTANCES]`. The simulator runs in a process of its own, the
ledger is SQLite; the aim is 10,000 instances in 60 seconds with at most 100 requests.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from consumer.fleet.plan import Plan, written
from consumer.fleet.planner import Meter, Wish, plan_of
from consumer.fleet.summary import counts
from consumer.ledger.base import Ledger
from consumer.ledger.fleet import Direction
from handlers.clouds.openstack import Limits, OpenStackClouds, Place
from handlers.instance import Scope
from tests.benchmarks.bench_ledger import database, sql_ledger
from tests.benchmarks.planted import records

SIZE = 10_000

#: Records written in one commit.
_BATCH = 500

_CREATED = "2026-01-02T03:04:05Z"


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else SIZE
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        clouds = stack.enter_context(_simulator(folder / "clouds.yaml", size))
        ledger = sql_ledger(stack.enter_context(database("sqlite")))
        fleet = list(records(size))
        for first in range(0, size, _BATCH):
            ledger.import_records(fleet[first : first + _BATCH])
        began, cpu = time.perf_counter(), time.process_time()
        plan = _plan(ledger, clouds)
        seconds, used = time.perf_counter() - began, time.process_time() - cpu
        _tell(plan, seconds, used)


def _plan(ledger: Ledger, clouds: Path) -> Plan:
    meter = Meter()
    all_clouds = OpenStackClouds(
        [Place("trove", "RegionOne")], limits=Limits(), probe=meter, files=[str(clouds)]
    )
    cloud = all_clouds.of(Scope(cloud="trove", region="RegionOne", project=""))
    wish = Wish(direction=Direction.ADOPT, cloud="trove", region="RegionOne", max_stacks=0)
    return plan_of(wish, ledger, cloud, _CREATED, lambda: meter.cost)


def _tell(plan: Plan, seconds: float, cpu: float) -> None:
    requests = sum(cost.requests for cost in plan.cost.values())
    size = len(written(plan)) / 1e6
    print(f"{len(plan.instances)} instances planned in {seconds:.1f} s, {cpu:.1f} s of CPU here")
    print(f"{requests} requests; the file has {size:.1f} MB")
    for service, cost in plan.cost.items():
        print(f"{service:<16}{cost.requests:>6} requests{cost.seconds:>8.2f} s")
    for verdict, reason, number in counts(plan):
        print(f"{verdict:<16}{reason:<20}{number:>6}")


@contextmanager
def _simulator(clouds: Path, size: int) -> Iterator[Path]:
    command = [sys.executable, "-m", "tests.benchmarks.planted", str(clouds), str(size)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None and child.stdout is not None
        if child.stdout.readline() != "ready\n":
            raise RuntimeError("the simulator did not start")
        try:
            yield clouds
        finally:
            child.stdin.close()


if __name__ == "__main__":
    main()
