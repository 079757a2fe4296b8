"""Getting to a cloud: tokens, catalogue, versions, TLS; and saying clearly why not."""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handlers.clouds.openstack import Limits, OpenStackCloud, OpenStackClouds, Place, check
from handlers.errors import Reason, Retryable, Terminal
from handlers.instance import Scope
from handlers.resources import Kind, Service
from tests.contract.openstack.certificates import self_signed
from tests.contract.openstack.conftest import PASSWORD, Adapter, Told
from tests.contract.openstack.scripted import Script, answer, serve

EMPTY = answer(200, {"servers": [], "volumes": [], "ports": []})


def test_first_concurrent_calls_share_one_connection(script: Script, adapter: Adapter) -> None:
    cloud = adapter(script)
    script.then(*[EMPTY] * 32)
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda _: cloud.changed(Kind.SERVER, 0), range(32))) == [()] * 32
    assert script.tokens == 1


def test_cloud_that_was_away_at_the_start_is_used_when_it_is_back(
    script: Script, adapter: Adapter
) -> None:
    cloud = adapter(script)
    script.identity = answer(503, "starting")
    with pytest.raises(Retryable) as caught:
        cloud.changed(Kind.SERVER, 0)
    assert caught.value.reason is Reason.UNAVAILABLE
    script.identity = None
    script.then(EMPTY)
    assert cloud.changed(Kind.SERVER, 0) == ()


def test_nothing_listens_is_retryable_and_never_sent(adapter: Adapter, told: Told) -> None:
    script = Script()
    script.keep_alive = False
    with serve(script):
        cloud = adapter(script)
        cloud.link.ready()
    with pytest.raises(Retryable) as caught:
        cloud.delete_server("s-1")
    assert caught.value.reason is Reason.UNAVAILABLE
    assert told == [("compute", "DELETE", "/servers/{id}", "refused")]


def test_wrong_password_is_said_clearly_and_the_password_is_not(
    script: Script, adapter: Adapter
) -> None:
    message = "The request you have made requires authentication."
    script.identity = answer(401, {"error": {"code": 401, "message": message}})
    with pytest.raises(Retryable) as caught:
        adapter(script).project  # noqa: B018
    assert caught.value.reason is Reason.CREDENTIALS
    assert caught.value.service == "identity"
    assert "check auth in clouds.yaml" in caught.value.message
    assert PASSWORD not in str(caught.value)


def test_missing_service_is_said_clearly(script: Script, adapter: Adapter) -> None:
    script.services = ["compute", "network"]
    with pytest.raises(Retryable) as caught:
        adapter(script).link.ready()
    assert "block-storage" in caught.value.message
    assert "region_name" in caught.value.message


def test_unknown_cloud_is_refused_at_once(script: Script, adapter: Adapter, tmp_path: Path) -> None:
    adapter(script)
    with pytest.raises(Terminal) as caught:
        OpenStackClouds([Place("nobody", "One")], files=[str(tmp_path / "clouds.yaml")])
    assert caught.value.reason is Reason.INVALID


def test_scope_of_a_cloud_that_is_not_configured_is_invalid(
    script: Script, adapter: Adapter, tmp_path: Path
) -> None:
    adapter(script)
    clouds = OpenStackClouds([Place("test", "One")], files=[str(tmp_path / "clouds.yaml")])
    assert clouds.of(Scope("test", "One", "p")) is clouds.all[Place("test", "One")]
    for scope in (Scope("test", "Two", "p"), Scope("nobody", "One", "p")):
        with pytest.raises(Terminal) as caught:
            clouds.of(scope)
        assert caught.value.reason is Reason.INVALID
        assert "test/One" in caught.value.message


def test_connect_tells_of_clouds_that_are_away(
    script: Script, adapter: Adapter, tmp_path: Path
) -> None:
    adapter(script)
    clouds = OpenStackClouds([Place("test", "One")], files=[str(tmp_path / "clouds.yaml")])
    script.identity = answer(401)
    (fault,) = clouds.connect().values()
    assert fault.reason is Reason.CREDENTIALS
    script.identity = None
    assert clouds.connect() == {}


def test_check_finds_a_fit_cloud_fit(script: Script, adapter: Adapter) -> None:
    script.then(EMPTY, EMPTY, EMPTY)
    findings = check(adapter(script))
    assert len(findings) == 7
    assert [found for found in findings if not found.ok] == []


def test_check_says_what_is_too_old_and_what_does_not_answer(
    script: Script, adapter: Adapter
) -> None:
    script.microversion["compute"] = "2.42"
    script.then(EMPTY, answer(500), EMPTY)
    wrong = {found.name: found.text for found in check(adapter(script)) if not found.ok}
    assert set(wrong) == {"test/One compute version", "test/One block_storage answers"}
    assert "2.42 is below 2.52" in wrong["test/One compute version"]


def test_check_says_that_there_is_no_token(script: Script, adapter: Adapter) -> None:
    script.identity = answer(401)
    (found,) = check(adapter(script))
    assert not found.ok
    assert "credentials" in found.text


def test_certificates_are_checked_as_clouds_yaml_says(adapter: Adapter, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    script = Script()
    with serve(script, str(certificate)):
        with pytest.raises(Retryable) as caught:
            adapter(script).link.ready()
        assert caught.value.reason is Reason.UNAVAILABLE
        script.then(EMPTY, EMPTY)
        assert adapter(script, cacert=str(certificate)).changed(Kind.SERVER, 0) == ()
        assert adapter(script, verify=False).changed(Kind.SERVER, 0) == ()


def test_no_secret_is_logged(
    script: Script, cloud: OpenStackCloud, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    script.then(answer(401), answer(202, {"volume": {"id": "v-1", "adminPass": "canary"}}))
    cloud.reset_volume("v-1", "canary")
    assert "canary" not in caplog.text
    assert PASSWORD not in caplog.text
    assert "token-1" not in caplog.text
    assert "token-2" not in caplog.text


def test_longest_call_counts_the_way_to_the_request_and_the_answer() -> None:
    limits = Limits(answer=30, answers={Service.NETWORK: 10}, connect=5, token=10)
    assert limits.longest(Service.COMPUTE) == 40
    assert limits.longest(Service.NETWORK) == 20
