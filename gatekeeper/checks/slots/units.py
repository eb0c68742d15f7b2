"""Units of measurement in clinical text: what each measures, and its factor to that quantity's base.

The factors are those of pint; a test compares every one. They are written out because importing pint and
building its registry takes half a second of a server's start.
"""

from typing import Final, final


@final
class Unit:
    """What is measured, and how many base units one of these is. Equal measures convert."""

    __slots__ = ("factor", "measure")

    def __init__(self, measure: str, factor: float) -> None:
        self.measure: Final = measure
        self.factor: Final = factor

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unit) and self.measure == other.measure and self.factor == other.factor

    def __hash__(self) -> int:
        return hash((self.measure, self.factor))


_DAY: Final = 86400.0
_YEAR: Final = 365.25 * _DAY

TIME_UNITS: Final[dict[str, Unit]] = {
    name: Unit("time", factor)
    for names, factor in (
        ("ms msec millisecond milliseconds", 1e-3),
        ("s sec secs second seconds", 1.0),
        ("min mins minute minutes", 60.0),
        ("h hr hrs hour hours hourly", 3600.0),
        ("d day days daily", _DAY),
        ("wk wks week weeks weekly", 7 * _DAY),
        ("mo mos month months monthly", _YEAR / 12),
        ("y yr yrs year years yearly", _YEAR),
    )
    for name in names.split()
}

CASED: Final[dict[str, Unit]] = {
    name: Unit(measure, factor)
    for measure, table in {
        "length": "nm=1e-9 µm=1e-6 um=1e-6 mm=1e-3 cm=1e-2 m=1 km=1e3",
        "mass": "ng=1e-12 µg=1e-9 ug=1e-9 mcg=1e-9 mg=1e-6 g=1e-3 kg=1",
        "volume": "µL=1e-9 mL=1e-6 ml=1e-6 cc=1e-6 cm3=1e-6 cm³=1e-6 mm3=1e-9 dL=1e-4 L=1e-3 l=1e-3",
        "area": "mm2=1e-6 mm²=1e-6 cm2=1e-4 cm²=1e-4 m2=1 m²=1",
        "absorbed dose": "µGy=1e-6 uGy=1e-6 mGy=1e-3 cGy=1e-2 Gy=1 rad=1e-2 mrad=1e-5",
        "equivalent dose": "µSv=1e-6 uSv=1e-6 mSv=1e-3 Sv=1 rem=1e-2 mrem=1e-5",
        "activity": "Bq=1 kBq=1e3 MBq=1e6 GBq=1e9 µCi=3.7e4 uCi=3.7e4 mCi=3.7e7 Ci=3.7e10",
        "amount": "µmol=1e-6 umol=1e-6 mmol=1e-3 mol=1 nmol=1e-9 pmol=1e-12",
        "pressure": "mmHg=133.322387415 cmH2O=98.0665 kPa=1e3 Pa=1",
        "field strength": "T=1 mT=1e-3 gauss=1e-4",
        "gauge": "G=1",
        "frequency": "Hz=1 kHz=1e3 MHz=1e6",
        "voltage": "kV=1e3 kVp=1e3 keV=1e3 V=1",
        "current": "mA=1e-3 A=1",
        "tube load": "mAs=1e-3",
        "power": "W=1 mW=1e-3",
        "joule": "J=1",
        "attenuation": "HU=1",
        "percent": "%=1",
        "heart rate": "bpm=1",
        "international units": "IU=1 mIU=1e-3",
        "decibel": "dB=1",
        "dose length": "mGy·cm=1 mGycm=1",
        "needle gauge": "Fr=1",
        "osmolality": "mOsm=1",
        "uptake": "SUV=1",
    }.items()
    for entry in table.split()
    for name, factor in [(entry.split("=")[0], float(entry.split("=")[1]))]
}
"""Units whose letters' case matters (mSv, MBq, T)."""

WORDS: Final[dict[str, Unit]] = {
    **TIME_UNITS,
    **{
        name: CASED[unit]
        for names, unit in (
            ("millimeter millimeters millimetre millimetres", "mm"),
            ("centimeter centimeters centimetre centimetres", "cm"),
            ("meter meters metre metres", "m"),
            ("microgram micrograms", "mcg"),
            ("milligram milligrams", "mg"),
            ("gram grams", "g"),
            ("kilogram kilograms kgs", "kg"),
            ("milliliter milliliters millilitre millilitres ml mls", "mL"),
            ("liter liters litre litres", "L"),
            ("millisievert millisieverts", "mSv"),
            ("microsievert microsieverts", "µSv"),
            ("sievert sieverts", "Sv"),
            ("milligray milligrays", "mGy"),
            ("gray grays", "Gy"),
            ("rad rads", "rad"),
            ("megabecquerel megabecquerels", "MBq"),
            ("millicurie millicuries", "mCi"),
            ("millimole millimoles", "mmol"),
            ("tesla", "T"),
            ("percent percentage", "%"),
            ("hu hounsfield", "HU"),
            ("kvp", "kVp"),
            ("cmh₂o", "cmH2O"),
            ("units", "IU"),
            ("iu", "IU"),
            ("beats", "bpm"),
            ("french", "Fr"),
            ("gauge", "G"),
        )
        for name in names.split()
    },
    "inch": Unit("length", 0.0254),
    "inches": Unit("length", 0.0254),
    "fold": Unit("multiple", 1.0),
    "times": Unit("multiple", 1.0),
}
"""Units written out, in small letters."""

PREFIXED: Final = frozenset({"equivalent dose", "absorbed dose"})
"""Measures whose "per year" is part of the way they are spoken of ("annual limit of 50 mSv")."""

DEFAULT_UNITS: Final[dict[str, Unit]] = {
    "egfr": Unit("volume/time", 1e-6 / 60),
    "crcl": Unit("volume/time", 1e-6 / 60),
    "scor": Unit("points", 1.0),
    "platele": Unit("count/volume", 1e12),
    "attenuation": CASED["HU"],
    "peak systolic velocity": Unit("length/time", 1e-2),
    "heart rate": CASED["bpm"],
}
"""What a number without a unit means beside the thing that it measures."""


def unit_of(word: str) -> Unit | None:
    """Return the unit that a word names, as written first, else in small letters."""
    return CASED.get(word) or WORDS.get(word.lower())


def per(unit: Unit, base: Unit) -> Unit:
    """Return the unit "`unit` per `base`"."""
    return Unit(f"{unit.measure}/{base.measure}", unit.factor / base.factor)
