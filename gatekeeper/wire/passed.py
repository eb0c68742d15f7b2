"""Bodies that carry no answer to judge, models and embeddings: names and numbers pass, and no text."""

import re
from typing import Any, Final

from gatekeeper.errors import UpstreamGarbled
from gatekeeper.exchange import JsonObject
from gatekeeper.wire.names import is_name
from gatekeeper.wire.render import top_fields

_MODEL_NAMES: Final = ("id", "object", "owned_by", "root", "parent")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}")


def models_body(body: JsonObject) -> dict[str, Any]:
    """Return a server's list of models; raise UpstreamGarbled where it is none."""
    return {"object": "list", "data": [_model(one) for one in _data(body)]}


def embeddings_body(body: JsonObject) -> dict[str, Any]:
    """Return a server's embeddings; raise UpstreamGarbled where they are none."""
    top, _ = top_fields({key: value for key, value in body.items() if key != "data"})
    data = [
        {"object": "embedding", "index": one.get("index", at), "embedding": _vector(one)}
        for at, one in enumerate(_data(body))
    ]
    if not all(isinstance(one["index"], int) for one in data):
        raise _garbled()
    return {**top, "object": "list", "data": data}


def _model(one: JsonObject) -> dict[str, Any]:
    names = {key: one[key] for key in _MODEL_NAMES if is_name(one.get(key))}
    return {**top_fields(one)[0], **names}


def _vector(one: JsonObject) -> object:
    """Return numbers, lists of them (one for each token), or their bytes in base64."""
    vector = one.get("embedding")
    encoded = isinstance(vector, str) and _BASE64.fullmatch(vector) is not None and len(vector) % 4 == 0
    if not encoded and not _is_numbers(vector):
        raise _garbled()
    return vector


def _is_numbers(value: object) -> bool:
    if not isinstance(value, list):
        return False
    return all(isinstance(one, int | float) or _is_numbers(one) for one in value)


def _data(body: JsonObject) -> list[JsonObject]:
    data = body.get("data")
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        raise _garbled()
    return data


def _garbled() -> UpstreamGarbled:
    return UpstreamGarbled("The model server's answer is no list of models, or of embeddings.")
