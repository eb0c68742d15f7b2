"""Token probabilities of every server, brought to one form: tokens aligned with the answer's text.

Servers count reasoning, tool call and stop tokens among the rows, strip whitespace from the content and
split characters over tokens, so rows are aligned by their bytes and never by their position.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from math import exp, isnan, nan
from operator import itemgetter
from typing import Any, Final, NamedTuple

from gatekeeper.exchange import Alternative, JsonObject, LogprobQuality, Token, TokenSpan, ToolCall

FULL_COVERAGE: Final = 0.95
"""Share of the content's bytes that must carry a token probability."""

_SENTINEL: Final = -9999.0
"""vLLM's and OpenAI's value for a token whose probability they do not know."""

_ROUNDING: Final = 1e-3
"""A log-probability above zero by no more than this is a rounding error, nats."""

_RESYNC_WINDOW: Final = 256
"""Bytes of content searched for a pair of tokens after rows are missing."""


_SHORTEST_ANCHOR: Final = 4
"""Bytes without surrounding space that such a pair must have, so that it does not match by chance."""

_MOST_CANDIDATES: Final = 64
"""Places looked at where the content's text occurs more than once among the rows."""

_LOGPROB: Final = itemgetter(1)
_UNDECODED: Final = "token_id:"
_ESCAPED: Final = re.compile(rb"\\x([0-9a-f]{2})")
_ID: Final = re.compile(r"token_id:\d{1,10}")
_CONTENT: Final = TokenSpan.CONTENT


class Normalised(NamedTuple):
    """Tokens in the server's order, one per row, and how much of the content they cover."""

    tokens: tuple[Token, ...]
    quality: LogprobQuality


class _Ranked(Sequence[Alternative]):
    """The alternatives of a row, the likeliest first, made when asked for: of most rows nobody asks.

    Raises TypeError or KeyError at once where they are no alternatives.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Sequence[dict[str, Any]]) -> None:
        for item in items:
            item["token"]
        self._items = items

    def _read(self) -> list[Alternative]:
        found = []
        for item in self._items:
            value = item.get("logprob")
            if not (type(value) is float and _SENTINEL < value <= 0.0):
                value = _logprob(value)
                if value is None or isnan(value):
                    continue
            found.append(Alternative(item["token"], value))
        found.sort(key=_LOGPROB, reverse=True)
        return found

    def __iter__(self) -> Iterator[Alternative]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __getitem__(self, index: Any) -> Any:
        return self._read()[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._read() == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self._read()))


class _Row(NamedTuple):
    """One row; `logprob` is None where the server gave none and NaN where its value cannot be true."""

    text: str
    data: bytes
    logprob: float | None
    top: Sequence[Alternative]


class _Place(NamedTuple):
    """Where a row belongs, the character offset at which it begins, the bytes of content it covers."""

    span: TokenSpan
    offset: int | None = None
    covered: int = 0


def normalise(
    choice: JsonObject, content: str, reasoning: str = "", tool_calls: Sequence[ToolCall] = ()
) -> Normalised:
    """Read `choice.logprobs` of a chat completion and align it with the answer's content.

    Quality is `unavailable` where probabilities are missing or cannot be true: sentinels, values that
    are not finite, zeros throughout, token ids in place of text. It is `partial` below FULL_COVERAGE.
    """
    rows = _rows(choice.get("logprobs"))
    if not rows:
        return Normalised((), LogprobQuality.UNAVAILABLE)
    target = content.encode()
    places = _places(rows, target, reasoning.strip().encode(), TokenSpan.TOOL if tool_calls else _CONTENT)
    position = _character_positions(content, target)
    tokens = [
        Token(
            text,
            None if logprob is None or isnan(logprob) else logprob,
            top,
            span,
            None if offset is None else position(offset),
        )
        for (text, _, logprob, top), (span, offset, _) in zip(rows, places, strict=True)
    ]
    return Normalised(tuple(tokens), _quality(rows, places, len(target)))


def unseen_probability(token: Token) -> float:
    """Return an upper bound in [0, 1] on the probability of any one alternative that is not listed.

    It is at most that of the least likely listed one, and at most the mass that the list leaves over.
    The chosen token does not count as listed: servers add it to the list however unlikely it was.
    """
    others = [exp(alternative.logprob) for alternative in token.top if alternative.text != token.text]
    chosen = 0.0 if token.logprob is None else exp(token.logprob)
    return min(max(0.0, 1.0 - chosen - sum(others)), *others, 1.0)


def spells(text: str, data: bytes) -> bool:
    """Whether a token's text is that of its bytes: decoded, escaped as OpenAI writes it, or a token id."""
    if text == data.decode(errors="replace") or _ID.fullmatch(text):
        return True
    escaped = text.removeprefix("bytes:").encode()
    return _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), escaped) == data


def _rows(logprobs: object) -> list[_Row]:
    """Read the rows; none where any of them is malformed, so that nothing is aligned by guesswork."""
    items = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(items, list):
        return []
    try:
        return [_row(item) for item in items]
    except (AttributeError, KeyError, TypeError, ValueError):
        return []


