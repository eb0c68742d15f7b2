"""An answer as claims: what is checked, and where in the answer it stands."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.assessment import Claim, Field
from gatekeeper.claims import read_claims
from gatekeeper.claims.answer import MAX_CLAIMS
from gatekeeper.exchange import Answer, Option, Query, Span, ToolCall

OPEN = Query("How long is metformin withheld?")
CHOICE = Query("How long is metformin withheld?", (Option("A", "24 hours"), Option("B", "48 hours")))


def claims(content: str, query: Query = OPEN) -> tuple[Claim, ...]:
    """Return the claims of an answer's content."""
    return read_claims(Answer(0, content), query, reasoning=False)


def where(content: str, claim: Claim) -> str:
    """Return the characters that a claim covers."""
    return content[slice(*claim.span)]


def test_every_sentence_is_a_claim() -> None:
    """Each sentence is judged, and can be marked in the answer."""
    content = "Withhold metformin. Resume after 48 h."
    found = claims(content)
    assert [claim.text for claim in found] == ["Withhold metformin.", "Resume after 48 h."]
    assert [where(content, claim) for claim in found] == [claim.text for claim in found]


def test_list_items_are_read_with_what_opens_them() -> None:
    """An item of a list means what the sentence above it says of it."""
    found = claims("Withhold:\n- metformin\n- NSAIDs")
    assert [(claim.text, claim.context) for claim in found] == [
        ("Withhold:", ""),
        ("metformin", "Withhold:"),
        ("NSAIDs", "Withhold:"),
    ]


def test_rows_of_a_table_are_read_with_their_columns() -> None:
    """A row is a statement only with the heads of its columns; the mark covers the row."""
    content = "| eGFR | Prophylaxis |\n|---|---|\n| ≥ 45 | none |\n| < 30 | saline |"
    rows = claims(content)[-2:]
    assert [row.text for row in rows] == ["eGFR ≥ 45, Prophylaxis none", "eGFR < 30, Prophylaxis saline"]
    assert [where(content, row) for row in rows] == ["| ≥ 45 | none |", "| < 30 | saline |"]


@pytest.mark.parametrize("content", ["", "  \n", "…", "---", "?!"])
def test_an_answer_without_words_claims_nothing(content: str) -> None:
    """White space and marks are no statement."""
    assert claims(content) == ()


def test_a_letter_claims_its_option() -> None:
    """A bare letter is judged as the option that it stands for, read with the question."""
    assert claims("B", CHOICE) == (Claim("48 hours", Span(0, 1), context=CHOICE.text, option="B"),)


@pytest.mark.parametrize(
    "content", ["B. 48 hours", "**B. 48 hours**", "The correct answer is B.", "Answer: B"]
)
def test_repeating_the_option_is_no_second_claim(content: str) -> None:
    """A declaration with the option's own text is judged once."""
    assert [claim.option for claim in claims(content, CHOICE)] == ["B"]


def test_the_reasons_for_a_letter_are_claims_too() -> None:
    """A right letter with a wrong reason does not pass unseen."""
    content = "B. 48 hours\n\nMetformin is withheld for 24 hours."
    found = claims(content, CHOICE)
    assert [(claim.option, claim.text) for claim in found] == [
        ("B", "48 hours"),
        (None, "Metformin is withheld for 24 hours."),
    ]


def test_a_reason_beside_the_letter_is_a_claim() -> None:
    """What goes on after the letter in its own sentence is judged as well."""
    content = "The answer is B because metformin is withheld for 24 hours."
    assert content in [claim.text for claim in claims(content, CHOICE)]


def test_an_option_of_a_negated_stem_is_denied() -> None:
    """Under EXCEPT, choosing an option says that the option does not hold."""
    query = Query("Metformin is withheld in all cases EXCEPT:", CHOICE.options, negated=True)
    (claim,) = claims("B", query)
    assert claim.denied
    assert claim.context == "Metformin is withheld in all cases:"


@pytest.mark.parametrize(("content", "denied"), [("Yes.", False), ("No.", True), ("no", True)])
def test_yes_and_no_claim_the_question(content: str, denied: bool) -> None:
    """A bare "no" is judged as the denial of what was asked."""
    query = Query("The eGFR is 25. Is contrast safe?")
    first = claims(content, query)[0]
    assert (first.text, first.denied) == ("Is contrast safe", denied)
    assert where(content, first).lower() in {"yes", "no"}


@pytest.mark.parametrize(
    ("content", "question"),
    [
        ("No contrast is given.", "Is contrast safe?"),
        ("Not always.", "Is contrast safe?"),
        ("No.", "Which contrast is safe?"),
        ("Yes.", "Tell me about contrast."),
    ],
)
def test_other_sentences_with_no_are_plain_claims(content: str, question: str) -> None:
    """Only an answer of yes or no to a question that asks for one takes the question over."""
    assert [claim.text for claim in claims(content, Query(question))] == [content]


