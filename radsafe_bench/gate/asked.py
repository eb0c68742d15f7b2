"""A recording against its suite: that it asked what it says, and what its answers chose.

A record's letter was read by the parser of its day and lies open to editing, so it is read anew from the
answer. Whoever edits answers themselves is not found out here; the certificate names the records' digest.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from gatekeeper.errors import ConfigurationError, UpstreamError
from radsafe_bench.conditions import Condition
from radsafe_bench.conditions.prompt import options_of
from radsafe_bench.parsing import parse_response
from radsafe_bench.records import Record, Run
from radsafe_bench.suites import Question


def reread(run: Run, questions: Iterable[Question]) -> Run:
    """Return the run with the letters that its answers declare now.

    Raises ConfigurationError where a record is of none of the suite's `questions`, or asked another
    question, or with other evidence, than its question and condition have.
    """
    by_id = {question.id: question for question in questions}
    return replace(run, records=tuple(_reread(record, by_id.get(record.question)) for record in run.records))


def _reread(record: Record, question: Question | None) -> Record:
    if question is None:
        raise ConfigurationError(
            f"the suite has no question {record.question}: give the suite that was asked with --suite"
        )
    if wrong := next(_differences(record, question), None):
        raise ConfigurationError(
            f"record {record.key}: {wrong} than {question.id} has under {record.condition}, so it answers "
            "nothing of this suite; record it anew"
        )
    return replace(record, letter=_letter(record, question))


def _letter(record: Record, question: Question) -> str | None:
    try:
        return parse_response(record.response, question.letters).letter if record.response else None
    except UpstreamError:
        return None


def _differences(record: Record, question: Question) -> Iterator[str]:
    """Yield what a request does not have of its question; what was retrieved is the run's own affair."""
    said = "\n".join(str(message.get("content")) for message in record.request.get("messages", ()))
    given = [str(document["text"]) for document in record.request.get("evidence", ())]
    options = (f"{letter}. {text}" for letter, text in options_of(question).items())
    if any(text not in said for text in (question.stem, *options)):
        yield "it asks another question"
    own = _own_evidence(record.condition, question)
    if own is not None and (given != ([own] if own else []) or own not in said):
        yield "it gives other evidence"


def _own_evidence(condition: str, question: Question) -> str | None:
    """Return the evidence that comes with a question, None where it has none or it is retrieved."""
    clean, conflict = question.evidence.clean, question.evidence.conflict
    if condition == Condition.CLOSED_BOOK:
        return ""
    if condition == Condition.CLEAN_EVIDENCE:
        return clean.text if clean else None
    return conflict.text if condition == Condition.CONFLICT_EVIDENCE and conflict else None
