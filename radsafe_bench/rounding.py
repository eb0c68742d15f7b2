"""Numbers of reports, rounded so that the same answers print the same report.

The last digits of a sum depend on the library, the processor, and where arrays happen to lie in memory.
"""

from collections.abc import Mapping
from typing import Any


def rounded(value: Any, digits: int) -> Any:
    """Return JSON with every float rounded to so many decimals."""
    if isinstance(value, Mapping):
        return {name: rounded(part, digits) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part, digits) for part in value]
    return round(value, digits) if isinstance(value, float) else value
