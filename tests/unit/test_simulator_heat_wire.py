"""The simulator's Heat on the wire: listings, redirects, refusals, faults, an engine that is away.

What is expected was seen on Heat 27, with the same requests.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import yaml

from handlers.clouds.memory.faults import FaultRule, Lose, Refuse, Reset
from tests.support.simulated import Simulated, simulated
from tests.support.small_cloud import SUBJECT
from tests.support.stacks import NAME, order, template

GROUP = {"type": "OS::Neutron::SecurityGroup"}


@pytest.fixture
def place() -> Iterator[Simulated]:
    with simulated() as place:
        yield place


class Wire:
    """Plain requests to Heat, as one of the accounts."""

    def __init__(self, place: Simulated, user: str = "trove") -> None:
        self._session = place.session(user)
        project = place.connect(user).current_project_id
        self.root = f"{place.url}/orchestration/v1/{project}"

    def __call__(self, method: str, path: str, body: Any = None) -> requests.Response:
        data = body if isinstance(body, bytes) else None
        return self._session.request(
            method,
            self.root + path,
            json=None if data else body,
            data=data,
            timeout=5,
            allow_redirects=False,
        )

    def small(self, name: str, **more: Any) -> str:
        """Id of a stack that is a group only."""
        whole = {"heat_template_version": "2021-04-16", "resources": {"group": GROUP}}
        answer = self("POST", "/stacks", {"stack_name": name, "template": whole, **more})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["stack"]["id"])

    def listed(self, query: str) -> list[str]:
        """Names in a listing."""
        return [one["stack_name"] for one in self("GET", f"/stacks?{query}").json()["stacks"]]


@pytest.fixture
def wire(place: Simulated) -> Wire:
    return Wire(place)


def refusal(answer: requests.Response) -> tuple[int, str, str | None]:
    """Status, error type and message."""
    told = answer.json()
    assert (told["code"], told["error"]["traceback"]) == (answer.status_code, None)
    assert told.keys() == {"code", "title", "explanation", "error"}
    return answer.status_code, told["error"]["type"], told["error"].get("message")


# -- listings -------------------------------------------------------------------------------------


@pytest.fixture
def three(place: Simulated, wire: Wire) -> dict[str, str]:
    ids = {}
    for name, tags in (("a", "red,round"), ("b", "red"), ("c", "")):
        ids[name] = wire.small(name, tags=tags) if tags else wire.small(name)
        place.wait(30)
    return ids


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "cba"),
        ("name=a&name=c", "ca"),
        ("stack_name=b", "b"),
        ("status=COMPLETE", "cba"),
        ("status=FAILED", ""),
        ("status=FAILED&status=CREATE_COMPLETE", "cba"),
        ("action=UPDATE", ""),
        ("tags=red", "ba"),
        ("tags=red,round", "a"),
        ("tags_any=round,square", "a"),
        ("not_tags=red,round", "cb"),
        ("not_tags_any=red,round", "c"),
        ("tenant=nobody", ""),
        ("username=nobody", ""),
        ("owner_id=x", ""),
        ("id=&name=a", "a"),
        ("colour=1&updated_at=gt:2020-01-01", "cba"),
        ("sort_keys=stack_name", "abc"),
        ("sort_keys=stack_name&sort_dir=desc", "cba"),
        ("sort_keys=colour", "cba"),
        ("limit=0", ""),
        ("limit=2", "cb"),
        ("marker=nope", "cba"),
    ],
)
def test_listing_is_filtered_sorted_and_cut(
    wire: Wire, three: dict[str, str], query: str, names: str
) -> None:
    assert "".join(wire.listed(query)) == names


def test_listing_by_ids_pages_and_counts(wire: Wire, three: dict[str, str]) -> None:
    query = f"id={three['a']}&id={three['b']}"
    assert wire.listed(query) == ["b", "a"]
    shown = wire("GET", f"/stacks?{query}&limit=1&with_count=true").json()
    assert (len(shown["stacks"]), shown["count"]) == (1, 2)
    (following,) = shown["links"]
    assert following["href"].endswith(
        f"/stacks?{query}&limit=1&with_count=true&marker={three['b']}"
    )
    assert wire.listed(f"{query}&marker={three['b']}") == ["a"]


def test_row_of_a_listing_is_heats(place: Simulated, wire: Wire, three: dict[str, str]) -> None:
    row = wire("GET", "/stacks?name=a").json()["stacks"][0]
    href = f"{wire.root}/stacks/a/{three['a']}"
    assert row.pop("creation_time").endswith("Z")
    assert len(row.pop("stack_user_project_id")) == 32
    assert row == {
        "id": three["a"],
        "links": [{"href": href, "rel": "self"}],
        "project": place.small.cloud.project,
        "stack_name": "a",
        "description": "",
        "stack_status": "CREATE_COMPLETE",
        "stack_status_reason": "Stack CREATE completed successfully",
        "updated_time": None,
        "deletion_time": None,
        "stack_owner": "trove",
        "parent": None,
        "tags": ["red", "round"],
    }
    assert wire("GET", "/stacks?name=c").json()["stacks"][0]["tags"] is None


def test_deleted_stack_is_not_listed_and_shown_by_its_id(
    place: Simulated, wire: Wire, three: dict[str, str]
) -> None:
    assert wire("DELETE", f"/stacks/a/{three['a']}").status_code == 204
    place.wait(30)
    assert wire.listed("") == ["c", "b"]
    shown = wire("GET", f"/stacks/a/{three['a']}").json()["stack"]
    assert (shown["stack_status"], "outputs" in shown) == ("DELETE_COMPLETE", False)
    assert refusal(wire("DELETE", f"/stacks/a/{three['a']}"))[:2] == (404, "EntityNotFound")


def test_administrator_lists_every_project_and_looks_names_up_in_the_own(
    place: Simulated, wire: Wire
) -> None:
    demo = Wire(place, "demo")
    stack = demo.small("theirs")
    assert "project" not in demo("GET", "/stacks").json()["stacks"][0]
    assert wire.listed("") == ["theirs"]
    assert wire("GET", f"/stacks/theirs/{stack}").status_code == 200
    assert wire("GET", "/stacks/theirs").status_code == 404
    mine = wire.small("mine")
    assert demo.listed("") == ["theirs"]
    assert demo("GET", f"/stacks/mine/{mine}").status_code == 404
    demo.root = wire.root
    assert refusal(demo("GET", "/stacks")) == (
        403,
        "HTTPForbidden",
        "Access was denied to this resource.",
    )


# -- names, documents -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("GET", "", ""),
        ("GET", "", "?resolve_outputs=False"),
        ("DELETE", "", ""),
        ("PATCH", "", ""),
        ("GET", "/resources", ""),
        ("GET", "/template", ""),
    ],
)
def test_name_alone_leads_to_the_stack(wire: Wire, method: str, path: str, query: str) -> None:
    stack = wire.small("one")
    for name in ("one", stack):
        answer = wire(method, f"/stacks/{name}{path}{query}")
        place = f"{wire.root}/stacks/one/{stack}{path}{query}"
        assert (answer.status_code, answer.headers["Location"]) == (302, place)
        assert answer.json()["code"] == "302 Found"


@pytest.mark.parametrize("dump", [json.dumps, yaml.safe_dump])
def test_documents_come_as_text_too(place: Simulated, wire: Wire, dump: Any) -> None:
    whole = order(place.small.network)
    parameters = {**whole["parameters"], "size": 3}
    body = {
        **whole,
        "template": dump(template(place.small.network)),
        "environment": dump({"parameters": parameters}),
        "parameters": {"flavor": "db.medium"},
    }
    stack = wire("POST", "/stacks", body).json()["stack"]["id"]
    shown = wire("GET", f"/stacks/{NAME}/{stack}").json()["stack"]["parameters"]
    assert (shown["size"], shown["flavor"]) == ("3", "db.medium")


def test_date_of_a_template_needs_no_quotes(wire: Wire) -> None:
    text = "heat_template_version: 2021-04-16\nresources: {g: {type: OS::Neutron::SecurityGroup}}"
    answer = wire("POST", "/stacks", {"stack_name": "a", "template": text})
    stack = answer.json()["stack"]["id"]
    version = wire("GET", f"/stacks/a/{stack}/template").json()["heat_template_version"]
    assert version == "2021-04-16"


def test_environment_files_are_laid_over_one_another(place: Simulated, wire: Wire) -> None:
    body = order(place.small.network)
    files = {
        "one": yaml.safe_dump({"parameters": {**body["parameters"], "size": 1}}),
        "two": yaml.safe_dump({"parameters": {"size": 2}}),
    }
    body |= {"files": files, "environment_files": ["one", "two"], "parameters": {}}
    stack = wire("POST", "/stacks", body).json()["stack"]["id"]
    shown = wire("GET", f"/stacks/{NAME}/{stack}").json()["stack"]["parameters"]
    assert shown["size"] == "2"


# -- an engine that is away, faults ---------------------------------------------------------------


def test_calls_are_spoiled_and_counted_by_the_clouds_verbs(place: Simulated, wire: Wire) -> None:
    state = place.small.state
    stack = wire("POST", "/stacks", order(place.small.network)).json()["stack"]["id"]
    at = f"/stacks/{NAME}/{stack}"
    calls = {
        "create_stack": ("POST", "/stacks", order(place.small.network)),
        "get_stack": ("GET", f"/stacks?id={stack}", None),
        "find_stack": ("GET", f"/stacks?name={NAME}", None),
        "get_stack_in_full": ("GET", at, None),
        "update_stack": ("PATCH", at, {"parameters": {"size": 2}}),
        "cancel_stack_update": ("POST", f"{at}/actions", {"cancel_without_rollback": None}),
        "delete_stack": ("DELETE", at, None),
    }
    for verb, call in calls.items():
        state.heal()
        state.inject(FaultRule(service="orchestration", verb=verb, effect=Refuse(503, "not now")))
        before = state.counts["orchestration", verb]
        assert refusal(wire(*call)) == (503, "HTTPServiceUnavailable", "not now")
        assert state.counts["orchestration", verb] == before + 1


def test_fault_is_for_one_subject_and_may_land_unheard(place: Simulated, wire: Wire) -> None:
    rules = [
        FaultRule(verb="create_stack", subject=SUBJECT, role="stack", effect=effect, times=1)
        for effect in (Reset(), Lose())
    ]
    place.small.state.inject(*rules)
    wire.small("other")
    for _ in rules:
        with pytest.raises(requests.ConnectionError):
            wire("POST", "/stacks", order(place.small.network))
    again = wire("POST", "/stacks", order(place.small.network))
    assert refusal(again) == (409, "StackExists", f"The Stack ({NAME}) already exists.")


def test_nobody_answers_while_the_engine_is_away(place: Simulated, wire: Wire) -> None:
    stack = wire.small("a")
    assert requests.post(f"{place.url}/simulator/heat/kill", timeout=5).status_code == 204
    for path in ("/stacks", f"/stacks/a/{stack}", "/build_info"):
        answer = wire("GET", path)
        assert refusal(answer) == (500, "MessagingTimeout", None)
    assert requests.post(f"{place.url}/simulator/heat/start", timeout=5).status_code == 204
    assert wire.listed("") == ["a"]


def test_versions_and_engine_are_told(place: Simulated, wire: Wire) -> None:
    answer = requests.get(f"{place.url}/orchestration", timeout=5)
    assert answer.status_code == 300
    (version,) = answer.json()["versions"]
    assert (version["id"], version["status"]) == ("v1.0", "CURRENT")
    (engine,) = wire("GET", "/services").json()["services"]
    assert engine["status"] == "up"
    denied = refusal(Wire(place, "demo")("GET", "/services"))
    assert denied == (403, "Forbidden", "You are not authorized to use service:index.")
