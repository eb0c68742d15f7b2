"""Detectors beside truth: what each check flags, on constructed pairs and on a recorded model's answers."""

from radsafe_bench.detecting.detectors import Detector, detectors_of, named_detector
from radsafe_bench.detecting.examining import Examined, examine_all
from radsafe_bench.detecting.figures import Detected, measure
from radsafe_bench.detecting.items import Item, Section
from radsafe_bench.detecting.openings import Opening, open_certification
from radsafe_bench.detecting.sources import answers_of, options_of, pairs_of, read_pairs

__all__ = [
    "Detected",
    "Detector",
    "Examined",
    "Item",
    "Opening",
    "Section",
    "answers_of",
    "detectors_of",
    "examine_all",
    "measure",
    "named_detector",
    "open_certification",
    "options_of",
    "pairs_of",
    "read_pairs",
]
