import random
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import chain

from radsafe_bench.nli.examples import switched_groups
from radsafe_bench.nli.sources import Label
from radsafe_bench.nli.switches import (
    Switched,
    drawn_pairs,
    excerpt,
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


def test_twins_differ_in_one_slot_of_the_claim_or_of_the_evidence() -> None:
    """The label follows from the slots alone: whatever was drawn, one text of the two is the same."""
    rng = random.Random(1)
    twins = [group for _ in range(60) for group in drawn_pairs(SOURCE, rng) if len(group) == 2]
    turned: Counter[bool] = Counter()
    for true, false in twins:
        assert (true.label, false.label) == (Label.SUPPORTED, Label.CONTRADICTED)
        assert (true.claim == false.claim) != (true.evidence == false.evidence)
        assert _facts(true.claim) == {slot: _facts(true.evidence)[slot] for slot in _facts(true.claim)}
        differing = [
            slot for slot, fact in _facts(false.claim).items() if _facts(false.evidence)[slot] != fact
        ]
        assert [SOURCE.kinds[slot] for slot in differing] == [false.kind]
        turned[true.claim == false.claim] += 1
    assert min(turned.values()) > 0.35 * len(twins)


def _facts(text: str) -> dict[str, int]:
    """Return which option of each slot a text shows."""
    words = {
        "1": (("withheld", "Stop", "Hold"), ("continued", "Go", "Keep")),
        "2": (("two", "2"), ("five", "5"), ("nine", "9")),
    }
    return {
        slot: place
        for slot, options in words.items()
        for place, forms in enumerate(options)
        if any(form in text.replace(".", " ").split() for form in forms)
    }


def test_a_claim_says_as_often_what_is_true_as_what_is_false() -> None:
    """A reader that looks at the claim alone learns nothing: each wording stands under both labels."""
    rng = random.Random(2)
    found: dict[str, Counter[Label]] = defaultdict(Counter)
    for _ in range(400):
        for pair in chain.from_iterable(drawn_pairs(SOURCE, rng)):
            found[pair.claim][pair.label] += 1
    del found[SOURCE.open[0]]

    shares = [counts[Label.SUPPORTED] / counts.total() for counts in found.values()]
    assert len(shares) == 8
    assert all(0.35 < share < 0.65 for share in shares)


def test_an_excerpt_of_long_evidence_holds_what_the_claim_rests_on() -> None:
    """Training reads few sentences of a passage, as the check does, and never drops the one that decides."""
    source = replace(
        SOURCE, evidence=f"{SOURCE.evidence} [3:Left|Right] first. Dose [4:low|high]. Then rest."
    )
    rng = random.Random(6)
    drawn = {excerpt(source, ["3"], rng) for _ in range(60)}

    assert all("[3:" in text for text in drawn)
    assert {text.count(".") for text in drawn} == {2, 5}  # two sentences, or all of them


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

    first = switched_groups(sources, random.Random(4), beside=0.3)

    assert first == switched_groups(sources, random.Random(4), beside=0.3)
    assert first != switched_groups(sources, random.Random(5), beside=0.3)
    assert {pair.label for group in first for pair in group} == set(Label)


def test_written_slots_fit_one_another() -> None:
    """Every slot of a claim stands in the evidence with as many options, and every slot has a claim."""
    for source in read_switched():
        evidence = slots_of(source.evidence)
        claimed = [slots_of(claim) for claim in source.claims]
        assert source.kinds.keys() == evidence.keys(), source.id
        assert all(slots and slots.items() <= evidence.items() for slots in claimed), source.id
        assert set[str]().union(*claimed) == evidence.keys(), source.id
        assert not any(slots_of(claim) for claim in source.open), source.id
