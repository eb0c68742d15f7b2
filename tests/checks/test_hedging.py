import pytest

from gatekeeper.checks import Hedging
from gatekeeper.checks.hedging import assertiveness
from tests.checks.subjects import answered, ask, signals


@pytest.mark.parametrize(
    ("answer", "expected", "hedged"),
    [
        ("Epinephrine is the first drug.", 0.8, 0.0),
        ("Epinephrine is definitely the first drug.", 1.0, 0.0),
        ("Epinephrine is probably the first drug.", 0.4, 1.0),
        ("I am not sure which drug comes first.", 0.1, 1.0),
        ("I am 70 % confident that it is epinephrine.", 0.7, 0.0),
        ("It is probably A. It is definitely B.", 0.7, 0.0),
    ],
)
def test_assertiveness_follows_the_words(answer: str, expected: float, hedged: float) -> None:
    """A plain statement is assertive, "definitely" more so, "probably" and "not sure" less."""
    found = signals(Hedging(), answered(ask("Which drug?"), answer))

    assert found["hedging.assertiveness"] == pytest.approx(expected)
    assert found["hedging.hedged"] == hedged


@pytest.mark.parametrize(
    ("answer", "hedged"),
    [
        ("Metformin can be continued.", 0.0),
        ("Metformin may be continued after iodinated contrast.", 0.0),
        ("The agent may be given once more.", 0.0),
        ("The opacity may be caused by infection.", 1.0),
        ("It may be a cyst.", 1.0),
    ],
)
def test_permission_is_no_hedge(answer: str, hedged: float) -> None:
    """Saying what may be continued allows something; saying what it may be doubts it."""
    assert signals(Hedging(), answered(ask("What now?"), answer))["hedging.hedged"] == hedged


def test_an_empty_answer_says_nothing() -> None:
    """No words, no assertiveness."""
    assert signals(Hedging(), answered(ask("Which drug?"), "")) == {}


_PHRASES = {
    0.1: "am not sure|'m not certain|not entirely sure|i don't know|cannot answer|hard to say"
    "|cannot be determined|unclear|insufficient evidence|not enough data|does not state|does not contain",
    0.4: "might|perhaps|possibly|probable|likely|potentially|presumably|appears|seem|suggest|tends to"
    "|could be|may be|may help|i think|i suspect|in my opinion|to my knowledge|generally|usually|typically"
    "|often|roughly|it depends|depending on|not necessarily|consult|verify|confirm with|limited evidence",
    1.0: "definitely|certainly|clearly|undoubtedly|absolutely|always|never|obviously|unquestionably"
    "|without a doubt|guaranteed|must|in all cases|no exception|no exceptions",
}


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [(phrase, level) for level, phrases in _PHRASES.items() for phrase in phrases.split("|")],
)
def test_every_phrase_is_heard_in_any_case(phrase: str, expected: float) -> None:
    """However a doubt or a certainty is worded, and in capitals too, it counts."""
    assert assertiveness(f"So {phrase} this holds.") == expected
    assert assertiveness(f"({phrase.upper()})") == expected
