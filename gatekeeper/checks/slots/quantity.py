"""Numbers with units, comparators and intervals: "≥ 30 mL/min", "6–8 mm", "within 48 h"."""

from math import inf, isinf
from typing import Final, final

from gatekeeper.checks.slots.slot import Rival
from gatekeeper.checks.slots.units import PREFIXED, Unit

_EXACT: Final = 0.005
_CALENDAR: Final = 0.1
"""Relative difference that counts as equal: 12 weeks are three months to every guideline."""
_APPROXIMATE: Final = 0.1
_MONTH_SECONDS: Final = 86400.0 * 28

OTHER_CASE: Final = "case"
"""An interval beside a bound that it lies outside of: the rows of a table, not a contradiction."""

OTHER_PERSON: Final = "person"
"""A person's age, or time since, outside of the bound that tells whom a statement is about."""
REPLACED: Final = "replaced"
"""The relation of a value that another one takes the place of: "the usual 40 mg", "20 mg rather than 40"."""
_CASES: Final = frozenset({"age", "past"})
"""What a value says of a person, and not of what is to be done."""
OBSERVED: Final = frozenset(
    {
        "time", "length", "percent", "number", "volume/time", "attenuation", "pressure", "points",
        "heart rate", "mass/volume", "amount/volume", "count/volume",
    }
)  # fmt: skip
"""Measures in which a patient is described, beside those in which something is given."""
_SORTING: Final = frozenset({"length", "points"})
"""Measures by which the rows of a table tell cases apart: "< 10 mm" is another row than "≥ 20 mm"."""
_FAMILIES: Final = (
    frozenset({"mass", "volume", "amount", "activity", "international units"}),
    frozenset({"mass/mass", "volume/mass", "amount/mass", "mass/volume", "amount/volume", "activity/mass"}),
    frozenset({"volume/time", "volume/mass"}),
    frozenset({"length/time", "length"}),
    frozenset({"volume/mass", "international units/mass", "mass/mass"}),
    frozenset({"percent", "mass"}),
)
"""Measures that are mistaken for one another: an equal number in the other one is another claim."""


