"""What the bodies of Heat's requests say."""

from collections.abc import Mapping
from typing import Any

import msgspec

from handlers.clouds.memory.orchestration import StackChange, StackSpec
from simulator.heat import values
from simulator.heat.documents import adoption_of, environment_of, merged, template_of
from simulator.heat.refusals import MALFORMED, bad, careless


def data_of(body: bytes) -> dict[str, Any]:
    """The body's object. What does not look like one is no body to Heat."""
    if not body.startswith(b"{"):
        raise bad(MALFORMED)
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise bad(str(error)) from None


def spec_of(body: bytes) -> StackSpec:
    """A stack to be made, or adopted, or only previewed."""
    data = data_of(body)
    timeout, tags = _timeout(data), _tags(data)
    if "converge" in data:
        text = "converge flag only supported in stack update (or update preview) request."
        raise bad(text)
    if "stack_name" not in data:
        raise bad("No stack name specified")
    adopt = adoption_of(data["adopt_stack_data"]) if "adopt_stack_data" in data else None
    template = adopt["template"] if adopt else _template(data)
    if template is None:
        raise bad("No template specified")
    rollback = _rollback(data)
    return StackSpec(
        name=str(data["stack_name"]),
        template=template,
        environment=_environment(data),
        parameters=data.get("parameters") or {},
        tags=tags or (),
        disable_rollback=True if rollback is None else rollback,
        timeout_mins=timeout,
        adopt=adopt,
    )


def change_of(body: bytes, *, patch: bool) -> StackChange:
    """An update: a PATCH keeps what it does not name, a PUT must bring a template."""
    data = data_of(body)
    timeout, tags = _timeout(data), _tags(data)
    template = _template(data)
    if template is None and not patch:
        raise bad("No template specified")
    return StackChange(
        template=template,
        environment=_environment(data),
        parameters=data.get("parameters") or {},
        tags=tags,
        disable_rollback=_rollback(data),
        timeout_mins=timeout,
        existing=patch or bool(data.get("existing")),
        clear_parameters=tuple(data.get("clear_parameters") or ()),
    )


def action_of(body: bytes) -> str:
    """The one action that a body names."""
    data = data_of(body) if body else {}
    if len(data) != 1:
        raise bad("Multiple actions specified" if data else "No action specified")
    return next(iter(data))


def _template(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if "template" not in data and "template_url" in data:
        url = data["template_url"]
        raise bad(f"Could not retrieve template: Failed to retrieve template from {url}")
    given = data.get("template")
    return None if given is None else template_of(given)


def _environment(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The environment, or the files that make it up: then the merged one is not looked at."""
    names = data.get("environment_files")
    if not names:
        return environment_of(data.get("environment"))
    files = data.get("files") or {}
    return merged([environment_of(files.get(name)) for name in names])


def _timeout(data: Mapping[str, Any]) -> int | None:
    """Minutes; 0 stands for none given."""
    given = data.get("timeout_mins")
    return None if given is None else values.count("timeout_mins", given) or None


def _tags(data: Mapping[str, Any]) -> tuple[str, ...] | None:
    given = data.get("tags")
    return None if given is None else values.tags(given)


def _rollback(data: Mapping[str, Any]) -> bool | None:
    """Whether rollback is off. The engine reads this one: its ValueError has no message."""
    if "disable_rollback" not in data:
        return None
    text = str(data["disable_rollback"]).lower()
    if text not in ("true", "false"):
        raise careless("ValueError")
    return text == "true"
