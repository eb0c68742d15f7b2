"""Evidence that stands beside the messages: our `evidence` field and the `documents` field."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from gatekeeper.errors import InvalidRequest
from gatekeeper.exchange import Conversation, Document, Span

_KEYS: Final = frozenset({"id", "title", "text", "source", "version", "published", "expires"})
_COHERE_TEXTS: Final = ("text", "snippet", "content")


def evidence_field(conversation: Conversation) -> Iterable[Document]:
    """Yield the documents of the body's own `evidence`: strings, or objects that carry `text`."""
    for position, item in enumerate(_items(conversation, "evidence")):
        where, pointer = f"evidence[{position}]", f"/evidence/{position}"
        if isinstance(item, str):
            yield Document("", item, "evidence_field", pointer, Span(0, len(item)))
            continue
        given = _object(item, where)
        unknown = given.keys() - _KEYS
        if unknown:
            # A misspelt `expires` must not make evidence valid for ever.
            others = ", ".join(sorted(_KEYS - {"text"}))
            raise InvalidRequest(
                f"A document of evidence has its words in text, and may have {others}; nothing else.",
                param=where,
            )
        text = _text(given.get("text"), f"{where}.text")
        yield Document(
            id=_optional(given, "id", where) or "",
            text=text,
            extractor="evidence_field",
            pointer=f"{pointer}/text",
            span=Span(0, len(text)),
            title=_optional(given, "title", where),
            source=_optional(given, "source", where),
            version=_optional(given, "version", where),
            published=_date(given, "published", where),
            expires=_date(given, "expires", where),
        )


def documents_field(conversation: Conversation) -> Iterable[Document]:
    """Yield the documents of `documents`: vLLM's `{title, text}`, Cohere's strings or `{id, data}`."""
    for position, item in enumerate(_items(conversation, "documents")):
        where, pointer = f"documents[{position}]", f"/documents/{position}"
        if isinstance(item, str):
            yield Document("", item, "documents", pointer, Span(0, len(item)))
            continue
        given = source = _object(item, where)
        key = "text"
        if "data" in given:
            pointer, where = f"{pointer}/data", f"{where}.data"
            if isinstance(given["data"], str):
                key = "data"
                pointer = pointer.removesuffix("/data")
            else:
                source = _object(given["data"], where)
                key = next((name for name in _COHERE_TEXTS if name in source), "text")
        text = _text(source.get(key), where)
        yield Document(
            id=str(given.get("id") or ""),
            text=text,
            extractor="documents",
            pointer=f"{pointer}/{key}",
            span=Span(0, len(text)),
            title=_title(source) or _title(given),
        )


def _items(conversation: Conversation, name: str) -> list[Any]:
    value = conversation.body.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidRequest(f"Send {name} as a list.", param=name)
    return value


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidRequest("Each document is a string or an object.", param=where)
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise InvalidRequest("A document carries its text as a string.", param=where)
    return value


def _title(item: Mapping[str, Any]) -> str | None:
    title = item.get("title")
    return title if isinstance(title, str) else None


def _optional(item: Mapping[str, Any], key: str, where: str) -> str | None:
    value = item.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidRequest(f"{key} is a string.", param=f"{where}.{key}")
    return value


def _date(item: Mapping[str, Any], key: str, where: str) -> date | None:
    value = _optional(item, key, where)
    try:
        return None if value is None else date.fromisoformat(value)
    except ValueError as error:
        raise InvalidRequest(f"{key} is a date such as 2025-06-30.", param=f"{where}.{key}") from error
