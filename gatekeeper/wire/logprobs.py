"""Token probabilities of every server, brought to one form: tokens aligned with the answer's text.

Servers count reasoning, tool call and stop tokens among the rows, strip whitespace from the content and
split characters over tokens, so rows are aligned by their bytes and never by their position.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import exp, isnan, nan
from operator import itemgetter
from typing import Any, Final, NamedTuple, final

from gatekeeper.exchange import Alternative, JsonObject, LogprobQuality, Token, TokenSpan, ToolCall
from gatekeeper.wire.rows import Candidate, Row, rows_of

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
    """The alternatives of a row, the likeliest first, made when asked for: of most rows nobody asks."""

    __slots__ = ("_listed",)

    def __init__(self, listed: list[Candidate]) -> None:
        self._listed = listed

    def _read(self) -> list[Alternative]:
        found: list[Alternative] = []
        for one in self._listed:
            value = _logprob(one.logprob)
            if value is not None and not isnan(value):
                found.append(Alternative(one.token, value))
        found.sort(key=_LOGPROB, reverse=True)
        return found

    def logprobs(self) -> list[float]:
        """Return the log-probabilities alone, the highest first."""
        found: list[float] = []
        last, ordered = 0.0, True
        for one in self._listed:
            value = _logprob(one.logprob)
            if value is not None and value <= 0.0:  # no NaN
                ordered = ordered and value <= last
                last = value
                found.append(value)
        if not ordered:
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


@final
class _Placed:
    """A row and its place: the content's byte at which it begins, None outside it, and how many it covers.

    `logprob` is None where the server gave none and NaN where its value cannot be true. Raises TypeError
    or ValueError where the row's bytes are none.
    """

    __slots__ = ("covered", "data", "logprob", "span", "start", "text", "top")

    span: TokenSpan
    start: int | None
    covered: int

    def __init__(self, row: Row) -> None:
        text, listed = row.token, row.bytes
        data = text.encode()
        if isinstance(listed, list):
            own, data = data, bytes(listed)
            if data != own and not spells(text, data):
                # Rows are aligned by bytes, so a text beside them that says something else was never judged.
                text = data.decode(errors="replace")
        self.text = text
        self.data = data
        self.logprob = _logprob(row.logprob)
        self.top = _Ranked(row.top_logprobs or [])

    def place(self, span: TokenSpan, start: int | None = None, covered: int = 0) -> None:
        """Say where the row belongs."""
        self.span = span
        self.start = start
        self.covered = covered


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
    _align(rows, target, reasoning.strip().encode(), after)
    starts = _character_starts(content, target)
    tokens = [
        Token(
            row.text,
            None if row.logprob is None or isnan(row.logprob) else row.logprob,
            row.top,
            row.span,
            row.start if row.start is None or starts is None else bisect_right(starts, row.start) - 1,
        )
        for row in rows
    ]
    return Normalised(tuple(tokens), _quality(rows, len(target)))


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


def _rows(logprobs: object) -> list[_Placed] | None:
    """Read the rows; None without any, or where one is malformed, so that nothing is aligned by guesswork."""
    try:
        return [_Placed(row) for row in rows_of(logprobs)] or None
    except (TypeError, ValueError, RecursionError):
        return None


def _logprob(value: float | None) -> float | None:
    """Return nats, None for a missing value, NaN for one that cannot be a log-probability."""
    if value is None or _SENTINEL < value <= 0.0:
        return value
    return min(value, 0.0) if _SENTINEL < value <= _ROUNDING else nan


def _quality(rows: Sequence[_Placed], size: int) -> LogprobQuality:
    known = covered = 0
    total = 0.0
    for row in rows:
        if row.text.startswith(_UNDECODED):
            return LogprobQuality.UNAVAILABLE
        if row.covered and row.logprob is not None:
            known += 1
            total += row.logprob
            covered += row.covered
    # One NaN makes the sum NaN, and none of its parts is above zero.
    if not known or isnan(total) or (total == 0.0 and _uncomputed(rows, known)):
        return LogprobQuality.UNAVAILABLE
    return LogprobQuality.FULL if covered >= FULL_COVERAGE * size else LogprobQuality.PARTIAL


def _uncomputed(rows: Sequence[_Placed], known: int) -> bool:
    """Whether the content's probabilities, `known` zeros, are a server's for "not computed".

    One certain token (a letter) is believed if its alternatives or the stop token show a computed value.
    """
    if known > 1:
        return True
    if len(rows) > 1:
        return all(row.logprob == 0.0 for row in rows)
    return all(alternative.logprob == 0.0 for alternative in rows[0].top)


def _align(rows: Sequence[_Placed], target: bytes, reasoning: bytes, after: TokenSpan) -> None:
    """Give each row its place; `after` is the span of what follows the content."""
    joined = b"".join([row.data for row in rows])
    found = joined.find(reasoning) if reasoning else -1
    floor = found + len(reasoning) if found >= 0 else 0
    before = TokenSpan.REASONING if reasoning else _CONTENT
    start = _locate(joined, target, floor, rows)
    if start is None:
        _resynchronise(rows, target, floor, after)
        return
    size, end = len(target), -start
    for row in rows:
        begin = end
        end += len(row.data)
        if 0 <= begin < end <= size:
            row.place(_CONTENT, begin, end - begin)
            continue
        covered = min(end, size) - max(begin, 0)
        if covered > 0:
            # One that says more than the content has no place in it; servers strip no more than white space.
            beside = row.data[: max(-begin, 0)] + row.data[size - begin :]
            row.place(_CONTENT, None if beside.decode(errors="replace").strip() else max(begin, 0), covered)
        else:
            row.place(before if end <= 0 else after)


def _locate(joined: bytes, target: bytes, floor: int, rows: Sequence[_Placed]) -> int | None:
    """Find the content in the rows' bytes: the last place on token boundaries, else the last one."""
    if not target or (joined == target and not floor):
        return floor
    last = at = joined.rfind(target, floor)
    boundaries = {0, *accumulate([len(row.data) for row in rows])}
    for _ in range(_MOST_CANDIDATES):
        if at < 0:
            break
        if at in boundaries and at + len(target) in boundaries:
            return at
        at = joined.rfind(target, floor, at + len(target) - 1)
    return last if last >= 0 else None


def _resynchronise(rows: Sequence[_Placed], target: bytes, floor: int, after: TokenSpan) -> None:
    """Walk through the content row by row, stepping over what rows and content do not share."""
    cursor = end = 0
    followers = [*(row.data for row in rows[1:]), b""]
    for row, follower in zip(rows, followers, strict=True):
        own, at = row.data, cursor
        end += len(own)
        if end <= floor:
            row.place(TokenSpan.REASONING)
            continue
        if not own or not target.startswith(own, cursor):
            anchor = own + follower
            distinct = follower and len(anchor.strip()) >= _SHORTEST_ANCHOR
            at = target.find(anchor, cursor, cursor + _RESYNC_WINDOW) if distinct else -1
        if at < 0:
            row.place(after if cursor >= len(target) else _CONTENT)
        else:
            row.place(_CONTENT, at, len(own))
            cursor = at + len(own)


def _character_starts(content: str, target: bytes) -> list[int] | None:
    """Return the byte at which each character begins, None where every character is one byte."""
    if len(content) == len(target):
        return None
    return [offset for offset, byte in enumerate(target) if byte & 0xC0 != 0x80]
