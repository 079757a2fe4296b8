"""/metrics, /healthz and /readyz over a real socket."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from consumer.telemetry.health import Check, Health, HealthServer, Pulse
from consumer.telemetry.metrics import Metrics


@contextmanager
def serving(checks: dict[str, Check], pulse: Pulse) -> Iterator[HealthServer]:
    registry = CollectorRegistry()
    Metrics(registry, "1.2.3")
    server = HealthServer(Health(registry, checks, pulse), "127.0.0.1", 0)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def ask(server: HealthServer, path: str, method: str = "GET") -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def read(server: HealthServer, path: str) -> tuple[int, Any]:
    status, body = ask(server, path)
    return status, json.loads(body)


def test_metrics_are_served() -> None:
    with serving({}, Pulse(60)) as server:
        status, body = ask(server, "/metrics")

    assert status == 200
    assert b'trove_resources_build_info{python="' in body


def test_ready_only_when_every_check_is_content() -> None:
    found: dict[str, str | None] = {"broker": None, "ledger": None}
    checks: dict[str, Check] = {
        "broker": lambda: found["broker"],
        "ledger": lambda: found["ledger"],
    }
    with serving(checks, Pulse(60)) as server:
        assert read(server, "/readyz") == (
            200,
            {"status": "ok", "checks": {"broker": "ok", "ledger": "ok"}},
        )

        found["ledger"] = "the database does not answer: start it"

        assert read(server, "/readyz") == (
            503,
            {
                "status": "unavailable",
                "checks": {"broker": "ok", "ledger": "the database does not answer: start it"},
            },
        )
        assert read(server, "/healthz")[0] == 200


def test_a_loop_that_is_silent_too_long_makes_the_worker_not_alive() -> None:
    now = [0.0]
    pulse = Pulse(60, monotonic=lambda: now[0])
    with serving({}, pulse) as server:
        pulse.beat("reconciler")
        pulse.beat("relay")
        now[0] = 61
        pulse.beat("relay")

        status, body = read(server, "/healthz")

        assert status == 503
        assert "the reconciler loop has been silent for 61 s" in body["checks"]["loops"]
        assert "relay" not in body["checks"]["loops"]


def test_a_loop_that_ended_well_is_not_stalled() -> None:
    now = [0.0]
    pulse = Pulse(60, monotonic=lambda: now[0])
    pulse.beat("intake")
    pulse.end("intake")
    now[0] = 100

    assert pulse.stalled() == {}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("POST", "/readyz", 405), ("HEAD", "/healthz", 200)],
)
def test_other_requests_are_answered_plainly(method: str, path: str, status: int) -> None:
    with serving({}, Pulse(60)) as server:
        assert ask(server, path, method)[0] == status


def test_an_address_that_is_taken_is_an_error_at_once() -> None:
    with serving({}, Pulse(60)) as server, pytest.raises(OSError, match="in use"):
        HealthServer(Health(CollectorRegistry(), {}, Pulse(60)), "127.0.0.1", server.port)
