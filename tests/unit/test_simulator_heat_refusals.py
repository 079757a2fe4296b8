"""What the simulator's Heat says no to, word by word as Heat 27 was seen to."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support.simulated import Simulated, simulated
from tests.support.stacks import NAME, order, template

MALFORMED = (
    "The server could not comply with the request since it is either malformed or otherwise "
    "incorrect."
)
BAD = "HTTPBadRequest"
INVALID = "StackValidationFailed"


@pytest.fixture(scope="module")
def place() -> Iterator[Simulated]:
    """One for all: nothing of what is asked here has an effect."""
    with simulated() as place:
        yield place


@pytest.fixture(scope="module")
def root(place: Simulated) -> str:
    return f"{place.url}/orchestration/v1/{place.small.cloud.project}"


@pytest.fixture(scope="module")
def session(place: Simulated) -> requests.Session:
    return place.session()


def told(answer: requests.Response, status: int) -> tuple[str, str | None]:
    """Error type and message of a refusal in Heat's form."""
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, status)
    return body["error"]["type"], body["error"].get("message")


def hot(**sections: Any) -> dict[str, Any]:
    return {"heat_template_version": "2021-04-16", **sections}


def one(kind: str, **properties: Any) -> dict[str, Any]:
    return hot(resources={"x": {"type": kind, "properties": properties}})


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (b"", BAD, MALFORMED),
        (b"[]", BAD, MALFORMED),
        (b"{}", BAD, "No stack name specified"),
        (b'{"stack_name": "x"}', BAD, "No template specified"),
    ],
)
def test_body_that_is_none(
    root: str, session: requests.Session, body: bytes, kind: str, message: str
) -> None:
    answer = session.post(f"{root}/stacks", data=body, timeout=5)
    assert told(answer, 400) == (kind, message)


@pytest.mark.parametrize(
    ("more", "kind", "message"),
    [
        ({"timeout_mins": "soon"}, BAD, "Only integer is acceptable by 'timeout_mins'."),
        (
            {"timeout_mins": -3},
            BAD,
            "Value '-3' is invalid for 'timeout_mins' which only accepts non-negative integer.",
        ),
        ({"disable_rollback": "maybe"}, "ValueError", None),
        ({"tags": ["a"]}, "AttributeError", None),
        ({"tags": "x" * 81}, BAD, f'Invalid tag, "{"x" * 81}" is longer than 80 characters'),
        (
            {"converge": True},
            BAD,
            "converge flag only supported in stack update (or update preview) request.",
        ),
        (
            {"stack_name": "9x y"},
            INVALID,
            (
                'Invalid stack name 9x y must contain only alphanumeric or "_-." characters, must '
                "start with alpha and must be 255 characters or less."
            ),
        ),
        (
            {"template": "hello"},
            BAD,
            "Template not in valid format: The template is not a JSON object or YAML mapping.",
        ),
        (
            {"template": "a: b"},
            BAD,
            "Template not in valid format: Template format version not found.",
        ),
        (
            {"template": {"resources": {}}},
            "InvalidTemplateVersion",
            "The template version is invalid: Template version was not provided",
        ),
        (
            {"environment": {"coffee": 1}},
            BAD,
            'Environment not in valid format: environment has wrong section "coffee"',
        ),
        ({"adopt_stack_data": "{}"}, BAD, "Invalid adopt data: 'template'"),
    ],
)
def test_request_that_makes_no_sense(
    place: Simulated,
    root: str,
    session: requests.Session,
    more: dict[str, Any],
    kind: str,
    message: str | None,
) -> None:
    body = order(place.small.network, **more)
    answer = session.post(f"{root}/stacks", json=body, timeout=5)
    assert told(answer, 400) == (kind, message)


@pytest.mark.parametrize(
    ("parameters", "kind", "message"),
    [
        ({"what": 1}, "UnknownUserParameter", "The Parameter (what) was not defined in template."),
        ({"size": None}, "UserParameterMissing", "The Parameter (size) was not provided."),
        (
            {"size": "many"},
            INVALID,
            "Parameter 'size' is invalid: could not convert string to float: 'many'",
        ),
        (
            {"flavor": "nope"},
            INVALID,
            (
                "Property error: : resources.server.properties.flavor: : Error validating value "
                "'nope': No Flavor matching {'name': 'nope'}. (HTTP 404)"
            ),
        ),
    ],
)
def test_value_that_does_not_fit(
    place: Simulated,
    root: str,
    session: requests.Session,
    parameters: dict[str, Any],
    kind: str,
    message: str,
) -> None:
    body = order(place.small.network)
    body["parameters"] = {**body["parameters"], **parameters}
    answer = session.post(f"{root}/stacks", json=body, timeout=5)
    assert told(answer, 400) == (kind, message)


