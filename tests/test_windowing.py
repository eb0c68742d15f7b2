"""Windows of a stream: however a server cuts its answer, only judged beginnings leave, and all of them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.assessment import Finding, Subject
from gatekeeper.backends.scripted import ScriptedBackend
from gatekeeper.checks import Slots
from gatekeeper.checks.base import Check
from gatekeeper.errors import UpstreamGarbled
from gatekeeper.exchange import Answer, Case, Completion, JsonObject
from gatekeeper.gate import Bundle, Gate, Outcome, Timings
from gatekeeper.policy import parse_policy
from gatekeeper.windowing import answer_in_windows
from gatekeeper.wire.request import parse_chat

POLICY = """
name: window
version: "1"
streaming: window
checks: {confidence: {enabled: false}, hedging: {enabled: false}, triage: {enabled: false}}
rules: [{id: contradicted, when: {p_contradicted: {at_least: 0.5}}, then: escalate}]
"""
RIGHT = "For a single solid nodule of 7 mm in a low-risk adult, follow-up CT is due at 6 to 12 months."
WRONG = RIGHT.replace("6 to 12", "24 to 36")
REQUEST = parse_chat(
    {
        "messages": [{"role": "user", "content": "When is follow-up CT due?"}],
        "evidence": [RIGHT.replace("7 mm", "6 to 8 mm")],
        "stream": True,
    }
)


class Speaking(ScriptedBackend):
    """A backend that streams an answer in given pieces."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self._pieces = pieces

    async def stream(self, case: Case) -> AsyncIterator[JsonObject]:
        """Yield one chunk for each piece, then the end."""
        for piece in self._pieces:
            yield {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
        yield {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def gate_of(pieces: Sequence[str], check: Check | None = None) -> Gate:
    """Return a gate before a model that says these pieces."""
    bundle = Bundle(parse_policy(POLICY), (check or Slots(),))
    return Gate(Speaking(pieces), bundle, today=lambda: date(2025, 1, 1))


@dataclass
class Heard:
    """What a client has got."""

    texts: list[str] = field(default_factory=list)

    async def __call__(self, text: str, top: JsonObject) -> None:
        """Take the next piece."""
        self.texts.append(text)

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.texts)


def walk(gate: Gate) -> tuple[Outcome, Heard]:
    """Let an answer leave in windows."""
    heard = Heard()
    return asyncio.run(answer_in_windows(gate, REQUEST, "gkd_1", heard)), heard


SENTENCES = st.sampled_from(
    [
        RIGHT,
        WRONG,
        "Compare with prior images.",
        "- the left lung",
        "## Follow-up",
        "Why?",
        "e.g. 3 mg. IV",
        "B.",
    ]
)
ANSWERS = st.lists(st.tuples(SENTENCES, st.sampled_from([" ", "\n", "\n\n"])), min_size=1, max_size=6).map(
    lambda parts: "".join(text + gap for text, gap in parts)
)


@given(ANSWERS, st.lists(st.integers(1, 40), max_size=30))
def test_only_judged_beginnings_leave(answer: str, sizes: list[int]) -> None:
    """Wherever chunks end, what left is a beginning that may leave, and a held answer is held here too."""
    pieces, rest = [], answer
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    gate = gate_of([*pieces, rest])
    outcome, heard = walk(gate)
    assert answer.startswith(heard.text)
    case = gate.read(REQUEST)
    for end in range(1, len(heard.texts) + 1):
        assert not _held(gate, case, "".join(heard.texts[:end]))
    assert outcome.action.holds == _held(gate, case, answer)


def _held(gate: Gate, case: Case, content: str) -> bool:
    judged = gate.judge(case, Completion((), {}), Answer(0, content), Timings())
    return asyncio.run(judged).decision.action.holds


def test_every_sentence_but_the_last_leaves_by_itself() -> None:
    """An answer in single characters leaves in sentences."""
    answer = f"{RIGHT} Compare with prior images. Report the size."
    outcome, heard = walk(gate_of(list(answer)))
    assert heard.texts == [RIGHT, " Compare with prior images."]
    assert outcome.judgements[0].answer.content == answer


class Faltering:
    """A check that fails from its second question on."""

    name = "slots"
    inline = True
    asked = 0

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        """Find nothing, once."""
        self.asked += 1
        if self.asked > 1:
            raise RuntimeError
        return await Slots()(subject)


def test_a_check_that_fails_later_stops_the_stream() -> None:
    """A sentence that could not be checked does not leave, whatever left before it."""
    outcome, heard = walk(gate_of([f"{RIGHT} Compare with prior images. Report the size."], Faltering()))
    assert heard.texts == [RIGHT]
    assert "check_unavailable" in {reason.rule for reason in outcome.judgements[0].decision.reasons}


def test_an_answer_that_is_taken_back_is_an_error() -> None:
    """What left as an answer and turns out to be reasoning is not passed over."""
    with pytest.raises(UpstreamGarbled):
        walk(gate_of([f"{RIGHT} Compare with ", "prior images.</think>Hold. Stop here."]))
