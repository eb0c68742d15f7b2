"""Token probabilities are aligned with the answer's text, and never trusted without reason."""

from math import inf, log, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.exchange import Alternative, LogprobQuality, Token, TokenSpan, ToolCall
from gatekeeper.wire.logprobs import normalise, unseen_probability
from tests.wire.strategies import rows_of, words

FULL, PARTIAL, UNAVAILABLE = LogprobQuality.FULL, LogprobQuality.PARTIAL, LogprobQuality.UNAVAILABLE


def _row(token: str, logprob: Any = -0.5, top: list[tuple[str, float]] | None = None) -> dict[str, Any]:
    candidates = [{"token": text, "logprob": value} for text, value in top or []]
    return {"token": token, "logprob": logprob, "top_logprobs": candidates}


def _choice(*rows: Any) -> dict[str, Any]:
    return {"logprobs": {"content": list(rows)}}


def _offsets(content: str, *tokens: str, reasoning: str = "") -> list[int | None]:
    return [token.offset for token in normalise(_choice(*map(_row, tokens)), content, reasoning).tokens]


@given(words.flatmap(lambda content: st.tuples(st.just(content), rows_of(content))))
def test_every_byte_finds_its_character(drawn: tuple[str, list[dict[str, Any]]]) -> None:
    """However a text is cut into tokens, each begins at the character that holds its first byte."""
    content, rows = drawn
    tokens, quality = normalise(_choice(*rows), content)
    assert quality is FULL
    starts, position = [], 0
    for row in rows:
        starts.append(len(content.encode()[:position].decode(errors="ignore")))
        position += len(row["bytes"])
    assert [token.offset for token in tokens] == starts


@given(st.text(max_size=30), st.text(max_size=30), st.lists(st.text(max_size=6), max_size=12))
def test_offsets_stay_inside_the_content(content: str, reasoning: str, tokens: list[str]) -> None:
    """Rows that have nothing to do with the answer never point outside it."""
    normalised = normalise(_choice(*map(_row, tokens)), content, reasoning)
    assert len(normalised.tokens) == len(tokens)
    assert all(token.offset is None or 0 <= token.offset < len(content) for token in normalised.tokens)


@given(
    st.recursive(
        st.none() | st.text(max_size=3) | st.floats(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(st.sampled_from(["content", "token", "logprob", "bytes", "top_logprobs"]), x)
        ),
        max_leaves=12,
    )
)
def test_malformed_rows_are_no_rows(logprobs: Any) -> None:
    """A shape that no server documents gives no confidence and no crash."""
    assert normalise({"logprobs": logprobs}, "Left").quality in LogprobQuality


def test_content_is_found_after_the_reasoning() -> None:
    """The letter of the answer is not taken from the thoughts before it."""
    assert _offsets("B", "A", " or", " B", "</think>", "B", "<eos>", reasoning="A or B") == [
        None,
        None,
        None,
        None,
        0,
        None,
    ]


def test_hidden_reasoning_is_not_content() -> None:
    """Where a server hides the thoughts but counts their rows, the answer's own row is found."""
    assert _offsets("B", "B", " it", " is", "<|END|>", "B", "<|B_END|>") == [None, None, None, None, 0, None]
    assert _offsets("B", "B", "</B") == [0, None]


def test_stripped_white_space_is_bridged() -> None:
    """A server that strips the content still has its first token aligned."""
    assert _offsets("Left side", " Left", " side", "\n") == [0, 4, None]


def test_alignment_resumes_after_missing_rows() -> None:
    """Rows after a gap are aligned again and the gap counts as uncovered."""
    rows = [_row(text) for text in ("Hold", " metformin", " after", " contrast")]
    tokens, quality = normalise(_choice(*rows), "Hold metformin for 48 hours after contrast")
    assert [token.offset for token in tokens] == [0, 4, 27, 33]
    assert quality is PARTIAL


def test_tool_tokens_have_their_own_span() -> None:
    """Rows after the content belong to the tool call where there is one."""
    rows = [_row("See."), _row("{"), _row("}")]
    tokens, _ = normalise(_choice(*rows), "See.", "", (ToolCall("f", "{}"),))
    assert [token.span for token in tokens] == [TokenSpan.CONTENT, TokenSpan.TOOL, TokenSpan.TOOL]


def test_answer_without_text_has_no_confidence() -> None:
    """A bare tool call is never scored as if its text were certain."""
    rows = [_row("{"), _row("}")]
    assert normalise(_choice(*rows), "", "", (ToolCall("f", "{}"),)).quality is UNAVAILABLE


@pytest.mark.parametrize("value", [-9999.0, -9999, -10_000.0, nan, -inf, inf, 0.5])
def test_untrue_values_make_confidence_unavailable(value: Any) -> None:
    """One impossible value in the answer and none of its probabilities are used."""
    tokens, quality = normalise(_choice(_row("Left"), _row(" side", value)), "Left side")
    assert quality is UNAVAILABLE
    assert [token.logprob for token in tokens] == [-0.5, None]


def test_untrue_values_outside_the_answer_do_no_harm() -> None:
    """A sentinel on the stop token says nothing about the answer."""
    rows = [_row("Left"), _row("<eos>", -9999.0)]
    assert normalise(_choice(*rows), "Left").quality is FULL


