from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.assessment import MAX_CLAIMS, Claim, Field
from gatekeeper.claims import read_claims
from gatekeeper.exchange import Answer, Option, Query, ToolCall

QUERY = Query("Which drug is first?", (Option("A", "Epinephrine"), Option("B", "Diphenhydramine")))
OPEN = Query("Which drug is first?")


def _claims(content: str, query: Query = OPEN, **fields: Any) -> tuple[Claim, ...]:
    return read_claims(Answer(0, content, **fields), query, reasoning=True)


def test_sentences_and_list_items_are_claims_with_exact_spans() -> None:
    """Each statement of an answer can be shown in it."""
    content = "Stop metformin for 48 h. Then:\n- check eGFR\n- restart"
    claims = _claims(content)

    assert [claim.text for claim in claims] == ["Stop metformin for 48 h.", "check eGFR", "restart"]
    assert all(content[slice(*claim.span)] == claim.text for claim in claims)
    assert claims[1].context == "Then:"


@pytest.mark.parametrize(
    "content", ["A", "Answer: A", "**A. Epinephrine**", "The correct answer is A.", "A\n"]
)
def test_a_bare_letter_is_the_claim_that_its_option_makes(content: str) -> None:
    """The letter is judged as the option's statement about the stem, and only once."""
    (claim,) = _claims(content, QUERY)

    assert (claim.text, claim.context, claim.option, claim.denied) == (
        "Epinephrine",
        "Which drug is first?",
        "A",
        False,
    )
    assert "A" in content[slice(*claim.span)]


def test_the_reasons_beside_a_letter_are_claims_too() -> None:
    """An explanation is judged beside the letter that it explains."""
    content = "The answer is A because 0.3 mg is given. It works fast."
    choice, reason, second = _claims(content, QUERY)

    assert (choice.option, reason.option, second.text) == ("A", None, "It works fast.")
    assert "0.3 mg" in reason.text


def test_a_letter_with_another_options_words_is_judged_by_both() -> None:
    """A letter whose text is not its option's is not let through on the letter alone."""
    choice, sentence = _claims("A. Diphenhydramine", QUERY)

    assert (choice.text, sentence.text) == ("Epinephrine", "A. Diphenhydramine")


def test_negated_stems_deny_the_option() -> None:
    """Choosing an option of "which is NOT" says that it does not hold."""
    query = Query("Which is NOT given?", QUERY.options, negated=True)
    (claim,) = _claims("B", query)

    assert (claim.text, claim.context, claim.denied) == ("Diphenhydramine", "Which is  given?", True)


@pytest.mark.parametrize(
    ("word", "denied"),
    [("Yes", False), ("No, it is not.", True), ("**No**, it is not.", True), ("**No.** Wait", True)],
)
def test_yes_and_no_claim_what_was_asked(word: str, denied: bool) -> None:
    """A bare yes or no is a claim about the question."""
    claim = _claims(word, Query("A patient has asthma. Is contrast safe?"))[0]

    assert (claim.text, claim.denied) == ("Is contrast safe", denied)


def test_every_value_of_a_tool_call_is_a_claim() -> None:
    """A wrong dose in an order is as wrong as one in prose."""
    arguments = '{"drug": "epinephrine", "dose": {"mg": 0.3}, "repeat": true, "note": null}'
    claims = _claims("", tool_calls=(ToolCall("order_drug", arguments),))

    assert [claim.text for claim in claims] == ["drug: epinephrine", "mg: 0.3", "repeat: true"]
    assert [arguments[slice(*claim.span)] for claim in claims] == ["epinephrine", "0.3", "true"]
    assert {claim.field for claim in claims} == {Field.TOOL_CALL}
    assert claims[1].context == "order drug; drug: epinephrine; repeat: true"


def test_arguments_that_are_no_json_are_one_claim() -> None:
    """What cannot be parsed is judged as it stands, never skipped."""
    (claim,) = _claims("", tool_calls=(ToolCall("order", "{dose: 3 mg"),))

    assert (claim.text, claim.field) == ("{dose: 3 mg", Field.TOOL_CALL)


