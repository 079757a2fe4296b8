"""Heat's own refusals: its error types, their texts, and the status that its API gives them."""

from handlers.clouds.memory.refusal import Refusal
from handlers.resources import Service


def refused(code: str, message: str, status: int = 400) -> Refusal:
    """A refusal of the orchestration service; `code` is Heat's error type."""
    return Refusal(Service.ORCHESTRATION, status, message, code)


def invalid(message: str) -> Refusal:
    """400: the template, or a value in it, does not do."""
    return refused("StackValidationFailed", message)


def invalid_property(resource: str, prop: str, message: str) -> Refusal:
    """400: a property's value does not do."""
    return invalid(f"Property error: : resources.{resource}.properties.{prop}: : {message}")


def not_found(name: str) -> Refusal:
    """404: Heat names the stack by its name."""
    return refused("EntityNotFound", f"The Stack ({name}) could not be found.", 404)


def unsupported(what: str) -> Refusal:
    """400: not in this state, or not in this Heat."""
    return refused("NotSupported", f"{what} is not supported.")


def exists(name: str) -> Refusal:
    """409: the name is taken in this project."""
    return refused("StackExists", f"The Stack ({name}) already exists.", 409)


def too_many(limit: int) -> Refusal:
    """400: Heat has no status of its own for a quota."""
    text = (
        f"Request limit exceeded: You have reached the maximum stacks per tenant, {limit}. "
        "Please delete some stacks."
    )
    return refused("RequestLimitExceeded", text)
