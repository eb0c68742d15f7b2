"""Negations: what they deny, and which words they reach."""

from collections.abc import Mapping, Sequence, Set
from typing import Final, final

from gatekeeper.checks.slots.condition import OPENING
from gatekeeper.checks.slots.lexicon import Role
from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.checks.slots.slot import Slot
from gatekeeper.checks.slots.tokens import LOW_WEIGHT, Lexeme, Tokens

_REACH: Final = 3
_NO_REACH: Final = 6
_OF_NOUNS: Final = frozenset({"without", "free", "instead", "rather"})
_CHOOSING: Final = frozenset({"instead", "rather"})
_DETERMINERS: Final = frozenset({"no", "nothing", "neither", "nor", "none"})
"""Negators that deny what is said of the words after them, its verb too: "no scan is needed"."""
_HAVING: Final = wordset("with have has had having show shows showed shown reveals there is are was were who")
"""Before "no" they make it part of a description: "women who have no symptoms start with …"."""
_FINITE: Final = frozenset({"is", "are", "was", "were", "should", "must", "may", "can", "has", "have"})
_NOT: Final = frozenset({"not", "never", "cannot"})
_ENDING: Final = frozenset({",", ";", ":", "(", "but", "which", "who", "that", "if", "when", "whereas"})
_FRONT_REACH: Final = 6
"""Words after "without" in which the comma stands that ends an opening."""


@final
class Negation(Slot):
    """A negation and the concepts that it denies, nearest first.

    `is_choice` says that it sets one thing against another ("rather than"), `used` that it turns a stance or
    an axis, `head` what "without" is attached to ("MRI without
    gadolinium"), `conditional` that it is part of a condition ("if no endoleak is seen"), `preferred` what
    holds in place of what is denied ("aspirated, not drained").
    """

    __slots__ = ("conditional", "denied", "head", "is_choice", "preferred", "used")

    def __init__(
        self,
        first: int,
        last: int,
        denied: tuple[str, ...],
        used: bool = False,
        head: str = "",
        conditional: bool = False,
        is_choice: bool = False,
        preferred: str = "",
    ) -> None:
        super().__init__(first, last, "polarity:negation")
        self.denied = denied
        self.used = used
        self.head = head
        self.conditional = conditional
        self.is_choice = is_choice
        self.preferred = preferred

    def denied_in(self, others: Sequence["Negation"]) -> bool:
        """Whether another clause denies the same."""
        return any(set(self.denied) & set(other.denied) for other in others)

    def affirmed_by(self, terms: Mapping[str, float], supposed: Set[str]) -> bool:
        """Whether a clause that denies nothing speaks of what is denied; nothing affirms a mere condition.

        `supposed` are its terms that it only supposes: those of its conditions, and of the events that it
        orders by time.
        """
        if self.conditional or self.denied[0] not in terms:
            return False
        if self.denied[0] in supposed:
            return False
        return not self.preferred and (not self.head or self.head in terms)


def read_negation(tokens: Tokens, lexemes: Sequence[Lexeme], position: int, used: bool) -> Negation:
    """Read what a negator denies, what it is attached to, and whether it is a condition."""
    opening = lexemes[position]
    of_noun = tokens.lower[opening.first] in _OF_NOUNS
    word = tokens.lower[opening.first]
    if word == "nothing" or (tokens.at(opening.first - 1) == "or" and not of_noun):
        return Negation(opening.first, opening.last, (), used)  # "one or neither of both" leaves it open
    denied = _denied(tokens, lexemes, position, _ENDING | _FINITE if of_noun else _ENDING)
    before = lexemes[position - 1] if position else None
    attached = of_noun and before is not None and before.is_subject
    head = before.concept if attached and before is not None else ""
    preceding = tokens.lower[max(0, opening.first - 3) : opening.first]
    condition = not OPENING.isdisjoint(preceding) or (of_noun and _is_fronted(tokens, lexemes, position))
    condition = condition or ":" in tokens.lower[opening.last : lexemes[-1].first]
    contrasted = word == "not" and tokens.at(opening.first - 1) == ","
    preferred = before.concept if contrasted and before is not None else ""
    is_choice = word in _CHOOSING
    return Negation(opening.first, opening.last, denied, used, head, condition, is_choice, preferred)


