from collections import Counter

import pytest

from radsafe_bench.suites import PairLabel, Suite, SuiteError
from radsafe_bench.suites.official import import_official
from radsafe_bench.suites.pairs import make_pairs
from tests.radsafe_bench.suites.conftest import Workshop
from tests.radsafe_bench.suites.test_official import official_csv


def test_two_hundred_questions_make_enough_pairs(full: Suite) -> None:
    """A check is tested on at least 1,500 pairs, each with an id of its own."""
    pairs = make_pairs(full)

    assert len(pairs) >= 1500
    assert len({pair.id for pair in pairs}) == len(pairs)
    assert Counter(pair.label for pair in pairs) == {
        PairLabel.SUPPORTED: 800,
        PairLabel.CONTRADICTED: 600,
        PairLabel.NOT_ADDRESSED: 800,
    }


def test_labels_follow_from_how_a_claim_was_made(small: Suite) -> None:
    """Own statements are supported, mutated ones contradicted, those of other subjects not addressed."""
    sources = {source.question: source for source in small.pair_sources}
    owner = {source.key_statement: source.question for source in small.pair_sources}
    for pair in make_pairs(small):
        question, source = small.question(pair.question), sources[pair.question]
        assert question.evidence.clean is not None
        assert pair.evidence == question.evidence.clean.text
        match pair.label:
            case PairLabel.SUPPORTED:
                assert pair.claim in (source.key_statement, *source.paraphrases)
            case PairLabel.CONTRADICTED:
                assert pair.claim in [item.text for item in source.mutations if item.kind.value == pair.kind]
            case PairLabel.NOT_ADDRESSED:
                other = small.question(owner[pair.claim])
                assert other.subspecialty != question.subspecialty


def test_pairs_are_the_same_for_the_same_seed(small: Suite) -> None:
    """A figure measured on the pairs can be measured again."""
    assert make_pairs(small, 3) == make_pairs(small, 3)
    assert make_pairs(small, 3) != make_pairs(small, 4)


def test_a_suite_without_pair_sentences_says_so(workshop: Workshop) -> None:
    """An imported file makes no pairs, and the command says why."""
    imported, _ = import_official(official_csv(workshop.folder), workshop.folder / "imported")

    with pytest.raises(SuiteError, match=r"no pairs_source.jsonl entries"):
        make_pairs(imported)
