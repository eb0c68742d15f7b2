"""How sure the model was, from its token probabilities."""

from collections.abc import Sequence
from math import exp, log, sqrt
from typing import Final

from gatekeeper.assessment import Claim, Field, Finding, Subject
from gatekeeper.checks.slots.critical import critical_spans
from gatekeeper.exchange import Answer, LogprobQuality, Option, Span, Token, TokenSpan
from gatekeeper.wire.logprobs import logprobs_of

_MARKS: Final = " \t\n\"'“”‘’()[]{}*_.:,;"


class Confidence:
    """Probabilities in [0, 1] that the answer's own tokens carry; entropy in nats.

    - `confidence.option`: for multiple choice, the chosen letter's probability among the letters of
      the question. Letters outside the alternatives are taken as likely as the rarest alternative, as
      far as the remaining probability allows, so the value is a lower bound.
    - `confidence.min_critical`, `confidence.mean_critical`: over tokens that carry a number, unit,
      side, negation or drug.
    - `confidence.sequence`: exp(mean log-probability) of the content, the inverse of its perplexity.
    - `confidence.entropy`: mean over the critical tokens (all tokens, where none is critical) of the
      alternatives' entropy, the unseen rest counted as one more alternative.
    - `confidence.raw`: the option's probability; without one √(min_critical · sequence), since an
      answer is as sure as its least sure fact, tempered by the whole; without critical tokens the
      sequence probability.
    - `confidence.quality`: `full`, `partial` or `unavailable`. Where it is unavailable, no number is
      given: a missing probability is never certainty.
    """

    name = "confidence"
    inline = True

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        """Return the signals of one answer."""
        answer = subject.answer
        tokens = [
            token for token in answer.tokens if token.span is TokenSpan.CONTENT and token.logprob is not None
        ]
        if answer.quality is LogprobQuality.UNAVAILABLE or not tokens:
            return (_signal("quality", str(LogprobQuality.UNAVAILABLE)),)
        critical = _critical(answer.content, tokens)
        sure = [_probability(token) for token in critical]
        signals = {
            "option": _option(answer, subject.claims, subject.case.query.options, tokens),
            "min_critical": min(sure, default=None),
            "mean_critical": sum(sure) / len(sure) if sure else None,
            "sequence": exp(sum([token.logprob or 0.0 for token in tokens]) / len(tokens)),
            "entropy": sum([_entropy(token) for token in critical or tokens]) / len(critical or tokens),
        }
        signals["raw"] = _raw(signals["option"], signals["min_critical"], signals["sequence"])
        return (
            *(_signal(name, value) for name, value in signals.items() if value is not None),
            _signal("quality", str(answer.quality)),
        )


def _signal(name: str, value: float | str) -> Finding:
    return Finding("confidence", f"confidence.{name}", value=value)


def _raw(option: float | None, weakest: float | None, sequence: float | None) -> float | None:
    if option is not None:
        return option
    if weakest is None or sequence is None:
        return sequence
    return sqrt(weakest * sequence)


def _probability(token: Token) -> float:
    return min(1.0, exp(token.logprob or 0.0))


def _critical(content: str, tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens that overlap a critical word and say more than white space or a mark."""
    spans = critical_spans(content)
    place, found = 0, []
    for token in tokens:
        offset = token.offset
        if offset is None:
            continue
        while place < len(spans) and spans[place][1] <= offset:
            place += 1
        if place == len(spans):
            break
        if spans[place][0] < offset + len(token.text) and token.text.strip(_MARKS):
            found.append(token)
    return found


def _option(
    answer: Answer, claims: Sequence[Claim], options: Sequence[Option], tokens: Sequence[Token]
) -> float | None:
    """Return P(chosen letter | one of the letters), None where no letter was declared or measured."""
    chosen = next((claim for claim in claims if claim.option and claim.field is Field.CONTENT), None)
    if chosen is None or chosen.option is None:
        return None
    token = _letter_token(chosen.option, chosen.span, tokens)
    if token is None:
        return None
    letters = {option.letter for option in options}
    seen = dict.fromkeys(letters, 0.0)
    for text, logprob in token.top:
        letter = text.strip(_MARKS)
        if letter in seen:
            seen[letter] += exp(logprob)
    seen[chosen.option] = max(seen[chosen.option], _probability(token))
    unseen = sum(1 for probability in seen.values() if probability == 0.0)
    return seen[chosen.option] / (sum(seen.values()) + _unseen_mass(token, unseen))


def _letter_token(letter: str, span: Span, tokens: Sequence[Token]) -> Token | None:
    """Return the last token within the declaration that is the letter."""
    return next(
        (
            token
            for token in reversed(tokens)
            if token.offset is not None
            and span.start - len(token.text) < token.offset < span.end
            and token.text.strip(_MARKS) == letter
        ),
        None,
    )


def _unseen_mass(token: Token, unseen: int) -> float:
    """Bound what letters outside the alternatives can weigh together."""
    if not unseen:
        return 0.0
    listed = [exp(logprob) for logprob in logprobs_of(token.top)] or [_probability(token)]
    return min(unseen * min(listed), max(0.0, 1.0 - sum(listed)))


def _entropy(token: Token) -> float:
    """Return the entropy of the alternatives in nats; what they leave over is one more alternative."""
    seen = entropy = 0.0
    for logprob in logprobs_of(token.top) or (token.logprob or 0.0,):
        p = exp(logprob)
        seen += p
        if p > 0.0:
            entropy -= p * log(p)
    left = 1.0 - seen
    return entropy - left * log(left) if left > 0.0 else entropy
