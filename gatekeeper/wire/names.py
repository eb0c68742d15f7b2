"""What can be a name: an id, a model's name, the name of a tool, why an answer ended."""

import re
from typing import Final, TypeGuard

_NAME: Final = re.compile(r"\S{1,256}")
"""Words apart from each other, or anything longer, may be an answer."""


def is_name(value: object) -> TypeGuard[str]:
    """Whether a value can be a name: short, and no words apart from each other."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None
