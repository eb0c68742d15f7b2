from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from radsafe_bench.suites.model import Split
from radsafe_bench.suites.ordering import balanced_letters, interleaved, shuffled, stratified_split

Items = list[tuple[str, str]]
items = st.lists(st.sampled_from("xyz"), min_size=1, max_size=60).map(
    lambda groups: [(f"item-{number}", group) for number, group in enumerate(groups)]
)
seeds = st.integers(0, 5)


@given(items, seeds)
def test_the_split_is_exact_in_total_and_fair_in_every_stratum(made: Items, seed: int) -> None:
    """80 of 200 questions calibrate, and each subspecialty gives its share of them."""
    split = stratified_split(made, seed, lambda item: (item[1],), lambda item: item[0])

    assert list(split.values()).count(Split.CALIBRATION) == round(len(made) * 2 / 5)
    share = round(len(made) * 2 / 5) / len(made)
    for group, size in Counter(group for _, group in made).items():
        taken = sum(split[name] is Split.CALIBRATION for name, of in made if of == group)
        assert abs(taken - share * size) < 2


@given(items, seeds)
def test_letters_are_dealt_evenly(made: Items, seed: int) -> None:
    """No letter is right more than once more often than another."""
    dealt = balanced_letters(made, seed, lambda _: 4, lambda item: item[1], lambda item: item[0])

    counts = Counter(dealt.values())
    assert set(dealt.values()) <= set("ABCD")
    assert max(counts.values()) - min(counts[letter] for letter in "ABCD") <= 1


@given(items, seeds)
def test_order_does_not_depend_on_the_order_given(made: Items, seed: int) -> None:
    """Handing in the batches in another order assembles the same suite."""

    def order(given: Items) -> Items:
        return interleaved(given, seed, lambda item: item[1], lambda item: item[0])

    assert order(made) == order(made[::-1])
    assert sorted(order(made)) == sorted(made)


def test_groups_are_spread_over_the_whole() -> None:
    """Two groups of equal size alternate."""
    made = [(f"item-{number}", "x" if number < 10 else "y") for number in range(20)]
    order = interleaved(made, 1, lambda item: item[1], lambda item: item[0])

    assert all({order[place][1], order[place + 1][1]} == {"x", "y"} for place in range(0, 20, 2))


def test_a_seed_makes_an_order_of_its_own() -> None:
    """Another seed gives another order; the same seed gives the same."""
    names = [str(number) for number in range(30)]

    assert shuffled(names, 1, "test", str) == shuffled(names, 1, "test", str)
    assert shuffled(names, 1, "test", str) != shuffled(names, 2, "test", str)
    assert shuffled(names, 1, "test", str) != shuffled(names, 1, "other", str)
