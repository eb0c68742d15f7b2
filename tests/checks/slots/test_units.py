import pint
import pytest

from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.checks.slots.units import CASED, DEFAULT_UNITS, TIME_UNITS, WORDS, Unit, per, unit_of

BASES = {
    "length": "m",
    "mass": "kg",
    "volume": "m**3",
    "area": "m**2",
    "absorbed dose": "gray",
    "equivalent dose": "sievert",
    "activity": "becquerel",
    "amount": "mol",
    "pressure": "pascal",
    "field strength": "tesla",
    "frequency": "hertz",
    "voltage": "volt",
    "current": "ampere",
    "tube load": "coulomb",
    "power": "watt",
    "joule": "joule",
    "time": "second",
}
"""The base unit of every measure that pint knows, as pint spells it."""

SPELLED = dict(
    entry.split("=")
    for entry in wordset(
        "cc=cm**3 mcg=microgram um=µm ug=µg uGy=µGy uSv=µSv uCi=µCi umol=µmol kVp=kV keV=kV mAs=mA*s"
        " mrem=millirem cm3=cm**3 cm³=cm**3 mm3=mm**3 mm2=mm**2 mm²=mm**2 cm2=cm**2 cm²=cm**2 m2=m**2"
        " m²=m**2 nmol=nanomole pmol=picomole Ci=curie T=tesla h=hour d=day mo=month y=year wk=week"
        " min=minute"
    )
)
"""Units that pint spells otherwise."""

REGISTRY: pint.UnitRegistry[float] = pint.UnitRegistry()


@pytest.mark.parametrize(
    ("name", "unit"), [(name, unit) for name, unit in CASED.items() if unit.measure in BASES]
)
def test_factors_are_those_of_pint(name: str, unit: Unit) -> None:
    """Every conversion factor is the one that a maintained units library computes."""
    if name in {"gauss", "rad", "mrad"}:
        expected = {"gauss": 1e-4, "rad": 1e-2, "mrad": 1e-5}[name]  # pint: cgs, and an angle
    elif unit.measure in {"absorbed dose", "equivalent dose"} or name == "rem":
        expected = REGISTRY.Quantity(1, SPELLED.get(name, name)).to("J/kg").magnitude
    else:
        expected = REGISTRY.Quantity(1, SPELLED.get(name, name)).to(BASES[unit.measure]).magnitude

    assert unit.factor == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", ["ms", "s", "min", "h", "d", "wk", "mo", "y"])
def test_times_are_those_of_pint(name: str) -> None:
    """Hours, weeks, months and years convert as in a maintained units library."""
    expected = REGISTRY.Quantity(1, SPELLED.get(name, name)).to("second").magnitude

    assert TIME_UNITS[name].factor == pytest.approx(expected)


def test_rates_divide() -> None:
    """mL/min is converted by both of its parts."""
    flow = per(CASED["mL"], TIME_UNITS["min"])

    assert flow.measure == "volume/time"
    assert flow.factor == pytest.approx(1e-6 / 60)
    assert DEFAULT_UNITS["egfr"] == flow


def test_case_tells_units_apart() -> None:
    """An mSv is no MSv, and T is the tesla, not the tonne; spelled-out units ignore case."""
    assert unit_of("mSv") == CASED["mSv"]
    assert unit_of("MSV") is None
    assert unit_of("Tesla") == WORDS["tesla"] == CASED["T"]
