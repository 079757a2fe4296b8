"""Is this cloud fit for the manager of stacks? An empty stack is really made and deleted."""

import json
from pathlib import Path

import pytest

from consumer.cli.wired import findings
from consumer.config import Settings
from consumer.config.settings import Broker, Clouds, Ledger, Managers
from handlers.clouds.openstack import Finding, OpenStackCloud, check
from handlers.secret import Secret
from tests.contract.openstack.conftest import Adapter
from tests.contract.openstack.scripted import Act, Script, answer, hang

EMPTY = answer(200, {"servers": [], "volumes": [], "ports": []})
NATIVES = (EMPTY, EMPTY, EMPTY)
NO_STACKS = answer(200, {"stacks": []})
MADE = answer(201, {"stack": {"id": "k-1"}})
DELETED = answer(204)
FAILED = answer(500, {"code": 500, "explanation": "It went wrong.", "error": {"type": "Remote"}})
ANSWERS = "test/One orchestration answers"
MAKES = "test/One orchestration makes stacks"


def still(status: str) -> Act:
    stack = {"id": "k-1", "stack_status": status, "stack_status_reason": "because"}
    return answer(200, {"stacks": [stack]})


def found(cloud: OpenStackCloud) -> dict[str, Finding]:
    """Waits for nothing."""
    return {one.name: one for one in check(cloud, orchestration=True, pause=lambda _: None)}


def test_cloud_that_makes_stacks_is_fit_and_left_as_it_was(
    script: Script, cloud: OpenStackCloud
) -> None:
    script.then(*NATIVES, NO_STACKS, MADE, DELETED, still("DELETE_IN_PROGRESS"), NO_STACKS)
    findings = found(cloud)
    assert [one for one in findings.values() if not one.ok] == []
    made, deleted = script.sent[4:6]
    name = made.json["stack_name"]
    assert name.startswith("trove-resources-preflight-")
    assert (made.method, deleted.method) == ("POST", "DELETE")
    assert deleted.path.endswith(f"/stacks/{name}/k-1")
    assert name in findings[MAKES].text


def test_each_check_has_a_stack_of_its_own(script: Script, cloud: OpenStackCloud) -> None:
    script.then(*[*NATIVES, NO_STACKS, MADE, DELETED, NO_STACKS] * 2)
    found(cloud)
    found(cloud)
    names = [json.loads(sent.body)["stack_name"] for sent in script.sent if sent.method == "POST"]
    assert len(set(names)) == 2


def test_heat_is_left_alone_where_it_is_not_needed(script: Script, cloud: OpenStackCloud) -> None:
    script.then(*NATIVES)
    assert len(check(cloud)) == 7
    assert [sent.path for sent in script.sent if "/stacks" in sent.path] == []


def test_missing_heat_is_said_once(script: Script, adapter: Adapter) -> None:
    script.services.remove("orchestration")
    script.then(*NATIVES)
    wrong = [one for one in found(adapter(script)).values() if not one.ok]
    assert [one.name for one in wrong] == [ANSWERS]
    assert "no orchestration endpoint" in wrong[0].text


def test_heat_that_hangs_is_asked_once(script: Script, adapter: Adapter) -> None:
    script.then(*NATIVES, hang)
    findings = found(adapter(script, answer=0.3))
    assert not findings[ANSWERS].ok
    assert MAKES not in findings
    assert len(script.sent) == 4


def test_refused_trust_is_said_with_what_to_do(script: Script, adapter: Adapter) -> None:
    script.application_credential = {"id": "a", "name": "a", "restricted": True}
    script.then(*NATIVES, NO_STACKS, FAILED, answer(403))
    finding = found(adapter(script))[MAKES]
    assert not finding.ok
    assert "Heat makes a trust for every stack" in finding.text
    assert "put in a user with a password" in finding.text


def test_stack_whose_answer_was_lost_is_looked_for_and_deleted(
    script: Script, adapter: Adapter
) -> None:
    script.then(*NATIVES, NO_STACKS, hang, still("CREATE_COMPLETE"), DELETED)
    findings = found(adapter(script, answer=0.3))
    assert not findings[MAKES].ok
    assert [sent.method for sent in script.sent[-3:]] == ["POST", "GET", "DELETE"]


@pytest.mark.parametrize("status", ["DELETE_FAILED", "DELETE_IN_PROGRESS"])
def test_stack_that_stays_is_named(script: Script, cloud: OpenStackCloud, status: str) -> None:
    script.then(*NATIVES, NO_STACKS, MADE, DELETED, *[still(status)] * 40)
    finding = found(cloud)[MAKES]
    assert not finding.ok
    assert "trove-resources-preflight-" in finding.text
    assert f"{status} because" in finding.text


@pytest.mark.parametrize(("manager", "asked"), [("natives", False), ("orchestrator", True)])
def test_config_check_asks_heat_where_new_instances_become_stacks(
    script: Script, adapter: Adapter, tmp_path: Path, manager: str, asked: bool
) -> None:
    adapter(script)
    settings = Settings(
        ledger=Ledger(url=Secret(f"sqlite:///{tmp_path}/ledger.db")),
        broker=Broker(url=Secret("amqp://127.0.0.1:9//"), connect_timeout=0.5),
        clouds=Clouds(default="test", region="One", config_file=str(tmp_path / "clouds.yaml")),
        managers=Managers(default=manager),
    )
    script.then(*NATIVES, NO_STACKS, MADE, DELETED, NO_STACKS)
    told = {one.what: one for one in findings(lambda: settings)}
    assert (f"cloud {MAKES}" in told) is asked
    assert [what for what, one in told.items() if "cloud" in what and not one.good] == []
