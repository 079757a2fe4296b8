"""The cloud tier leaves nothing behind: what is in the cloud is counted before and after."""

import time
from collections.abc import Callable

import pytest
from openstack.connection import Connection

#: One line per resource: "server 1b2c… name".
Inventory = frozenset[str]

#: Seconds that deletions may take to show: a server is listed for a moment after it is gone.
GRACE = 30.0


def inventory(connection: Connection) -> Inventory:
    """Everything in the connection's project that a test could have made."""
    project = connection.current_project_id
    kinds = {
        "server": connection.compute.servers(details=False),
        "server group": connection.compute.server_groups(),
        "volume": connection.block_storage.volumes(details=False),
        "port": connection.network.ports(project_id=project),
        "security group": connection.network.security_groups(project_id=project),
        "floating ip": connection.network.ips(project_id=project),
        "stack": connection.orchestration.stacks(),
    }
    return frozenset(
        f"{kind} {found.id} {found.name}" for kind, items in kinds.items() for found in items
    )


class Leftovers:
    """A pytest plug-in: takes stock when the run begins, and fails it when something is left."""

    def __init__(
        self,
        look: Callable[[], Inventory],
        grace: float = GRACE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._look, self._grace, self._sleep = look, grace, sleep
        self._before: Inventory = frozenset()
        self.left: Inventory = frozenset()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        self._before = self._look()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self.left = self._remaining()
        if self.left and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.left:
            terminalreporter.section("left behind in the cloud", red=True)
        for line in sorted(self.left) or ["nothing was left behind in the cloud"]:
            terminalreporter.write_line(line)

    def _remaining(self) -> Inventory:
        left = self._look() - self._before
        waited = 0.0
        while left and waited < self._grace:
            self._sleep(1)
            waited += 1
            left = self._look() - self._before
        return left