def _row(item: dict[str, Any]) -> _Row:
    text, data = item["token"], item.get("bytes")
    if not isinstance(text, str):
        raise TypeError(type(text))
    encoded = bytes(data) if isinstance(data, list) else text.encode()
    if not spells(text, encoded):
        # Rows are aligned by their bytes, so a text beside them that says something else was never judged.
        text = encoded.decode(errors="replace")
    return _Row(text, encoded, _logprob(item.get("logprob")), _Ranked(item.get("top_logprobs") or ()))


def _logprob(value: object) -> float | None:
    """Return nats, None for a missing value, NaN for one that cannot be a log-probability."""
    if type(value) is float and _SENTINEL < value <= 0.0:
        return value
    if value is None:
        return None
    if not isinstance(value, float | int) or not _SENTINEL < value <= _ROUNDING:
        return nan
    return min(float(value), 0.0)


def _quality(rows: Sequence[_Row], places: Sequence[_Place], size: int) -> LogprobQuality:
    known, values, covered = [], [], 0
    for row, place in zip(rows, places, strict=True):
        if place.covered and row.logprob is not None:
            known.append(row)
            values.append(row.logprob)
            covered += place.covered
    # One NaN makes the sum NaN.
    if not known or isnan(sum(values)) or _zeros(rows, known):
        return LogprobQuality.UNAVAILABLE
    if any(row.text.startswith(_UNDECODED) for row in rows):
        return LogprobQuality.UNAVAILABLE
    return LogprobQuality.FULL if covered >= FULL_COVERAGE * size else LogprobQuality.PARTIAL


def _zeros(rows: Sequence[_Row], known: Sequence[_Row]) -> bool:
    """Whether the content's probabilities are a server's zeros for "not computed".

    One certain token (a letter) is believed if its alternatives or the stop token show a computed value.
    """
    if any(row.logprob != 0.0 for row in known):
        return False
    if len(known) > 1:
        return True
    if len(rows) > 1:
        return all(row.logprob == 0.0 for row in rows)
    return all(alternative.logprob == 0.0 for alternative in known[0].top)


def _places(rows: Sequence[_Row], target: bytes, reasoning: bytes, after: TokenSpan) -> list[_Place]:
    """Say for each row where it belongs; `after` is the span of what follows the content."""
    ends = list(accumulate([len(row.data) for row in rows]))
    joined = b"".join([row.data for row in rows])
    found = joined.find(reasoning) if reasoning else -1
    floor = found + len(reasoning) if found >= 0 else 0
    before = TokenSpan.REASONING if reasoning else _CONTENT
    start = _locate(joined, target, floor, ends)
    if start is None:
        return _resynchronised(rows, ends, target, floor, after)
    size = len(target)
    bounds = [(end - len(row.data) - start, end - start) for row, end in zip(rows, ends, strict=True)]
    return [
        _Place(_CONTENT, begin, end - begin)
        if 0 <= begin < end <= size
        else _place(begin, end, size, before, after)
        for begin, end in bounds
    ]


def _place(begin: int, end: int, size: int, before: TokenSpan, after: TokenSpan) -> _Place:
    """Place the bytes `[begin, end)`, counted from where the content of `size` bytes begins."""
    covered = min(end, size) - max(begin, 0)
    if covered > 0:
        return _Place(_CONTENT, max(begin, 0), covered)
    return _Place(before if end <= 0 else after)


def _locate(joined: bytes, target: bytes, floor: int, ends: Sequence[int]) -> int | None:
    """Find the content in the rows' bytes: the last place on token boundaries, else the last one."""
    if not target:
        return floor
    last = at = joined.rfind(target, floor)
    boundaries = {0, *ends}
    for _ in range(_MOST_CANDIDATES):
        if at < 0:
            break
        if at in boundaries and at + len(target) in boundaries:
            return at
        at = joined.rfind(target, floor, at + len(target) - 1)
    return last if last >= 0 else None


def _resynchronised(
    rows: Sequence[_Row], ends: Sequence[int], target: bytes, floor: int, after: TokenSpan
) -> list[_Place]:
    """Walk through the content row by row, stepping over what rows and content do not share."""
    places = []
    cursor = 0
    followers = [*(row.data for row in rows[1:]), b""]
    for row, end, follower in zip(rows, ends, followers, strict=True):
        if end <= floor:
            places.append(_Place(TokenSpan.REASONING))
            continue
        at = cursor
        if not row.data or not target.startswith(row.data, cursor):
            anchor = row.data + follower
            distinct = follower and len(anchor.strip()) >= _SHORTEST_ANCHOR
            at = target.find(anchor, cursor, cursor + _RESYNC_WINDOW) if distinct else -1
        if at < 0:
            places.append(_Place(after if cursor >= len(target) else _CONTENT))
        else:
            places.append(_Place(_CONTENT, at, len(row.data)))
            cursor = at + len(row.data)
    return places


def _character_positions(content: str, target: bytes) -> Callable[[int], int]:
    """Return what turns a byte offset of the content into that of the character it falls in."""
    if len(content) == len(target):
        return int
    starts = [offset for offset, byte in enumerate(target) if byte & 0xC0 != 0x80]
    return lambda offset: bisect_right(starts, offset) - 1
