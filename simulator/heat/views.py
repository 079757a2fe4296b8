"""Heat's JSON for stacks."""

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from handlers.clouds.memory.orchestration.parameters import HIDDEN
from handlers.clouds.memory.things import StackThing
from simulator.wire import stamp

AT = "/orchestration/v1"

#: Shown where a template says nothing.
_SILENT = "No description"


def href(root: str, stack: StackThing, *more: str) -> str:
    """The URL of a stack, or of something in it."""
    path = "/".join(quote(part, safe="") for part in (stack.name, stack.id or "None", *more))
    return f"{root}{AT}/{stack.project}/stacks/{path}"


def link(root: str, stack: StackThing, *more: str, rel: str = "self") -> dict[str, str]:
    return {"href": href(root, stack, *more), "rel": rel}


def state(stack: StackThing) -> str:
    return f"{stack.action}_{stack.status}"


def made(stack: StackThing, root: str) -> dict[str, Any]:
    """What the POST answers: only where the stack is."""
    return {"id": stack.id, "links": [link(root, stack)]}


def listed(stack: StackThing, root: str, owner: str, *, admin: bool) -> dict[str, Any]:
    """One row of a listing; an administrator is told whose it is."""
    return {
        **made(stack, root),
        **({"project": stack.project} if admin else {}),
        "stack_name": stack.name,
        "description": "",
        "stack_status": state(stack),
        "stack_status_reason": stack.reason,
        **_times(stack),
        "stack_owner": owner,
        "parent": None,
        "stack_user_project_id": user_project(stack),
        "tags": list(stack.tags) or None,
    }


def detail(stack: StackThing, root: str, owner: str) -> dict[str, Any]:
    """Everything but the outputs."""
    return {
        **preview(stack, root, owner),
        "stack_user_project_id": user_project(stack),
        "stack_status": state(stack),
        "stack_status_reason": stack.reason,
    }


def preview(stack: StackThing, root: str, owner: str) -> dict[str, Any]:
    """A stack that was not made: it has no id, and no state."""
    text = stack.template.get("description") or _SILENT
    return {
        "stack_name": stack.name,
        "id": stack.id or "None",
        "links": [link(root, stack)],
        **_times(stack),
        "notification_topics": [],
        "parameters": parameters(stack),
        "description": text,
        "template_description": text,
        "capabilities": [],
        "disable_rollback": stack.disable_rollback,
        "timeout_mins": stack.timeout_mins,
        "stack_owner": owner,
        "parent": None,
        "stack_user_project_id": None,
        "tags": list(stack.tags),
    }


def parameters(stack: StackThing) -> dict[str, str]:
    """Heat's own three, then the template's in its order, each as text; hidden ones masked."""
    given = {**_defaults(stack), **stack.parameters}
    shown = {
        "OS::stack_id": stack.id or "None",
        "OS::project_id": stack.project,
        "OS::stack_name": stack.name,
    }
    for name, schema in schemas(stack).items():
        value = given.get(name, schema.get("default"))
        shown[name] = HIDDEN if schema.get("hidden") else _parameter(schema.get("type"), value)
    return shown


def template(stack: StackThing) -> dict[str, Any]:
    """The template; a deletion takes the resources out of it."""
    whole = dict(stack.template)
    if stack.action == "DELETE":
        whole["resources"] = {}
    return whole


def environment(stack: StackThing) -> dict[str, Any]:
    """The environment with the values of the parameters; hidden ones masked."""
    given = stack.environment
    registry = given.get("resource_registry") or {}
    return {
        "resource_registry": {"resources": {}, **registry},
        "parameters": _masked(stack, stack.parameters),
        "parameter_defaults": _masked(stack, _defaults(stack)),
        "event_sinks": given.get("event_sinks") or [],
        "encrypted_param_names": given.get("encrypted_param_names") or [],
    }


def outputs(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Key, description, value, in this order."""
    names = ("output_key", "description", "output_error", "output_value")
    return [{name: one[name] for name in names if name in one} for one in found]


def unresolved(stack: StackThing, *, why: bool = False) -> list[dict[str, Any]]:
    """The outputs of a stack whose resources are not there; `why`: with the reason."""
    found = []
    for name, definition in (stack.template.get("outputs") or {}).items():
        text = f'The specified reference "{_reference(definition)}" (in unknown) is incorrect.'
        found.append(
            {
                "output_key": name,
                "description": definition.get("description") or "No description given",
                **({"output_error": text} if why else {}),
                "output_value": None,
            }
        )
    return found


def user_project(stack: StackThing) -> str:
    """Id of the project that Heat makes for the users of a stack."""
    return uuid.uuid5(uuid.NAMESPACE_DNS, stack.id).hex


def schemas(stack: StackThing) -> Mapping[str, Mapping[str, Any]]:
    return stack.template.get("parameters") or {}


def _reference(found: Any) -> str:
    """The first resource that a part of a template refers to."""
    if isinstance(found, dict):
        if "get_resource" in found:
            return str(found["get_resource"])
        if "get_attr" in found:
            return str(found["get_attr"][0])
        found = list(found.values())
    inner = (_reference(each) for each in found) if isinstance(found, list) else ()
    return next((name for name in inner if name), "")


def _times(stack: StackThing) -> dict[str, Any]:
    return {
        "creation_time": stamp(stack.created),
        "updated_time": stamp(stack.updated),
        "deletion_time": stamp(stack.deleted),
    }


def _defaults(stack: StackThing) -> Mapping[str, Any]:
    return stack.environment.get("parameter_defaults") or {}


def _masked(stack: StackThing, given: Mapping[str, Any]) -> dict[str, Any]:
    known = schemas(stack)
    return {
        name: HIDDEN if known.get(name, {}).get("hidden") else value
        for name, value in given.items()
    }


def _parameter(kind: Any, value: Any) -> str:
    if kind == "json" and not isinstance(value, str):
        return json.dumps(value)
    if kind == "comma_delimited_list" and isinstance(value, list):
        return ",".join(str(one) for one in value)
    if kind == "boolean":
        return str(str(value).lower() in ("true", "t", "on", "y", "yes", "1"))
    return str(value)
