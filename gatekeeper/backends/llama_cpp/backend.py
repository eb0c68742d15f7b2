"""A model file, run in this process."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Final

from gatekeeper.backends.base import Capabilities
from gatekeeper.backends.llama_cpp.chunks import Wanted, generate
from gatekeeper.backends.llama_cpp.engine import Engine, Interrupted
from gatekeeper.backends.llama_cpp.fingerprint import file_digest, fingerprint
from gatekeeper.backends.llama_cpp.native import Context, Model, gpu_supported
from gatekeeper.backends.llama_cpp.prompt import Prompts
from gatekeeper.backends.llama_cpp.sampling import Sampling
from gatekeeper.backends.llama_cpp.worker import Work, Worker
from gatekeeper.backends.openai_http import OPTION_ALTERNATIVES, TEXT_ALTERNATIVES
from gatekeeper.errors import ConfigurationError, NotSupported, UpstreamError
from gatekeeper.exchange import Case, Completion, JsonObject
from gatekeeper.wire.chunks import fold
from gatekeeper.wire.completion import parse_chat_completion

_NO_THINKING: Final = {"enable_thinking": False}


class LlamaCppBackend:
    """A Backend, and a Scorer, that decodes one request at a time on a thread of its own.

    `gpu_layers` -1 puts every layer on the GPU, where this build of llama.cpp has one. `context` is the
    longest prompt with its answer, in tokens. Of `waiting` requests the next is refused as Overloaded.
    Raises ConfigurationError where there is no such file.
    """

    name: Final = "llama_cpp"

    def __init__(
        self,
        gguf: Path,
        *,
        gpu_layers: int = -1,
        context: int = 8192,
        threads: int | None = None,
        waiting: int = 64,
    ) -> None:
        if not gguf.is_file():
            raise ConfigurationError(f"{gguf}: no such file; name a GGUF file with --gguf")
        self._gguf = gguf
        self._gpu_layers = gpu_layers
        self._context = context
        self._threads = threads
        self._worker = Worker(waiting)
        self._loaded: tuple[Engine, Prompts] | None = None
        self._fingerprint: str | None = None

    @property
    def fingerprint(self) -> str | None:
        """Name the file by its digest; None before `start`."""
        return self._fingerprint

    async def start(self) -> Capabilities:
        """Load the file and read its digest. Raises ConfigurationError if it cannot be used."""
        digest, loaded = await asyncio.gather(
            asyncio.to_thread(file_digest, self._gguf), self._worker.call(self._load)
        )
        self._loaded = loaded
        model, context = loaded[0].model, loaded[0].context
        self._fingerprint = fingerprint(digest, model.quantisation, model.chat_template)
        return Capabilities(
            logprobs=True,
            top_logprobs=OPTION_ALTERNATIVES,
            logprobs_with_tools=False,
            logprobs_with_stream=True,
            models=(self._gguf.stem,),
            notes=(
                f"{model.description}, context of {context.size} tokens, "
                + (f"GPU layers: {self._gpu_layers}" if gpu_supported() else "on the CPU"),
                "calls no tools",
            ),
        )

    async def close(self) -> None:
        """Free the model once its thread is done."""
        await self._worker.close()
        if self._loaded is not None:
            self._loaded[0].close()
            self._loaded = None

    async def healthy(self) -> bool:
        """Whether the model is loaded."""
        return self._loaded is not None

    async def complete(self, case: Case) -> Completion:
        """Generate all choices: the chunks of the stream, folded where they are made."""
        work = self._generation(case)
        body = await self._worker.call(lambda interrupted: fold(work(interrupted)))
        return parse_chat_completion(body, backend=self.name, fingerprint=self._fingerprint)

    async def stream(self, case: Case) -> AsyncGenerator[JsonObject, None]:
        """Yield chunks as tokens come. Raises InvalidRequest for what the model cannot do or read."""
        async with aclosing(self._worker.stream(self._generation(case))) as chunks:
            async for chunk in chunks:
                yield chunk

    async def score(self, prefix: str | Sequence[JsonObject], candidates: Sequence[str]) -> list[float]:
        """Return log P(candidate | prefix) in nats for each candidate; the prefix is decoded once.

        Messages are written by the chat template, up to where the answer begins; text is taken as it is.
        Where tokens span the border, the last characters of the prefix count with every candidate.
        """
        engine, prompts = self._running()

        def work(interrupted: Interrupted) -> list[float]:
            text = prefix if isinstance(prefix, str) else prompts.text(prefix)
            return _score(engine, text, map(prompts.defused, candidates), interrupted)

        return await self._worker.call(work)

    async def score_labels(
        self, asked: Sequence[tuple[Sequence[JsonObject], Sequence[str]]]
    ) -> list[list[float]]:
        """Return log P(label | messages) in nats for each label: one piece of work, that no other divides.

        The label is the answer's first token, so templates that let a model think first are told not to.
        The prompts are read in their order, each from where it differs from the one before.
        """
        engine, prompts = self._running()

        def work(interrupted: Interrupted) -> list[list[float]]:
            return [
                _score(engine, prompts.text(messages, _NO_THINKING), labels, interrupted)
                for messages, labels in asked
            ]

        return await self._worker.call(work)

    async def models(self) -> JsonObject:
        """Return the one model."""
        model = {"id": self._gguf.stem, "object": "model", "created": 0, "owned_by": "local"}
        return {"object": "list", "data": [model]}

    async def embed(self, body: Mapping[str, object]) -> JsonObject:
        """Raise NotSupported."""
        raise NotSupported("The in-process model gives no embeddings; put a server behind --upstream.")

    def _generation(self, case: Case) -> Work[JsonObject]:
        """Return the work of answering a case; its options are read at once, its prompt on the thread."""
        engine, prompts = self._running()
        conversation = case.conversation
        sampling = Sampling.read(conversation.body)
        usual = OPTION_ALTERNATIVES if case.query.options else TEXT_ALTERNATIVES
        alternatives = max(usual, conversation.wants_top_logprobs)
        names = {"model": self._gguf.stem, "system_fingerprint": self._fingerprint or ""}

        def work(interrupted: Interrupted) -> Iterator[JsonObject]:
            prompt = engine.tokenise(prompts.of_conversation(conversation))
            wanted = Wanted(prompt, sampling, conversation.n, alternatives)
            return generate(engine, wanted, names, interrupted)

        return work

    def _load(self, _: Interrupted) -> tuple[Engine, Prompts]:
        model = Model(self._gguf, self._gpu_layers)
        try:
            prompts = Prompts(model, self._gguf)
            size = min(self._context, model.longest_context)
            return Engine(model, Context(model, size, self._threads)), prompts
        except BaseException:
            model.close()
            raise

    def _running(self) -> tuple[Engine, Prompts]:
        if self._loaded is None:
            raise UpstreamError("The model is not loaded.")
        return self._loaded


def _score(engine: Engine, text: str, candidates: Iterable[str], interrupted: Interrupted) -> list[float]:
    whole = [engine.tokenise(text + candidate) for candidate in candidates]
    return engine.score(engine.tokenise(text), whole, interrupted)
