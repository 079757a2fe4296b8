"""Why a message is refused: a closed list of reasons, each with what to do about it."""

from enum import StrEnum


class Refusal(StrEnum):
    """The reasons that dead-lettered messages and metrics carry."""

    OVERSIZE = "oversize"
    NOT_JSON = "not_json"
    NOT_CLOUDEVENT = "not_cloudevent"
    WRONG_VERSION = "wrong_version"
    UNKNOWN_TYPE = "unknown_type"
    INVALID_DATA = "invalid_data"
    CONFLICT = "conflict"
    NO_SECRET_KEY = "no_secret_key"  # noqa: S105 - a reason, not a password
    UNACCEPTABLE = "unacceptable"


#: What the reader of the dead-letter queue should do.
REMEDY: dict[Refusal, str] = {
    Refusal.OVERSIZE: "make the command smaller: user data is the usual cause",
    Refusal.NOT_JSON: "send one JSON object in UTF-8",
    Refusal.NOT_CLOUDEVENT: "send CloudEvents 1.0 attributes in structured mode",
    Refusal.WRONG_VERSION: "use the versions that docs/messages.md names",
    Refusal.UNKNOWN_TYPE: "use one of the types that docs/messages.md lists",
    Refusal.INVALID_DATA: "correct the field that the detail names and send it under a new id",
    Refusal.CONFLICT: "use a new id for every new command",
    Refusal.NO_SECRET_KEY: "set [secrets] keys on the workers, or send it without secret fields",
    Refusal.UNACCEPTABLE: "report it with the worker's log: the ledger could not store it",
}


class Refused(Exception):
    """A message that is not, and never will be, a command that can be accepted.

    `message` is a sentence that says what to correct. It never holds a value of a secret field.
    """

    def __init__(self, reason: Refusal, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
