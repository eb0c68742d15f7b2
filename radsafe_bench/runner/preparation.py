"""What has to be there before the first question: corpus, window, and which conditions can be asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from radsafe_bench.conditions import RETRIEVING, Condition, Contexts, MaxContext, Researcher, Window, why_not
from radsafe_bench.conditions.window import BYTES_PER_TOKEN, RESERVED
from radsafe_bench.retrieval import (
    CHUNK_TOKENS,
    OVERLAP_TOKENS,
    Library,
    build_library,
    read_folder,
    suite_texts,
)
from radsafe_bench.runner.options import RunOptions
from radsafe_bench.runner.paced import PacedTarget
from radsafe_bench.suites import PassageKind, Question, Suite
from radsafe_bench.targets import Identity

NOT_FOLLOWED: Final = (
    "the model does not follow instructions: asked to plan searches, it named none "
    "(let one that thinks first do so with --reasoning)"
)


@dataclass(frozen=True, slots=True)
class Preparation:
    """The contexts, the conditions that can be asked, and what the manifest says of both."""

    contexts: Contexts
    conditions: tuple[Condition, ...]
    stated: dict[str, Any]


async def prepare(
    options: RunOptions,
    suite: Suite,
    questions: Sequence[Question],
    target: PacedTarget,
    known: Sequence[str] = (),
) -> Preparation:
    """Index the corpus, size the window, and try whether the model can do research.

    `known` are conditions that an earlier session of the run has asked already. Raises CorpusError,
    and the UpstreamError family where the model cannot be tried.
    """
    library = _library(options, suite) if RETRIEVING.intersection(options.conditions) else None
    window = _window(options, target.identity) if Condition.MAX_CONTEXT in options.conditions else None
    contexts = Contexts(library, MaxContext(window, target.count_tokens) if window else None)
    reasons = {condition: why_not(condition, questions, contexts) for condition in options.conditions}
    if reasons.get(Condition.AGENTIC_RAG, "") is None and Condition.AGENTIC_RAG not in known and library:
        settings = options.sampling.step_settings(target.identity.model)
        researcher = Researcher(target.ask, library, settings)
        if not await researcher.follows_instructions(questions[0]):
            reasons[Condition.AGENTIC_RAG] = NOT_FOLLOWED
    conditions = tuple(condition for condition, reason in reasons.items() if reason is None)
    return Preparation(
        contexts,
        conditions,
        {
            "conditions": list(conditions),
            "why_not": {condition.value: reason for condition, reason in reasons.items() if reason},
            "retrieval": _state_retrieval(library, suite) if library else None,
            "max_context": _state_window(window, options, target.identity) if window else None,
        },
    )


def _library(options: RunOptions, suite: Suite) -> Library | None:
    texts = suite_texts(suite) + tuple(text for folder in options.corpus for text in read_folder(folder))
    return build_library(texts, options.retriever, options.encoder) if texts else None


def _window(options: RunOptions, identity: Identity) -> Window | None:
    tokens = options.context_window or identity.window
    return Window(tokens, identity.counts_tokens) if tokens else None


def _state_retrieval(library: Library, suite: Suite) -> dict[str, Any]:
    """Return what was searched, and how often the passage that answers a question was found."""
    gold = {
        suite.question(passage.question).stem: passage.id
        for passage in suite.corpus
        if passage.kind is PassageKind.CLEAN and passage.question
    }
    return {
        "retriever": library.retriever.name,
        "query": "the question's stem",
        "chunk_tokens": CHUNK_TOKENS,
        "overlap_tokens": OVERLAP_TOKENS,
        "token": "a run of characters without whitespace",
        "chunks": len(library.chunks),
        "digest": library.digest,
        "recall": library.recall(gold) if gold else {},
    }


def _state_window(window: Window, options: RunOptions, identity: Identity) -> Mapping[str, Any]:
    estimate = f"an estimate of {BYTES_PER_TOKEN} bytes per token, which rather overstates lengths"
    return {
        "window": window.tokens,
        "window_from": "--context-window" if options.context_window else identity.window_from,
        "reserved": RESERVED,
        "lengths_by": "the server's /tokenize" if window.counted else estimate,
    }
