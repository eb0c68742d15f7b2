"""Multiple choice, read option by option: what the evidence implies, and how firmly the model chose."""

import asyncio
from collections.abc import Mapping, Sequence
from math import exp
from typing import Final

from gatekeeper.assessment import Field, Finding, SignalValue, Subject, Verdict
from gatekeeper.auxiliary.calls import Auxiliary, LabelCall, Problem, Reading, Whom
from gatekeeper.backends.retrieval import Overlap, softmax
from gatekeeper.checks.judge import TOO_MUCH
from gatekeeper.checks.labels import normalised, turned
from gatekeeper.checks.reading import LONGEST_STATEMENT, Stated, evidence_text, read_statements
from gatekeeper.checks.slots.alignment import Rarity
from gatekeeper.checks.slots.comparison import compare
from gatekeeper.claims.stems import positive_stem
from gatekeeper.exchange import Case, Query
from gatekeeper.policy.model import OptionsSettings

_VERDICT_WEIGHT: Final = 0.1
"""What a verdict of `slots` counts beside word overlap in [0, 1]; chosen on the suite's calibration split."""

Found = Mapping[str, SignalValue] | Problem


class Options:
    """Reads every option of a multiple-choice question; says nothing of other questions.

    - `options.implied`: the letter that the evidence implies, `options.margin` how much more probable it
      is than the next one, `options.evidence_p` the probability that the evidence gives the model's
      choice, `options.disagrees` 1 where the two are not the same. By the rules of `slots` and word
      overlap, or with `model` by the judging model. Silent evidence implies nothing: margin 0.
    - With `permutations`, the served model chooses again under every cyclic order of the options:
      `options.permuted_p` is the mean probability of its choice, `options.flip_rate` the share of orders
      under which another option is likelier.
    - With `without_evidence`: `options.evidence_shift` is the probability of the choice with evidence
      minus that without.

    What a model was asked for and did not give makes the check `unavailable`, beside what was found.
    """

    name = "options"
    inline = False

    def __init__(self, settings: OptionsSettings) -> None:
        self._settings = settings

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        """Return the signals of one answer."""
        query, settings = subject.case.query, self._settings
        if not query.options:
            return ()
        if settings.asks and (len(query.options) > settings.max_options or _is_long(query)):
            return (Finding("options", f"options.{TOO_MUCH}", Verdict.UNAVAILABLE),)
        chosen = _chosen(subject)
        parts = [self._implied(subject, chosen)]
        if chosen is not None and settings.permutations:
            parts.append(self._permuted(subject, chosen))
        if chosen is not None and settings.without_evidence:
            parts.append(self._shift(subject, chosen))
        found = await asyncio.gather(*parts)
        return [
            *(
                Finding("options", f"options.{name}", value=value)
                for part in found
                if not isinstance(part, Problem)
                for name, value in part.items()
            ),
            *(
                Finding("options", f"options.{problem}", Verdict.UNAVAILABLE)
                for problem in [part for part in found if isinstance(part, Problem)][:1]
            ),
        ]

    async def _implied(self, subject: Subject, chosen: int | None) -> Found:
        if not subject.case.evidence.statements:
            return {"margin": 0.0, "disagrees": 0.0}
        read = await self._read(subject) if self._settings.model else by_rules(subject.case)
        if isinstance(read, Problem):
            return read
        best, second, *_ = sorted(range(len(read)), key=lambda place: -read[place])
        implied: dict[str, SignalValue] = {"margin": read[best] - read[second]}
        if read[best] > read[second]:
            implied["implied"] = subject.case.query.options[best].letter
        if chosen is not None:
            implied |= {"evidence_p": read[chosen], "disagrees": float(read[best] > read[chosen])}
        return implied

    async def _read(self, subject: Subject) -> list[float] | Problem:
        """Return for each option its share of the support, as the judging model reads the evidence."""
        if subject.auxiliary is None:
            return Problem.ERROR
        query = subject.case.query
        stem = _stem(query)
        stated = [Stated(option.text, stem, query.negated) for option in query.options]
        opinions = await read_statements(
            subject.auxiliary,
            self.name,
            stated,
            evidence_text(subject.case.evidence, stated),
            within_s=self._settings.deadline_s,
            fingerprint=self._settings.fingerprint,
        )
        weights: list[float] = []
        for opinion in opinions:
            if isinstance(opinion, Problem):
                return opinion
            # A negated stem asks for what the evidence does not carry: silence speaks for an option too.
            weights.append(opinion.supported + (opinion.not_addressed if query.negated else 0.0))
        return [weight / sum(weights) for weight in weights]

    async def _permuted(self, subject: Subject, chosen: int) -> Found:
        case, count = subject.case, len(subject.case.query.options)
        evidence = evidence_text(case.evidence, _all_stated(case.query))
        read = await self._choices(
            subject.auxiliary, [_choice(case, evidence, rotation) for rotation in range(count)]
        )
        if isinstance(read, Problem):
            return read
        orders = [_by_option(reading, rotation) for rotation, reading in enumerate(read)]
        return {
            "permuted_p": sum(order[chosen] for order in orders) / count,
            "flip_rate": sum(max(order) > order[chosen] for order in orders) / count,
        }

    async def _shift(self, subject: Subject, chosen: int) -> Found:
        case = subject.case
        if not case.evidence.statements:
            return {"evidence_shift": 0.0}
        evidence = evidence_text(case.evidence, _all_stated(case.query))
        read = await self._choices(subject.auxiliary, [_choice(case, evidence, 0), _choice(case, "", 0)])
        if isinstance(read, Problem):
            return read
        given, bare = (_by_option(reading, 0)[chosen] for reading in read)
        return {"evidence_shift": given - bare}

    async def _choices(self, model: Auxiliary | None, calls: Sequence[LabelCall]) -> list[Reading] | Problem:
        """Return the served model's letter probabilities, or the first problem."""
        if model is None:
            return Problem.ERROR
        read = await model.label(calls, self._settings.deadline_s)
        return next((reading.problem for reading in read if reading.problem), None) or read


