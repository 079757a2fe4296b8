"""What Heat's API says no to by itself, before it asks its engine."""

from handlers.clouds.memory.orchestration.refusals import refused
from handlers.clouds.memory.refusal import Refusal
from simulator.wire import Incoming

MALFORMED = (
    "The server could not comply with the request since it is either malformed or otherwise "
    "incorrect."
)


def bad(message: str) -> Refusal:
    """400: the request is no good."""
    return refused("HTTPBadRequest", message)


def careless(kind: str) -> Refusal:
    """400 for an exception of Python's own in Heat: of those no message is told."""
    return refused(kind, "")


def missing(kind: str, message: str) -> Refusal:
    """404: there is no such part of the stack."""
    return refused(kind, message, 404)


def not_allowed(rule: str) -> Refusal:
    """403 of a policy."""
    return refused("Forbidden", f"You are not authorized to use {rule}.", 403)


def check_project(request: Incoming) -> None:
    """Refusal 403 when the path names another project; an administrator may name any."""
    if not request.account.admin and request.args["project"] != request.project:
        raise refused("HTTPForbidden", "Access was denied to this resource.", 403)
