"""Where the clauses of a sentence begin, and what they share: rows, fronted conditions, lists."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar, final

from gatekeeper.checks.slots.clause import Clause
from gatekeeper.checks.slots.lexicon import Role
from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.checks.slots.slot import Rival, Slot
from gatekeeper.checks.slots.tokens import Lexeme, Tokens

STRONG: Final = frozenset({";", "whereas", "but", "however", "although", "though", "yet", "otherwise"})
_INSTEAD: Final = frozenset({("rather", "than"), ("instead", "of")})
WEAK: Final = frozenset({",", "and", "or", "while", "then", "."})
_CHOOSING: Final = frozenset(first for first, _ in _INSTEAD)
_SEPARATORS: Final = STRONG | WEAK | _CHOOSING
_LIST: Final = frozenset({",", "and", "or", "/", "x", "×"})
_FRONTING: Final = wordset("at in for with without during after before on if when among within under once")
_AXIS: Final = Role.AXIS
_QUALIFIER: Final = Role.QUALIFIER
_STANCE: Final = Role.STANCE
_LENT: Final = ("quantities", "categories", "agents", "axes", "relations", "urgency")


@final
class Mark:
    """Where something stands that a clause fills in, and what may be compared with it.

    `is_value` says that it is a slot, no condition and no stance.
    """

    __slots__ = ("first", "is_value", "last", "signature")

    def __init__(self, first: int, last: int, signature: str, is_value: bool) -> None:
        self.first = first
        self.last = last
        self.signature = signature
        self.is_value = is_value

    def __lt__(self, other: "Mark") -> bool:
        if self.first != other.first:
            return self.first < other.first
        return self.last < other.last if self.last != other.last else self.signature < other.signature


def marks_of(found: Sequence[Lexeme], placed: Sequence[Slot]) -> list[Mark]:
    """Return slots, conditions and stances in order."""
    # An agent that is one of a family too ("gadobutrol", "gadolinium") is one name, not two.
    own = [slot for at, slot in enumerate(placed) if not at or slot.first != placed[at - 1].first]
    marks = [Mark(slot.first, slot.last, slot.signature, True) for slot in own]
    for lexeme in found:
        role = lexeme.role
        if role is _AXIS:
            marks.append(Mark(lexeme.first, lexeme.last, f"polarity:{lexeme.groups[0]}", True))
        elif role is _QUALIFIER:
            marks.append(Mark(lexeme.first, lexeme.last, f"condition:{lexeme.groups[0]}", False))
        elif role is _STANCE and lexeme.concept != "possible":
            # "Withhold and restart": opposite actions are no repetition of a pattern.
            action = lexeme.concept in {"done", "left out"}
            signature = f"action:{lexeme.concept}" if action else "stance"
            marks.append(Mark(lexeme.first, lexeme.last, signature, False))
    marks.sort()
    return marks


@final
class Start:
    """Where a clause begins, whether it is a row that leaves out what the rows before it say.

    `subject` is the stretch before the twin of its first slot, which it is about too: in "a half-time
    below 10 min is normal, above 20 min …" the half-time.
    """

    __slots__ = ("first", "is_row", "subject")

    def __init__(self, first: int, is_row: bool = False, subject: tuple[int, int] = (0, 0)) -> None:
        self.first = first
        self.is_row = is_row
        self.subject = subject


def separators_of(tokens: Tokens) -> list[int]:
    """Return the words and signs that clauses may begin at; the full stop that ends a sentence is none."""
    found = [at for at, word in enumerate(tokens.lower) if word in _SEPARATORS]
    if found and found[-1] == len(tokens) - 1 and tokens.lower[-1] == ".":
        found.pop()
    return found


def clause_starts(
    tokens: Tokens, found: Sequence[Lexeme], marks: Sequence[Mark], separators: Sequence[int]
) -> list[Start]:
    """Return where the clauses begin: at "whereas", at a key of the same kind, at a repeated pattern.

    "Zone I is open, Zone II is restricted" are two clauses, and so are "4A > 2–10 %, 4B > 10–50 %",
    whose second is a row.
    """
    starts = [Start(0)]
    if len(marks) < 2:
        return starts
    begin = 0
    words = [lexeme.first for lexeme in found if lexeme.is_subject or lexeme.role is _STANCE]
    for place, at in enumerate(separators):
        stop = separators[place + 1] if place + 1 < len(separators) else len(tokens)
        left = [mark for mark in marks if begin <= mark.first < at]
        rest = [mark for mark in marks if at <= mark.first]
        if not left or not rest or [mark for mark in left if mark.last > at]:
            continue  # "larger than 1 cm but not larger than 2 cm" is one interval.
        right = [mark for mark in rest if mark.first < stop]
        start = _start(tokens, words, (begin, at, stop), left, right, rest)
        if start is not None:
            starts.append(start)
            begin = at
    return starts


def _start(
    tokens: Tokens,
    words: Sequence[int],
    bounds: tuple[int, int, int],
    left: Sequence[Mark],
    right: Sequence[Mark],
    rest: Sequence[Mark],
) -> Start | None:
    begin, at, _ = bounds
    same_row = _same_pattern(left, right, rest)
    if same_row or (right and _same_opening(tokens, words, bounds, left, right)):
        twins = [mark.first for mark in left if right and mark.signature == right[0].signature]
        return Start(at, same_row, (begin, twins[0] if twins else begin))
    return Start(at) if _contrasts(tokens, at) else None


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


def share_rows(rows: Sequence[Clause]) -> None:
    """Give every row what only one of them fills in: "40 mg of A or 200 mg of B every 4 h"."""
    if len(rows) < 2:
        return
    stances = [row.stance for row in rows]
    lent = [lent_to(row, [other for other in rows if other is not row]) for row in rows]
    for place, row in enumerate(rows):
        take(row, lent[place])
        row.conditions = {**rows[0].conditions, **row.conditions}
        row.beside = frozenset([term for other in rows if other is not row for term in other.terms])
        if row.stance is None:
            others = [stance for at, stance in enumerate(stances) if stance and at != place]
            row.stance = others[0] if len(others) == 1 else None


def lent_to(row: Clause, others: Sequence[Clause]) -> dict[str, tuple[Any, ...]]:
    """Return by field the slots of which a clause has none and exactly one of the others has some."""
    lent: dict[str, tuple[Any, ...]] = {}
    for name in _LENT:
        signatures = {slot.signature for slot in getattr(row, name)}
        lenders: dict[str, list[Clause]] = {}
        for other in others:
            for signature in dict.fromkeys([slot.signature for slot in getattr(other, name)]):
                if signature not in signatures:
                    lenders.setdefault(signature, []).append(other)
        lent[name] = tuple(
            [
                slot
                for signature, found in lenders.items()
                if len(found) == 1
                for slot in getattr(found[0], name)
                if slot.signature == signature
            ]
        )
    return lent


def take(row: Clause, lent: dict[str, tuple[Any, ...]]) -> None:
    """Add slots that others lend to those of a clause."""
    for name, slots in lent.items():
        if slots:
            setattr(row, name, (*getattr(row, name), *slots))


def fronted(tokens: Tokens) -> int:
    """Return the token that ends an opening condition ("In low-risk patients, …"), 0 without one."""
    if tokens.at(0) not in _FRONTING or "," not in tokens.lower:
        return 0
    return tokens.lower.index(",")


_Anchored = TypeVar("_Anchored", bound=Rival)


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
