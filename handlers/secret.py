"""A text that must never be shown: logs, errors and events print asterisks for it."""

from typing import Any


class Secret:
    """Holds a secret text. Only `reveal()` gives it back."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def reject_secret(value: Any) -> Any:
    """msgspec encoder hook for places where a secret has no business."""
    if isinstance(value, Secret):
        raise TypeError("a secret cannot be written here")
    raise TypeError(f"cannot encode {type(value).__name__}")
