"""How a resource in the cloud says which instance it belongs to, and in which role.

Identity is made of (subject, role) only, never of the attempt, so that whatever a lost call made is
found again. The names and the server tag are the ones that Trove itself uses, so one look-up finds
what Trove made before us and what we made. The subject is an instance id, or the id that a
publisher gave a security group of its own.
"""

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256

#: The role of a stack.
STACK = "stack"

#: Metadata keys on servers and volumes. Trove writes the first one too.
SUBJECT_KEY = "trove_instance_id"
ROLE_KEY = "trove_role"

_TAG = "trove_instance_id_"
_WRITE = "trove_write_"

#: Characters of a stack's tag (measured on Heat 27).
_TAG_LIMIT = 80

#: Characters of a description (measured on Neutron 29).
_DESCRIPTION_LIMIT = 255

_NAME = re.compile(r"^trove(?:_sg)?-([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})$")
_ROLE = re.compile(r"\brole=(\S+)")


def resource_name(subject: str) -> str:
    """Name of the subject's volumes and ports."""
    return f"trove-{subject}"


def group_name(subject: str) -> str:
    """Name of the subject's security group."""
    return f"trove_sg-{subject}"


def server_tag(subject: str) -> str:
    """Tag of the subject's server (54 of Nova's 60 characters)."""
    return _TAG + subject


def stack_tags(subject: str, write: str) -> tuple[str, ...]:
    """Tags of a stack: whose it is, and which write (`write_name`) came last.

    Heat shows them in the listing as soon as it has accepted the write (measured on Heat 27), which
    neither the status nor `updated_time` tells.
    """
    return (server_tag(subject), _WRITE + write)


def write_name(operation: str, key: str) -> str:
    """`<operation id>_<step key>`, as far as it fits into a tag: a longer id is told by its
    digest, whatever the step is."""
    name = f"{operation}_{key}"
    if len(_WRITE + name) <= _TAG_LIMIT:
        return name
    return f"{sha256(operation.encode()).hexdigest()[:40]}_{key}"


def last_write(tags: Iterable[str]) -> str | None:
    """The write that a stack's tags name."""
    found = (tag.removeprefix(_WRITE) for tag in tags if tag.startswith(_WRITE))
    return next(found, None)


def metadata(subject: str, role: str) -> dict[str, str]:
    """Metadata of servers and volumes."""
    return {SUBJECT_KEY: subject, ROLE_KEY: role}


def description(role: str, text: str = "") -> str:
    """Description of ports and groups: Neutron takes no tags in a POST. The text is for people: as
    much of it as Neutron takes, where a character beyond the basic plane may be an answer 500."""
    plain = "".join(each if each <= "\uffff" else "?" for each in text)
    return (f"trove-resources role={role}" + (f": {plain}" if plain else ""))[:_DESCRIPTION_LIMIT]


def subject_of(
    name: str = "", tags: Iterable[str] = (), meta: Mapping[str, str] | None = None
) -> str | None:
    """The subject that a resource claims to belong to, or None when it claims nothing."""
    if meta and SUBJECT_KEY in meta:
        return meta[SUBJECT_KEY]
    for tag in tags:
        if tag.startswith(_TAG):
            return tag.removeprefix(_TAG)
    match = _NAME.match(name)
    return match[1] if match else None


def role_of(text: str = "", meta: Mapping[str, str] | None = None) -> str | None:
    """The role that a resource carries; None for what Trove made before us."""
    if meta and ROLE_KEY in meta:
        return meta[ROLE_KEY]
    match = _ROLE.search(text or "")
    return match[1].rstrip(":") if match else None
