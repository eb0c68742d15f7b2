"""Whether something holds, is asked for, allowed or forbidden: negation, stance, antonyms."""

from collections.abc import Mapping, Sequence, Set
from typing import Final, final

from gatekeeper.checks.slots.lexicon import LOW_KEYS, Role
from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.checks.slots.slot import Slot
from gatekeeper.checks.slots.tokens import LOW_WEIGHT, Lexeme, Tokens

_NEGATOR: Final = Role.NEGATOR
_AXIS: Final = Role.AXIS
_STANCE: Final = Role.STANCE
_REACH: Final = 3
_NO_REACH: Final = 6
_AXIS_REACH: Final = 2
_ABOUT: Final = 5
"""Terms that "not" and "no" reach: "no routine follow-up imaging is recommended"."""

_OF_NOUNS: Final = frozenset({"without", "free", "instead", "rather"})
_DETERMINERS: Final = frozenset({"no", "nothing", "neither", "nor", "none"})
"""Negators that deny what is said of the words after them, its verb too: "no scan is needed"."""
_HAVING: Final = wordset("with have has had having show shows showed shown reveals there is are was were who")
"""Before "no" they make it part of a description: "women who have no symptoms start with …"."""
_FINITE: Final = frozenset({"is", "are", "was", "were", "should", "must", "may", "can", "has", "have"})
_NOT: Final = frozenset({"not", "never", "cannot"})
_ENDING: Final = frozenset({",", ";", ":", "but", "which", "who", "that", "if", "when", "whereas"})

_MEASURING: Final = wordset(
    "below above at less more under over between within about approximately < > ≤ ≥ no"
)

_ANCHORED: Final = frozenset({"place", "location", "depth", "completeness", "quality", "extreme"})
_REFUSALS: Final = frozenset({"no", "none", "nothing", "neither", "rather", "instead"})
_CONDITIONS: Final = frozenset({"if", "when", "where", "once", "provided"})

_CONDITIONAL: Final = frozenset({"if", "unless", "except", "until"})
_CONDITION_ENDING: Final = frozenset({",", ";", ":", ".", "then", "but", "–"})
_CONDITION_REACH: Final = 6
"""Words before a stance in which the condition begins that it belongs to."""

_CONFLICTS: Final = {
    "required": frozenset({"unnecessary", "avoided"}),
    "recommended": frozenset({"unnecessary", "avoided"}),
    "allowed": frozenset({"avoided"}),
    "unnecessary": frozenset({"required", "recommended"}),
    "avoided": frozenset({"required", "recommended", "allowed"}),
}
_DENIED: Final = {
    "obliged": "avoided",
    "required": "unnecessary",
    "recommended": "avoided",
    "allowed": "avoided",
    "possible": "avoided",
    "unnecessary": "required",
    "avoided": "allowed",
}
_OF_LEAVING_OUT: Final = {
    "required": "avoided",
    "recommended": "avoided",
    "allowed": "unnecessary",
    "possible": "unnecessary",
    "unnecessary": "allowed",
    "avoided": "required",
}
"""What "X is … to be left out" says of X itself: what need not be stopped may go on."""


@final
class Stance(Slot):
    """What a clause says of an action: required, recommended, allowed, unnecessary or avoided.

    `about` are the concepts around the word that says it.
    """

    __slots__ = ("about", "value")

    def __init__(self, first: int, last: int, value: str, about: frozenset[str]) -> None:
        super().__init__(first, last, "polarity:stance")
        self.value = value
        self.about = about


@final
class Axis(Slot):
    """One of two opposite words, turned round where it is negated; `anchor` is the concept after it."""

    __slots__ = ("anchor", "axis", "positive")

    def __init__(self, first: int, last: int, axis: str, positive: bool, anchor: str = "") -> None:
        super().__init__(first, last, f"polarity:{axis}")
        self.axis = axis
        self.positive = positive
        self.anchor = anchor