def negator_of(tokens: Tokens, lexemes: Sequence[Lexeme], negators: list[int], position: int) -> int | None:
    """Return the negator that reaches a term from before it, or stands right after it ("need not")."""
    for negator in reversed(negators):
        if negator < position:
            word = tokens.lower[lexemes[negator].first]
            if word in _NOT and tokens.lower[lexemes[position].first] in _FINITE:
                return None  # "who are not dialysed should": nobody says "not should"
            near = _is_near(tokens, lexemes, negator, position)
            if near and not _interrupted(tokens, lexemes, negator, position):
                return negator
            break
    following = position + 1
    if following in negators and tokens.lower[lexemes[following].first] in {"not", "no"}:
        return following if lexemes[following].first == lexemes[position].last else None
    return None


def _is_near(tokens: Tokens, lexemes: Sequence[Lexeme], negator: int, position: int) -> bool:
    """Whether a term stands within a negator's reach."""
    first = lexemes[negator].first
    reach = _NO_REACH if tokens.lower[first] in _DETERMINERS else _REACH
    if tokens.lower[first] == "no" and tokens.at(first - 1) in _HAVING:
        # "with no urgent need" denies the need, "with no symptoms start" no start
        return not any(one.is_subject and one.weight > LOW_WEIGHT for one in lexemes[negator:position])
    return position - negator <= reach and lexemes[position].first - first <= 2 * reach


def _interrupted(tokens: Tokens, lexemes: Sequence[Lexeme], negator: int, position: int) -> bool:
    """Whether the negation ends before the term: "without X", "cannot be removed are unsafe"."""
    word = tokens.lower[lexemes[negator].first]
    if word in _OF_NOUNS:
        return position - negator > 1
    between = tokens.lower[lexemes[negator].last : lexemes[position].first]
    if between[:2] == ["have", "to"]:
        between = between[2:]
    if _ENDING.intersection(between) or (word not in _DETERMINERS and _FINITE.intersection(between)):
        return True
    return any(
        lexeme.role is Role.STANCE and lexeme.concept not in {"possible", "done"}
        for lexeme in lexemes[negator + 1 : position]
    )


def _denied(
    tokens: Tokens, lexemes: Sequence[Lexeme], position: int, ending: frozenset[str]
) -> tuple[str, ...]:
    """Collect the two terms after a negator, within its phrase; those before a "not" that ends a clause.

    What "or" adds is denied too; what the clause also affirms is not ("on dialysis, or not on dialysis").
    """
    opening = lexemes[position]
    if position + 1 == len(lexemes) and tokens.lower[opening.first] == "not":
        return tuple([one.concept for one in lexemes[max(0, position - 2) : position] if one.is_subject])
    denied: list[str] = []
    end, left = opening.last, 2
    for lexeme in lexemes[position + 1 :]:
        between = tokens.lower[end : lexeme.first]
        if not ending.isdisjoint(between):
            break
        if "or" in between:
            left = 2
        if not left:
            break
        if lexeme.is_subject and not _is_affirmed(lexeme.concept, lexemes[:position]):
            denied.append(lexeme.concept)
        end, left = lexeme.last, left - 1
    return tuple(denied)


def _is_affirmed(concept: str, before: Sequence[Lexeme]) -> bool:
    """Whether the words before a negator name a concept already."""
    return any(one.concept == concept for one in before)


def _is_fronted(tokens: Tokens, lexemes: Sequence[Lexeme], position: int) -> bool:
    """Whether "without X," opens a sentence or stands beside another condition: "or without X, do not …"."""
    first = lexemes[position].first
    if not first:
        return True
    if tokens.at(first - 1) not in {",", ";", "or", "and"}:
        return False
    return "," in tokens.lower[first + 1 : first + _FRONT_REACH]
