"""What goes over the wire, how often, and what becomes of what comes back."""

import pytest

from handlers.clouds.openstack import Limits, OpenStackCloud
from handlers.errors import Ambiguous, Reason, Retryable
from handlers.orders import NewServer, NewVolume
from handlers.resources import Kind
from tests.contract.openstack.conftest import Adapter, Told
from tests.contract.openstack.scripted import Script, answer, hang, reset

VOLUME = NewVolume(subject="11111111-1111-4111-8111-111111111111", role="data", size=1)
GARBAGE = "<html>It works!</html>"


def test_mutating_call_without_an_answer_is_sent_once_and_ambiguous(
    script: Script, adapter: Adapter, told: Told
) -> None:
    cloud = adapter(script, answer=0.3)
    script.then(hang)
    with pytest.raises(Ambiguous) as caught:
        cloud.create_volume(VOLUME)
    assert caught.value.reason is Reason.UNAVAILABLE
    assert len(script.sent) == 1
    assert told == [("block_storage", "POST", "/volumes", "timeout")]


def test_mutating_call_that_was_reset_is_sent_once_and_ambiguous(
    script: Script, cloud: OpenStackCloud, told: Told
) -> None:
    script.then(reset)
    with pytest.raises(Ambiguous):
        cloud.extend_volume("v-1", 2)
    assert len(script.sent) == 1
    assert told == [("block_storage", "POST", "/volumes/{id}/action", "reset")]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_mutating_call_that_a_server_failed_is_sent_once(
    script: Script, cloud: OpenStackCloud, status: int
) -> None:
    script.then(answer(status, GARBAGE, "text/html"))
    with pytest.raises(Retryable if status == 429 else Ambiguous):
        cloud.create_volume(VOLUME)
    assert len(script.sent) == 1


def test_look_up_without_an_answer_is_retryable(script: Script, adapter: Adapter) -> None:
    cloud = adapter(script, answer=0.3)
    script.then(hang)
    with pytest.raises(Retryable):
        cloud.get(Kind.SERVER, ["s-1"])
    assert len(script.sent) == 1


def test_dead_token_is_renewed_once(script: Script, cloud: OpenStackCloud) -> None:
    script.then(answer(401), answer(202))
    cloud.extend_volume("v-1", 2)
    assert [sent.headers["X-Auth-Token"] for sent in script.sent] == ["token-1", "token-2"]


def test_token_refused_twice_is_a_matter_of_credentials(
    script: Script, cloud: OpenStackCloud
) -> None:
    script.then(answer(401), answer(401))
    with pytest.raises(Retryable) as caught:
        cloud.extend_volume("v-1", 2)
    assert caught.value.reason is Reason.CREDENTIALS
    assert len(script.sent) == 2


def test_slow_refusal_of_a_token_is_not_followed_by_another_call(
    script: Script, adapter: Adapter
) -> None:
    """Or the call would not be over when it is said to be."""
    times = iter((0.0, 0.0, 0.0, 3.0))
    slow = OpenStackCloud(adapter(script).link, Limits(connect=2.0), clock=lambda: next(times))
    script.then(answer(401))
    with pytest.raises(Retryable):
        slow.extend_volume("v-1", 2)
    assert len(script.sent) == 1


def test_nothing_is_sent_when_the_token_took_too_long(script: Script, adapter: Adapter) -> None:
    times = iter((0.0, 3.0))
    slow = OpenStackCloud(adapter(script).link, Limits(connect=2.0), clock=lambda: next(times))
    with pytest.raises(Retryable) as caught:
        slow.extend_volume("v-1", 2)
    assert caught.value.reason is Reason.UNAVAILABLE
    assert script.sent == []


def test_404_of_something_else_is_not_believed(script: Script, cloud: OpenStackCloud) -> None:
    proxy = answer(404, GARBAGE, "text/html")
    script.then(proxy, proxy)
    with pytest.raises(Retryable):
        cloud.get(Kind.SERVER, ["s-1"])
    with pytest.raises(Ambiguous):
        cloud.delete_server("s-1")


def test_404_for_a_path_that_neutron_does_not_know_is_not_believed(
    script: Script, cloud: OpenStackCloud
) -> None:
    body = {"NeutronError": {"type": "HTTPNotFound", "message": "The resource could not be found."}}
    script.then(answer(404, body))
    with pytest.raises(Ambiguous):
        cloud.delete_port("p-1")


