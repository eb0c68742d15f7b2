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

_MADE: Final = tuple.__new__
"""Makes a named tuple in a quarter of the time that its own constructor takes; there are hundreds here."""

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
        found: list[Alternative] = []
        for item in self._items:
            value = _logprob(item.get("logprob"))
            if value is not None and not isnan(value):
                found.append(_MADE(Alternative, (item["token"], value)))
        found.sort(key=_LOGPROB, reverse=True)
        return found

    def logprobs(self) -> list[float]:
        """Return the log-probabilities alone, the highest first."""
        found: list[float] = []
        for item in self._items:
            value = item.get("logprob")
            if type(value) is not float or not _SENTINEL < value <= 0.0:  # as hardly any is
                value = _logprob(value)
            if value is not None and value <= 0.0:  # no NaN
                found.append(value)
        found.sort(reverse=True)
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


class _Rows(NamedTuple):
    """The rows, column by column: an object for each row would cost more than what is asked of it.

    A log-probability is None where the server gave none and NaN where its value cannot be true.
    """

    texts: list[str]
    data: list[bytes]
    logprobs: list[float | None]
    tops: list[Sequence[Alternative]]


_Place = tuple[TokenSpan, int | None, int]
"""Where a row belongs, the byte of the content at which it begins, the bytes of content it covers."""


def normalise(
    choice: JsonObject, content: str, reasoning: str = "", tool_calls: Sequence[ToolCall] = ()
) -> Normalised:
    """Read `choice.logprobs` of a chat completion and align it with the answer's content.

    Quality is `unavailable` where probabilities are missing or cannot be true: sentinels, values that
    are not finite, zeros throughout, token ids in place of text. It is `partial` below FULL_COVERAGE.
    """
    rows = _rows(choice.get("logprobs"))
    if rows is None:
        return Normalised((), LogprobQuality.UNAVAILABLE)
    target = content.encode()
    after = TokenSpan.TOOL if tool_calls else _CONTENT
    places = _places(rows.data, target, reasoning.strip().encode(), after)
    position = _character_positions(content, target)
    tokens = [
        _MADE(
            Token,
            (
                text,
                None if logprob is None or isnan(logprob) else logprob,
                top,
                span,
                None if offset is None else position(offset),
            ),
        )
        for text, logprob, top, (span, offset, _) in zip(
            rows.texts, rows.logprobs, rows.tops, places, strict=True
        )
    ]
    return Normalised(tuple(tokens), _quality(rows, places, len(target)))


def logprobs_of(alternatives: Sequence[Alternative]) -> list[float]:
    """Return the log-probabilities of a row's alternatives, in their order."""
    if isinstance(alternatives, _Ranked):
        return alternatives.logprobs()
    return [alternative.logprob for alternative in alternatives]


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