def by_rules(case: Case) -> list[float]:
    """Return P(option) in [0, 1] from the evidence alone, summing to 1: a softmax as retrieval has it.

    An option scores by word overlap with its best sentence, more where `slots` finds it supported and
    less where it finds it contradicted. For a negated stem the order is turned round.
    """
    query, statements = case.query, case.evidence.statements
    overlap = Overlap(statement.text for statement in statements).of_options(query.text, query.options)
    rarity, stem = Rarity(statements), _stem(query)
    scores = []
    for option, share in zip(query.options, overlap, strict=True):
        found = compare(option.text, stem, statements, rarity)
        supported = found.verdict is Verdict.SUPPORTED
        against = found.value if found.verdict is Verdict.CONTRADICTED else 0.0
        scores.append(share + _VERDICT_WEIGHT * (supported - against))
    return softmax([-score for score in scores] if query.negated else scores)


def _stem(query: Query) -> str:
    return positive_stem(query.text) if query.negated else query.text


def _is_long(query: Query) -> bool:
    return len(query.text) + max(len(option.text) for option in query.options) > LONGEST_STATEMENT


def _all_stated(query: Query) -> list[Stated]:
    return [Stated(option.text, query.text) for option in query.options]


def _chosen(subject: Subject) -> int | None:
    """Return the place of the option that the answer declares, None where it declares none."""
    letters = [option.letter for option in subject.case.query.options]
    declared = (claim.option for claim in subject.claims if claim.field is Field.CONTENT)
    return next((letters.index(letter) for letter in declared if letter in letters), None)


def _choice(case: Case, evidence: str, rotation: int) -> LabelCall:
    """Return the question to the served model, its options in a cyclic order."""
    query = case.query
    letters = tuple(option.letter for option in query.options)
    places = turned(len(letters), rotation)
    lines = [
        *([f"Evidence:\n{evidence}\n"] if evidence else []),
        f"Question: {query.text}",
        *(f"{letter}. {query.options[place].text}" for letter, place in zip(letters, places, strict=True)),
        "Answer with the letter of the best option and nothing else.",
    ]
    messages = ({"role": "user", "content": "\n".join(lines)},)
    return LabelCall("options", Whom.SERVED, messages, letters, case.conversation.model)


def _by_option(reading: Reading, rotation: int) -> list[float]:
    """Return P(option), in the question's own order."""
    places = turned(len(reading.logprobs), rotation)
    found = dict(zip(places, normalised(reading.logprobs), strict=True))
    return [exp(found[place]) for place in range(len(places))]
