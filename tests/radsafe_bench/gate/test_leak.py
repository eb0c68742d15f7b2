"""Labels decide nothing: they are read only after every decision has been made."""

from dataclasses import replace

import numpy as np
import pytest

from radsafe_bench.gate.trial import conclude, trial_of
from radsafe_bench.suites import Question
from tests.radsafe_bench.gate.conftest import Said, Stage, bundle


def permuted(question: Question, order: list[int]) -> Question:
    """Return the question with its options' labels dealt out anew; the texts stay."""
    labelled = [question.options[place] for place in order]
    options = tuple(
        replace(
            option,
            correct=other.correct,
            high_risk=other.high_risk,
            unsafe=other.unsafe,
            contradicts=other.contradicts,
            rationale=other.rationale,
        )
        for option, other in zip(question.options, labelled, strict=True)
    )
    return replace(question, options=options)


@pytest.mark.parametrize("seed", [0, 1])
def test_permuting_the_labels_changes_the_verdict_and_no_decision(stage: Stage, seed: int) -> None:
    """What the gate holds does not depend on what is right; what the verdict says does."""
    rng = np.random.default_rng(seed)
    answers = {place: Said(said.letter, rng.random()) for place, said in stage.right().items() if said}
    run = stage.run(answers)
    questions = tuple(
        permuted(question, rng.permutation(len(question.options)).tolist())
        for question in stage.suite.questions
    )
    shuffled = replace(stage.suite, questions=questions)
    honest, blind = trial_of(bundle(), run, stage.suite), trial_of(bundle(), run, shuffled)
    assert blind.decided == honest.decided
    assert conclude(blind).counts != conclude(honest).counts
