"""The words for what goes to a model and what comes back: conversation, evidence, completion.

Everything here is immutable and knows no server, so a recorded exchange can be judged again later.
Spans are half-open character offsets `[start, end)` into the text that they belong to. What a request makes
many of has an `__init__` of its own and final fields: frozen dataclasses and named tuples are made by
interpreted code in either build.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

if TYPE_CHECKING:
    from gatekeeper.evidence.statements import Statement

JsonObject = Mapping[str, Any]


@final
@dataclass(slots=True, init=False, order=True, unsafe_hash=True)
class Span:
    """Half-open character offsets `[start, end)`."""

    start: Final[int]
    end: Final[int]

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end

    def __iter__(self) -> Iterator[int]:
        return iter((self.start, self.end))

    def of(self, text: str) -> str:
        """Return these characters of a text."""
        return text[self.start : self.end]


class Surface(StrEnum):
    """The OpenAI endpoint that a conversation arrived at."""

    CHAT = "chat.completions"
    COMPLETIONS = "completions"
    RESPONSES = "responses"


@dataclass(frozen=True, slots=True)
class Part:
    """One text of a message, with the JSON pointer where it stands in the request body."""

    text: str
    pointer: str
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation; non-text parts (images, audio) have no Part."""

    role: str
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """All texts of the message, one per line."""
        return "\n".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A request, parsed. `body` is the untouched original; the other fields are read from it."""

    surface: Surface
    model: str
    messages: tuple[Message, ...]
    body: JsonObject
    n: int = 1
    stream: bool = False
    include_usage: bool = False
    wants_logprobs: bool = False
    wants_top_logprobs: int = 0
    has_tools: bool = False


class EvidenceState(StrEnum):
    """What can be said of the evidence before any answer is read."""

    SUPPLIED = "supplied"
    NONE = "none"
    CONFLICTING = "conflicting"
    EXPIRED = "expired"


@final
@dataclass(slots=True, init=False)
class Document:
    """One piece of evidence. `pointer` and `span` say where in the request body its text stands."""

    id: Final[str]
    text: Final[str]
    extractor: Final[str]
    pointer: Final[str]
    span: Final[Span]
    title: Final[str | None]
    source: Final[str | None]
    version: Final[str | None]
    published: Final[date | None]
    expires: Final[date | None]

    def __init__(
        self,
        id: str,  # noqa: A002 - a document's field is called so on the wire and in every record
        text: str,
        extractor: str,
        pointer: str,
        span: Span,
        title: str | None = None,
        source: str | None = None,
        version: str | None = None,
        published: date | None = None,
        expires: date | None = None,
    ) -> None:
        self.id = id
        self.text = text
        self.extractor = extractor
        self.pointer = pointer
        self.span = span
        self.title = title
        self.source = source
        self.version = version
        self.published = published
        self.expires = expires

    def named(self, name: str) -> "Document":
        """Return the same document under another id."""
        return Document(
            name,
            self.text,
            self.extractor,
            self.pointer,
            self.span,
            self.title,
            self.source,
            self.version,
            self.published,
            self.expires,
        )


@final
@dataclass(slots=True, init=False)
class EvidenceSpan:
    """A stretch of one document: `document` is the Document's id, `span` offsets into its text."""

    document: Final[str]
    span: Final[Span]

    def __init__(self, document: str, span: Span) -> None:
        self.document = document
        self.span = span


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two statements of the evidence that disagree on one slot (`detector`, such as `slots.number`)."""

    detector: str
    first: EvidenceSpan
    second: EvidenceSpan


@final
@dataclass(slots=True, init=False)
class Evidence:
    """All Documents of a request, read once: their statements, their state, their conflicts.

    Where several states apply, the one that needs most care is named: conflicting, then expired
    (every document past its `expires` date; expired documents beside current ones are left out of
    `statements`), then supplied.
    """

    documents: Final[tuple[Document, ...]]
    state: Final[EvidenceState]
    statements: "Final[tuple[Statement, ...]]"
    conflicts: Final[tuple[Conflict, ...]]

    def __init__(
        self,
        documents: tuple[Document, ...],
        state: EvidenceState,
        statements: "tuple[Statement, ...]" = (),
        conflicts: tuple[Conflict, ...] = (),
    ) -> None:
        self.documents = documents
        self.state = state
        self.statements = statements
        self.conflicts = conflicts

    @property
    def extractors(self) -> tuple[str, ...]:
        """The extractors that found something, each once, in order of precedence."""
        return tuple(dict.fromkeys(document.extractor for document in self.documents))


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a multiple-choice question."""

    letter: str
    text: str


