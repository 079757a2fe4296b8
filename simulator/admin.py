"""The back door for tests, the demo and benchmarks: what happened, and what shall go wrong.

It needs no token. Everything is JSON:

* `GET, DELETE /simulator/counts`: requests by service, method and route; calls by service and verb.
* `GET /simulator/inventory`: ids of all that exists, by subject and kind.
* `GET /simulator/audit`: what was made by which call, when servers became ACTIVE, gaps in access.
* `GET, POST, DELETE /simulator/faults`: the fault plan; POST takes one rule or a list.
* `GET, PUT /simulator/times`, `PUT /simulator/quotas`: how long things take, how much there may be.
* `GET, PUT /simulator/abilities`: how the services are configured.
* `POST /simulator/heat/kill`, `POST /simulator/heat/start`: Heat's engine dies, a new one comes up.
* `DELETE /simulator/tokens`: every token given out so far is refused.
"""

from typing import Any

import msgspec

from handlers.clouds.memory.faults import FaultRule
from handlers.clouds.memory.settings import Abilities, Quotas, Times
from handlers.clouds.memory.state import CloudState
from simulator.counts import Counts
from simulator.keystone import Keystone
from simulator.wire import Incoming, Reply, Route

AT = "/simulator"


class Admin:
    """The routes under /simulator."""

    def __init__(self, state: CloudState, counts: Counts, keystone: Keystone) -> None:
        self._state = state
        self._counts = counts
        self._keystone = keystone

    def routes(self) -> list[Route]:
        return [
            Route(method, f"{AT}/{path}", handler, public=True)
            for method, path, handler in (
                ("GET", "counts", self._show_counts),
                ("DELETE", "counts", self._reset_counts),
                ("GET", "inventory", self._inventory),
                ("GET", "audit", self._audit),
                ("GET", "faults", self._faults),
                ("POST", "faults", self._inject),
                ("DELETE", "faults", self._heal),
                ("GET", "times", self._times),
                ("PUT", "times", self._set_times),
                ("PUT", "quotas", self._set_quotas),
                ("GET", "abilities", self._abilities),
                ("PUT", "abilities", self._set_abilities),
                ("POST", "heat/kill", self._kill_heat),
                ("POST", "heat/start", self._start_heat),
                ("DELETE", "tokens", self._revoke),
            )
        ]

    def _show_counts(self, request: Incoming) -> Reply:
        requests = [
            {"service": service, "method": method, "route": route, "count": count}
            for (service, method, route), count in self._counts.seen().items()
            if service != "simulator"
        ]
        with self._state.core.lock:
            calls = [
                {"service": service, "verb": verb, "count": count}
                for (service, verb), count in sorted(self._state.counts.items())
            ]
        return Reply(body={"requests": requests, "calls": calls})

    def _reset_counts(self, request: Incoming) -> Reply:
        self._counts.clear()
        with self._state.core.lock:
            self._state.counts.clear()
        return Reply(status=204)

    def _inventory(self, request: Incoming) -> Reply:
        return Reply(body=self._state.inventory())

    def _audit(self, request: Incoming) -> Reply:
        with self._state.core.lock:
            audit = self._state.audit
            journal = {"made": audit.made, "launched": audit.launched, "gaps": audit.gaps}
            return Reply(body=msgspec.to_builtins(journal))

    def _faults(self, request: Incoming) -> Reply:
        with self._state.core.lock:
            plan = self._state.gate.plan
            shown = [
                {"rule": msgspec.to_builtins(rule), "hits": hits}
                for rule, hits in zip(plan.rules, plan.hits, strict=True)
            ]
        return Reply(body={"faults": shown})

    def _inject(self, request: Incoming) -> Reply:
        try:
            rules = msgspec.json.decode(request.body, type=FaultRule | list[FaultRule])
        except msgspec.MsgspecError as error:
            return _wrong(error)
        self._state.inject(*(rules if isinstance(rules, list) else [rules]))
        return Reply(status=204)

    def _heal(self, request: Incoming) -> Reply:
        self._state.heal()
        return Reply(status=204)

    def _times(self, request: Incoming) -> Reply:
        return Reply(body=self._state.core.times)

    def _set_times(self, request: Incoming) -> Reply:
        """Times that are left out stay as they are."""
        try:
            given = msgspec.json.decode(request.body, type=dict[str, Any])
            now = msgspec.to_builtins(self._state.core.times)
            self._state.set_times(msgspec.convert({**now, **given}, Times))
        except msgspec.MsgspecError as error:
            return _wrong(error)
        return Reply(status=204)

    def _set_quotas(self, request: Incoming) -> Reply:
        """`?project=` limits one project only; what is left out has no limit."""
        try:
            quotas = msgspec.json.decode(request.body, type=Quotas)
        except msgspec.MsgspecError as error:
            return _wrong(error)
        self._state.set_quotas(quotas, request.wanted("project") or "")
        return Reply(status=204)

    def _abilities(self, request: Incoming) -> Reply:
        return Reply(body=self._state.core.abilities)

    def _set_abilities(self, request: Incoming) -> Reply:
        """What is left out is as in the beginning."""
        try:
            self._state.set_abilities(msgspec.json.decode(request.body, type=Abilities))
        except msgspec.MsgspecError as error:
            return _wrong(error)
        return Reply(status=204)

    def _kill_heat(self, request: Incoming) -> Reply:
        """What it was doing stays as it is, and every call waits in vain."""
        self._state.orchestration.kill_engine()
        return Reply(status=204)

    def _start_heat(self, request: Incoming) -> Reply:
        self._state.orchestration.start_engine()
        return Reply(status=204)

    def _revoke(self, request: Incoming) -> Reply:
        self._keystone.revoke_all()
        return Reply(status=204)


def _wrong(error: msgspec.MsgspecError) -> Reply:
    return Reply(status=400, body={"message": str(error)})
