"""What is asked for, allowed, forbidden or called needless, and of what."""

from collections.abc import Collection, Sequence
from typing import Final, final

from gatekeeper.checks.slots.condition import OPENING
from gatekeeper.checks.slots.lexicon import LOW_KEYS, Role
from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.checks.slots.negation import negator_of
from gatekeeper.checks.slots.slot import Slot
from gatekeeper.checks.slots.tokens import Lexeme, Tokens

SAME_ACTION: Final = 0.5
"""Share of what one stance is about that the other must be about too."""
_NEGATOR: Final = Role.NEGATOR
_STANCE: Final = Role.STANCE
_REACH: Final = 3
_ABOUT: Final = 5
"""Terms that "not" and "no" reach: "no routine follow-up imaging is recommended"."""
_MEASURING: Final = wordset(
    "below above at less more under over between within about approximately < > ≤ ≥ no"
)
_APART: Final = frozenset({",", ";", ":", "and", "then", "but"})
_PAUSES: Final = frozenset({",", ";"})
_LISTING: Final = frozenset({"and", "or"})
_TIMES: Final = wordset("h hour hours day days week weeks month months min minutes")
_ACTIONS: Final = frozenset({"done", "left out"})
_HOLDING: Final = frozenset({"hold", "held", "holding"})
_REFUSALS: Final = frozenset({"no", "none", "nothing", "neither", "rather", "instead"})
_CONDITIONAL: Final = frozenset({"if", "unless", "except", "until"})
_RESUMING: Final = wordset("resume resumed restart restarted reinitiate reinitiated recommence recommenced")
_EVENTS: Final = frozenset({"before", "after", "until", "when", "once", "while"})
_OF_EVENTS: Final = wordset("you we they it is are was being has been have the patient drug")
"""Words between "before" and the action that only names a time: "before it has been given"."""
_FORBIDDING: Final = frozenset({"don't", "don’t", "never"})
_URGING: Final = wordset(
    "forget hesitate miss overlook worry rely assume exclude mistake confuse expect wait"
)
"""What "do not" forbids without saying whether anything is done."""
_GATES: Final = frozenset({"until", "before", "unless", "except", "without", "within"})
_AFTERWARDS: Final = wordset("once when if after only following provided soon sooner earlier later from")
_SUPPOSING: Final = frozenset({"if", "once", "provided"})
_ABSENCE: Final = frozenset({"no", "not", "absent", "excluded", "out"})
"""Beside a condition: "if bleeding has been ruled out"."""
_LASTING: Final = frozenset({"for", "after"})
_REMOVING: Final = frozenset({"remove", "removed", "removing"})
_KEEPING: Final = wordset("keep kept leave left stay stays remain remains carry continue continued on")
_RARELY: Final = frozenset({"rarely", "seldom", "hardly"})
_JOINTLY: Final = wordset(
    "addition alone monotherapy combined combination together concomitant concurrent sole"
)
_CONDITION_ENDING: Final = frozenset({",", ";", ":", ".", "then", "but", "–"})
_CONDITION_REACH: Final = 6
"""Words before a stance in which the condition begins that it belongs to."""
_CHANGES: Final = frozenset({"adjustment", "adjustments", "change", "changes", "reduction", "modification"})
_USUAL: Final = frozenset({"usual", "normal", "unchanged", "standard", "same"})
_CHANGING: Final = _CHANGES | _USUAL | frozenset({"with", "but", "then"})
_LIMITS: Final = _GATES | _AFTERWARDS | _JOINTLY | _ABSENCE | _REMOVING | _KEEPING | _CHANGING
_UNLIMITED: Final[frozenset[str]] = frozenset()
_CONFLICTS: Final = {
    "required": frozenset({"unnecessary", "avoided"}),
    "recommended": frozenset({"unnecessary", "avoided"}),
    "allowed": frozenset({"avoided"}),
    "unnecessary": frozenset({"required", "recommended"}),
    "avoided": frozenset({"required", "recommended", "allowed"}),
}
_REFUSING: Final = frozenset({"avoided", "unnecessary"})
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

    `about` are the concepts around the word that says it, `words` those of its part of the sentence that
    limit it, `resumes` says that the action is taken up again.
    """

    __slots__ = ("about", "resumes", "value", "words")

    def __init__(
        self,
        first: int,
        last: int,
        value: str,
        about: frozenset[str],
        words: frozenset[str] = _UNLIMITED,
        resumes: bool = False,
    ) -> None:
        super().__init__(first, last, "polarity:stance")
        self.value = value
        self.about = about
        self.words = words
        self.resumes = resumes


def stances_conflict(claim: Stance, statement: Stance) -> bool:
    """Whether one clause asks for what the other forbids or calls needless.

    What is stopped may be taken up again. "Not until X" and "once X" agree, and so may a refusal of two
    things together with what is said of one.
    """
    if statement.value not in _CONFLICTS[claim.value] or claim.resumes != statement.resumes:
        return False
    refusal, other = (claim, statement) if claim.value in _REFUSING else (statement, claim)
    if other.value in _REFUSING:
        return True
    return not _leaves_open(refusal.words, other.words) and not _is_of_the_opposite(
        refusal.words, other.words
    )


def _leaves_open(refusing: frozenset[str], asking: frozenset[str]) -> bool:
    """Whether a refusal holds for a time, without something or together with something else only."""
    if not _GATES.isdisjoint(refusing) and not _AFTERWARDS.isdisjoint(asking):
        return True
    if "without" in refusing and "without" not in asking and not asking.isdisjoint({"with", "before"}):
        return True
    if "only" in asking or {"but", "not"} <= asking:
        return True
    if "then" in refusing and not _SUPPOSING.isdisjoint(asking):
        return True
    if "for it" in refusing and "after it" in asking:
        return True
    return not (refusing & _JOINTLY) <= asking or ("but" in refusing and "but" not in asking)


def _is_of_the_opposite(refusing: frozenset[str], asking: frozenset[str]) -> bool:
    """Whether what is asked for is the opposite: "do not remove" and "keep", or holds in its absence."""
    if not _REMOVING.isdisjoint(refusing) and not _KEEPING.isdisjoint(asking):
        return True
    if not _CHANGES.isdisjoint(refusing) and not _USUAL.isdisjoint(asking):
        return True
    supposed = not _SUPPOSING.isdisjoint(asking) and not _ABSENCE.isdisjoint(asking)
    return supposed and _SUPPOSING.isdisjoint(refusing)


def closeness(claim: Stance, statement: Stance) -> float:
    """Return the share of what one stance is about that the other is about too, in [0, 1].

    A stance without words around it is about any action.
    """
    fewest = min(len(claim.about), len(statement.about))
    return len(claim.about & statement.about) / fewest if fewest else 1.0


def refuses(stances: Sequence[Stance], denied: Collection[str]) -> bool:
    """Whether a clause forbids, or calls needless, what another one denies."""
    return any(one.value in _REFUSING and not one.about.isdisjoint(denied) for one in stances)


def read_stances(
    tokens: Tokens, lexemes: Sequence[Lexeme], negators: list[int]
) -> tuple[tuple[Stance, ...], set[int]]:
    """Read the stances of a clause, its own first; also return the negators that turned that one."""
    stance, used = _stance(tokens, lexemes, negators)
    return (stance, *_further(tokens, lexemes, stance)) if stance else (), used


def _further(tokens: Tokens, lexemes: Sequence[Lexeme], main: Stance) -> list[Stance]:
    """Return the stances of a clause that asks for several things: "stop the drip and keep the line open"."""
    cuts = [0]
    last = 0
    for lexeme in lexemes:
        if lexeme.role is not _STANCE:
            continue
        if last:
            apart = [at for at in range(last, lexeme.first) if tokens.lower[at] in _APART]
            if apart:
                cuts.append(next(at for at, one in enumerate(lexemes) if one.first > apart[-1]))
        last = lexeme.last
    if len(cuts) == 1:
        return []
    found: list[Stance] = []
    for first, end in zip(cuts, [*cuts[1:], len(lexemes)], strict=True):
        own = lexemes[first:end]
        negators = [position for position, one in enumerate(own) if one.role is _NEGATOR]
        stance, _ = _stance(tokens, own, negators)
        if stance is not None and stance.first != main.first:
            found.append(
                stance
                if stance.about
                else Stance(stance.first, stance.last, stance.value, main.about, stance.words, stance.resumes)
            )
    return found


def _stance(tokens: Tokens, lexemes: Sequence[Lexeme], negators: list[int]) -> tuple[Stance | None, set[int]]:
    """Combine the deontic words, the action and their negations; also return the negators used."""
    deontic = action = None
    used: set[int] = set()
    for position, lexeme in enumerate(lexemes):
        if lexeme.role is not _STANCE or _is_aside(tokens, lexemes, position):
            continue
        value = lexeme.concept
        if tokens.lower[lexeme.first] in _HOLDING and _gives_value(tokens, lexeme.last):
            value = "done"  # "held below 140 mmHg"
        denying = negator_of(tokens, lexemes, negators, position)
        if denying is not None and denying not in used:
            used.add(denying)
            nothing = tokens.lower[lexemes[denying].first] == "nothing"
            value = "unnecessary" if nothing and value == "done" else _DENIED.get(value, value + " not")
        if value in {"done", "left out", "done not", "left out not"}:
            action = action or (value, lexeme)
        elif deontic is None or _outweighs(value, deontic[0]):
            deontic = (value, lexeme)
    asked = deontic[0].replace("obliged", "required") if deontic else ""
    value = _combined(asked, action[0] if action else "")
    decisive = deontic or action
    if decisive is not None and _leaves_room(tokens, lexemes, decisive[1], value):
        return None, used
    forbidding = _forbidding(tokens, lexemes, negators, used)
    if forbidding is not None and (decisive is None or forbidding.first < decisive[1].first):
        return _stating(tokens, lexemes, forbidding, "avoided"), used
    if not value or decisive is None:
        return _bare_refusal(tokens, lexemes, negators, used)
    return _stating(tokens, lexemes, decisive[1], value), used


def _stating(tokens: Tokens, lexemes: Sequence[Lexeme], decisive: Lexeme, value: str) -> Stance:
    """Return the stance that a word states."""
    first = lexemes[0].first
    while first and tokens.lower[first - 1] not in _CONDITION_ENDING:
        first -= 1
    words = _LIMITS.intersection(tokens.lower[first : lexemes[-1].last + 1])
    for at in range(first, lexemes[-1].last + 1):
        if tokens.at(at) in _LASTING and tokens.is_number(at + 1):
            words |= {tokens.lower[at] + " it"}  # "not for 6 weeks", "after 6 weeks"
    resumes = tokens.lower[decisive.first] in _RESUMING
    about = _about(tokens, lexemes, decisive)
    return Stance(decisive.first, decisive.last, value, about, words, resumes)


def _forbidding(
    tokens: Tokens, lexemes: Sequence[Lexeme], negators: list[int], used: set[int]
) -> Lexeme | None:
    """Return the "do not" that opens a command of which no verb is known: "do not log-roll"."""
    for position in negators:
        first = lexemes[position].first
        word = tokens.lower[first]
        opening = first - 1 if word == "not" and tokens.at(first - 1) == "do" else first
        if opening == first and word not in _FORBIDDING:
            continue
        opens = not opening or tokens.at(opening - 1) in _CONDITION_ENDING
        if position not in used and opens and tokens.at(lexemes[position].last) not in _URGING:
            return lexemes[position]
    return None


def _leaves_room(tokens: Tokens, lexemes: Sequence[Lexeme], decisive: Lexeme, value: str) -> bool:
    """Whether something else may be asked of some: "optional for most", "4 h for one agent is advised"."""
    if value in {"allowed", "unnecessary"} and "most" in tokens.lower[decisive.last : decisive.last + 3]:
        return True
    if value in {"required", "recommended"} and not _RARELY.isdisjoint(
        tokens.lower[max(0, decisive.first - _REACH) : decisive.first]
    ):
        return True
    first = lexemes[0].first
    while first and tokens.at(first - 1) not in _CONDITION_ENDING:
        first -= 1
    return tokens.is_number(first) and tokens.at(first + 1) in _TIMES and decisive.concept not in _ACTIONS


def _gives_value(tokens: Tokens, position: int) -> bool:
    """Whether a value follows: "below 140", "at 90", not "at the time of the scan"."""
    word = tokens.at(position)
    return word in _MEASURING and (word != "at" or tokens.is_number(position + 1))


def _is_aside(tokens: Tokens, lexemes: Sequence[Lexeme], position: int) -> bool:
    """Whether a word asks for nothing: a value, a kind of thing, a time or a condition is spoken of."""
    lexeme = lexemes[position]
    first, after = lexeme.first, tokens.at(lexeme.last)
    if after == "be" and tokens.at(lexeme.last + 1) in _MEASURING:
        return True  # "should be below 1.5" asks for a value, not for an action
    if not first and tokens.lower[0] == "should":
        return True  # "Should it be found, …"
    if after == "not" and position + 1 < len(lexemes) and lexemes[position + 1].role is Role.URGENCY:
        return True  # "need not be delayed"
    if lexeme.concept == "left out" and first:
        compound = f"{tokens.raw[first - 1]}-{tokens.raw[first]}"
        if compound in tokens.text:
            return True  # "a ceiling-suspended shield"
    return _is_in_condition(tokens, first) or (lexeme.concept in _ACTIONS and _is_event(tokens, first))


def _is_event(tokens: Tokens, first: int) -> bool:
    """Whether an action only names a time: "before you give it"."""
    while first and tokens.at(first - 1) in _OF_EVENTS:
        first -= 1
    return bool(first) and tokens.at(first - 1) in _EVENTS


def _is_in_condition(tokens: Tokens, first: int) -> bool:
    """Whether a condition reaches a word: "unless precluded by the patient"."""
    for word in reversed(tokens.lower[max(0, first - _CONDITION_REACH) : first]):
        if word in _CONDITION_ENDING:
            return False
        if word in _CONDITIONAL:
            return True
    return False


def _about(tokens: Tokens, lexemes: Sequence[Lexeme], decisive: Lexeme) -> frozenset[str]:
    """Return what stands around a stance: a few words before it, and after it up to the next mark."""
    place = lexemes.index(decisive)
    around = [one.concept for one in _before(tokens, lexemes[:place], decisive)]
    end = decisive.last
    for following in lexemes[place + 1 : place + _ABOUT + 1]:
        if not _PAUSES.isdisjoint(tokens.lower[end : following.first]):
            break
        if _tells(following):
            around.append(following.concept)
        end = following.last
    return frozenset(around)


def _before(tokens: Tokens, lexemes: Sequence[Lexeme], decisive: Lexeme) -> list[Lexeme]:
    """Return what tells of an action before its stance; of "…, oxygen is stopped" the last part alone."""
    before = [one for one in lexemes if _tells(one)][-_ABOUT:]
    if not before or not _PAUSES.isdisjoint(tokens.lower[before[-1].last : decisive.first]):
        return before
    for part in range(len(before) - 1, 0, -1):
        end = before[part - 1].last
        if not _PAUSES.isdisjoint(tokens.lower[end : before[part].first]):
            is_list = not _LISTING.isdisjoint(tokens.lower[end : decisive.first])
            return before if is_list else before[part:]
    return before


def _tells(lexeme: Lexeme) -> bool:
    return lexeme.is_subject and lexeme.concept not in LOW_KEYS


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
    if refuses and not used and not _is_supposed(tokens, lexemes):
        return Stance(opening.first, opening.last, "unnecessary", _about(tokens, lexemes, opening)), used
    return None, used


def _is_supposed(tokens: Tokens, lexemes: Sequence[Lexeme]) -> bool:
    """Whether an opening "no" only says in which case the rest holds: "no vein found: use the femur"."""
    first = lexemes[0].first
    before = tokens.at(first - 1)
    return before == "or" or before in OPENING or ":" in tokens.lower[first : lexemes[-1].first]