def test_the_second_tool_call_is_told_from_the_first() -> None:
    """Each call's claims carry its number."""
    calls = (ToolCall("a", '{"x": 1}'), ToolCall("b", '{"x": 2}'))

    assert [claim.call for claim in _claims("", tool_calls=calls)] == [0, 1]


def test_structured_answers_are_read_value_by_value() -> None:
    """An answer in JSON is judged by its values, with their spans."""
    content = '{"plan": ["Stop metformin.", "Check eGFR."], "days": 2}'

    assert [content[slice(*claim.span)] for claim in _claims(content)] == [
        "Stop metformin.",
        "Check eGFR.",
        "2",
    ]


def test_refusals_and_reasoning_are_read() -> None:
    """Nothing that a client would see goes unread; reasoning only where a policy judges it."""
    answer = Answer(0, "Yes.", refusal="I cannot help.", reasoning="It is 3 mg.")
    with_reasoning = read_claims(answer, OPEN, reasoning=True)
    without = read_claims(answer, OPEN, reasoning=False)

    assert [claim.field for claim in with_reasoning] == [Field.CONTENT, Field.REFUSAL, Field.REASONING]
    assert [claim.field for claim in without] == [Field.CONTENT, Field.REFUSAL]


def test_rows_of_a_table_carry_their_heads() -> None:
    """A cell means nothing without the head of its column."""
    content = "| eGFR | Saline |\n|---|---|\n| ≥ 45 | none |"
    claim = _claims(content)[-1]

    assert claim.text == "eGFR ≥ 45, Saline none"
    assert content[slice(*claim.span)] == "| ≥ 45 | none |"


def test_claims_are_bounded() -> None:
    """An endless answer is judged up to a limit, and one claim more says that it went on."""
    assert len(_claims("It is so. " * (MAX_CLAIMS - 1))) == MAX_CLAIMS - 1
    assert len(_claims("It is so. " * 5 * MAX_CLAIMS)) == MAX_CLAIMS + 1


def test_tool_calls_are_bounded_together() -> None:
    """A thousand tool calls are no thousand times the work."""
    calls = tuple(ToolCall("order", orjson.dumps(["yes"] * 100).decode()) for _ in range(1_000))

    assert len(read_claims(Answer(0, "", tool_calls=calls), QUERY, reasoning=True)) == MAX_CLAIMS + 1


@given(content=st.text(max_size=300), negated=st.booleans())
def test_spans_always_lie_in_the_answer(content: str, negated: bool) -> None:
    """Whatever a model writes, each claim points into what it wrote."""
    for claim in _claims(content, Query(QUERY.text, QUERY.options, negated)):
        assert 0 <= claim.span.start < claim.span.end <= len(content)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=10),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=6), children, max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=6), json_values, max_size=4))
def test_values_of_tool_calls_slice_to_themselves(value: dict[str, Any]) -> None:
    """Whatever a tool is called with, each value's span leads back to it."""
    arguments = orjson.dumps(value).decode()
    for claim in _claims("", tool_calls=(ToolCall("tool", arguments),)):
        raw = arguments[slice(*claim.span)]
        assert raw
        assert '"' not in raw.replace('\\"', "")


@pytest.mark.parametrize(
    "content",
    [
        "**Adenosine**",
        "**Contraindicated**\n- eGFR is 20",
        "**Left ureter**",
        "**Diagnosis: pneumothorax**\n- seen",
        "MRI:",
    ],
)
def test_what_may_be_the_answer_is_no_label(content: str) -> None:
    """A bold word that answers the question is judged like any other."""
    assert _claims(content)[0].span.start <= 2
    assert _claims(content)[0].text.rstrip(":") in content


def test_labels_make_no_claim() -> None:
    """What only names the list below it, or opens what follows, is nothing to confirm."""
    found = [
        claim.text for claim in _claims("**Next steps**\n- repeat CT\n\nFurther imaging:\nnone is needed")
    ]
    assert found == ["repeat CT", "none is needed"]
