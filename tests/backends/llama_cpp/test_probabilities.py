"""Log-probabilities and ranks are those of the plain formula."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gatekeeper.backends.llama_cpp.probabilities import Ranking
from gatekeeper.errors import UpstreamError

ROWS = arrays(
    np.float32,
    st.integers(1, 4000),
    elements=st.floats(-200, 200, width=32),
    fill=st.floats(-20, 20, width=32),
)


@given(ROWS, st.integers(1, 20))
def test_ranks_and_probabilities(scores: npt.NDArray[np.float32], count: int) -> None:
    """The likeliest tokens come first, with the logarithm of their softmax."""
    normaliser, top = Ranking(len(scores)).rank(scores, count)
    expected = np.sort(scores)[::-1][:count]
    assert scores[top.tokens].tolist() == expected.tolist()
    assert len(set(top.tokens.tolist())) == len(expected)
    wide = scores.astype(np.float64)
    assert normaliser == pytest.approx(np.logaddexp.reduce(wide), abs=1e-3)
    assert top.logprobs == pytest.approx(expected - np.logaddexp.reduce(wide), abs=1e-3)


@given(ROWS, st.floats(0, 1, exclude_max=True), st.sampled_from([0.25, 1.0, 2.0]))
def test_draws_follow_the_distribution(
    scores: npt.NDArray[np.float32], chance: float, temperature: float
) -> None:
    """A place in [0, 1) is the token whose share of the softmax covers it."""
    ranking = Ranking(len(scores))
    ranking.rank(scores, 1)
    token = ranking.at(chance, scores, temperature)
    wide = scores.astype(np.float64) / temperature
    shares = np.exp(wide - np.logaddexp.reduce(wide))
    assert shares[:token].sum() - 1e-4 <= chance <= shares[: token + 1].sum() + 1e-4


@pytest.mark.parametrize("scores", [[np.nan, 1.0], [np.inf, 1.0], [-np.inf, -np.inf]])
def test_scores_that_are_no_numbers_are_an_error(scores: list[float]) -> None:
    """A model whose numbers overflow gives no answer, rather than one that looks certain."""
    with np.errstate(all="ignore"), pytest.raises(UpstreamError):
        Ranking(2).rank(np.array(scores, np.float32), 1)
