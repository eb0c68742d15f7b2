"""Seeded model runs whose truth is known, to test every statistic against what it was made from.

For each question a model has a probability x of being right, Beta distributed with mean `accuracy`; it
answers with one letter, which is correct with probability x, so x is its calibrated confidence. Its
samples are drawn from a belief that puts x on that letter and spreads the rest evenly. What it *states*
as token probability is logit-linear in x, so slope 1 and shift 0 are perfect calibration. Models and
conditions share a latent part of difficulty, luck and taste, with weight `correlation`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.random import Generator
from scipy import special

from radsafe_bench.records import GREEDY, MANIFEST, RECORDS
from radsafe_bench.scoring.answers import Answers, empty_answers
from radsafe_bench.scoring.key import NULL, AnswerKey, LetterCodes, decode
from radsafe_bench.stats.arrays import Floats
from radsafe_bench.suites import Evidence, Option, Question, ReviewStatus, Suite, SuiteInfo
from radsafe_bench.suites.model import LETTERS, SUBSPECIALTIES, Origin
from radsafe_bench.suites.store import SuiteContent, write_suite

_EDGE: Final = 1e-6
_NOTHING_SAID: Final = "None of these can be said."


@dataclass(frozen=True, slots=True)
class SimulatedModel:
    """A model's true rates, all in [0, 1] unless said.

    `accuracy` by condition. `high_risk_share`: of wrong answers, how many choose a high-risk option.
    `concentration` (> 0) is a + b of the Beta distribution of x: small means that x is near 0 or 1.
    `slope` and `shift` turn logit x into the stated logit. `null_rate`: answers without a letter.
    `latency_s`: mean of the exponential latency in seconds.
    """

    name: str
    accuracy: Mapping[str, float]
    high_risk_share: float = 0.5
    concentration: float = 4.0
    slope: float = 1.0
    shift: float = 0.0
    null_rate: float = 0.0
    latency_s: float = 1.0
    family: str | None = None
    parameters: float | None = None


@dataclass(frozen=True, slots=True)
class Simulation:
    """One model's answers with what they were drawn from: `confidence` is x, (C, Q)."""

    model: SimulatedModel
    answers: Answers
    confidence: Floats


def simulated_suite(folder: Path, questions: int = 200, seed: int = 0) -> Suite:
    """Write and load a suite of questions without content.

    Every question has 4 or 5 options, at least one wrong option that is high-risk and one that is not.
    """
    rng = np.random.default_rng(seed)
    content = SuiteContent(tuple(_question(number, rng) for number in range(questions)))
    info = SuiteInfo(
        name=folder.name,
        version="1",
        origin=Origin.IMPORTED,
        review=ReviewStatus.DRAFT,
        digests={},
        seed=seed,
        imported_from="simulator",
    )
    return write_suite(folder, info, content)


