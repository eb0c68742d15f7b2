"""The cells of a run and the keys of their records."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radsafe_bench.conditions import Condition
from radsafe_bench.runner.plan import Cell, cells, key_of
from tests.radsafe_bench.runner.small import question

CELL = Cell(question(1), Condition.STANDARD_RAG)
BODY: dict[str, Any] = {
    "messages": [{"role": "user", "content": "Q"}],
    "evidence": [{"id": "e", "text": "t"}],
    "temperature": 0.0,
}


def test_answers_to_one_prompt_are_asked_one_after_the_other() -> None:
    """The greedy answer, the samples and the repetition share a prefix that the server has cached."""
    planned = cells([question(0), question(1)], [Condition.CLOSED_BOOK], 2, repeat=True)
    assert [(cell.place.question, cell.sample, cell.in_pass) for cell in planned] == [
        (asked, sample, in_pass)
        for asked in ("q-000", "q-001")
        for sample, in_pass in ((-1, "main"), (0, "main"), (1, "main"), (-1, "aa"))
    ]


def test_reports_are_made_before_anything_rests_on_them() -> None:
    """The leading answers of agentic_rag come first, those that share their report after them."""
    planned = list(cells([question(0), question(1)], [Condition.AGENTIC_RAG], 1, repeat=True))
    assert [cell.leads for cell in planned] == [True, True, False, False, False, False]


@given(st.integers(0, 3), st.booleans(), st.sets(st.sampled_from(list(Condition))))
def test_every_cell_is_planned_once(samples: int, repeat: bool, conditions: set[Condition]) -> None:
    """Questions × conditions × (1 + samples + repetition) answers, no two in one place."""
    questions = [question(number) for number in range(3)]
    places = [cell.place for cell in cells(questions, sorted(conditions), samples, repeat=repeat)]
    assert len(places) == len(set(places)) == 3 * len(conditions) * (1 + samples + repeat)


def test_the_order_of_keys_in_a_body_does_not_change_its_key() -> None:
    """A record is found again however its request was put together."""
    assert key_of(CELL, BODY, "m") == key_of(CELL, dict(reversed(BODY.items())), "m")


@pytest.mark.parametrize(
    "other",
    [
        key_of(CELL, {**BODY, "messages": [{"role": "user", "content": "R"}]}, "m"),
        key_of(CELL, {**BODY, "evidence": [{"id": "e", "text": "u"}]}, "m"),
        key_of(CELL, {**BODY, "temperature": 0.7}, "m"),
        key_of(CELL, BODY, "m#q4"),
        key_of(replace(CELL, sample=0), BODY, "m"),
        key_of(replace(CELL, in_pass="aa"), BODY, "m"),
        key_of(replace(CELL, condition=Condition.MAX_CONTEXT), BODY, "m"),
        key_of(replace(CELL, question=question(2)), BODY, "m"),
    ],
)
def test_whatever_an_answer_depends_on_changes_its_key(other: str) -> None:
    """Prompt, evidence, sampling, model, sample, pass, condition and question all count."""
    assert other != key_of(CELL, BODY, "m")
