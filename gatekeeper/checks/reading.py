"""A model reads statements against evidence: supported, contradicted or not addressed, as probabilities.

The verdict is read from the probabilities of one step, the letter of one of three labels, never from
prose. The evidence comes first in every prompt, so that all of them share its reading.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gatekeeper.assessment import Verdict
from gatekeeper.auxiliary.calls import Auxiliary, LabelCall, Problem, Reading, Whom
from gatekeeper.checks.labels import debiased, log_prior, turned
from gatekeeper.checks.slots.tokens import outline
from gatekeeper.exchange import Evidence

LONGEST_EVIDENCE: Final = 24_000
"""Characters of evidence in a prompt; of more, the sentences are chosen that share most words."""

LONGEST_STATEMENT: Final = 4_000
"""Characters of a statement with the question that it answers; a longer one is not read."""

LETTERS: Final = ("A", "B", "C")
VERDICTS: Final = (Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.NOT_ADDRESSED)
_LABELS: Final = {
    Verdict.SUPPORTED: "The evidence supports the statement.",
    Verdict.CONTRADICTED: "The evidence contradicts the statement.",
    Verdict.NOT_ADDRESSED: "The evidence does not settle the statement.",
}


@dataclass(frozen=True, slots=True)
class Stated:
    """A statement to be read; `context` is what it answers. `denied`: it is said to be false."""

    text: str
    context: str = ""
    denied: bool = False


class Opinion(NamedTuple):
    """What a model makes of a statement, in probabilities that sum to 1."""

    supported: float
    contradicted: float
    not_addressed: float

    @property
    def verdict(self) -> Verdict:
        """The likeliest verdict; of equals the stricter one."""
        order = (1, 2, 0)
        return VERDICTS[max(order, key=lambda place: self[place])]

    def of(self, *, denied: bool) -> "Opinion":
        """Return the opinion on what is really said: evidence for a denied statement is against it."""
        return Opinion(self.contradicted, self.supported, self.not_addressed) if denied else self


async def read_statements(
    model: Auxiliary,
    check: str,
    stated: Sequence[Stated],
    evidence: str,
    *,
    within_s: float,
    rotated: int = 1,
    fingerprint: str | None = None,
) -> list[Opinion | Problem]:
    """Return the judging model's opinion of each statement, or why it has none.

    The first `rotated` statements are read under every order of the labels, which shows the model's
    preference among the letters; the others once, the order turning from one to the next. Any other
    model than the one that `fingerprint` names has no say.
    """
    plan = [
        (place, rotation)
        for place in range(len(stated))
        for rotation in (range(3) if place < rotated else (place % 3,))
    ]
    calls = [
        LabelCall(check, Whom.JUDGE, prompt(evidence, stated[place], rotation), LETTERS)
        for place, rotation in plan
    ]
    answers = await model.label(calls, within_s)
    found: list[list[tuple[int, Reading]]] = [[] for _ in stated]
    for (place, rotation), answer in zip(plan, answers, strict=True):
        found[place].append((rotation, answer))
    return _opinions(stated, found, fingerprint)


def _opinions(
    stated: Sequence[Stated], found: Sequence[Sequence[tuple[int, Reading]]], fingerprint: str | None
) -> list[Opinion | Problem]:
    problems = [
        next((bad for _, one in readings if (bad := _problem(one, fingerprint))), None) for readings in found
    ]
    whole = [
        [one.logprobs for _, one in readings]
        for readings, problem in zip(found, problems, strict=True)
        if problem is None and len(readings) == len(LETTERS)
    ]
    prior = log_prior(whole)
    return [
        problem
        or Opinion(*debiased([(turn, one.logprobs) for turn, one in readings], prior)).of(
            denied=one_of.denied
        )
        for one_of, readings, problem in zip(stated, found, problems, strict=True)
    ]


def _problem(reading: Reading, fingerprint: str | None) -> Problem | None:
    foreign = fingerprint is not None and reading.fingerprint != fingerprint
    return reading.problem or (Problem.REFUSED if foreign else None)


def prompt(evidence: str, stated: Stated, rotation: int) -> tuple[dict[str, str], ...]:
    """Return the messages of one reading: evidence, then statement, then lettered labels.

    All in one message: many chat templates know no system role.
    """
    labels = zip(LETTERS, turned(len(LETTERS), rotation), strict=True)
    question = f"Question: {_in_line(stated.context)}\n" if stated.context else ""
    lines = [
        f"Evidence:\n{evidence}\n",
        f"{question}Statement: {_in_line(stated.text)}\n",
        "What does the evidence say of the statement? Judge by the evidence alone.",
        *(f"{letter}. {_LABELS[VERDICTS[meaning]]}" for letter, meaning in labels),
        "Answer with one letter.",
    ]
    return ({"role": "user", "content": "\n".join(lines)},)


def _in_line(text: str) -> str:
    """Return a text without line breaks, after which it could go on as if the gate spoke."""
    return " ".join(text.splitlines())


def evidence_text(evidence: Evidence, stated: Sequence[Stated]) -> str:
    """Return the evidence in force as one text, the same for all statements."""
    in_force = {statement.document for statement in evidence.statements}
    whole = "\n\n".join(
        f"{document.title}\n{document.text}" if document.title else document.text
        for document in evidence.documents
        if document.id in in_force
    )
    return whole if len(whole) <= LONGEST_EVIDENCE else _excerpt(evidence, stated)


def _excerpt(evidence: Evidence, stated: Sequence[Stated]) -> str:
    """Return the sentences that share most words with the statements, in their order."""
    named = frozenset[str]().union(*(outline(f"{one.context} {one.text}").named for one in stated))
    ranked = sorted(
        range(len(evidence.statements)),
        key=lambda place: (-len(named & evidence.statements[place].outline.named), place),
    )
    chosen, room = [], LONGEST_EVIDENCE
    for place in ranked:
        room -= len(evidence.statements[place].text) + 1
        if room < 0:
            break
        chosen.append(place)
    return "\n".join(evidence.statements[place].text for place in sorted(chosen))
