"""Templates, environments and adoption data as they come: objects, or JSON or YAML as text."""

from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

from handlers.clouds.memory.orchestration.refusals import invalid, refused
from handlers.clouds.memory.refusal import Refusal
from simulator.heat.refusals import bad

_HOT = "heat_template_version"
_FORMATS = (_HOT, "HeatTemplateFormatVersion", "AWSTemplateFormatVersion")
_VERSIONS = (
    "2013-05-23",
    "2014-10-16",
    "2015-04-30",
    "2015-10-15",
    "2016-04-08",
    "2016-10-14",
    "2017-02-24",
    "2017-09-01",
    "2018-03-02",
    "2018-08-31",
    "2021-04-16",
    "newton",
    "ocata",
    "pike",
    "queens",
    "rocky",
    "wallaby",
)

#: What a template may say.
_PARTS = {
    _HOT,
    "description",
    "parameter_groups",
    "parameters",
    "resources",
    "outputs",
    "conditions",
}

#: What an environment may say.
_SECTIONS = {
    "parameters",
    "resource_registry",
    "parameter_defaults",
    "encrypted_param_names",
    "event_sinks",
    "parameter_merge_strategies",
}


class _Loader(yaml.CSafeLoader):
    """YAML in which a date is a string: a template's version looks like one."""


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _text)


def template_of(given: Any) -> Mapping[str, Any]:
    """The template; Refusal 400 for a text that is none, and for parts that Heat does not know.

    What is in the parts is looked at later.
    """
    if isinstance(given, dict):
        return _checked(given)
    try:
        found = _parsed(given)
    except ValueError as error:
        raise bad(f"Template not in valid format: {error}") from None
    if not any(name in found for name in _FORMATS):
        raise bad("Template not in valid format: Template format version not found.")
    return _checked(found)


def environment_of(given: Any) -> Mapping[str, Any]:
    """The environment; Refusal 400 for a text that is none, and for sections that Heat lacks."""
    if given is None:
        return {}
    found = given
    if not isinstance(given, dict):
        try:
            found = _loaded(given) or {}
        except yaml.YAMLError as error:
            raise _no_environment(str(error)) from None
    if not isinstance(found, dict):
        raise _no_environment("The environment is not a valid YAML mapping data type.")
    for name, section in found.items():
        if name not in _SECTIONS:
            raise _no_environment(f'environment has wrong section "{name}"')
        if section is None:
            raise _no_environment(f'environment has empty section "{name}"')
    return found


def adoption_of(given: Any) -> Mapping[str, Any]:
    """What `adopt_stack_data` says, which is a text; Refusal 400 unless it has a template."""
    try:
        found = _parsed(given)
    except ValueError as error:
        raise bad(f"Invalid adopt data: {error}") from None
    if "template" not in found:
        raise bad("Invalid adopt data: 'template'")
    return found


def merged(documents: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Several environments as one: later ones win, section by section."""
    whole: dict[str, Any] = {}
    for document in documents:
        for name, section in document.items():
            if isinstance(section, dict):
                whole[name] = {**whole.get(name, {}), **section}
            else:
                whole[name] = section
    return whole


def _checked(template: dict[str, Any]) -> dict[str, Any]:
    version = str(template.get(_HOT, _VERSIONS[0]))
    if version not in _VERSIONS:
        text = (
            f'The template version is invalid: "{_HOT}: {version}". "{_HOT}" should be one of: '
            + ", ".join(_VERSIONS)
        )
        raise refused("InvalidTemplateVersion", text)
    for name in template:
        if name not in _PARTS:
            raise invalid(f"The template section is invalid: {name}")
    return template


def _no_environment(why: str) -> Refusal:
    return bad(f"Environment not in valid format: {why}")


def _parsed(given: Any) -> dict[str, Any]:
    """JSON, or else YAML; ValueError for what is neither, or no mapping."""
    try:
        found = msgspec.json.decode(given)
    except (msgspec.DecodeError, TypeError):
        try:
            found = _loaded(given)
        except yaml.YAMLError as error:
            raise ValueError(f"Error parsing template [root stack] {error}") from None
    found = {} if found is None else found
    if not isinstance(found, dict):
        raise ValueError("The template is not a JSON object or YAML mapping.")  # noqa: TRY004
    return found


def _loaded(given: Any) -> Any:
    return yaml.load(str(given), Loader=_Loader)  # noqa: S506 -- a safe loader
