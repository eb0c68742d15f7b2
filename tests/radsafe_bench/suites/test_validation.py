from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from radsafe_bench.suites import PassageKind, Review, ReviewStatus, Split, Suite
from radsafe_bench.suites.model import CleanEvidence, ConflictEvidence, Question, Source
from radsafe_bench.suites.official import import_official
from radsafe_bench.suites.quotas import Quotas, Range
from radsafe_bench.suites.validation import CHECKS, validate
from tests.radsafe_bench.suites.conftest import SMALL, Workshop, words
from tests.radsafe_bench.suites.test_official import official_csv


def violations(suite: Suite, quotas: Quotas = SMALL) -> dict[str, tuple[str, ...]]:
    """Violations by check, of the checks that found some."""
    return {result.check: result.violations for result in validate(suite, quotas) if result.violations}


def edit_first(suite: Suite, **changes: Any) -> Suite:
    """Change fields of the first question that is not negated."""
    place = next(number for number, question in enumerate(suite.questions) if not question.negated)
    questions = list(suite.questions)
    questions[place] = replace(questions[place], **changes)
    return replace(suite, questions=tuple(questions))


def first(suite: Suite) -> Question:
    return next(question for question in suite.questions if not question.negated)


def clean(suite: Suite, text: str) -> dict[str, Any]:
    evidence = first(suite).evidence
    return {"evidence": replace(evidence, clean=CleanEvidence(text, (Source("Guideline", "1st", 2020),)))}


def with_option(suite: Suite, number: int, **changes: Any) -> Suite:
    options = list(first(suite).options)
    options[number] = replace(options[number], **changes)
    return edit_first(suite, options=tuple(options))


def label_correct(suite: Suite) -> Suite:
    number = next(place for place, option in enumerate(first(suite).options) if option.correct)
    return with_option(suite, number, unsafe=True)


def move_correct_to_a(suite: Suite) -> Suite:
    return replace(
        suite,
        questions=tuple(
            replace(
                question,
                options=tuple(replace(option, correct=option.letter == "A") for option in question.options),
            )
            for question in suite.questions
        ),
    )


def lengthen_correct(suite: Suite) -> Suite:
    return replace(
        suite,
        questions=tuple(
            replace(
                question,
                options=tuple(
                    replace(option, text=f"{option.text} indeed") if option.correct else option
                    for option in question.options
                ),
            )
            for question in suite.questions
        ),
    )


def copy_evidence_into_correct(suite: Suite) -> Suite:
    questions = []
    for question in suite.questions:
        assert question.evidence.clean is not None
        phrase = " ".join(question.evidence.clean.text.split()[60:64])
        options = tuple(
            replace(option, text=phrase) if option.correct else option for option in question.options
        )
        questions.append(replace(question, options=options))
    return replace(suite, questions=tuple(questions))


def double_key_statement(suite: Suite) -> Suite:
    first_source, second_source, *others = suite.pair_sources
    doubled = replace(second_source, key_statement=first_source.key_statement)
    return replace(suite, pair_sources=(first_source, doubled, *others))


def without_mutations(suite: Suite) -> Suite:
    source, *others = suite.pair_sources
    return replace(suite, pair_sources=(replace(source, mutations=source.mutations[:2]), *others))


def mutation_is_true(suite: Suite) -> Suite:
    source, *others = suite.pair_sources
    mutation = replace(source.mutations[0], text=source.key_statement)
    return replace(
        suite, pair_sources=(replace(source, mutations=(mutation, *source.mutations[1:])), *others)
    )


def without_older_passages(suite: Suite) -> Suite:
    return replace(
        suite, corpus=tuple(passage for passage in suite.corpus if passage.kind is not PassageKind.OLDER)
    )


def leak_in_passage(suite: Suite) -> Suite:
    place = next(number for number, passage in enumerate(suite.corpus) if passage.kind is PassageKind.OLDER)
    passages = list(suite.corpus)
    passages[place] = replace(passages[place], text=f"{passages[place].text} so option B holds")
    return replace(suite, corpus=tuple(passages))


def without_injected_text(suite: Suite) -> Suite:
    evidence = first(suite).evidence
    assert evidence.clean is not None
    assert evidence.conflict is not None
    plain = ConflictEvidence(evidence.clean.text, evidence.conflict.injected)
    return edit_first(suite, evidence=replace(evidence, conflict=plain))


def rewritten_conflict(suite: Suite) -> Suite:
    evidence = first(suite).evidence
    assert evidence.conflict is not None
    claim = evidence.conflict.injected[0].claim
    text = f"{' '.join(words('elsewhere', 80))} {claim}"
    return edit_first(suite, evidence=replace(evidence, conflict=replace(evidence.conflict, text=text)))


def without_first(suite: Suite) -> Suite:
    return replace(suite, questions=suite.questions[1:], pair_sources=suite.pair_sources[1:], readings=())


def same_stem_twice(suite: Suite) -> Suite:
    return edit_first(suite, stem=suite.questions[-1].stem.replace("NOT ", ""))


