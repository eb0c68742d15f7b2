import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from gatekeeper.assessment import Claim, Finding, Subject, Verdict
from gatekeeper.checks.nli import Nli, load_reader
from gatekeeper.checks.nli.check import MAX_CLAIMS, MAX_WAITING, select
from gatekeeper.checks.nli.reader import Pair, Probabilities, Reader
from gatekeeper.checks.slots.alignment import Rarity
from gatekeeper.errors import Overloaded
from gatekeeper.evidence.statements import read_statements
from gatekeeper.exchange import Answer, Document, Span
from tests.checks.subjects import answered, ask

EVIDENCE = (
    "Metformin is withheld for 48 hours after contrast when eGFR is below 30. "
    "Gadolinium may be given during breastfeeding. "
    "It need not be expressed and discarded."
)


class Recorded(Reader):
    """Answers with rows that were given, and keeps the pairs; the real model is not loaded."""

    def __init__(self, row: Sequence[float], opened: threading.Event | None = None) -> None:
        self.row, self.pairs, self.opened = row, list[Pair](), opened

    def read(self, pairs: Sequence[Pair]) -> Probabilities:
        """Return the same row for every pair."""
        if self.opened is not None:
            self.opened.wait(10)
        self.pairs += pairs
        return np.array([self.row for _ in pairs]).reshape(len(pairs), 3)


def _subject(text: str, *, evidence: str = EVIDENCE, denied: bool = False, claims: int = 1) -> Subject:
    subject = answered(ask("What applies?", [evidence] if evidence else []), Answer(0, text))
    claim = Claim(text, Span(0, len(text)), denied=denied)
    return Subject(subject.case, subject.answer, (claim,) * claims)


def _verdicts(findings: Sequence[Finding]) -> list[Verdict]:
    return [finding.verdict for finding in findings if finding.claim is not None and finding.verdict]


async def test_a_finding_shows_the_statement_that_decided() -> None:
    """A clinician sees which sentence of the evidence contradicts the claim, with its probability."""
    claim = "Metformin is not withheld after contrast when eGFR is below 30."

    found = await Nli(load_reader())(_subject(claim))

    assert _verdicts(found) == [Verdict.CONTRADICTED]
    assert found[0].value is not None and float(found[0].value) > 0.5
    assert found[0].evidence is not None
    assert EVIDENCE[slice(*found[0].evidence.span)].startswith("Metformin is withheld")


async def test_a_denied_claim_is_turned_round() -> None:
    """To deny what the evidence says is a contradiction, to deny its opposite is support."""
    says_so = Recorded([0.9, 0.05, 0.05])

    assert _verdicts(await Nli(says_so)(_subject("Metformin is withheld."))) == [Verdict.SUPPORTED]
    assert _verdicts(await Nli(says_so)(_subject("Metformin is withheld.", denied=True))) == [
        Verdict.CONTRADICTED
    ]


async def test_signals_turn_with_a_denied_claim() -> None:
    """Risk is fused from the signals, so they count a denied truth as a contradiction, too."""
    found = await Nli(Recorded([0.9, 0.05, 0.05]))(_subject("Metformin is withheld.", denied=True))

    said = {finding.detector: finding.value for finding in found if finding.claim is None}
    assert said == {"nli.p_contradicted": 0.9, "nli.p_supported": 0.05}


async def test_without_evidence_nothing_is_addressed() -> None:
    """No statement, no verdict but silence: the model is not asked."""
    reader = Recorded([0.0, 1.0, 0.0])

    found = await Nli(reader)(_subject("Metformin is withheld.", evidence=""))

    assert (_verdicts(found), reader.pairs) == ([Verdict.NOT_ADDRESSED], [])


async def test_more_claims_than_can_be_read_are_never_silence() -> None:
    """Where an answer holds too many claims, the check says that it could not read them all."""
    found = await Nli(Recorded([1.0, 0.0, 0.0]))(_subject("A claim.", claims=MAX_CLAIMS + 1))

    assert found[-1].verdict is Verdict.UNAVAILABLE and found[-1].claim is None
    assert len(_verdicts(found)) == MAX_CLAIMS


async def test_the_event_loop_runs_on_while_the_model_reads() -> None:
    """Requests that need no model are answered while another waits for one."""
    opened = threading.Event()
    reading = asyncio.create_task(_as_coroutine(Nli(Recorded([1.0, 0.0, 0.0], opened)), "A claim."))
    await asyncio.sleep(0.01)

    assert not reading.done()
    opened.set()
    assert _verdicts(await reading) == [Verdict.SUPPORTED]


async def test_too_many_waiting_answers_are_refused_at_once() -> None:
    """A full queue fails the check now instead of after its time, and is free again afterwards."""
    opened = threading.Event()
    check = Nli(Recorded([1.0, 0.0, 0.0], opened))
    waiting = [asyncio.create_task(_as_coroutine(check, "A claim.")) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0.01)

    with pytest.raises(Overloaded):
        await check(_subject("A claim."))
    opened.set()
    await asyncio.gather(*waiting)
    assert _verdicts(await check(_subject("A claim."))) == [Verdict.SUPPORTED]


async def _as_coroutine(check: Nli, text: str) -> Sequence[Finding]:
    return await check(_subject(text))


async def test_a_rule_and_its_exception_are_read_together() -> None:
    """The chosen statements stand beside the claim in their order, as one passage."""
    reader = Recorded([0.0, 0.0, 1.0])

    await Nli(reader, statements=3)(_subject("Milk must be discarded."))

    assert [evidence for evidence, _ in reader.pairs] == [EVIDENCE]


def test_the_statements_that_speak_of_the_claim_are_chosen() -> None:
    """Of a long document the few sentences on the claim's subject are read."""
    text = " ".join(f"Rule {n} concerns subject{n} and nothing else." for n in range(40)) + " " + EVIDENCE
    document = Document("0", text, "test", "", Span(0, len(text)))
    statements = tuple(read_statements(document))
    words = "Metformin is withheld for 48 hours."

    chosen = select(Claim(words, Span(0, len(words))), statements, Rarity(statements), 2)

    assert len(chosen.statements) == 2
    assert chosen.nearest is not None and chosen.nearest.text.startswith("Metformin")