def test_404_of_the_service_is_believed(script: Script, cloud: OpenStackCloud) -> None:
    gone = answer(
        404, {"itemNotFound": {"code": 404, "message": "Instance s-1 could not be found."}}
    )
    script.then(gone, gone)
    assert cloud.get(Kind.SERVER, ["s-1"]) == ()
    assert cloud.delete_server("s-1").request_id == "req-scripted"


@pytest.mark.parametrize("body", [GARBAGE, '{"volume": {"id": 5}}', "{}", ""])
def test_success_that_cannot_be_read_is_ambiguous(
    script: Script, cloud: OpenStackCloud, body: str
) -> None:
    script.then(answer(202, body))
    with pytest.raises(Ambiguous):
        cloud.create_volume(VOLUME)


def test_listing_that_cannot_be_read_is_retryable(script: Script, cloud: OpenStackCloud) -> None:
    script.then(answer(200, GARBAGE))
    with pytest.raises(Retryable):
        cloud.changed(Kind.SERVER, 0)


def test_filter_that_is_ignored_does_not_fool_us(script: Script, cloud: OpenStackCloud) -> None:
    stranger = {"id": "s-1", "name": "other", "status": "ACTIVE", "tags": ["theirs"]}
    script.then(answer(200, {"servers": [stranger]}), answer(200, {"ports": [{"id": "p-1"}]}))
    assert cloud.find(Kind.SERVER, [VOLUME.subject]) == ()
    assert cloud.get(Kind.PORT, ["p-2"]) == ()


def test_listing_goes_on_while_the_service_says_there_is_more(
    script: Script, cloud: OpenStackCloud
) -> None:
    more = {"servers_links": [{"rel": "next", "href": "https://elsewhere.invalid/"}]}
    script.then(
        answer(200, {"servers": [{"id": "s-1"}], **more}),
        answer(200, {"servers": [{"id": "s-2", "status": "DELETED"}, {"id": "s-3"}]}),
    )
    assert [one.id for one in cloud.changed(Kind.SERVER, 1_750_000_000_999_999) or ()] == [
        "s-1",
        "s-3",
    ]
    first = "/compute/v2.1/servers/detail?changes-since=2025-06-15T15:06:40Z&limit=1000"
    assert [sent.path for sent in script.sent] == [first, f"{first}&marker=s-1"]


def test_server_is_asked_for_with_everything(script: Script, cloud: OpenStackCloud) -> None:
    script.then(answer(202, {"server": {"id": "s-1", "adminPass": "x"}}))
    new = NewServer(
        subject=VOLUME.subject,
        name="db",
        flavor="f",
        image="i",
        ports=("p-1", "p-2"),
        volumes=("v-1",),
        zone="z",
        user_data="€",
        metadata={"color": "blue", "trove_role": "not for you to say"},
        tags=("blue",),
        key_name="k",
        config_drive=True,
    )
    cloud.create_server(new)
    (sent,) = script.sent
    assert sent.headers["OpenStack-API-Version"] == "compute 2.52"
    assert sent.json["server"] == {
        "name": "db",
        "flavorRef": "f",
        "imageRef": "i",
        "networks": [{"port": "p-1"}, {"port": "p-2"}],
        "metadata": {
            "color": "blue",
            "trove_instance_id": VOLUME.subject,
            "trove_role": "server",
        },
        "tags": ["blue", f"trove_instance_id_{VOLUME.subject}"],
        "config_drive": True,
        "availability_zone": "z",
        "key_name": "k",
        "user_data": "4oKs",
        "block_device_mapping_v2": [
            {
                "boot_index": 0,
                "uuid": "i",
                "source_type": "image",
                "destination_type": "local",
                "delete_on_termination": True,
            },
            {
                "boot_index": -1,
                "uuid": "v-1",
                "source_type": "volume",
                "destination_type": "volume",
                "delete_on_termination": False,
            },
        ],
    }


def test_id_stays_one_part_of_the_path(script: Script, cloud: OpenStackCloud) -> None:
    script.then(answer(202))
    cloud.extend_volume("../../os-quota-sets/x?y", 2)
    assert script.sent[0].path.endswith("/volumes/..%2F..%2Fos-quota-sets%2Fx%3Fy/action")
