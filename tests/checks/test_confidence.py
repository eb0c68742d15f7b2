from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.checks import Confidence
from gatekeeper.exchange import Alternative, Answer, LogprobQuality, Token, TokenSpan
from tests.checks.subjects import answered, ask, signals

QUESTION = "Which side?\nA. Left\nB. Right\nC. Both\nD. Neither"


def _answer(*tokens: tuple[str, float], quality: LogprobQuality = LogprobQuality.FULL) -> Answer:
    """Return an answer of tokens with their probabilities."""
    content, read = "", []
    for text, probability in tokens:
        read.append(
            Token(text, log(probability), (Alternative(text, log(probability)),), offset=len(content))
        )
        content += text
    return Answer(0, content, tuple(read), quality)


def _letter(top: dict[str, float], chosen: str) -> Answer:
    alternatives = tuple(Alternative(text, log(probability)) for text, probability in top.items())
    token = Token(chosen, log(top[chosen]), alternatives, offset=0)
    return Answer(0, chosen, (token,), LogprobQuality.FULL)


def test_the_option_is_weighed_against_the_other_letters() -> None:
    """P(B) is shared among the question's letters only, in all their spellings."""
    found = signals(
        Confidence(),
        answered(
            ask(QUESTION), _letter({"B": 0.5, "A": 0.2, " B": 0.1, "C": 0.06, "D": 0.04, "The": 0.1}, "B")
        ),
    )

    assert found["confidence.option"] == pytest.approx(0.6 / 0.9)
    assert found["confidence.raw"] == found["confidence.option"]


def test_unseen_letters_count_as_the_rarest_alternative() -> None:
    """A letter that the server did not list lowers the confidence; it is never taken as impossible."""
    found = signals(Confidence(), answered(ask(QUESTION), _letter({"B": 0.8, "A": 0.05}, "B")))

    assert found["confidence.option"] == pytest.approx(0.8 / (0.8 + 0.05 + 2 * 0.05))


def test_unseen_letters_weigh_no_more_than_what_is_left() -> None:
    """The letters that were not listed cannot weigh more than the probability that is left over."""
    found = signals(Confidence(), answered(ask(QUESTION), _letter({"B": 0.9, "A": 0.09}, "B")))

    assert found["confidence.option"] == pytest.approx(0.9 / (0.9 + 0.09 + 0.01))


def test_the_least_sure_dose_decides() -> None:
    """A sentence of sure words with one unsure number is not sure."""
    answer = _answer(
        ("Give", 0.99), (" ", 0.99), ("0.3", 0.4), (" mg", 0.9), (" to", 0.99), (" adults", 0.99)
    )
    found = signals(Confidence(), answered(ask("How much?"), answer))
    sequence = exp(sum(log(p) for p in (0.99, 0.99, 0.4, 0.9, 0.99, 0.99)) / 6)

    assert found["confidence.min_critical"] == pytest.approx(0.4)
    assert found["confidence.mean_critical"] == pytest.approx(0.65)
    assert found["confidence.sequence"] == pytest.approx(sequence)
    assert found["confidence.raw"] == pytest.approx((0.4 * sequence) ** 0.5)


def test_without_critical_words_the_whole_sequence_counts() -> None:
    """An answer without numbers, sides or drugs is as sure as its words are on average."""
    found = signals(Confidence(), answered(ask("What?"), _answer(("Likely", 0.5), (" benign", 0.5))))

    assert found["confidence.raw"] == pytest.approx(0.5)
    assert "confidence.min_critical" not in found


def test_entropy_counts_what_the_alternatives_leave_over() -> None:
    """One listed alternative of 0.5 leaves as much open as a coin."""
    found = signals(Confidence(), answered(ask("What?"), _answer(("benign", 0.5))))

    assert found["confidence.entropy"] == pytest.approx(log(2))


@pytest.mark.parametrize("quality", [LogprobQuality.UNAVAILABLE, LogprobQuality.PARTIAL])
def test_missing_probabilities_are_never_certainty(quality: LogprobQuality) -> None:
    """Without token probabilities there is no confidence at all; with some of them it says so."""
    found = signals(Confidence(), answered(ask("What?"), _answer(("benign", 0.9), quality=quality)))

    assert found["confidence.quality"] == quality
    assert ("confidence.raw" in found) is (quality is LogprobQuality.PARTIAL)


def test_reasoning_tokens_do_not_count() -> None:
    """What a model thought is not what it answers with."""
    thought = Token("hm", log(0.01), span=TokenSpan.REASONING)
    said = Token("benign", log(0.9), offset=0)
    answer = Answer(0, "benign", (thought, said), LogprobQuality.FULL)

    assert signals(Confidence(), answered(ask("What?"), answer))["confidence.sequence"] == pytest.approx(0.9)


def test_a_value_without_a_probability_is_left_out() -> None:
    """A token whose probability the server did not say is no sure token."""
    answer = Answer(0, "benign", (Token("benign", None, offset=0),), LogprobQuality.PARTIAL)

    assert signals(Confidence(), answered(ask("What?"), answer)) == {"confidence.quality": "unavailable"}


@given(st.lists(st.tuples(st.text(min_size=1, max_size=8), st.floats(1e-6, 1.0)), min_size=1, max_size=20))
def test_all_numbers_are_probabilities(tokens: list[tuple[str, float]]) -> None:
    """Whatever the tokens, every signal but the entropy lies between 0 and 1."""
    found = signals(Confidence(), answered(ask("What?"), _answer(*tokens)))
    numbers = [value for name, value in found.items() if isinstance(value, float) and "entropy" not in name]

    assert all(0.0 <= number <= 1.0 for number in numbers)
