"""The cloud's own text, made fit to be kept and shown."""

import re

from oslo_utils.strutils import mask_password

#: Characters of a text that are kept.
TEXT_LIMIT = 2048

#: Nova's schema errors echo the value that they refuse: of one field, or of the whole server.
_ECHO = re.compile(
    r"(attribute (?:user_data|adminPass|personality)\b.{0,40}?Value: ).*", re.IGNORECASE | re.DOTALL
)
_FIELD = re.compile(r"(['\"](?:user_data|adminPass|contents)['\"]: ?['\"])[^'\"]*")


def clean(text: str) -> str:
    """The text without passwords and user data, at most 2 KiB of it."""
    cut = _FIELD.sub(r"\1***", _ECHO.sub(r"\1***", text))
    masked: str = mask_password(cut, secret="***")  # noqa: S106
    return masked if len(masked) <= TEXT_LIMIT else masked[: TEXT_LIMIT - 1] + "…"
