import random
from collections import Counter

from radsafe_bench.nli.examples import switched_examples
from radsafe_bench.nli.sources import Label
from radsafe_bench.nli.switches import (
    Switched,
    drawn_variant,
    fill,
    first_variant,
    read_switched,
    silenced,
    slots_of,
)

SOURCE = Switched(
    id="t-001",
    topic="contrast",
    evidence="Metformin is [1:withheld|continued]. Creatinine is checked after [2:two|five|nine] days.",
    kinds={"1": "negation", "2": "time"},
    claims=("[1:Stop|Go on with] metformin.", "[1:Hold|Keep] it, and recheck on day [2:2|5|9]."),
    open=("The scan may be postponed.",),
)


def test_the_first_variant_has_every_claim_true_and_false_in_each_slot() -> None:
    """Held-out sources are measured on fixed pairs, one for each way a claim can be wrong."""
    variant = first_variant(SOURCE)

    assert variant.evidence == "Metformin is withheld. Creatinine is checked after two days."
    assert variant.supported == ("Stop metformin.", "Hold it, and recheck on day 2.")
    assert variant.contradicted == (
        ("negation", "Go on with metformin."),
        ("negation", "Keep it, and recheck on day 2."),
        ("time", "Hold it, and recheck on day 5."),
    )
    assert variant.not_addressed == ("The scan may be postponed.",)


def test_drawn_claims_agree_with_the_drawn_evidence_or_differ_in_one_slot() -> None:
    """The label follows from the slots alone, whatever was drawn."""
    rng = random.Random(1)
    for _ in range(50):
        variant = drawn_variant(SOURCE, rng)
        kept = 1 if "continued" in variant.evidence else 0
        day = {"two": 0, "five": 1, "nine": 2}[variant.evidence.split()[-2]]
        assert set(variant.supported) <= {fill(claim, {"1": kept, "2": day}) for claim in SOURCE.claims}
        for kind, claim in variant.contradicted:
            wrong = {"1": 1 - kept, "2": day} if kind == "negation" else {"1": kept}
            pool = [wrong] if kind == "negation" else [{**wrong, "2": at} for at in range(3) if at != day]
            assert claim in {fill(text, picked) for text in SOURCE.claims for picked in pool}


def test_a_claim_says_as_often_what_is_true_as_what_is_false() -> None:
    """A reader that looks at the claim alone learns nothing: each wording stands under both labels."""
    rng = random.Random(2)
    found: dict[str, Counter[Label]] = {}
    for _ in range(400):
        variant = drawn_variant(SOURCE, rng)
        for claim in variant.supported:
            found.setdefault(claim, Counter())[Label.SUPPORTED] += 1
        for _, claim in variant.contradicted:
            found.setdefault(claim, Counter())[Label.CONTRADICTED] += 1

    shares = [counts[Label.SUPPORTED] / counts.total() for counts in found.values()]
    assert len(shares) == 8
    assert all(0.3 < share < 0.7 for share in shares)


def test_silenced_evidence_has_lost_what_the_claim_rests_on() -> None:
    """Evidence that no longer speaks of it does not address the claim; nothing is left of one sentence."""
    rng = random.Random(3)
    drawn = [silenced(SOURCE, rng) for _ in range(30)]
    pairs = [pair for pair in drawn if pair is not None]

    assert pairs
    assert None in drawn  # the claim with both slots rests on both sentences
    assert {pair.label for pair in pairs} == {Label.NOT_ADDRESSED}
    assert {pair.evidence.split()[0] for pair in pairs} == {"Creatinine"}


def test_an_epoch_has_all_three_labels_and_is_drawn_by_its_seed() -> None:
    """Training can be repeated pair by pair."""
    sources = read_switched()[:20]

    first = switched_examples(sources, random.Random(4), beside=0.3)

    assert first == switched_examples(sources, random.Random(4), beside=0.3)
    assert first != switched_examples(sources, random.Random(5), beside=0.3)
    assert {pair.label for pair in first} == set(Label)


def test_written_slots_fit_one_another() -> None:
    """Every slot of a claim stands in the evidence with as many options, and every slot has a claim."""
    for source in read_switched():
        evidence = slots_of(source.evidence)
        claimed = [slots_of(claim) for claim in source.claims]
        assert source.kinds.keys() == evidence.keys(), source.id
        assert all(slots and slots.items() <= evidence.items() for slots in claimed), source.id
        assert set[str]().union(*claimed) == evidence.keys(), source.id
        assert not any(slots_of(claim) for claim in source.open), source.id