def test_zeros_throughout_are_no_certainty() -> None:
    """Zeros for every token mean that nothing was computed."""
    rows = [_row("Left", 0.0, [("Left", 0.0)]), _row(" side", 0.0, [("Left", 0.0)])]
    assert normalise(_choice(*rows), "Left side").quality is UNAVAILABLE


def test_one_zero_needs_a_witness() -> None:
    """A single certain letter is believed only where another value shows that the server computes."""
    assert normalise(_choice(_row("B", 0.0)), "B").quality is UNAVAILABLE
    assert normalise(_choice(_row("B", 0.0), _row("<eos>", 0.0)), "B").quality is UNAVAILABLE
    assert normalise(_choice(_row("B", 0.0), _row("<eos>", -0.01)), "B").quality is FULL
    assert normalise(_choice(_row("B", 0.0, [("B", 0.0), ("A", -18.0)])), "B").quality is FULL


def test_token_ids_are_no_text() -> None:
    """Ids in place of tokens cannot be aligned."""
    rows = [_row("token_id:35"), _row("token_id:7")]
    assert normalise(_choice(*rows), "token_id:35token_id:7").quality is UNAVAILABLE


def test_coverage_of_95_percent_is_full() -> None:
    """Up to one byte in twenty may lack its probability."""
    rows = [_row("x" * 19), _row("y", None)]
    assert normalise(_choice(*rows), "x" * 19 + "y").quality is FULL
    rows = [_row("x" * 18), _row("y", None)]
    assert normalise(_choice(*rows), "x" * 18 + "y").quality is PARTIAL


def test_alternatives_come_likeliest_first() -> None:
    """Servers differ in order; unknown values among the alternatives are left out."""
    row = _row("B", -1.0, [("B", -1.0), ("A", -0.5), ("C", -9999.0)])
    (token,) = normalise(_choice(row), "B").tokens
    assert token.top == (Alternative("A", -0.5), Alternative("B", -1.0))


@pytest.mark.parametrize("alternative", [{"logprob": -1.0}, "B", ["B", -1.0], None])
def test_one_malformed_alternative_makes_all_rows_malformed(alternative: Any) -> None:
    """A list of alternatives that is none is noticed at once, not when its token turns out critical."""
    rows = [_row("A", -0.1, [("A", -0.1)]), {**_row("B"), "top_logprobs": [alternative]}]
    assert normalise(_choice(*rows), "AB") == ((), UNAVAILABLE)


@pytest.mark.parametrize("row", [{**_row("B"), "token": None}, _row("B", "certain"), _row("B", True), "B"])
def test_one_malformed_row_makes_all_rows_malformed(row: Any) -> None:
    """What is no token with a number is a server's mistake, and nothing beside it is believed."""
    assert normalise(_choice(_row("A"), row), "AB") == ((), UNAVAILABLE)


def test_rounding_above_zero_is_certainty() -> None:
    """A log-probability a hair above zero is a rounding error, not an impossible value."""
    (token,) = normalise(_choice(_row("B", 1e-6, [("B", 1e-6), ("A", -14.0)])), "B").tokens
    assert token.logprob == 0.0


def test_unseen_alternatives_are_bounded_by_the_least_listed() -> None:
    """What is not among the top k is at most as likely as the k-th, and never counted as zero."""
    token = Token(
        "B", log(0.5), (Alternative("B", log(0.5)), Alternative("A", log(0.2)), Alternative("C", log(0.1)))
    )
    assert unseen_probability(token) == pytest.approx(0.1)


def test_unseen_alternatives_are_bounded_by_what_is_left() -> None:
    """Where the list leaves little over, no unseen alternative can have more."""
    token = Token("B", log(0.7), (Alternative("B", log(0.7)), Alternative("A", log(0.25))))
    assert unseen_probability(token) == pytest.approx(0.05)


def test_an_unlikely_chosen_token_bounds_nothing() -> None:
    """A sampled token that a server appends to its list may be less likely than unlisted ones."""
    token = Token(
        "Z",
        log(0.001),
        (Alternative("A", log(0.4)), Alternative("B", log(0.3)), Alternative("Z", log(0.001))),
    )
    assert unseen_probability(token) == pytest.approx(0.299)


def test_nothing_known_bounds_nothing() -> None:
    """Without any value an alternative may have all the probability."""
    assert unseen_probability(Token("B", None)) == 1.0


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=8), st.floats(0.0, 1.0))
def test_the_bound_holds_for_every_distribution(weights: list[float], cut: float) -> None:
    """For any distribution and any k, the largest unlisted probability is within the bound."""
    total = sum(weights)
    likeliest = sorted((weight / total for weight in weights), reverse=True)
    listed = max(1, int(cut * len(likeliest)))
    top = tuple(Alternative(str(at), log(value)) for at, value in enumerate(likeliest[:listed]))
    bound = unseen_probability(Token("0", log(likeliest[0]), top))
    assert max(likeliest[listed:], default=0.0) <= bound + 1e-9
    assert 0.0 <= bound <= 1.0
