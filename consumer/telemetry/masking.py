"""The second net for secrets: whatever is about to be logged goes through here.

The first net is that nobody hands a secret over: bodies are never logged and `Secret` prints
asterisks. This one catches what libraries put into their messages.
"""

import re
from collections.abc import Collection, Mapping, MutableMapping
from typing import Any

from oslo_utils import strutils

MASK = "***"

#: Names of fields whose value is never shown, whatever it is.
_FIELDS = re.compile(r"(?i)passw|secret|token|credential|user_data|private_key|transport_url")
#: A cheap look before the costly patterns: most lines have none of these words.
_SUSPECT = ("pass", "secret", "token", "auth", "key", "credential", "user_data", "://")
_USERINFO = re.compile(r"(://[^:/@\s]*:)[^@\s]+@")


class Masker:
    """Masks secrets by field name, by the shape of the text, and the ones it was told of."""

    def __init__(self, known: Collection[str] = ()) -> None:
        """`known` are texts that must never appear: passwords and keys of the configuration."""
        words = sorted((text for text in known if len(text) >= 6), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, words))) if words else None
        self._words = (*_SUSPECT, *(word.lower() for word in words))

    def suspects(self, text: str) -> bool:
        """Whether the text is worth a closer look; says yes too often, never too seldom."""
        lowered = text.lower()
        return any(word in lowered for word in self._words)

    def __call__(
        self, logger: Any, method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """As a processor of structlog."""
        cleaned: MutableMapping[str, Any] = self.clean(event)
        return cleaned

    def clean(self, value: Any) -> Any:
        """The value without secrets; containers are walked, other objects become text."""
        match value:
            case str():
                return self.text(value)
            case int() | float() | None:
                return value
            case Mapping():
                return {
                    str(name): MASK if _FIELDS.search(str(name)) else self.clean(item)
                    for name, item in value.items()
                }
            case list() | tuple() | set() | frozenset():
                return [self.clean(item) for item in value]
            case _:
                return self.text(str(value))

    def text(self, text: str) -> str:
        """The text without secrets."""
        if not self.suspects(text):
            return text
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return _USERINFO.sub(rf"\1{MASK}@", strutils.mask_password(text, MASK))