def test_values_of_a_json_answer_are_claims() -> None:
    """Structured output is judged value by value, each with its key and its place."""
    content = '{"drug": "epinephrine", "dose_mg": 0.3, "givenIM": true, "route": null, "note": " "}'
    found = claims(content)
    assert [claim.text for claim in found] == ["drug: epinephrine", "dose mg: 0.3", "given IM: true"]
    assert [where(content, claim) for claim in found] == ["epinephrine", "0.3", "true"]


def test_a_letter_in_json_is_judged_with_its_reason() -> None:
    """`{"answer": "B"}` claims the option once; other values stay claims."""
    found = claims('{"answer": "B", "why": "withheld for 24 hours"}', CHOICE)
    assert [(claim.option, claim.text) for claim in found] == [
        ("B", "48 hours"),
        (None, "why: withheld for 24 hours"),
    ]


def test_broken_json_is_read_as_text() -> None:
    """An answer that only begins like JSON is judged all the same."""
    assert [claim.text for claim in claims('{"dose": 0.3 mg')] == ['{"dose": 0.3 mg']


def test_arguments_of_tool_calls_are_claims() -> None:
    """A wrong dose in a tool call is judged like one in the text, with the call it stands in."""
    calls = (ToolCall("order_drug", '{"drug": "epinephrine", "dose": "3 mg"}'), ToolCall("page", "now"))
    found = read_claims(Answer(0, "", tool_calls=calls), OPEN, reasoning=False)
    assert [(claim.text, claim.field, claim.call) for claim in found] == [
        ("drug: epinephrine", Field.TOOL_CALL, 0),
        ("dose: 3 mg", Field.TOOL_CALL, 0),
        ("now", Field.TOOL_CALL, 1),
    ]
    assert calls[0].arguments[slice(*found[1].span)] == "3 mg"
    assert found[1].context == "order drug; drug: epinephrine"


def test_refusal_and_reasoning_come_last() -> None:
    """Fields other than the content are judged and named; reasoning only where it is wanted."""
    answer = Answer(0, "Scan.", refusal="I cannot say.", reasoning="Saline first.")
    fields = [claim.field for claim in read_claims(answer, OPEN, reasoning=True)]
    assert fields == [Field.CONTENT, Field.REFUSAL, Field.REASONING]
    assert Field.REASONING not in {claim.field for claim in read_claims(answer, OPEN, reasoning=False)}


def test_the_number_of_claims_is_bounded() -> None:
    """An endless answer cannot make judging endless."""
    content = "Withhold metformin now. " * (MAX_CLAIMS + 50)
    assert len(claims(content)) == MAX_CLAIMS


def test_a_tool_call_of_many_values_is_bounded() -> None:
    """A huge argument object is bounded too."""
    arguments = orjson.dumps([str(number) for number in range(2 * MAX_CLAIMS)]).decode()
    answer = Answer(0, "", tool_calls=(ToolCall("order", arguments),))
    assert len(read_claims(answer, OPEN, reasoning=False)) == MAX_CLAIMS


PIECES = [
    "Yes",
    "No",
    ", ",
    "B",
    "Answer: ",
    "48 h",
    ". ",
    "\n",
    "- ",
    "| ",
    "|---|",
    '{"a": ',
    '"b"',
    "}",
    "]",
]
CONTENT = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=24).map("".join)
QUERIES = st.sampled_from([OPEN, CHOICE, Query("Is contrast safe?"), Query("NOT?", CHOICE.options, True)])


@given(CONTENT, QUERIES)
def test_spans_of_any_answer_lie_within_it(content: str, query: Query) -> None:
    """Whatever a model writes, every claim can be marked in the answer by its span."""
    for claim in claims(content, query):
        assert 0 <= claim.span.start < claim.span.end <= len(content)
        assert claim.text.strip()


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_tool_call_is_read(name: str, arguments: str) -> None:
    """Arguments that are no JSON are judged as text, and nothing breaks."""
    answer = Answer(0, "", tool_calls=(ToolCall(name, arguments),))
    for claim in read_claims(answer, OPEN, reasoning=False):
        assert 0 <= claim.span.start < claim.span.end <= len(arguments)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
)


@given(st.dictionaries(st.text(max_size=6), JSON, max_size=4))
def test_every_text_in_a_json_answer_is_claimed(value: dict[str, object]) -> None:
    """No string of structured output goes unjudged, however deep it stands."""
    content = orjson.dumps(value).decode()
    said = [claim.text for claim in claims(content)]
    for text in texts(value):
        assert any(claim.endswith(text) for claim in said)


def texts(value: object) -> list[str]:
    """Return all strings of a JSON value that hold more than white space."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) and value.strip() else []