@final
class Negation(Slot):
    """A negation and the concepts that it denies, nearest first.

    `used` says that it turns a stance or an axis, `head` what "without" is attached to ("MRI without
    gadolinium"), `conditional` that it is part of a condition ("if no endoleak is seen").
    """

    __slots__ = ("conditional", "denied", "head", "used")

    def __init__(
        self,
        first: int,
        last: int,
        denied: tuple[str, ...],
        used: bool = False,
        head: str = "",
        conditional: bool = False,
    ) -> None:
        super().__init__(first, last, "polarity:negation")
        self.denied = denied
        self.used = used
        self.head = head
        self.conditional = conditional

    def denied_in(self, others: Sequence["Negation"]) -> bool:
        """Whether another clause denies the same."""
        return any(set(self.denied) & set(other.denied) for other in others)

    def affirmed_by(self, terms: Mapping[str, float], supposed: Set[str], *, conditional: bool) -> bool:
        """Whether a clause that denies nothing speaks of what is denied, in the same part of its sentence.

        `supposed` are its terms that it only supposes: those of its conditions, and of the events that it
        orders by time.
        """
        if self.denied[0] not in terms or (self.conditional and not conditional):
            return False
        if self.denied[0] in supposed and not self.conditional:
            return False
        return not self.head or self.head in terms


def read_polarity(
    tokens: Tokens, lexemes: Sequence[Lexeme]
) -> tuple[Stance | None, tuple[Axis, ...], tuple[Negation, ...]]:
    """Read the stance, antonyms and negations of one clause's lexemes."""
    negators = [position for position, lexeme in enumerate(lexemes) if lexeme.role is _NEGATOR]
    stance, used = _stance(tokens, lexemes, negators)
    axes = []
    for position, lexeme in enumerate(lexemes):
        if lexeme.role is _AXIS:
            denying = _negator_of(tokens, lexemes, negators, position)
            if denying in used or (denying is not None and abs(position - denying) > _AXIS_REACH):
                denying = None
            if denying is not None:
                used.add(denying)
            positive = (lexeme.concept == "+") == (denying is None)
            following = lexemes[position + 1].concept if position + 1 < len(lexemes) else ""
            axes.append(Axis(lexeme.first, lexeme.last, lexeme.groups[0], positive, following))
    negations = [_negation(tokens, lexemes, position, position in used) for position in negators]
    return stance, tuple(axes), tuple(negation for negation in negations if negation.denied)


def same_axis(claim: Axis, statement: Axis) -> bool:
    """Whether two words lie on one axis; what is above or below has to be the same thing."""
    return claim.axis == statement.axis and (claim.axis not in _ANCHORED or claim.anchor == statement.anchor)


def stances_conflict(claim: Stance, statement: Stance) -> bool:
    """Whether one clause asks for what the other forbids or calls needless."""
    return statement.value in _CONFLICTS[claim.value]


def same_action(claim: Stance, statement: Stance) -> bool:
    """Whether two stances may be about one action; a stance without words around it is about any."""
    return not claim.about or not statement.about or not claim.about.isdisjoint(statement.about)


def _stance(tokens: Tokens, lexemes: Sequence[Lexeme], negators: list[int]) -> tuple[Stance | None, set[int]]:
    """Combine the deontic words, the action and their negations; also return the negators used."""
    deontic = action = None
    used: set[int] = set()
    for position, lexeme in enumerate(lexemes):
        if lexeme.role is not _STANCE or _is_aside(tokens, lexemes, position):
            continue
        value = lexeme.concept
        if value == "left out" and tokens.at(lexeme.last) in _MEASURING:
            value = "done"  # "held below 140 mmHg"
        denying = _negator_of(tokens, lexemes, negators, position)
        if denying is not None and denying not in used:
            used.add(denying)
            value = _DENIED.get(value, value + " not")
        if value in {"done", "left out", "done not", "left out not"}:
            action = action or (value, lexeme)
        elif deontic is None or _outweighs(value, deontic[0]):
            deontic = (value, lexeme)
    asked = deontic[0].replace("obliged", "required") if deontic else ""
    value = _combined(asked, action[0] if action else "")
    decisive = deontic or action
    if not value or decisive is None:
        return _bare_refusal(tokens, lexemes, negators, used)
    return Stance(decisive[1].first, decisive[1].last, value, _about(lexemes, decisive[1])), used