def simulate(
    key: AnswerKey,
    models: Sequence[SimulatedModel],
    *,
    correlation: float = 0.0,
    samples: int = 20,
    seed: int = 0,
) -> list[Simulation]:
    """Draw the answers of models to the questions of a key."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((4, len(key.questions)))
    return [_answer(key, model, shared, correlation, samples, rng) for model in models]


def write_run(folder: Path, simulation: Simulation, suite: Suite) -> Path:
    """Write a simulation as a run directory, as the runner does."""
    folder.mkdir(parents=True)
    model = simulation.model
    manifest = {
        "model": model.name,
        "backend": "simulated",
        "fingerprint": f"simulated:{model.name}",
        "suite": {"name": suite.name, "version": suite.version, "digest": suite.digest},
        "family": model.family,
        "parameters": model.parameters,
    }
    (folder / MANIFEST).write_bytes(orjson.dumps(manifest))
    with (folder / RECORDS).open("wb") as file:
        file.writelines(orjson.dumps(line) + b"\n" for line in _lines(simulation, suite))
    return folder


def _question(number: int, rng: Generator) -> Question:
    size = int(rng.integers(4, 6))
    correct, dangerous, harmless = rng.permutation(size)[:3]
    high_risk = rng.random(size) < 0.45
    high_risk[[dangerous, harmless, correct]] = True, False, False
    unsafe, contradicts = high_risk & (rng.random(size) < 0.5), rng.random(size) < 0.5
    return Question(
        id=f"sim-{number:03}",
        subspecialty=SUBSPECIALTIES[number % len(SUBSPECIALTIES)],
        question_type="safety",
        stem=f"Simulated question {number}.",
        negated=False,
        options=tuple(
            Option(
                letter=LETTERS[place],
                text=f"Option {LETTERS[place]} of simulated question {number}",
                correct=bool(place == correct),
                high_risk=bool(high_risk[place]),
                unsafe=bool(unsafe[place]),
                contradicts=bool(contradicts[place] and place != correct),
                rationale="Drawn by the simulator." if place != correct else "",
            )
            for place in range(size)
        ),
        evidence=Evidence(),
    )


def _answer(
    key: AnswerKey, model: SimulatedModel, shared: Floats, correlation: float, samples: int, rng: Generator
) -> Simulation:
    answers = empty_answers(model.name, tuple(model.accuracy), len(key.questions), samples)
    confidence = np.empty(answers.greedy.shape)
    for row, accuracy in enumerate(model.accuracy.values()):
        own = rng.standard_normal(shared.shape)
        difficulty, luck, risk, taste = special.ndtr(
            np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
        )
        total = model.concentration
        x = special.betaincinv(accuracy * total, (1 - accuracy) * total, difficulty)
        wrong = _wrong_letters(key, risk < model.high_risk_share, taste)
        letters = np.where(luck < x, key.correct, wrong).astype(np.int8)
        confidence[row] = np.clip(x, _EDGE, 1 - _EDGE)
        answers.greedy[row] = _with_nulls(letters, model.null_rate, rng)
        answers.samples[row] = _with_nulls(_sampled(key, letters, x, samples, rng), model.null_rate, rng)
    answers.latency_s[:] = rng.exponential(model.latency_s, confidence.shape)
    answers.recorded[:] = True
    answers.token_confidence[:] = _stated(model, confidence)
    answers.token_confidence[answers.greedy == NULL] = np.nan
    described = replace(answers, family=model.family, parameters=model.parameters)
    return Simulation(model, described, confidence)


def _stated(model: SimulatedModel, confidence: Floats) -> Floats:
    return np.asarray(special.expit(model.slope * special.logit(confidence) + model.shift))


def _wrong_letters(key: AnswerKey, risky: np.ndarray, taste: Floats) -> LetterCodes:
    """Choose a wrong option of the wanted risk for each question; equal tastes choose the same one."""
    letters = np.empty(len(key.questions), np.int8)
    for place, size in enumerate(key.options):
        wrong = np.delete(np.arange(size), key.correct[place])
        dangerous = key.flags[0, place, wrong]
        candidates = wrong[dangerous if risky[place] else ~dangerous]
        letters[place] = candidates[int(taste[place] * candidates.size)]
    return letters


def _sampled(key: AnswerKey, letters: LetterCodes, x: Floats, samples: int, rng: Generator) -> LetterCodes:
    """Draw letters from the belief: x on the model's letter, the rest even over the other options."""
    steps = rng.random((samples, letters.size)) * (key.options - 1) // 1 + 1
    others = (letters + steps) % key.options
    keep = rng.random((samples, letters.size)) < x
    return np.where(keep, letters, others).T.astype(np.int8)


def _with_nulls(letters: LetterCodes, rate: float, rng: Generator) -> LetterCodes:
    return np.where(rng.random(letters.shape) < rate, NULL, letters).astype(np.int8)


def _lines(simulation: Simulation, suite: Suite) -> Iterator[dict[str, Any]]:
    answers = simulation.answers
    for row, condition in enumerate(answers.conditions):
        for place, question in enumerate(suite.questions):
            stated = float(_stated(simulation.model, simulation.confidence[row, place]))
            chosen = int(answers.greedy[row, place])
            latency = float(answers.latency_s[row, place])
            for sample, letter in enumerate((chosen, *answers.samples[row, place].tolist()), start=GREEDY):
                yield _line(simulation.model.name, question, condition, sample, letter, stated, latency)


def _line(
    model: str,
    question: Question,
    condition: str,
    sample: int,
    letter: int,
    stated: float,
    latency_s: float,
) -> dict[str, Any]:
    name = decode(letter)
    return {
        "key": sha256(f"{model}/{question.id}/{condition}/{sample}".encode()).hexdigest(),
        "question": question.id,
        "condition": condition,
        "sample": sample,
        "pass": "main",
        "request": {"model": model, "messages": [{"role": "user", "content": question.stem}]},
        "response": _response(model, question, name, stated),
        "letter": name,
        "latency_s": latency_s,
        "error": None,
        "model": model,
        "fingerprint": f"simulated:{model}",
        "at": "2026-01-01T00:00:00Z",
    }


def _response(model: str, question: Question, letter: str | None, stated: float) -> dict[str, Any]:
    """Return a chat completion whose one token is the letter, stated with that probability."""
    rest = (1 - stated) / (len(question.options) - 1)
    top = [
        {"token": other, "logprob": float(np.log(stated if other == letter else rest))}
        for other in question.letters
    ]
    rows = [{**entry, "top_logprobs": top} for entry in top if entry["token"] == letter]
    return {
        "id": "simulated",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": letter or _NOTHING_SAID},
                "logprobs": {"content": rows},
                "finish_reason": "stop",
            }
        ],
    }
