"""What can be a name: an id, a model's name, the name of a tool, why an answer ended."""

from typing import Final, TypeGuard

_LONGEST: Final = 256
"""Characters of a name; anything longer may be an answer."""


def is_name(value: object) -> TypeGuard[str]:
    """Whether a value can be a name: short, and no words apart from each other."""
    return isinstance(value, str) and len(value) <= _LONGEST and value.split() == [value]