@final
@dataclass(slots=True, init=False)
class Query:
    """What is asked: the last user turn without its evidence; `options` when it is multiple choice."""

    text: Final[str]
    options: Final[tuple[Option, ...]]
    negated: Final[bool]

    def __init__(self, text: str, options: tuple[Option, ...] = (), negated: bool = False) -> None:
        self.text = text
        self.options = options
        self.negated = negated


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that is known before an answer exists."""

    conversation: Conversation
    evidence: Evidence
    query: Query


class TokenSpan(StrEnum):
    """The part of an answer that a token belongs to."""

    CONTENT = "content"
    REASONING = "reasoning"
    TOOL = "tool"


class LogprobQuality(StrEnum):
    """How much of the content its token probabilities cover: full ≥ 95 % of its bytes."""

    FULL = "full"
    PARTIAL = "partial"
    UNAVAILABLE = "unavailable"


class Alternative(NamedTuple):
    """One candidate at a token's position; `logprob` in nats."""

    text: str
    logprob: float


@final
@dataclass(slots=True, init=False)
class Token:
    """One generated token. `logprob` in nats, None where the server did not say.

    `offset` is the character position in the content where the token begins, None for tokens of
    other spans or tokens that could not be aligned.
    """

    text: Final[str]
    logprob: Final[float | None]
    top: Final[Sequence[Alternative]]
    span: Final[TokenSpan]
    offset: Final[int | None]

    def __init__(
        self,
        text: str,
        logprob: float | None,
        top: Sequence[Alternative] = (),
        span: TokenSpan = TokenSpan.CONTENT,
        offset: int | None = None,
    ) -> None:
        self.text = text
        self.logprob = logprob
        self.top = top
        self.span = span
        self.offset = offset


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call that the model asks for; `arguments` is the JSON text as the model wrote it."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One choice of a completion.

    `raw` is the choice as the server sent it; token probabilities that no client wants may be rows there
    (`gatekeeper.wire.rows`).
    """

    index: int
    content: str
    tokens: tuple[Token, ...] = ()
    quality: LogprobQuality = LogprobQuality.UNAVAILABLE
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    refusal: str = ""
    finish_reason: str | None = "stop"
    raw: JsonObject | None = None


@final
@dataclass(slots=True, init=False)
class Completion:
    """What a backend returned: one Answer per choice, in order of index, and the raw body.

    `fingerprint` names the model that gave the answers (see `gatekeeper.calibration`); `staged`
    marks answers that no model generated.
    """

    answers: Final[tuple[Answer, ...]]
    raw: Final[JsonObject]
    model: Final[str]
    fingerprint: Final[str | None]
    backend: Final[str]
    staged: Final[bool]

    def __init__(
        self,
        answers: tuple[Answer, ...],
        raw: JsonObject,
        model: str = "",
        fingerprint: str | None = None,
        backend: str = "",
        staged: bool = False,
    ) -> None:
        self.answers = answers
        self.raw = raw
        self.model = model
        self.fingerprint = fingerprint
        self.backend = backend
        self.staged = staged

    def by(self, fingerprint: str | None) -> "Completion":
        """Return it as the answer of a model."""
        return Completion(self.answers, self.raw, self.model, fingerprint, self.backend, self.staged)
