"""What is said of one option besides its type: its bounds, and its help text."""

from msgspec import Meta


def number(low: float, high: float, about: str) -> Meta:
    """A number from `low` to `high`."""
    return Meta(ge=low, le=high, description=about)


def text(about: str) -> Meta:
    """Anything that the type allows."""
    return Meta(description=about)
