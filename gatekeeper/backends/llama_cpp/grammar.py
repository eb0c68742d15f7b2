"""`response_format` → a grammar in llama.cpp's notation, which the answer then cannot leave."""

import ctypes
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import llama_cpp.llama_cpp as native
import orjson
from llama_cpp.llama_grammar import JSON_GBNF, json_schema_to_gbnf

from gatekeeper.errors import InvalidRequest
from gatekeeper.exchange import JsonObject

_LARGEST: Final = 16_384
"""Characters of a schema and of its grammar: their size bounds the time per token."""

_LONG_REPETITION: Final = re.compile(r'"(?:min|max)(?:Length|Items)":\d{5}|\{\d*,?\d{5}')
"""Ten thousand and more of something, in a keyword or a pattern: the converter writes every one out."""

_PARAM: Final = "response_format"

_init = native.llama_sampler_init_grammar
_HOLDING_THE_GIL: Final = ctypes.PYFUNCTYPE(_init.restype, *_init.argtypes)(
    ctypes.cast(_init, ctypes.c_void_p).value or 0
)


def read_grammar(body: JsonObject) -> str | None:
    """Return the grammar that a request asks for, None for plain text.

    The Responses API has the same under `text.format`, its schema without the object around it.
    Raises InvalidRequest for a form that is not known and for a schema that cannot be followed.
    """
    text = body.get("text")
    wanted = body.get("response_format") or (text.get("format") if isinstance(text, dict) else None)
    if wanted is None:
        return None
    match wanted:
        case {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return str(JSON_GBNF)
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return _of_schema(schema)
        case {"type": "json_schema", "schema": dict(schema)}:
            return _of_schema(schema)
    raise InvalidRequest("response_format is text, json_object or json_schema with a schema.", param=_PARAM)


def grammar_sampler(vocabulary: Any, grammar: str) -> Any:
    """Return llama.cpp's sampler for a grammar. Raises InvalidRequest where it cannot read it.

    Then llama.cpp prints the whole grammar, with what the client wrote into it, to standard error; so
    that is turned away meanwhile, and no other thread runs that could miss it.
    """
    with _standard_error_closed():
        sampler = _HOLDING_THE_GIL(vocabulary, grammar.encode(), b"root")
    if not sampler:
        raise InvalidRequest("llama.cpp does not take this grammar.", param=_PARAM)
    return sampler


@contextmanager
def _standard_error_closed() -> Iterator[None]:
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _of_schema(schema: JsonObject) -> str:
    try:
        text = orjson.dumps(schema).decode()
        bounded = len(text) <= _LARGEST and not _LONG_REPETITION.search(text)
        grammar = str(json_schema_to_gbnf(text)) if bounded else ""
    except Exception as error:
        raise InvalidRequest("This json_schema cannot be turned into a grammar.", param=_PARAM) from error
    if not 0 < len(grammar) <= _LARGEST:
        raise InvalidRequest("This json_schema is too large or too complex.", param=_PARAM)
    return grammar
