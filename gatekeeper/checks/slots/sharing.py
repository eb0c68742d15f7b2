"""Where the clauses of a sentence begin, and what they share: rows, fronted conditions, lists."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, Protocol, Self, TypeVar

from gatekeeper.checks.slots.agent import Agent
from gatekeeper.checks.slots.category import Category
from gatekeeper.checks.slots.clause import Clause
from gatekeeper.checks.slots.laterality import Side
from gatekeeper.checks.slots.lexicon import Role
from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.checks.slots.quantity import Quantity
from gatekeeper.checks.slots.slot import Slot
from gatekeeper.checks.slots.tokens import SUBJECT_ROLES, Lexeme, Tokens

STRONG: Final = frozenset({";", "whereas", "but", "however", "although", "though", "yet", "otherwise"})
_INSTEAD: Final = frozenset({("rather", "than"), ("instead", "of")})
WEAK: Final = frozenset({",", "and", "or", "while", "then", "."})
_CHOOSING: Final = frozenset(first for first, _ in _INSTEAD)
_SEPARATORS: Final = STRONG | WEAK | _CHOOSING
_LIST: Final = frozenset({",", "and", "or", "/", "x", "×"})
_FRONTING: Final = wordset("at in for with without during after before on if when among within under once")
_MARKING: Final = frozenset({Role.AXIS, Role.QUALIFIER, Role.STANCE})
_SAYING: Final = SUBJECT_ROLES | {Role.STANCE}
_LENT: Final = ("quantities", "categories", "agents", "axes", "relations", "urgency")

Placed = Quantity | Category | Side | Agent


class Mark(NamedTuple):
    """Where something stands that a clause fills in, and what may be compared with it."""

    first: int
    last: int
    signature: str

    @property
    def is_value(self) -> bool:
        """Whether it is a slot, no condition and no stance."""
        return not self.signature.startswith(("condition", "stance", "action"))


def marks_of(found: Sequence[Lexeme], placed: Sequence[Placed]) -> list[Mark]:
    """Return slots, conditions and stances in order."""
    marks = [Mark(slot.first, slot.last, slot.signature) for slot in placed]
    for lexeme in [lexeme for lexeme in found if lexeme.role in _MARKING]:
        if lexeme.role is Role.AXIS:
            marks.append(Mark(lexeme.first, lexeme.last, f"polarity:{lexeme.groups[0]}"))
        elif lexeme.role is Role.QUALIFIER:
            marks.append(Mark(lexeme.first, lexeme.last, f"condition:{lexeme.groups[0]}"))
        elif lexeme.concept != "possible":
            # "Withhold and restart": opposite actions are no repetition of a pattern.
            action = lexeme.concept in {"done", "left out"}
            marks.append(Mark(lexeme.first, lexeme.last, f"action:{lexeme.concept}" if action else "stance"))
    return sorted(marks)


class Start(NamedTuple):
    """Where a clause begins, whether it is a row that leaves out what the rows before it say.

    `subject` is the stretch before the twin of its first slot, which it is about too: in "a half-time
    below 10 min is normal, above 20 min …" the half-time.
    """

    first: int
    is_row: bool = False
    subject: tuple[int, int] = (0, 0)


def may_divide(tokens: Tokens) -> bool:
    """Whether a sentence holds any word or sign that clauses begin at."""
    return not _SEPARATORS.isdisjoint(tokens.lower)


def clause_starts(tokens: Tokens, found: Sequence[Lexeme], marks: Sequence[Mark]) -> list[Start]:
    """Return where the clauses begin: at "whereas", at a key of the same kind, at a repeated pattern.

    "Zone I is open, Zone II is restricted" are two clauses, and so are "4A > 2–10 %, 4B > 10–50 %",
    whose second is a row.
    """
    separators = [at for at, word in enumerate(tokens.lower) if word in _SEPARATORS]
    starts = [Start(0)]
    if not separators or len(marks) < 2:
        return starts
    words = [lexeme.first for lexeme in found if lexeme.role in _SAYING]
    for place, at in enumerate(separators):
        stop = separators[place + 1] if place + 1 < len(separators) else len(tokens)
        if any(mark.first < at < mark.last for mark in marks):
            continue  # "larger than 1 cm but not larger than 2 cm" is one interval.
        begin = starts[-1].first
        left = [mark for mark in marks if begin <= mark.first < at]
        right = [mark for mark in marks if at <= mark.first < stop]
        rest = [mark for mark in marks if at <= mark.first]
        if not left or not rest:
            continue
        twin = next((mark.first for mark in left if right and mark.signature == right[0].signature), begin)
        if _same_pattern(left, right, rest):
            starts.append(Start(at, True, (begin, twin)))
        elif right and _same_opening(tokens, words, (begin, at, stop), left, right):
            starts.append(Start(at, False, (begin, twin)))
        elif _contrasts(tokens, at):
            starts.append(Start(at))
    return starts


def _same_opening(
    tokens: Tokens,
    words: Sequence[int],
    bounds: tuple[int, int, int],
    left: Sequence[Mark],
    right: Sequence[Mark],
) -> bool:
    """Whether both stretches say something of their own about a key, or a number, of one kind.

    "Zone I is open, Zone II …" opens with the key on both sides; "20 % of patients, and 5 % need …"
    goes on with a number that is no further member of a list.
    """
    begin, at, stop = bounds
    opening = right[0]
    if any(tokens.lower[position] not in WEAK for position in range(at, opening.first)):
        return False
    twins = [mark for mark in left if mark.signature == opening.signature]
    if not twins or set(tokens.lower[twins[-1].last : opening.first]) <= _LIST:
        return False
    after_colon = max((p + 1 for p in range(begin, twins[0].first) if tokens.lower[p] == ":"), default=begin)
    key = not any(after_colon <= word < twins[0].first for word in words)
    if not (key or opening.signature.startswith("number")):
        return False
    own = any(opening.last <= word < stop for word in words)
    return own and any(begin <= word < at and not twins[0].first <= word < twins[0].last for word in words)


def _contrasts(tokens: Tokens, at: int) -> bool:
    word = tokens.lower[at]
    if (word, tokens.at(at + 1)) in _INSTEAD:
        return True
    return word in STRONG or (word == "while" and tokens.at(at - 1) == ",")


def _same_pattern(left: Sequence[Mark], right: Sequence[Mark], rest: Sequence[Mark]) -> bool:
    before, after = {mark.signature for mark in left}, {mark.signature for mark in right}
    if len(before & after) >= 2:
        return True
    if {"action:left out", "action:done"} <= before | after and not before & after:
        return True
    repeats = bool(right) and len(before) >= 2 and left[0].signature == right[0].signature
    return repeats and len({mark.signature for mark in rest}) >= 2


def share_rows(rows: Sequence[Clause]) -> list[Clause]:
    """Give every row what only one of them fills in: "40 mg of A or 200 mg of B every 4 h"."""
    if len(rows) < 2:
        return list(rows)
    completed = []
    for row in rows:
        others = [other for other in rows if other is not row]
        stances = [other.stance for other in others if other.stance]
        given = lend(row, others)
        completed.append(
            replace(
                given,
                conditions={**rows[0].conditions, **given.conditions},
                beside=frozenset(concept for other in others for concept in other.terms),
                stance=given.stance or (stances[0] if len(stances) == 1 else None),
            )
        )
    return completed


def lend(row: Clause, others: Sequence[Clause]) -> Clause:
    """Return the clause with the slots of which it has none and exactly one of the others has some."""
    lent: dict[str, Any] = {}
    for name in _LENT:
        own = getattr(row, name)
        signatures = {slot.signature for slot in own}
        lenders: dict[str, list[Any]] = {}
        for other in others:
            for signature in dict.fromkeys(slot.signature for slot in getattr(other, name)):
                if signature not in signatures:
                    lenders.setdefault(signature, []).append(other)
        borrowed = tuple(
            slot
            for signature, found in lenders.items()
            if len(found) == 1
            for slot in getattr(found[0], name)
            if slot.signature == signature
        )
        if borrowed:
            lent[name] = (*own, *borrowed)
    return replace(row, **lent) if lent else row


def fronted(tokens: Tokens) -> int:
    """Return the token that ends an opening condition ("In low-risk patients, …"), 0 without one."""
    if tokens.at(0) not in _FRONTING or "," not in tokens.lower:
        return 0
    return tokens.lower.index(",")


class _Rival(Slot, Protocol):
    """A slot of which a clause may hold several that compare with one another."""

    def told_by(self, anchors: frozenset[str]) -> Self:
        """Return it with the concepts that tell it from others."""


_Anchored = TypeVar("_Anchored", bound=_Rival)


def anchored(tokens: Tokens, own: Sequence[Lexeme], slots: Sequence[_Anchored]) -> tuple[_Anchored, ...]:
    """Give each of several slots that may be compared with one another what its own stretch speaks of.

    The members of a list ("13, 7 and 1 h") share theirs. A slot without a rival needs none.
    """
    if len({slot.signature for slot in slots}) == len(slots):
        return tuple(slots)
    return tuple([slot.told_by(_anchors(tokens, own, slot, slots)) for slot in slots])


def _anchors(
    tokens: Tokens, own: Sequence[Lexeme], slot: _Anchored, slots: Sequence[_Anchored]
) -> frozenset[str]:
    lists = _lists(tokens, [other for other in slots if other.signature == slot.signature])
    if len(lists) == 1:
        return frozenset()
    place = next(at for at, members in enumerate(lists) if slot in members)
    here = lists[place]
    left = _cut(tokens, lists[place - 1][-1].last, here[0].first) if place else 0
    right = _cut(tokens, here[-1].last, lists[place + 1][0].first) if place + 1 < len(lists) else len(tokens)
    return frozenset(
        lexeme.concept
        for lexeme in own
        if left <= lexeme.first < right and lexeme.is_subject and lexeme.first != slot.first
    )


def _lists(tokens: Tokens, slots: Sequence[_Anchored]) -> list[list[_Anchored]]:
    lists: list[list[_Anchored]] = []
    for slot in slots:
        if lists and set(tokens.lower[lists[-1][-1].last : slot.first]) <= _LIST:
            lists[-1].append(slot)
        else:
            lists.append([slot])
    return lists


def _cut(tokens: Tokens, first: int, last: int) -> int:
    """Return the separator between two quantities that divides their stretches, else the middle."""
    for separators in (STRONG, WEAK):
        for position in range(first, last):
            if tokens.lower[position] in separators:
                return position
    return (first + last) // 2
