"""Heat's answers, by the row of the table that decides."""

from handlers.clouds.refusals import Effect, Trouble
from handlers.errors import Ambiguous, Fault, Reason, Retryable, Terminal
from tests.unit.clouds.cases import CHANGE, LOOK, MAKE, MUTATING, REMOVE, Case


def _heat(
    effects: tuple[Effect, ...],
    fault: type[Fault],
    reason: Reason,
    status: int,
    code: str,
    text: str = "",
) -> Case:
    return Case(effects, fault, reason, status, code=code, text=text, service="orchestration")


def _invalid(reason: Reason, text: str) -> Case:
    """What Heat says of a parameter's value before it makes or changes anything."""
    return _heat((MAKE, CHANGE), Terminal, reason, 400, "StackValidationFailed", text)


PROPERTY = "Property error: : resources.server.properties."
NO_MESSAGE = "The server has either erred or is incapable of performing the requested operation."

#: Answers of a real Heat 27, word for word.
HEAT_CASES = {
    "no trust": Case(
        (MAKE,), Terminal, Reason.CREDENTIALS, trouble=Trouble.TRUSTS, service="orchestration"
    ),
    "no role for a trust": _heat(
        (MAKE,),
        Terminal,
        Reason.CREDENTIALS,
        400,
        "MissingCredentialError",
        "Missing required credential: roles ['heat_stack_owner']",
    ),
    "look without an engine": _heat(
        (LOOK,), Retryable, Reason.UNAVAILABLE, 500, "MessagingTimeout", NO_MESSAGE
    ),
    "call without an engine": _heat(
        MUTATING, Ambiguous, Reason.UNAVAILABLE, 500, "MessagingTimeout", NO_MESSAGE
    ),
    "engine failed": _heat(MUTATING, Ambiguous, Reason.CLOUD_ERROR, 500, "RemoteError", NO_MESSAGE),
    "name taken": _heat(
        (MAKE,), Ambiguous, Reason.REFUSED, 409, "StackExists", "The Stack (x) already exists."
    ),
    "locked": _heat(
        (CHANGE, REMOVE),
        Retryable,
        Reason.REFUSED,
        409,
        "ActionInProgress",
        "Stack x already has an action (UPDATE) in progress.",
    ),
    "nothing to cancel": _heat(
        (CHANGE,),
        Ambiguous,
        Reason.REFUSED,
        400,
        "NotSupported",
        "Cancelling update when stack is UPDATE_FAILED is not supported.",
    ),
    "update of a stack that is being deleted": _heat(
        (CHANGE,),
        Ambiguous,
        Reason.REFUSED,
        400,
        "NotSupported",
        "Updating a stack when it is deleting is not supported.",
    ),
    "update that this Heat cannot do": _heat(
        (CHANGE,),
        Terminal,
        Reason.REFUSED,
        400,
        "NotSupported",
        "PATCH update to non-COMPLETE stack is not supported.",
    ),
    "adoption is not enabled": _heat(
        (MAKE,),
        Terminal,
        Reason.UNSUPPORTED,
        400,
        "NotSupported",
        "Stack Adopt is not supported.",
    ),
    "too many stacks": _heat(
        (MAKE,),
        Terminal,
        Reason.QUOTA,
        400,
        "RequestLimitExceeded",
        "Request limit exceeded: You have reached the maximum stacks per tenant, 1. Please delete "
        "some stacks.",
    ),
    "template too long": _heat(
        (MAKE,),
        Terminal,
        Reason.REFUSED,
        400,
        "RequestLimitExceeded",
        "Request limit exceeded: Template size (600000 bytes) exceeds maximum allowed size (524288 "
        "bytes).",
    ),
    "resource type not there": _invalid(
        Reason.CLOUD_ERROR, "The Resource Type (OS::No::Such) could not be found."
    ),
    "flavor not there": _invalid(
        Reason.NOT_FOUND,
        f"{PROPERTY}flavor: : Error validating value 'nope': No Flavor matching {{'name': 'nope'}}."
        " (HTTP 404)",
    ),
    "image not there": _invalid(
        Reason.NOT_FOUND,
        f"{PROPERTY}image: : Error validating value 'nope': No images matching {{'name': 'nope'}}.",
    ),
    "network not there": _invalid(
        Reason.NOT_FOUND,
        "Property error: : resources.port.properties.network: : Error validating value 'nope': "
        "Unable to find network with name or id 'nope'",
    ),
    "volume type not there": _invalid(
        Reason.NOT_FOUND,
        "Property error: : resources.volume.properties.volume_type: : Error validating value "
        "'nope': The VolumeType (nope) could not be found.",
    ),
    "value that is none": _invalid(
        Reason.REFUSED, "Parameter 'size' is invalid: could not convert string to float: 'zero'"
    ),
    "stack not there": _heat(
        (CHANGE,),
        Terminal,
        Reason.NOT_FOUND,
        404,
        "EntityNotFound",
        "The Stack (x) could not be found.",
    ),
    "another project's": _heat(
        MUTATING,
        Terminal,
        Reason.REFUSED,
        403,
        "HTTPForbidden",
        "Access was denied to this resource.",
    ),
}