@final
class Quantity(Rival):
    """A value, interval or one-sided bound in base units.

    `literal` holds the numbers as written, `subject` the thing measured where it is named ("egfr"),
    `relation` what a time says (`age`, `every`, `before`, `after`, `past`) or that something rises or falls
    by it (`change`), that something is multiplied by it (`factor`). `limit` marks a value
    that is spoken of as a threshold, so that another value is no instance of it, `denied` one with a
    negation just before it ("no single year above 50 mSv"). `anchors` are the concepts that tell it
    from other quantities of its measure in the same clause.
    """

    __slots__ = (
        "approximate", "denied", "high", "limit", "literal", "low", "relation", "subject", "unit",
    )  # fmt: skip

    def __init__(
        self,
        first: int,
        last: int,
        low: float,
        high: float,
        unit: Unit,
        literal: tuple[float, ...],
        *,
        subject: str = "",
        relation: str = "",
        approximate: bool = False,
        denied: bool = False,
        limit: bool = False,
        anchors: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(first, last, f"number:{unit.measure}", anchors)
        self.low = low
        self.high = high
        self.unit = unit
        self.literal = literal
        self.subject = subject
        self.relation = relation
        self.approximate = approximate
        self.denied = denied
        self.limit = limit

    def told_by(self, anchors: frozenset[str]) -> "Quantity":
        """Return it with the concepts that tell it from others."""
        return Quantity(
            self.first, self.last, self.low, self.high, self.unit, self.literal, subject=self.subject,
            relation=self.relation, approximate=self.approximate, denied=self.denied, limit=self.limit,
            anchors=anchors,
        )  # fmt: skip

    def in_sense(self, relation: str) -> "Quantity":
        """Return it as a time of another sense."""
        return Quantity(
            self.first, self.last, self.low, self.high, self.unit, self.literal, subject=self.subject,
            relation=relation, approximate=self.approximate, denied=self.denied, limit=self.limit,
            anchors=self.anchors,
        )  # fmt: skip

    def in_unit(self, unit: Unit, relation: str) -> "Quantity":
        """Return a bare number in the unit that another one carries."""
        return Quantity(
            self.first, self.last, self.low * unit.factor, self.high * unit.factor, unit, self.literal,
            relation=relation, approximate=self.approximate, denied=self.denied, limit=self.limit,
        )  # fmt: skip

    def up_to(self, other: "Quantity") -> "Quantity":
        """Return a lower bound with the upper bound after it as one interval."""
        return Quantity(
            self.first, other.last, self.low, other.high, self.unit, self.literal + other.literal,
            subject=self.subject, relation=self.relation, approximate=self.approximate, denied=self.denied,
            limit=self.limit,
        )  # fmt: skip

    def bounded_as(self, other: "Quantity") -> "Quantity":
        """Return a point as the bound that another one is: in "below 180/105" both are upper ends."""
        low = -inf if isinf(other.low) else self.low
        high = inf if isinf(other.high) else self.high
        return Quantity(
            self.first, self.last, low, high, self.unit, self.literal, subject=self.subject,
            relation=self.relation, approximate=self.approximate, denied=self.denied, limit=self.limit,
        )  # fmt: skip

    @property
    def has_no_unit(self) -> bool:
        """Whether it is a bare number or a count."""
        return self.unit.measure == "number" or self.unit.measure.startswith("count of")

    @property
    def is_concentration(self) -> bool:
        """Whether it tells how much of something is in a volume."""
        return self.unit.measure.endswith("/volume")

    @property
    def is_point(self) -> bool:
        """Whether this is one value."""
        return self.low == self.high

    @property
    def is_bounded(self) -> bool:
        """Whether this is an interval with two ends."""
        return not (isinf(self.low) or isinf(self.high) or self.is_point)

    @property
    def bound(self) -> float:
        """The end of a one-sided bound, or the value of a point."""
        return self.high if isinf(self.low) else self.low


def comparable(claim: Quantity, statement: Quantity) -> bool:
    """Whether both measure the same thing in the same sense."""
    if claim.unit.measure != statement.unit.measure:
        return False
    if claim.subject and statement.subject and claim.subject != statement.subject:
        return False
    if claim.relation == statement.relation:
        return True
    relations = {claim.relation, statement.relation}
    return relations != {"before", "after"} and relations.isdisjoint(
        {"age", "every", "past", "change", "factor"}
    )


def difference(claim: Quantity, statement: Quantity) -> str | None:
    """Return how the claim differs: `number`, `unit`, `comparator`, `interval`; empty where undecided.

    None means that it agrees, OTHER_CASE and OTHER_PERSON that the statement is about others. A patient's
    value agrees with the interval that it lies in; a value that is spoken of as a threshold must meet an
    end of the statement's.
    """
    if claim.is_point:
        return _point(claim, statement)
    if claim.is_bounded:
        return _interval(claim, statement)
    return _bound(claim, statement)


def is_beyond(claim: Quantity, statement: Quantity) -> bool:
    """Whether a value lies outside of a one-sided bound: 2 cm beside "longer than 4 cm"."""
    if not claim.is_point or isinf(statement.low) == isinf(statement.high):
        return False
    return not statement.low <= claim.low <= statement.high


def is_same_value(claim: Quantity, given: Quantity) -> bool:
    """Whether a value is the one that is given, perhaps without its unit: "BP 92", "92 mmHg"."""
    if given.has_no_unit and claim.unit.measure != "time":
        return claim.literal == given.literal
    return comparable(claim, given) and difference(claim, given) is None


def states(claim: Quantity, statement: Quantity) -> bool:
    """Whether a statement names the claim's value itself, and no range that it merely lies in."""
    if not comparable(claim, statement) or difference(claim, statement) is not None:
        return False
    ends = (statement.low, statement.high)
    return not claim.is_point or any(_close(claim.low, end, claim, statement) for end in ends)


def agrees(claim: Quantity, statement: Quantity, *, turned: bool) -> bool:
    """Whether a claim's quantity is the statement's.

    `turned` says that one side forbids: "at most 30 Gy" and "contraindicated above 30 Gy" agree.
    """
    found = difference(claim, statement)
    return found is None or (turned and found == "comparator")


def misread_unit(claim: Quantity, statement: Quantity) -> bool:
    """Whether the same figures stand with a unit of another measure that is mistaken for this one."""
    measures = {claim.unit.measure, statement.unit.measure}
    return (
        len(measures) == 2
        and claim.literal == statement.literal
        and (any(measures <= family for family in _FAMILIES) or _share_a_part(claim, statement))
    )


def _share_a_part(claim: Quantity, statement: Quantity) -> bool:
    """Whether two compound units differ above or below the stroke only: mL/h for mmol/h."""
    over, _, under = claim.unit.measure.partition("/")
    other_over, _, other_under = statement.unit.measure.partition("/")
    return bool(under and other_under) and (over == other_over or under == other_under)


def are_opposite(one: Quantity, other: Quantity) -> bool:
    """Whether one is an upper and the other a lower bound, with a gap between them."""
    low, high = (one, other) if isinf(one.low) else (other, one)
    return isinf(low.low) and isinf(high.high) and low.high < high.low


def _point(claim: Quantity, statement: Quantity) -> str | None:
    ends = [end for end in (statement.low, statement.high) if not isinf(end)]
    if any(_close(claim.low, end, claim, statement) for end in ends):
        return None
    if statement.is_point and statement.limit and not claim.limit and claim.unit.measure in PREFIXED:
        return ""  # A dose beside a dose limit: it may well keep to it.
    inside = statement.low < claim.low < statement.high
    if inside and not claim.limit and not statement.is_point:
        return None
    if claim.relation in _CASES and not claim.limit and not (statement.is_point or statement.is_bounded):
        return OTHER_PERSON
    return _number_or_unit(claim, statement)


def _interval(claim: Quantity, statement: Quantity) -> str | None:
    low = _close(claim.low, statement.low, claim, statement)
    high = _close(claim.high, statement.high, claim, statement)
    if low and high:
        return None
    if statement.is_bounded:
        return "unit" if _number_or_unit(claim, statement) == "unit" else "interval"
    if statement.is_point:
        return None if claim.low <= statement.low <= claim.high else "interval"
    if claim.low >= statement.low and claim.high <= statement.high:
        return None if low or high else ""
    return OTHER_CASE if _apart(claim, statement) else "interval"


def _bound(claim: Quantity, statement: Quantity) -> str | None:
    downward = isinf(claim.low)
    if statement.is_point:
        if _close(claim.bound, statement.low, claim, statement):
            return None
        inside = claim.low < statement.low < claim.high
        return "" if inside and not statement.limit else _number_or_unit(claim, statement)
    end = statement.high if downward else statement.low
    if not isinf(end):
        if statement.is_bounded and _apart(claim, statement):
            return OTHER_CASE
        return None if _close(claim.bound, end, claim, statement) else _number_or_unit(claim, statement)
    other = statement.low if downward else statement.high
    if _close(claim.bound, other, claim, statement):
        return "comparator" if claim.denied == statement.denied else ""
    sorted_apart = claim.unit.measure in _SORTING and _apart(claim, statement)
    return OTHER_CASE if sorted_apart else _number_or_unit(claim, statement)


def _apart(claim: Quantity, statement: Quantity) -> bool:
    """Whether no value lies in both: "> 8 mm" beside the row for 6–8 mm."""
    return claim.low >= statement.high or claim.high <= statement.low


def _number_or_unit(claim: Quantity, statement: Quantity) -> str:
    same_figures = claim.literal == statement.literal
    return "unit" if same_figures and claim.unit.factor != statement.unit.factor else "number"


def _close(left: float, right: float, claim: Quantity, statement: Quantity) -> bool:
    if left == right:
        return True
    if isinf(left) or isinf(right):
        return False
    tolerance = _EXACT
    if claim.approximate or statement.approximate:
        tolerance = _APPROXIMATE
    elif claim.unit.measure == "time" and claim.unit.factor != statement.unit.factor:
        months = (claim.unit.factor >= _MONTH_SECONDS) != (statement.unit.factor >= _MONTH_SECONDS)
        tolerance = _CALENDAR if months else _EXACT
    return abs(left - right) <= tolerance * max(abs(left), abs(right))