def _rows(logprobs: object) -> _Rows | None:
    """Read the rows; None without any, or where one is malformed, so that nothing is aligned by guesswork."""
    items = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(items, list) or not items:
        return None
    try:
        spelt = [_spelt(item) for item in items]
        return _Rows(
            [text for text, _ in spelt],
            [data for _, data in spelt],
            [_logprob(item.get("logprob")) for item in items],
            [_Ranked(item.get("top_logprobs") or ()) for item in items],
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _spelt(item: dict[str, Any]) -> tuple[str, bytes]:
    """Return a row's text and its bytes, which are those of its text where the server does not list them."""
    text, data = item["token"], item.get("bytes")
    if not isinstance(text, str):
        raise TypeError(type(text))
    own = text.encode()
    encoded = bytes(data) if isinstance(data, list) else own
    if encoded != own and not spells(text, encoded):
        # Rows are aligned by their bytes, so a text beside them that says something else was never judged.
        text = encoded.decode(errors="replace")
    return text, encoded


def _logprob(value: object) -> float | None:
    """Return nats, None for a missing value, NaN for one that cannot be a log-probability."""
    if type(value) is float and _SENTINEL < value <= 0.0:
        return value
    if value is None:
        return None
    if not isinstance(value, float | int) or not _SENTINEL < value <= _ROUNDING:
        return nan
    return min(float(value), 0.0)


def _quality(rows: _Rows, places: Sequence[_Place], size: int) -> LogprobQuality:
    values: list[float] = []
    covered = 0
    for logprob, (_, _, own) in zip(rows.logprobs, places, strict=True):
        if own and logprob is not None:
            values.append(logprob)
            covered += own
    # One NaN makes the sum NaN.
    if not values or isnan(sum(values)) or _zeros(rows, values):
        return LogprobQuality.UNAVAILABLE
    if _UNDECODED in "".join(rows.texts) and any(text.startswith(_UNDECODED) for text in rows.texts):
        return LogprobQuality.UNAVAILABLE
    return LogprobQuality.FULL if covered >= FULL_COVERAGE * size else LogprobQuality.PARTIAL


def _zeros(rows: _Rows, known: Sequence[float]) -> bool:
    """Whether the content's probabilities, `known`, are a server's zeros for "not computed".

    One certain token (a letter) is believed if its alternatives or the stop token show a computed value.
    """
    if any(known):
        return False
    if len(known) > 1:
        return True
    if len(rows.logprobs) > 1:
        return all(logprob == 0.0 for logprob in rows.logprobs)
    return all(alternative.logprob == 0.0 for alternative in rows.tops[0])


def _places(data: Sequence[bytes], target: bytes, reasoning: bytes, after: TokenSpan) -> list[_Place]:
    """Say where each row, given as its bytes, belongs; `after` is the span of what follows the content."""
    sizes = list(map(len, data))
    ends = list(accumulate(sizes))
    joined = b"".join(data)
    found = joined.find(reasoning) if reasoning else -1
    floor = found + len(reasoning) if found >= 0 else 0
    before = TokenSpan.REASONING if reasoning else _CONTENT
    start = _locate(joined, target, floor, ends)
    if start is None:
        return _resynchronised(data, ends, target, floor, after)
    size = len(target)
    return [
        (_CONTENT, end - length - start, length)
        if length and start <= end - length and end - start <= size
        else _place(row, end - start, size, before, after)
        for row, length, end in zip(data, sizes, ends, strict=True)
    ]


def _place(row: bytes, end: int, size: int, before: TokenSpan, after: TokenSpan) -> _Place:
    """Place a row that ends at a byte, counted from where the content of `size` bytes begins.

    One that says more than the content has no place in it; servers strip no more than white space.
    """
    begin = end - len(row)
    covered = min(end, size) - max(begin, 0)
    if covered > 0:
        beside = row[: max(-begin, 0)] + row[size - begin :]
        return (_CONTENT, None if beside.decode(errors="replace").strip() else max(begin, 0), covered)
    return (before if end <= 0 else after, None, 0)


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
    data: Sequence[bytes], ends: Sequence[int], target: bytes, floor: int, after: TokenSpan
) -> list[_Place]:
    """Walk through the content row by row, stepping over what rows and content do not share."""
    places: list[_Place] = []
    cursor = 0
    for own, end, follower in zip(data, ends, [*data[1:], b""], strict=True):
        if end <= floor:
            places.append((TokenSpan.REASONING, None, 0))
            continue
        at = cursor
        if not own or not target.startswith(own, cursor):
            anchor = own + follower
            distinct = follower and len(anchor.strip()) >= _SHORTEST_ANCHOR
            at = target.find(anchor, cursor, cursor + _RESYNC_WINDOW) if distinct else -1
        if at < 0:
            places.append((after if cursor >= len(target) else _CONTENT, None, 0))
        else:
            places.append((_CONTENT, at, len(own)))
            cursor = at + len(own)
    return places


def _character_positions(content: str, target: bytes) -> Callable[[int], int]:
    """Return what turns a byte offset of the content into that of the character it falls in."""
    if len(content) == len(target):
        return int
    starts = [offset for offset, byte in enumerate(target) if byte & 0xC0 != 0x80]
    return lambda offset: bisect_right(starts, offset) - 1
