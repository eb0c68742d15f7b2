from collections import Counter

import pytest

from gatekeeper.assessment import Verdict
from gatekeeper.checks.slots import compare
from gatekeeper.claims.framing import said
from gatekeeper.exchange import Span
from tests.checks.slots.pairs import DATA, Pair, read_pairs, statements

FIRST_HALF = read_pairs(DATA / "slots_first_half.jsonl")


def _outcomes(pairs: list[Pair]) -> Counter[tuple[Verdict, Verdict]]:
    return Counter((pair.label, pair.compare().verdict) for pair in pairs)


def test_the_table_has_every_kind_and_enough_pairs() -> None:
    """The figures rest on hundreds of pairs, no two alike, with every slot kind among them."""
    kinds = Counter(pair.kind for pair in FIRST_HALF if pair.label is Verdict.CONTRADICTED)

    assert len({(pair.evidence, pair.claim, pair.context) for pair in FIRST_HALF}) == len(FIRST_HALF) >= 300
    assert len({pair.id for pair in FIRST_HALF}) == len(FIRST_HALF)
    assert kinds.total() >= 60
    assert {"number", "unit", "comparator", "interval", "laterality", "polarity"} <= kinds.keys()
    assert {"agent", "device", "route", "modality", "temporal", "category", "row"} <= kinds.keys()


def test_contradictions_in_one_slot_are_found() -> None:
    """At least 95 of 100 claims that were changed in one slot are caught."""
    outcomes = _outcomes([pair for pair in FIRST_HALF if pair.label is Verdict.CONTRADICTED])
    found = outcomes[Verdict.CONTRADICTED, Verdict.CONTRADICTED]

    assert found / outcomes.total() >= 0.95


def test_faithful_and_unrelated_claims_raise_no_alarm() -> None:
    """At most 3 of 100 faithful paraphrases and unrelated claims are called contradictions."""
    outcomes = _outcomes([pair for pair in FIRST_HALF if pair.label is not Verdict.CONTRADICTED])
    alarms = sum(count for (_, said), count in outcomes.items() if said is Verdict.CONTRADICTED)

    assert alarms / outcomes.total() <= 0.03


def test_most_paraphrases_are_recognised_as_supported() -> None:
    """Saying the same in other words or units counts as support in most cases, not as silence."""
    outcomes = _outcomes([pair for pair in FIRST_HALF if pair.label is Verdict.SUPPORTED])

    assert outcomes[Verdict.SUPPORTED, Verdict.SUPPORTED] / outcomes.total() >= 0.6


@pytest.mark.parametrize("label", list(Verdict)[:3])
def test_the_word_supported_is_earned(label: Verdict) -> None:
    """A contradicted or unrelated claim is hardly ever called supported."""
    pairs = [pair for pair in FIRST_HALF if pair.label is label]
    supported = sum(pair.compare().verdict is Verdict.SUPPORTED for pair in pairs)

    assert label is Verdict.SUPPORTED or supported / len(pairs) <= 0.02


def test_evidence_quoted_word_for_word_is_supported_whatever_stands_beside_it() -> None:
    """An answer that quotes one passage is not contradicted by the hundred others that were retrieved."""
    everything = statements(*dict.fromkeys(pair.evidence for pair in FIRST_HALF))

    for statement in everything:
        assert compare(statement.text, "", everything).verdict is Verdict.SUPPORTED


def test_faithful_claims_survive_a_hundred_other_documents() -> None:
    """Retrieval brings passages on other subjects along; they hardly ever contradict a faithful claim."""
    evidence = list(dict.fromkeys(pair.evidence for pair in FIRST_HALF))
    pairs = [pair for pair in FIRST_HALF if pair.label is not Verdict.CONTRADICTED]
    everything = statements(*evidence)
    alarms = [
        pair.id
        for pair in pairs
        if compare(pair.claim, pair.context, everything).verdict is Verdict.CONTRADICTED
    ]

    assert len(alarms) / len(pairs) <= 0.03


def test_reworded_claims_about_passages_raise_no_alarm() -> None:
    """Faithful, vague and neighbouring claims about a guideline passage are hardly ever called wrong."""
    pairs = [
        pair for pair in read_pairs(DATA / "reading_dev.jsonl") if pair.label is not Verdict.CONTRADICTED
    ]
    alarms = [pair.id for pair in pairs if pair.compare().verdict is Verdict.CONTRADICTED]

    assert len(alarms) / len(pairs) <= 0.02


@pytest.mark.parametrize(
    ("wording", "least"),
    [
        ("Based on the provided guideline, {}", 0.95),
        ("The evidence states that {}", 0.95),
        ("In summary, {}", 0.95),
        ("{} (as stated in the source document).", 0.95),
        ("{} for this patient.", 0.95),
        ("{} in order to ensure patient safety and diagnostic accuracy.", 0.9),
        ("{}, because this minimises harm to the patient.", 0.85),
        ("{}, which helps to avoid unnecessary procedures.", 0.85),
        ("{}, unless clinical judgement suggests otherwise.", 0.85),
        ("For a 65-year-old man presenting with these findings, {}", 0.75),
    ],
)
def test_the_words_around_a_claim_hide_little(wording: str, least: float) -> None:
    """What chat models put around a claim neither hides what is wrong in it nor makes it wrong."""
    outcomes: Counter[tuple[bool, bool]] = Counter()
    for pair in FIRST_HALF:
        claim = pair.claim.rstrip(". ") if wording.startswith("{}") else _in_mid_sentence(pair.claim)
        text = wording.format(claim)
        core = said(text, Span(0, len(text))).of(text)
        verdict = compare(core, pair.context, statements(pair.evidence, *pair.beside)).verdict
        outcomes[pair.label is Verdict.CONTRADICTED, verdict is Verdict.CONTRADICTED] += 1

    assert outcomes[True, True] / (outcomes[True, True] + outcomes[True, False]) >= least
    assert outcomes[False, True] / (outcomes[False, True] + outcomes[False, False]) <= 0.02


def _in_mid_sentence(claim: str) -> str:
    return claim[0].lower() + claim[1:] if claim[1:2].islower() else claim
