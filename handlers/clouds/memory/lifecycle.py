"""What becomes of a server after a call was accepted: builds, resizes, deletions, in their time."""

from collections.abc import Callable

from handlers.clouds.memory.core import Core
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import Outcome
from handlers.clouds.memory.network import Networking
from handlers.clouds.memory.storage import Storage
from handlers.clouds.memory.things import ServerThing

#: How long a deleted server can still be listed with `changes-since` (microseconds).
REMEMBERED = 3_600_000_000


class Lifecycle:
    """Nova's compute side: moves servers, their ports and their volumes along."""

    def __init__(self, core: Core, network: Networking, storage: Storage) -> None:
        self._core = core
        self._network = network
        self._storage = storage

    # -- build ----------------------------------------------------------------------------------

    def build(self, doing: Doing, server: ServerThing) -> None:
        """BUILD: bind the ports after a while, be ACTIVE after some more."""
        core = self._core
        bind = core.draw(core.times.server_bind)
        rest = max(core.draw(core.times.server_build) - bind, 0)
        self._volumes(server, "reserved")
        if doing.outcome is Outcome.STUCK:
            return
        if doing.outcome is Outcome.NO_HOST:
            core.later(server, bind, lambda: self._fail_build(server, doing.text))
            return
        core.later(server, bind, lambda: self._bind(doing, server, rest))

    def _bind(self, doing: Doing, server: ServerThing, rest: int) -> None:
        core = self._core
        for port_id in server.ports:
            port = core.ports.get(port_id)
            if port is None or port.device not in ("", server.id):
                text = f"Port {port_id} is still in use." if port else f"Port {port_id} not found."
                self._fail_build(server, text)
                return
            self._network.plug(port, server)
        self._volumes(server, "attaching")
        server.hosted = True
        server.task = "spawning"
        core.touch(server)
        core.later(server, rest, lambda: self._built(doing, server))

    def _built(self, doing: Doing, server: ServerThing) -> None:
        core = self._core
        if doing.outcome is Outcome.ERROR:
            self._fail_build(server, doing.text)
            return
        self._volumes(server, "in-use")
        server.launched = core.audit.launched[server.id] = core.time
        self._arrive(doing, server, "ACTIVE", before="BUILD")

    def _fail_build(self, server: ServerThing, text: str) -> None:
        """ERROR. The clean-up empties the ports that the server asked for, whoever has them now:
        so a second server on the same port takes it away from the first (seen on Nova 34)."""
        for port_id in server.ports:
            self._network.unplug(port_id)
        self._volumes(server, "available")
        server.hosted = False
        self._fail(server, text)

    # -- resize ---------------------------------------------------------------------------------

    def resize(self, doing: Doing, server: ServerThing) -> None:
        """RESIZE, then VERIFY_RESIZE; attached volumes go reserved, attaching, in-use meanwhile."""
        core = self._core
        whole = core.draw(core.times.server_resize)
        self._begin(server, "RESIZE", "resize_prep")
        if doing.outcome is Outcome.STUCK:
            return
        if doing.outcome is Outcome.NO_HOST:
            core.later(server, whole // 5, lambda: self._no_host(doing, server))
            return
        core.later(server, whole // 3, lambda: self._migrate(doing, server, whole // 3))

    def _no_host(self, doing: Doing, server: ServerThing) -> None:
        server.new_flavor = ""
        server.actions[-1].message = "Error"
        self._rest(server, "ACTIVE")

    def _migrate(self, doing: Doing, server: ServerThing, third: int) -> None:
        """A volume that is busy (extending) cannot move along: the server ends in ERROR."""
        for volume_id in server.volumes:
            volume = self._core.volumes.get(volume_id)
            if volume is not None and volume.status != "in-use":
                server.new_flavor = ""
                text = (
                    f"Invalid input received: Invalid volume: Volume {volume_id} status must be "
                    "available or downloading to reserve, but the current status is "
                    f"{volume.status}."
                )
                self._fail_resize(server, text)
                return
        server.task = "resize_migrating"
        self._core.touch(server)
        self._volumes(server, "reserved")
        self._core.later(server, third, lambda: self._finish(doing, server, third))

    def _finish(self, doing: Doing, server: ServerThing, third: int) -> None:
        core = self._core
        if doing.outcome is Outcome.ERROR:
            self._volumes(server, "in-use")
            server.new_flavor = ""
            self._fail_resize(server, doing.text)
            return
        server.task = "resize_finish"
        core.touch(server)
        self._volumes(server, "attaching")
        core.later(server, third, lambda: self._resized(doing, server))

    def _resized(self, doing: Doing, server: ServerThing) -> None:
        """Nova counts the launch anew, as after a revert and unlike a reboot (measured)."""
        self._volumes(server, "in-use")
        server.old_flavor, server.flavor = server.flavor, server.new_flavor
        server.launched = self._core.time
        self._arrive(doing, server, "VERIFY_RESIZE", before="RESIZE")

    def confirm(self, doing: Doing, server: ServerThing) -> None:
        """Still VERIFY_RESIZE for a moment, then ACTIVE."""
        core = self._core
        server.confirming = True

        def end() -> None:
            server.old_flavor = server.new_flavor = ""
            self._arrive(doing, server, "ACTIVE", before="VERIFY_RESIZE")

        self._soon(doing, server, core.draw(core.times.server_confirm), end)

    def revert(self, doing: Doing, server: ServerThing) -> None:
        """REVERT_RESIZE, then ACTIVE with the old flavor."""
        core = self._core
        self._begin(server, "REVERT_RESIZE", "resize_reverting")

        def end() -> None:
            server.flavor = server.old_flavor
            server.old_flavor = server.new_flavor = ""
            server.launched = core.time
            self._arrive(doing, server, "ACTIVE", before="REVERT_RESIZE")

        self._soon(doing, server, core.draw(core.times.server_revert), end)

    def reboot(self, doing: Doing, server: ServerThing, hard: bool) -> None:
        core = self._core
        status, task = ("HARD_REBOOT", "rebooting_hard") if hard else ("REBOOT", "rebooting")
        self._begin(server, status, task)
        delay = core.draw(core.times.server_reboot)
        self._soon(
            doing, server, delay, lambda: self._arrive(doing, server, "ACTIVE", before=status)
        )

    def reset(self, server: ServerThing, status: str) -> None:
        """Set the status by hand, at once."""
        server.epoch += 1
        server.fault = None
        self._rest(server, status)

    # -- delete ---------------------------------------------------------------------------------

    def delete(self, doing: Doing, server: ServerThing) -> None:
        """A server without a host (not scheduled yet, or its build failed) is gone at once and
        never shows as DELETED. One that is spawning goes BUILD/deleting, ACTIVE for a while, gone
        (seen on Nova 34); others ACTIVE/deleting, DELETED for a moment, gone.
        """
        core = self._core
        if not server.hosted:
            self._release(server)
            self._forget(server)
            return
        server.epoch += 1
        server.task = "deleting"
        core.touch(server)
        delay = core.draw(core.times.server_delete)
        if server.status == "BUILD" and not doing.fails:
            core.later(server, delay // 2, lambda: self._rest(server, "ACTIVE"))
        self._soon(doing, server, delay, lambda: self._deleted(server))

    def _deleted(self, server: ServerThing) -> None:
        core = self._core
        self._release(server)
        server.task, server.deleted = None, core.time
        core.touch(server, "DELETED")
        self._remember(server)
        listed = core.draw(core.times.listed_deleted)
        core.later(server, listed, lambda: self._forget(server))

    def _remember(self, server: ServerThing) -> None:
        """Deleted servers show in `changes-since`; after an hour nobody asks any more."""
        gone = self._core.gone
        gone[server.id] = server
        oldest = next(iter(gone.values()))
        while (oldest.deleted or 0) <= self._core.time - REMEMBERED:
            del gone[oldest.id]
            oldest = next(iter(gone.values()))

    def _release(self, server: ServerThing) -> None:
        for port in list(self._core.ports.values()):
            if port.device == server.id:
                self._network.unplug(port.id)
        self._volumes(server, "available")
        for volume in server.delete_with:
            self._storage.drop(volume)

    def _forget(self, server: ServerThing) -> None:
        server.epoch += 1
        self._core.servers.pop(server.id, None)

    # -- inner ----------------------------------------------------------------------------------

    def _begin(self, server: ServerThing, status: str, task: str) -> None:
        server.epoch += 1
        server.task = task
        self._core.touch(server, status)

    def _soon(self, doing: Doing, server: ServerThing, delay: int, end: Callable[[], None]) -> None:
        """Do `end` after `delay`, unless it is stuck or goes wrong."""
        if doing.outcome is Outcome.STUCK:
            return
        if doing.fails:
            self._core.later(server, delay, lambda: self._fail(server, doing.text))
            return
        self._core.later(server, delay, end)

    def _arrive(self, doing: Doing, server: ServerThing, status: str, before: str) -> None:
        self._rest(server, status)
        if doing.outcome is Outcome.FLAP:
            self._core.flap(server, before)

    def _rest(self, server: ServerThing, status: str) -> None:
        server.task = None
        server.confirming = False
        self._core.touch(server, status)

    def _fail_resize(self, server: ServerThing, text: str) -> None:
        """In ERROR at once; the fault comes a moment later, and then the task goes."""
        core = self._core
        core.touch(server, "ERROR")
        core.later(server, core.draw(core.times.server_fault), lambda: self._fail(server, text))

    def _fail(self, server: ServerThing, text: str) -> None:
        server.fault = text
        if server.actions:
            server.actions[-1].message = "Error"
        self._rest(server, "ERROR")

    def _volumes(self, server: ServerThing, status: str) -> None:
        for volume in server.volumes:
            self._storage.move(volume, status, server.id)
