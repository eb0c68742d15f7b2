"""A backend of the gatekeeper in this process, without a gate before it."""

from gatekeeper.backends.base import Backend
from gatekeeper.claims import read_query
from gatekeeper.evidence import find_documents
from gatekeeper.exchange import Case, Completion, Evidence, EvidenceState, JsonObject
from gatekeeper.wire.request import parse_chat
from radsafe_bench.targets.base import Identity


class EmbeddedTarget:
    """A backend that needs no server, such as the extractive baseline.

    `stand_in_window` in tokens is what a backend without a window of its own is given to read at most.
    """

    def __init__(self, backend: Backend, stand_in_window: int | None = None) -> None:
        self._backend = backend
        self._window = stand_in_window

    async def open(self) -> Identity:
        """Start the backend and ask it for its name."""
        capabilities = await self._backend.start()
        hello = await self.ask({"messages": [{"role": "user", "content": "Are you there?"}]})
        return Identity(
            model=hello.model,
            fingerprint=hello.fingerprint or hello.model,
            backend=self._backend.name,
            top_logprobs=capabilities.top_logprobs,
            window=self._window,
            window_from="a stand-in: the backend has no window",
            notes=capabilities.notes,
        )

    async def close(self) -> None:
        """Let go of the backend."""
        await self._backend.close()

    async def ask(self, body: JsonObject) -> Completion:
        """Return the backend's answer."""
        return await self._backend.complete(case_of(body))

    async def count_tokens(self, text: str) -> int | None:
        """Return None: nothing here has a vocabulary."""
        return None


def case_of(body: JsonObject) -> Case:
    """Read a chat body as a backend needs it; what the evidence states is the gate's concern alone.

    Raises InvalidRequest for a body or evidence that cannot be read.
    """
    conversation = parse_chat(body)
    documents = find_documents(conversation)
    state = EvidenceState.SUPPLIED if documents else EvidenceState.NONE
    evidence = Evidence(documents, state)
    return Case(conversation, evidence, read_query(conversation, evidence))
