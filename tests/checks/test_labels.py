"""A model's liking for a letter is no opinion on what the letter stands for."""

from math import log
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.checks.labels import debiased, log_prior, turned


def distributions(size: int) -> st.SearchStrategy[list[float]]:
    """Return distributions over so many outcomes, none impossible."""
    weights = st.lists(st.floats(0.01, 1.0), min_size=size, max_size=size)
    return weights.map(lambda found: [weight / sum(found) for weight in found])


def read(truth: list[float], liking: list[float], rotation: int) -> list[float]:
    """Return what a reader says of the letters, up to a constant."""
    meanings = turned(len(truth), rotation)
    return [log(truth[meaning] * liked) for meaning, liked in zip(meanings, liking, strict=True)]


@st.composite
def readers(draw: Any) -> tuple[list[float], list[float]]:
    """Draw what a reader believes and which letters it likes."""
    size = draw(st.integers(2, 6))
    return draw(distributions(size)), draw(distributions(size))


@settings(deadline=None)
@given(readers())
def test_all_orders_together_say_what_the_reader_believes(reader: tuple[list[float], list[float]]) -> None:
    """Read in every order, a statement's probabilities are the reader's own, however it likes letters."""
    truth, liking = reader
    cycle = [(rotation, read(truth, liking, rotation)) for rotation in range(len(truth))]
    assert debiased(cycle, []) == pytest.approx(truth)


@settings(deadline=None)
@given(readers(), st.integers(0, 5), st.data())
def test_after_removal_the_order_does_not_matter(
    reader: tuple[list[float], list[float]], rotation: int, data: st.DataObject
) -> None:
    """The liking seen on one statement frees any order of another from it."""
    other, liking = reader
    truth = data.draw(distributions(len(other)))
    prior = log_prior([[read(other, liking, turn) for turn in range(len(other))]])
    turn = rotation % len(truth)
    assert debiased([(turn, read(truth, liking, turn))], prior) == pytest.approx(truth)


@settings(deadline=None)
@given(readers())
def test_the_prior_is_the_liking(reader: tuple[list[float], list[float]]) -> None:
    """What is divided out is the reader's liking for letters and nothing else."""
    truth, liking = reader
    prior = log_prior([[read(truth, liking, turn) for turn in range(len(truth))]])
    assert prior == pytest.approx([log(liked) for liked in liking])


def test_without_a_full_cycle_letters_count_as_alike() -> None:
    """Nothing is known of the liking, so the reading stands as it is."""
    assert log_prior([]) == []
    assert debiased([(1, [log(0.2), log(0.8)])], []) == pytest.approx([0.8, 0.2])