@pytest.mark.parametrize(
    ("document", "kind", "message"),
    [
        (one("OS::Nope"), INVALID, "The Resource Type (OS::Nope) could not be found."),
        (
            one("OS::Neutron::SecurityGroup", colour=1),
            INVALID,
            "Property error: : resources.x.properties: : Unknown Property colour",
        ),
        (
            one("OS::Neutron::Port"),
            INVALID,
            "Property error: : resources.x.properties: : Property network not assigned",
        ),
        (
            one("OS::Neutron::Port", network="nope-net"),
            INVALID,
            (
                "Property error: : resources.x.properties.network: : Error validating value "
                "'nope-net': Unable to find network with name or id 'nope-net'"
            ),
        ),
        (
            one("OS::Neutron::SecurityGroup", name={"get_resource": "y"}),
            "InvalidTemplateReference",
            'The specified reference "y" (in x.Properties.name) is incorrect.',
        ),
        (hot(coffee={}), INVALID, "The template section is invalid: coffee"),
    ],
)
def test_template_that_does_not_hold_together(
    root: str, session: requests.Session, document: dict[str, Any], kind: str, message: str
) -> None:
    body: Any = {"stack_name": "a", "template": document}
    answer = session.post(f"{root}/stacks", json=body, timeout=5)
    assert told(answer, 400) == (kind, message)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=x", "Only integer is acceptable by 'limit'."),
        (
            "limit=-1",
            "Value '-1' is invalid for 'limit' which only accepts non-negative integer.",
        ),
        (
            "with_count=maybe",
            'Unrecognized value "maybe" for "with_count", acceptable values are: true, false.',
        ),
        (
            "show_deleted=yes",
            'Unrecognized value "yes" for "show_deleted", acceptable values are: true, false.',
        ),
        ("sort_dir=up", None),
    ],
)
def test_listing_that_makes_no_sense(
    root: str, session: requests.Session, query: str, message: str | None
) -> None:
    answer = session.get(f"{root}/stacks?{query}", timeout=5)
    assert told(answer, 400)[1] == message


@pytest.fixture(scope="module")
def stack(place: Simulated, root: str, session: requests.Session) -> str:
    """The path of a stack that is there and idle."""
    body = {**order(place.small.network), "stack_name": "idle"}
    answer = session.post(f"{root}/stacks", json=body, timeout=5)
    place.wait(60)
    return f"{root}/stacks/idle/{answer.json()['stack']['id']}"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind", "message"),
    [
        (
            "GET",
            "?resolve_outputs=1",
            None,
            400,
            BAD,
            'Unrecognized value "1" for "resolve_outputs", acceptable values are: true, false.',
        ),
        ("GET", "/resources?coffee=1", None, 400, BAD, "Invalid filter parameters ['coffee']"),
        ("GET", "/outputs/nope", None, 404, "NotFound", "Specified output key nope not found."),
        ("PUT", "", {"parameters": {}}, 400, BAD, "No template specified"),
        ("POST", "/actions", {}, 400, BAD, "No action specified"),
        (
            "POST",
            "/actions",
            {"check": None, "suspend": None},
            400,
            BAD,
            "Multiple actions specified",
        ),
        ("POST", "/actions", {"coffee": None}, 400, BAD, "Invalid action coffee specified"),
        (
            "POST",
            "/actions",
            {"cancel_update": None},
            400,
            "NotSupported",
            "Cancelling update when stack is CREATE_COMPLETE is not supported.",
        ),
    ],
)
def test_question_to_a_stack_that_makes_no_sense(
    stack: str,
    session: requests.Session,
    method: str,
    path: str,
    body: Any,
    status: int,
    kind: str,
    message: str,
) -> None:
    answer = session.request(method, stack + path, json=body, timeout=5)
    assert told(answer, status) == (kind, message)


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_stack_that_is_not_there(
    root: str, stack: str, session: requests.Session, method: str
) -> None:
    named_wrong = stack.replace("/idle/", f"/{NAME}/")
    for path in (named_wrong, f"{root}/stacks/{NAME}/nobody", f"{root}/stacks/{NAME}"):
        answer = session.request(method, path, json={} if method == "PATCH" else None, timeout=5)
        assert told(answer, 404) == ("EntityNotFound", f"The Stack ({NAME}) could not be found.")


def test_put_must_name_every_value(place: Simulated, stack: str, session: requests.Session) -> None:
    answer = session.put(stack, json={"template": template(place.small.network)}, timeout=5)
    assert told(answer, 400) == (
        "UserParameterMissing",
        "The Parameter (name) was not provided.",
    )
