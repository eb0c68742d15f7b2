"""The model in this process reads claims against evidence: one batch, the evidence read once."""

import asyncio
from math import exp, fsum

import pytest
from llama_cpp import Llama

from gatekeeper.assessment import Subject, Verdict
from gatekeeper.auxiliary import Consulted, LabelCall, Problem, Whom
from gatekeeper.backends.llama_cpp import LlamaCppBackend
from gatekeeper.backends.llama_cpp.native import Context, Tokens
from gatekeeper.checks.judge import Judge
from gatekeeper.checks.reading import LETTERS, Stated, prompt
from gatekeeper.policy.model import JudgeSettings
from tests.backends.llama_cpp.conftest import Reference
from tests.checks.subjects import answered, ask

EVIDENCE = "Metformin is withheld for 48 hours after contrast. " * 8
STATEMENTS = ("Metformin is withheld.", "It is given at once.", "Contrast is warmed.")


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take what the model says of the letters for an opinion: random weights give them next to nothing."""
    monkeypatch.setattr("gatekeeper.auxiliary.consulted.LEAST_MASS", 0.0)


def calls() -> list[LabelCall]:
    """Return one call per statement."""
    return [
        LabelCall("judge", Whom.JUDGE, prompt(EVIDENCE, Stated(text), place), LETTERS)
        for place, text in enumerate(STATEMENTS)
    ]


def text_of(call: LabelCall) -> str:
    """Return the prompt as the template writes it."""
    return f"<|im_start|>user\n{call.messages[0]['content']}<|im_end|>\n<|im_start|>assistant\n"


async def test_weights_of_no_meaning_have_no_opinion(backend: LlamaCppBackend) -> None:
    """A model that was about to write anything but a letter is not taken for a judge."""
    (reading,) = await Consulted(backend).label(calls()[:1], 60)
    assert (reading.logprobs, reading.problem) == ((), Problem.LOGPROBS)


@pytest.mark.usefixtures("heard")
async def test_label_probabilities_are_those_of_the_library(
    backend: LlamaCppBackend, llama: Llama, reference: Reference
) -> None:
    """Each letter's value is what the whole prompt alone gives, whatever else is in the batch."""
    readings = await Consulted(backend).label(calls(), 60)
    for call, reading in zip(calls(), readings, strict=True):
        tokens = llama.tokenize(text_of(call).encode(), add_bos=False, special=True)
        alone = [reference(tokens, llama.tokenize(label.encode(), add_bos=False))[0] for label in LETTERS]
        assert reading.logprobs == pytest.approx(alone, abs=0.05)
        assert reading.fingerprint == backend.fingerprint


async def test_the_evidence_is_read_once(
    backend: LlamaCppBackend, llama: Llama, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each further claim costs what is new in its prompt, so a batch is far from one reading per claim."""
    lengths: list[int] = []
    decode = Context.decode

    def counted(context: Context, tokens: Tokens, position: int) -> None:
        lengths.append(len(tokens))
        decode(context, tokens, position)

    monkeypatch.setattr(Context, "decode", counted)
    await Consulted(backend).label(calls(), 60)
    whole = [len(llama.tokenize(text_of(call).encode(), add_bos=False, special=True)) for call in calls()]
    evidence = len(llama.tokenize(EVIDENCE.encode(), add_bos=False))
    assert sum(lengths) <= sum(whole) - 2 * evidence


@pytest.mark.usefixtures("heard")
async def test_the_judge_needs_nothing_but_the_model(backend: LlamaCppBackend) -> None:
    """Every claim gets a verdict whose probability is one, from weights of no meaning at all."""
    given = answered(ask("How?", [EVIDENCE]), " ".join(STATEMENTS))
    subject = Subject(given.case, given.answer, given.claims, Consulted(backend))
    found = await Judge(JudgeSettings(enabled=True, rotated=3))(subject)
    values = [one.value for one in found if one.claim is not None]
    assert len(values) == len(STATEMENTS)
    assert all(isinstance(value, float) and 0.0 < value < 1.0 for value in values)
    assert not [one for one in found if one.verdict is Verdict.UNAVAILABLE]


@pytest.mark.usefixtures("heard")
async def test_letters_share_the_models_probability(backend: LlamaCppBackend) -> None:
    """They are probabilities of the model: together no more than one."""
    (reading,) = await Consulted(backend).label(calls()[:1], 60)
    assert 0.0 < fsum(map(exp, reading.logprobs)) <= 1.0


@pytest.mark.usefixtures("heard")
async def test_a_prompt_beyond_the_context_is_refused(backend: LlamaCppBackend) -> None:
    """Too much evidence for the model leaves the claim unread, and the next call is served."""
    long = LabelCall("judge", Whom.JUDGE, prompt(EVIDENCE * 40, Stated("x"), 0), LETTERS)
    (refused,) = await Consulted(backend).label([long], 60)
    assert refused.problem is Problem.REFUSED
    (read,) = await Consulted(backend).label(calls()[:1], 60)
    assert read.problem is None


@pytest.mark.usefixtures("heard")
async def test_the_deadline_frees_the_model(backend: LlamaCppBackend) -> None:
    """A batch that is given up does not hold the next request back."""
    (late, *_) = await Consulted(backend).label(calls() * 20, 0.0)
    assert late.problem is Problem.TIMEOUT
    async with asyncio.timeout(60):
        (read,) = await Consulted(backend).label(calls()[:1], 60)
    assert read.problem is None
