"""Items from a suite's pairs, from any file of pairs, and from a recorded run."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gatekeeper.errors import ConfigurationError, UpstreamError
from gatekeeper.exchange import Answer, JsonObject
from gatekeeper.wire.completion import parse_chat_completion
from radsafe_bench.detecting.items import Item
from radsafe_bench.gate.replay import day_of, greedy_records
from radsafe_bench.records import Record, Run
from radsafe_bench.suites import Option, PairLabel, Question, Suite
from radsafe_bench.suites.pairs import make_pairs

_ASKED: Final = "What does the evidence say?"


class PairLine(BaseModel):
    """One line of a file of pairs. `evidence` is a text, or documents as the `evidence` field takes them.

    `question` (or `source`) names what the pair was made from: pairs that share it are not independent.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str | int
    question: str = ""
    source: str = ""
    kind: str = "unnamed"
    evidence: str | list[str | dict[str, Any]]
    claim: str = Field(min_length=1)
    label: PairLabel


def pairs_of(suite: Suite, questions: Collection[str], seed: int = 0) -> tuple[Item, ...]:
    """Return the suite's pairs of some questions, their unrelated claims taken from these alone.

    Raises SuiteError where the suite has no sentences to make pairs from.
    """
    own = tuple(source for source in suite.pair_sources if source.question in questions)
    made = make_pairs(replace(suite, pair_sources=own), seed)
    return tuple(
        _pair(pair.id, pair.question, pair.kind, pair.label, pair.claim, request)
        for pair, request in ((pair, _asking(pair.evidence)) for pair in made)
    )


def read_pairs(path: Path) -> tuple[Item, ...]:
    """Read JSON lines; raise ConfigurationError naming the first that is no pair."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror})") from error
    return tuple(_line(path, number, line) for number, line in enumerate(lines, start=1) if line.strip())


def options_of(run: Run, suite: Suite, questions: Collection[str]) -> tuple[Item, ...]:
    """Return every option of every recorded question as an answer to it, beside the recorded evidence.

    As everywhere, an option contradicts the evidence only where it is wrong. These answers have no
    token probabilities: the model did not give them.
    """
    return tuple(
        _option(record, suite.question(record.question), option)
        for record in greedy_records(run)
        if record.question in questions
        for option in suite.question(record.question).options
    )


def answers_of(run: Run, suite: Suite, questions: Collection[str]) -> tuple[Item, ...]:
    """Return what the model answered, left out what failed; an answer without a letter is wrong."""
    return tuple(
        item
        for record in greedy_records(run)
        if record.question in questions
        for item in _answers(record, suite.question(record.question))
    )


def _asking(evidence: str | list[str | dict[str, Any]]) -> JsonObject:
    documents = [evidence] if isinstance(evidence, str) else evidence
    return {"messages": [{"role": "user", "content": _ASKED}], "evidence": [one for one in documents if one]}


def _line(path: Path, number: int, line: bytes) -> Item:
    try:
        pair = PairLine.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "line"
        raise ConfigurationError(f"{path} line {number}: {where}: {first['msg']}") from None
    name = str(pair.id)
    group = pair.question or pair.source or name
    return _pair(name, group, pair.kind, pair.label, pair.claim, _asking(pair.evidence))


def _pair(name: str, question: str, kind: str, label: PairLabel, claim: str, request: JsonObject) -> Item:
    positive = label is PairLabel.CONTRADICTED
    return Item(name, question, kind, positive, claim, request, Answer(0, claim), correct=not positive)


def _option(record: Record, question: Question, option: Option) -> Item:
    positive = option.contradicts and not option.correct
    kind = "correct" if option.correct else "contradicting" if positive else "wrong otherwise"
    return Item(
        id=f"{question.id}/{record.condition}/{option.letter}",
        question=question.id,
        kind=kind,
        positive=positive,
        text=option.text,
        request=record.request,
        answer=Answer(0, option.letter),
        condition=record.condition,
        correct=option.correct,
        high_risk=option.high_risk and not option.correct,
        day=day_of(record),
    )


def _answers(record: Record, question: Question) -> Iterator[Item]:
    if record.response is None:
        return
    try:
        answer = parse_chat_completion(record.response, fingerprint=record.fingerprint).answers[0]
    except UpstreamError:
        return
    chosen = question.option(record.letter) if record.letter else None
    correct = chosen is not None and chosen.correct
    high_risk = chosen is not None and not correct and chosen.high_risk
    kind = (
        "correct" if correct else "high-risk error" if high_risk else "other error" if chosen else "no letter"
    )
    yield Item(
        id=f"{question.id}/{record.condition}",
        question=question.id,
        kind=kind,
        positive=not correct,
        text=chosen.text if chosen else "",
        request=record.request,
        answer=answer,
        condition=record.condition,
        correct=correct,
        high_risk=high_risk,
        fingerprint=record.fingerprint,
        day=day_of(record),
    )
