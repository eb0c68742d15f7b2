import pytest

from gatekeeper.checks import Hedging
from tests.checks.subjects import answered, ask, signals


@pytest.mark.parametrize(
    ("answer", "assertiveness", "hedged"),
    [
        ("Epinephrine is the first drug.", 0.8, 0.0),
        ("Epinephrine is definitely the first drug.", 1.0, 0.0),
        ("Epinephrine is probably the first drug.", 0.4, 1.0),
        ("I am not sure which drug comes first.", 0.1, 1.0),
        ("I am 70 % confident that it is epinephrine.", 0.7, 0.0),
        ("It is probably A. It is definitely B.", 0.7, 0.0),
    ],
)
def test_assertiveness_follows_the_words(answer: str, assertiveness: float, hedged: float) -> None:
    """A plain statement is assertive, "definitely" more so, "probably" and "not sure" less."""
    found = signals(Hedging(), answered(ask("Which drug?"), answer))

    assert found["hedging.assertiveness"] == pytest.approx(assertiveness)
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