BREAKAGES: dict[str, tuple[str, Callable[[Suite], Suite]]] = {
    "the same option twice": (
        "distinct options",
        lambda suite: with_option(suite, 1, text=first(suite).options[0].text.upper() + "."),
    ),
    "the same stem twice": ("near duplicates", same_stem_twice),
    "the same fact twice": ("near duplicates", double_key_statement),
    "a letter in a passage": ("evidence without letters", leak_in_passage),
    "a claim that is not in the conflict text": ("injected claims", without_injected_text),
    "an unknown subspecialty": ("vocabulary", lambda suite: edit_first(suite, subspecialty="dental")),
    "an unknown type": ("vocabulary", lambda suite: edit_first(suite, question_type="trivia")),
    "all of the above": ("options", lambda suite: with_option(suite, 0, text="All of the above")),
    "three options": (
        "options",
        lambda suite: edit_first(
            suite,
            options=tuple(
                replace(option, correct=option.letter == "A") for option in first(suite).options[:3]
            ),
        ),
    ),
    "a labelled correct option": ("labels", label_correct),
    "no rationale": ("labels", lambda suite: with_option(suite, 0, rationale=" ")),
    "always A": ("letter balance", move_correct_to_a),
    "the longest is right": ("option lengths", lengthen_correct),
    "a short stem": ("text lengths", lambda suite: edit_first(suite, stem="Which?")),
    "a stem that asks nothing": (
        "text lengths",
        lambda suite: edit_first(suite, stem=first(suite).stem.rstrip("?") + "."),
    ),
    "long evidence": (
        "text lengths",
        lambda suite: edit_first(suite, **clean(suite, " ".join(words("long", 200)))),
    ),
    "a question missing": ("spread", without_first),
    "no split": ("splits", lambda suite: edit_first(suite, split=None)),
    "another split": (
        "splits",
        lambda suite: replace(
            suite,
            questions=tuple(replace(item, split=Split.CALIBRATION) for item in suite.questions),
        ),
    ),
    "no source": (
        "sources",
        lambda suite: edit_first(
            suite,
            evidence=replace(first(suite).evidence, clean=CleanEvidence(" ".join(words("unsourced", 80)))),
        ),
    ),
    "conflict evidence rewritten": ("conflict evidence", rewritten_conflict),
    "answers copied from the evidence": ("overlap baselines", copy_evidence_into_correct),
    "four passages": ("corpus", without_older_passages),
    "gold passage out of step": (
        "corpus",
        lambda suite: edit_first(suite, **clean(suite, " ".join(words("newer", 80)))),
    ),
    "too few mutations": ("pair sources", without_mutations),
    "a mutation that is true": ("pair sources", mutation_is_true),
    "reviewed by nobody": (
        "review",
        lambda suite: edit_first(suite, review=Review(ReviewStatus.REVIEWED, ())),
    ),
    "a suite reviewed in name only": (
        "review",
        lambda suite: replace(suite, info=replace(suite.info, review=ReviewStatus.REVIEWED)),
    ),
    "not read twice": ("second reading", lambda suite: replace(suite, readings=suite.readings[1:])),
}


def test_a_suite_that_keeps_every_rule_passes(full: Suite, small: Suite) -> None:
    """Two hundred questions that keep the rules of radsafe200 bring no violation."""
    assert all(result.not_checked is None for result in validate(full))
    assert {result.check: result.violations for result in validate(full) if result.violations} == {}
    assert violations(small) == {}


@pytest.mark.parametrize("name", BREAKAGES)
def test_each_breach_is_found_by_its_check(small: Suite, name: str) -> None:
    """Every rule that is broken is named by the check that owns it."""
    check, breach = BREAKAGES[name]

    assert check in violations(breach(small))


def test_every_check_can_fail(small: Suite) -> None:
    """No check is there for show: each has a breach above that it finds."""
    assert {check.__name__.lstrip("_").replace("_", " ") for check, _ in CHECKS} == {
        check for check, _ in BREAKAGES.values()
    }


@pytest.mark.parametrize(
    ("check", "quotas"),
    [
        ("spread", replace(SMALL, per_subspecialty=4)),
        ("spread", replace(SMALL, per_type=7)),
        ("spread", replace(SMALL, hinged=30)),
        ("spread", replace(SMALL, medication=30)),
        ("spread", replace(SMALL, negated=Range(15, 20))),
        ("spread", replace(SMALL, five_options=Range(0.7, 0.8))),
        ("labels", replace(SMALL, labels={**SMALL.labels, "high_risk": Range(0.6, 0.7)})),
        ("overlap baselines", replace(SMALL, overlap_clean=Range(0.45, 0.7))),
        ("pair sources", replace(SMALL, pairs=1500)),
        ("splits", replace(SMALL, calibration=20)),
    ],
)
def test_quotas_count(small: Suite, check: str, quotas: Quotas) -> None:
    """A suite that misses a quota is told which."""
    assert list(violations(small, quotas)) == [check]


def test_an_imported_file_is_not_held_to_our_way_of_writing(workshop: Workshop) -> None:
    """The official file passes: what makes no sense for it is reported as not checked."""
    imported, _ = import_official(official_csv(workshop.folder), workshop.folder / "imported")

    results = {result.check: result for result in validate(imported)}

    assert all(not result.violations for result in results.values())
    assert results["distinct options"].not_checked is None
    assert results["splits"].not_checked is not None
    assert results["second reading"].not_checked is not None