def _is_aside(tokens: Tokens, lexemes: Sequence[Lexeme], position: int) -> bool:
    """Whether a word asks for nothing: a value, a kind of thing, or a condition is spoken of."""
    lexeme = lexemes[position]
    first = lexeme.first
    if tokens.at(lexeme.last) == "be" and tokens.at(lexeme.last + 1) in _MEASURING:
        return True  # "should be below 1.5" asks for a value, not for an action
    if lexeme.concept == "left out" and first and f"{tokens.raw[first - 1]}-{tokens.raw[first]}" in tokens.text:
        return True  # "a ceiling-suspended shield"
    before = tokens.lower[max(0, first - _CONDITION_REACH) : first]
    for word in reversed(before):
        if word in _CONDITION_ENDING:
            return False
        if word in _CONDITIONAL:
            return True  # "unless precluded by the patient"
    return False


def _about(lexemes: Sequence[Lexeme], decisive: Lexeme) -> frozenset[str]:
    place = lexemes.index(decisive)
    around = lexemes[max(0, place - _ABOUT) : place + _ABOUT + 1]
    return frozenset(one.concept for one in around if one.is_subject and one.concept not in LOW_KEYS)


def _outweighs(value: str, other: str) -> bool:
    """Whether a word decides over another: any over "may", forbidding over asking ("should be avoided")."""
    return other == "possible" or (
        value in {"avoided", "unnecessary"} and other in {"required", "obliged", "recommended"}
    )


def _combined(deontic: str, action: str) -> str:
    if action in {"left out", "done not"}:
        leaving = {"": "recommended"}.get(deontic, deontic)
        if action == "done not":
            return "unnecessary" if deontic == "unnecessary" else "avoided"
        return _OF_LEAVING_OUT[leaving]
    if action == "left out not":
        return "allowed" if deontic in {"", "possible"} else "recommended"
    if deontic == "possible":
        return "allowed" if action == "done" else ""
    return deontic or ("recommended" if action == "done" else "")


def _bare_refusal(
    tokens: Tokens, lexemes: Sequence[Lexeme], negators: list[int], used: set[int]
) -> tuple[Stance | None, set[int]]:
    """Read "No follow-up", "None": a clause that opens with "no" and says nothing else of an action."""
    opening = lexemes[0]
    refuses = negators[:1] == [0] and tokens.lower[opening.first] in _REFUSALS and len(lexemes) <= _REACH * 2
    if refuses and not used and tokens.at(opening.first - 1) not in _CONDITIONS:
        return Stance(opening.first, opening.last, "unnecessary", _about(lexemes, opening)), used
    return None, used


def _negator_of(tokens: Tokens, lexemes: Sequence[Lexeme], negators: list[int], position: int) -> int | None:
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
    if _ENDING.intersection(between) or (word not in _DETERMINERS and _FINITE.intersection(between)):
        return True
    return any(
        lexeme.role is Role.STANCE and lexeme.concept not in {"possible", "done"}
        for lexeme in lexemes[negator + 1 : position]
    )


def _negation(tokens: Tokens, lexemes: Sequence[Lexeme], position: int, used: bool) -> Negation:
    """Collect the terms that a negator denies, and see what it is attached to and whether it is a condition."""
    opening = lexemes[position]
    of_noun = tokens.lower[opening.first] in _OF_NOUNS
    if tokens.at(opening.first - 1) == "or" and not of_noun:
        return Negation(opening.first, opening.last, (), used)  # "one or neither of both" leaves it open
    denied = _denied(tokens, lexemes, position, _ENDING | _FINITE if of_noun else _ENDING)
    before = lexemes[position - 1] if position else None
    attached = of_noun and before is not None and before.is_subject
    head = before.concept if attached and before is not None else ""
    preceding = tokens.lower[max(0, opening.first - 3) : opening.first]
    condition = not _CONDITIONS.isdisjoint(preceding) or (of_noun and _is_fronted(tokens, lexemes, position))
    return Negation(opening.first, opening.last, denied, used, head, condition)


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
    return any([one.concept == concept for one in before])


def _is_fronted(tokens: Tokens, lexemes: Sequence[Lexeme], position: int) -> bool:
    """Whether "without X," opens a sentence or stands beside another condition: "or without X, do not …"."""
    first = lexemes[position].first
    if first and tokens.at(first - 1) not in {",", ";", "or", "and"}:
        return False
    return "," in tokens.lower[first + 1 : first + _CONDITION_REACH]
