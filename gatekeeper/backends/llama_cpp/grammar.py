"""`response_format` → a grammar in llama.cpp's notation, which the answer then cannot leave."""

import json
from typing import Final

import orjson
from llama_cpp.llama_grammar import JSON_GBNF, json_schema_to_gbnf

from gatekeeper.errors import InvalidRequest
from gatekeeper.exchange import JsonObject

_LARGEST: Final = 16_384
"""Characters of a schema and of its grammar: their size bounds the time per token."""

_PARAM: Final = "response_format"


def read_grammar(body: JsonObject) -> str | None:
    """Return the grammar that a request asks for, None for plain text.

    Raises InvalidRequest for a form that is not known and for a schema that cannot be followed.
    """
    wanted = body.get("response_format") or {}
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    match kind or ("text" if wanted == {} else None):
        case "text":
            return None
        case "json_object":
            return str(JSON_GBNF)
        case "json_schema":
            return _of_schema(wanted.get("json_schema"))
    raise InvalidRequest("response_format is text, json_object or json_schema.", param=_PARAM)


def _of_schema(holder: object) -> str:
    schema = holder.get("schema") if isinstance(holder, dict) else None
    if not isinstance(schema, dict) or len(orjson.dumps(schema)) > _LARGEST:
        raise InvalidRequest(f"A json_schema holds a schema of at most {_LARGEST} bytes.", param=_PARAM)
    try:
        # The converter reads text of the standard library's making.
        grammar = str(json_schema_to_gbnf(json.dumps(schema)))
    except Exception as error:
        raise InvalidRequest("This json_schema cannot be turned into a grammar.", param=_PARAM) from error
    if len(grammar) > _LARGEST:
        raise InvalidRequest("This json_schema is too complex.", param=_PARAM)
    return grammar
