"""How deep JSON may be nested: what is read must also be writable, and walked without a deep stack."""

from typing import Final

import orjson

_HARMLESS: Final = 200
"""So few opening brackets cannot nest deeper than orjson writes, which is 254 levels."""

_COUNTED: Final = 4096
"""Bytes up to which brackets are counted first: in more of them that takes longer than to write."""


def too_deep(data: bytes | bytearray, value: object) -> bool:
    """Whether `value`, read from `data`, is nested deeper than can be written again."""
    if len(data) <= _COUNTED and data.count(b"[") + data.count(b"{") <= _HARMLESS:
        return False
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return True
    return False
