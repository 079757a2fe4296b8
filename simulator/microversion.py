"""Microversions: which one a request asks for, and what the answer says about it."""

import re

from werkzeug.datastructures import Headers

from handlers.clouds.memory.refusal import Refusal
from handlers.resources import Service

Version = tuple[int, int]

#: The name in the header, the oldest (and default) and the newest version of each service.
_KNOWN: dict[Service, tuple[str, Version, Version]] = {
    Service.COMPUTE: ("compute", (2, 1), (2, 104)),
    Service.BLOCK_STORAGE: ("volume", (3, 0), (3, 71)),
}
_LEGACY = "X-OpenStack-Nova-API-Version"
_FORM = re.compile(r"^(\d+)\.(\d+)$")


def version_of(service: Service | None, headers: Headers, nova: Version) -> Version:
    """The version that the headers ask for, the oldest by default; Refusal 400 or 406.

    `nova` is the newest that this Nova knows.
    """
    if service not in _KNOWN:
        return (0, 0)
    name, oldest, newest = _KNOWN[service]
    newest = min(newest, nova) if service is Service.COMPUTE else newest
    asked = headers.get(_LEGACY) if service is Service.COMPUTE else None
    kind, _, wanted = headers.get("OpenStack-API-Version", "").partition(" ")
    asked = wanted if kind == name and wanted else asked
    if asked is None:
        return oldest
    if asked == "latest":
        return newest
    match = _FORM.match(asked)
    if match is None:
        raise Refusal(
            service, 400, f"API Version String {asked} is of invalid format.", "badRequest"
        )
    version = (int(match[1]), int(match[2]))
    if not oldest <= version <= newest:
        text = (
            f"Version {asked} is not supported by the API. Minimum is {_text(oldest)} and maximum "
            f"is {_text(newest)}."
        )
        raise Refusal(service, 406, text, "computeFault")
    return version


def headers_of(service: Service | None, version: Version) -> dict[str, str]:
    """The answer's headers; (0, 0) stands for the oldest version."""
    if service not in _KNOWN:
        return {}
    version = max(version, _KNOWN[service][1])
    found = {"OpenStack-API-Version": f"{_KNOWN[service][0]} {_text(version)}"}
    found["Vary"] = "OpenStack-API-Version"
    if service is Service.COMPUTE:
        found[_LEGACY] = _text(version)
        found["Vary"] += f", {_LEGACY}"
    return found


def _text(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
