"""The research loop of agentic_rag."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.exchange import JsonObject
from gatekeeper.wire.completion import parse_chat_completion
from radsafe_bench.conditions import NoReport, Reply, Researcher
from radsafe_bench.conditions.agentic import SEARCHES, read_plan, read_search
from radsafe_bench.conditions.prompt import NOTE, PLAN, REPORT
from radsafe_bench.retrieval import Library, build_library, suite_texts
from tests.radsafe_bench.runner.small import make_suite, question

PLANNED = "A: stent type 1\nB. **stent** waiting time\n(C) unreadable\nD) MR delay stent"


class Scripted:
    """A model that answers by the kind of request, and remembers what it was asked."""

    def __init__(
        self, notes: Callable[[str], str], plan: str = PLANNED, report: str = "Option A fits."
    ) -> None:
        self._said: dict[str, Callable[[str], str]] = {
            PLAN: lambda _: plan,
            NOTE: notes,
            REPORT: lambda _: report,
        }
        self.asked: list[JsonObject] = []

    async def __call__(self, body: JsonObject) -> Reply:
        """Answer one request in a quarter of a second."""
        self.asked.append(body)
        system, user = (message["content"] for message in body["messages"])
        message = {"role": "assistant", "content": self._said[system](user)}
        raw = {"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
        return Reply(parse_chat_completion(raw), 0.25)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Return the corpus of eight questions."""
    return build_library(suite_texts(make_suite(tmp_path, 8)), "bm25")


async def test_the_model_plans_searches_notes_and_reports(library: Library) -> None:
    """One search per option by the model's own query, or by stem and option where it gave none."""
    model = Scripted(lambda _: "The passages say 13 weeks.")
    research = await Researcher(model, library, {"model": "m"}).report(question(1))
    assert [(step.action, step.option, step.query, step.planned) for step in research.steps] == [
        ("plan", None, None, True),
        ("note", "A", "stent type 1", True),
        ("note", "B", "**stent** waiting time", True),
        ("note", "C", f"{question(1).stem} 23 weeks", False),
        ("note", "D", "MR delay stent", True),
        ("report", None, None, True),
    ]
    assert research.context.text == "Option A fits."
    assert research.context.evidence == ({"id": "report", "text": "Option A fits."},)


async def test_every_call_is_kept_with_what_was_read(library: Library) -> None:
    """A report can be traced: each step has request, passages, answer and seconds."""
    model = Scripted(lambda _: "Nothing.")
    research = await Researcher(model, library, {"model": "m", "temperature": 0.0}).report(question(1))
    assert [step.request for step in research.steps] == model.asked
    assert all(step.latency_s == 0.25 and step.request["temperature"] == 0.0 for step in research.steps)
    step = research.steps[1]
    assert step.passages == tuple(document["id"] for document in step.request["evidence"])
    assert step.passages[0] == "p-002"
    assert all(
        document["text"] in step.request["messages"][1]["content"] for document in step.request["evidence"]
    )
    assert step.response["choices"][0]["message"]["content"] == step.text == "Nothing."


async def test_notes_may_ask_for_one_more_search_and_no_third(library: Library) -> None:
    """The loop is bounded, and a second search brings passages that were not read before."""
    model = Scripted(lambda _: "Unclear.\nSEARCH: coil of type 2")
    research = await Researcher(model, library, {}).report(question(1))
    notes = [step for step in research.steps if step.option == "A"]
    assert [step.query for step in notes] == ["stent type 1", "coil of type 2"]
    assert not set(notes[0].passages) & set(notes[1].passages)
    assert len(research.steps) == 2 + 4 * SEARCHES


async def test_the_report_is_written_from_the_notes_alone(library: Library) -> None:
    """The last call sees each option with its notes, without the requests to search on."""
    model = Scripted(lambda user: f"About {user[-7:]}.\nSEARCH: coil")
    await Researcher(model, library, {}).report(question(1))
    last = model.asked[-1]["messages"][1]["content"]
    assert last.startswith("Option A. 3 weeks\nAbout 3 weeks.\nAbout 3 weeks.\n\nOption B.")
    assert "SEARCH" not in last
    assert "evidence" not in model.asked[-1]


async def test_a_model_that_plans_nothing_cannot_do_research(library: Library) -> None:
    """A model that only ever names a letter is found out before the run."""
    assert not await Researcher(Scripted(lambda _: "", plan="B"), library, {}).follows_instructions(
        question(1)
    )
    assert await Researcher(Scripted(lambda _: ""), library, {}).follows_instructions(question(1))


async def test_an_empty_report_is_an_error(library: Library) -> None:
    """A question is not put closed-book under the name of agentic_rag."""
    with pytest.raises(NoReport):
        await Researcher(Scripted(lambda _: "", report=" \n"), library, {}).report(question(1))


@pytest.mark.parametrize(
    ("answer", "planned"),
    [
        ("A: one\nB: two", {"A": "one", "B": "two"}),
        ("**A.** one\n  B) two", {"A": "one", "B": "two"}),
        ("A. one\nA. again", {"A": "one"}),
        ("A:one", {}),
        ("B", {}),
        ("An answer. F: six", {}),
    ],
)
def test_plans_are_read_by_their_letters(answer: str, planned: dict[str, str]) -> None:
    """Lines that begin with an option's letter and a mark are queries; the first of each counts."""
    assert read_plan(answer) == planned


@given(st.text(alphabet="AB:. *\n\tSEARCH", max_size=400))
def test_any_answer_can_be_read(answer: str) -> None:
    """Whatever a model writes, a plan has letters and queries of bounded length or nothing."""
    plan: dict[str, Any] = read_plan(answer)
    assert set(plan) <= set("ABCDE")
    search = read_search(answer)
    assert all(0 < len(query) <= 300 for query in [*plan.values(), *([search] if search else [])])
