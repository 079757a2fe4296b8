"""The simulator as a server: tokens, faults on the wire, the back door, start and stop."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from handlers.clouds.memory import CloudState
from handlers.clouds.memory.faults import Delay, FaultRule, Late, Lose, Refuse, Reset
from handlers.resources import Kind
from simulator import running
from tests.support.simulated import Simulated, simulated
from tests.support.small_cloud import SUBJECT


@pytest.fixture
def place() -> Iterator[Simulated]:
    with simulated() as place:
        yield place


def make_port(place: Simulated, session: requests.Session) -> requests.Response:
    body = {"port": {"network_id": place.small.network, "name": f"trove-{SUBJECT}"}}
    return session.post(f"{place.url}/network/v2.0/ports", json=body, timeout=5)


def ports(place: Simulated) -> int:
    return len(place.small.state.inventory().get(SUBJECT, {}).get(Kind.PORT, ()))


# -- tokens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "gAAAAAnonsense"])
def test_request_without_a_good_token_is_refused(place: Simulated, token: str) -> None:
    headers = {"X-Auth-Token": token}
    answer = requests.get(f"{place.url}/compute/v2.1/servers", headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Keystone uri=")


def test_sdk_logs_in_again_when_its_token_is_refused(place: Simulated) -> None:
    sdk = place.connect()
    assert not list(sdk.compute.servers())
    requests.delete(f"{place.url}/simulator/tokens", timeout=5)
    assert not list(sdk.compute.servers())
    place.small.state.inject(FaultRule(verb="find_server", effect=Refuse(status=401), times=1))
    assert not list(sdk.compute.servers())


def test_token_is_shown_exchanged_and_revoked(place: Simulated) -> None:
    session = place.session()
    url, token = f"{place.url}/identity/v3/auth/tokens", session.headers["X-Auth-Token"]
    subject = {"X-Subject-Token": str(token)}
    shown = session.get(url, headers=subject, timeout=5).json()["token"]
    assert shown["project"]["name"] == "service"
    identity: Any = {"methods": ["token"], "token": {"id": token}}
    second = requests.post(url, json={"auth": {"identity": identity}}, timeout=5)
    assert second.status_code == 201
    assert second.headers["X-Subject-Token"] != token
    assert session.get(f"{place.url}/v3/auth/catalog", timeout=5).json()["catalog"]
    assert session.delete(url, headers=subject, timeout=5).status_code == 204
    assert session.get(url, headers=subject, timeout=5).status_code == 401


@pytest.mark.parametrize("body", [b"", b"[]", b'{"auth": {"identity": {"methods": []}}}'])
def test_login_that_makes_no_sense_is_refused(place: Simulated, body: bytes) -> None:
    answer = requests.post(f"{place.url}/v3/auth/tokens", data=body, timeout=5)
    assert answer.status_code == 401


# -- faults on the wire ---------------------------------------------------------------------------


def test_cut_connection_had_no_effect_or_had_one(place: Simulated) -> None:
    session = place.session()
    for effect, there in ((Reset(), 0), (Lose(), 1)):
        place.small.state.inject(FaultRule(verb="create_port", effect=effect, times=1))
        with pytest.raises(requests.ConnectionError):
            make_port(place, session)
        assert ports(place) == there
    assert make_port(place, session).status_code == 201


def test_late_call_lands_after_a_proxy_gave_up(place: Simulated) -> None:
    place.small.state.inject(FaultRule(verb="create_port", effect=Late(5, 504)))
    answer = make_port(place, place.session())
    assert answer.status_code == 504
    assert answer.headers["Content-Type"] == "text/html"
    assert ports(place) == 0
    place.wait(5)
    assert ports(place) == 1


@pytest.mark.parametrize("status", [400, 404, 409, 429, 500, 503])
def test_refusal_comes_in_the_services_form(place: Simulated, status: int) -> None:
    rule = FaultRule(effect=Refuse(status, "not now"), times=2)
    place.small.state.inject(rule)
    session = place.session()
    neutron = make_port(place, session)
    nova = session.get(f"{place.url}/compute/v2.1/servers", timeout=5)
    assert (neutron.status_code, nova.status_code) == (status, status)
    assert neutron.json()["NeutronError"]["message"] == "not now"
    (inner,) = nova.json().values()
    assert inner == {"code": status, "message": "not now"}


def test_delayed_answer_comes_after_its_time(place: Simulated) -> None:
    before = place.small.time
    place.small.state.inject(FaultRule(verb="create_port", effect=Delay(2)))
    assert make_port(place, place.session()).status_code == 201
    assert place.small.time - before == 2_000_000


# -- the back door --------------------------------------------------------------------------------


def admin(place: Simulated, method: str, path: str, body: Any = None) -> requests.Response:
    data = None if body is None else msgspec.json.encode(body)
    return requests.request(method, f"{place.url}/simulator/{path}", data=data, timeout=5)


def test_requests_are_counted_by_route_and_calls_by_verb(place: Simulated) -> None:
    session = place.session()
    admin(place, "DELETE", "counts")
    make_port(place, session)
    for name in ("a", "b"):
        session.get(f"{place.url}/compute/v2.1/servers/{name}", timeout=5)
    seen = admin(place, "GET", "counts").json()
    assert seen["requests"] == [
        {"service": "compute", "method": "GET", "route": "/compute/v2.1/servers/<id>", "count": 2},
        {"service": "network", "method": "POST", "route": "/network/v2.0/ports", "count": 1},
    ]
    assert seen["calls"] == [
        {"service": "compute", "verb": "get_server", "count": 2},
        {"service": "network", "verb": "create_port", "count": 1},
    ]


def test_inventory_and_audit_are_shown(place: Simulated) -> None:
    group = place.small.group()
    assert admin(place, "GET", "inventory").json() == {SUBJECT: {"security_group": [group]}}
    (made,) = admin(place, "GET", "audit").json()["made"]
    assert (made["verb"], made["id"]) == ("create_security_group", group)


def test_faults_are_injected_shown_and_taken_back(place: Simulated) -> None:
    rules = [
        FaultRule(effect=Refuse(503), verb="create_port"),
        FaultRule(effect=Reset(), verb="delete_port"),
    ]
    assert admin(place, "POST", "faults", rules).status_code == 204
    session = place.session()
    assert make_port(place, session).status_code == 503
    assert [one["hits"] for one in admin(place, "GET", "faults").json()["faults"]] == [1, 0]
    admin(place, "DELETE", "faults")
    assert make_port(place, session).status_code == 201
    assert admin(place, "POST", "faults", {"effect": {"type": "magic"}}).status_code == 400


def test_times_and_quotas_are_set(place: Simulated) -> None:
    assert admin(place, "PUT", "times", {"volume_create": [9, 9]}).status_code == 204
    times = admin(place, "GET", "times").json()
    assert (times["volume_create"], times["server_build"]) == ([9.0, 9.0], [3.0, 3.0])
    assert admin(place, "PUT", "times", {"coffee": [1, 1]}).status_code == 400
    assert admin(place, "PUT", "quotas", {"ports": 0}).status_code == 204
    assert admin(place, "PUT", "quotas", {"coffee": 0}).status_code == 400
    answer = make_port(place, place.session())
    assert (answer.status_code, answer.json()["NeutronError"]["type"]) == (409, "OverQuota")


# -- HTTP -----------------------------------------------------------------------------------------


def test_connection_stays_open_between_requests(place: Simulated) -> None:
    connection = HTTPConnection(place.url.removeprefix("http://"), timeout=5)
    sockets = set()
    for _ in range(3):
        connection.request("GET", "/v3")
        assert connection.getresponse().read()
        sockets.add(connection.sock)
    connection.close()
    assert len(sockets) == 1
    assert None not in sockets


def test_unknown_path_is_404_and_other_methods_are_405(place: Simulated) -> None:
    session = place.session()
    assert session.get(f"{place.url}/coffee", timeout=5).status_code == 404
    assert session.put(f"{place.url}/compute/v2.1/servers", timeout=5).status_code == 405


def test_body_of_an_unexpected_shape_does_not_end_the_connection(
    place: Simulated, capfd: pytest.CaptureFixture[str]
) -> None:
    session = place.session()
    body: Any = {"port": {"network_id": place.small.network, "fixed_ips": 7}}
    answer = session.post(f"{place.url}/network/v2.0/ports", json=body, timeout=5)
    assert answer.status_code == 500
    assert "TypeError" in capfd.readouterr().err
    assert make_port(place, session).status_code == 201


def test_server_that_ends_cuts_what_is_connected_and_frees_its_port() -> None:
    state = CloudState()
    session = requests.Session()
    with running(state) as url:
        assert session.get(f"{url}/v3", timeout=5).ok
    with pytest.raises(requests.ConnectionError):
        session.get(f"{url}/v3", timeout=5)
    port = int(url.rpartition(":")[2])
    with running(state, port) as again:
        assert again == url
        assert session.get(f"{url}/v3", timeout=5).ok


# -- as a program ---------------------------------------------------------------------------------


def test_program_says_where_it_serves_and_ends_on_sigterm(tmp_path: Path) -> None:
    file = tmp_path / "clouds.yaml"
    command = [sys.executable, "-m", "simulator", "--clouds-yaml", str(file)]
    options = ["--build-seconds", "0.5-1", "--seed", "3"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        url = program.stdout.readline().split()[1]
        assert str(file) in program.stdout.readline()
        entry = msgspec.yaml.decode(file.read_bytes())["clouds"]["trove"]
        assert entry["auth"]["auth_url"] == f"{url}/identity/v3"
        times = requests.get(f"{url}/simulator/times", timeout=5).json()
        assert (times["server_build"], times["server_bind"]) == ([0.5, 1.0], [0.5, 1.0])
        program.send_signal(signal.SIGTERM)
        assert program.wait(10) == 0


def test_program_refuses_times_that_are_none() -> None:
    command = [sys.executable, "-m", "simulator", "--build-seconds", "soon"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert "write seconds as 2 or 2-5" in done.stderr
