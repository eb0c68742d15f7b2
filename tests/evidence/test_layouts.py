"""Prompts that applications write themselves: their evidence is found, and nobody's own words are."""

import pytest

from gatekeeper.claims import read_query
from gatekeeper.evidence import find_documents
from gatekeeper.exchange import EvidenceState
from tests.evidence.conversations import converse, read

FIRST = "Below an eGFR of 30, metformin is withheld for 48 hours."
SECOND = "Contrast is deferred in acute kidney injury."
BOTH = f"{FIRST}\n{SECOND}"
NUMBERED = f"[1] {FIRST}\n[2] {SECOND}"
ASKED = "How long is metformin withheld?"


def found(*turns: tuple[str, str]) -> list[str]:
    """Return the texts of the evidence in such a conversation."""
    return [document.text for document in find_documents(converse(*turns))]


@pytest.mark.parametrize(
    ("system", "texts"),
    [
        (f"You are a radiology assistant.\n\nContext:\n{BOTH}", [BOTH]),
        (f"Answer from the context below.\n\nContext: {FIRST}", [FIRST]),
        (f"Be brief.\n\n## Context\n{BOTH}", [BOTH]),
        (f"Be brief.\n\n**Retrieved documents**\n\n{BOTH}", [BOTH]),
        (f"Be brief.\n\n=== CONTEXT ===\n{BOTH}\n=== END CONTEXT ===\nCite.", [BOTH]),
        (f"Be brief.\n\nGuideline excerpts:\n{BOTH}\n\n## Rules\n1. Cite.", [BOTH]),
        (f"Here is the knowledge base:\n{BOTH}\nThe above is the knowledge base.", [BOTH]),
        (f"Answer only with the facts in the sources below:\n{BOTH}", [BOTH]),
        (f"Use these passages to answer the question:\n{BOTH}", [BOTH]),
        (f'Context:\n"""\n{BOTH}\n"""', [BOTH]),
        (f"Answer from the following passages. Cite them.\n\n{NUMBERED}", [FIRST, SECOND]),
        (f"Answer from the documents.\n\n[Document 1]\n{FIRST}\n\n[Document 2]\n{SECOND}", [FIRST, SECOND]),
        (f"Passages:\n{NUMBERED}\n\nIf the answer is not in them, say so.", [FIRST, SECOND]),
        (f"Context:\n{FIRST}\n\nAnswer the question from the context above.", [FIRST]),
        (f"Using the provided context, answer.\n------------\n{FIRST}\n------------\nBe kind.", [FIRST]),
        (f"<retrieved_context>\n{FIRST}\n</retrieved_context>", [FIRST]),
        (f'<documents><doc id="1">{FIRST}</doc><doc id="2">{SECOND}</doc></documents>', [FIRST, SECOND]),
    ],
)
def test_evidence_in_an_applications_own_message(system: str, texts: list[str]) -> None:
    """An application that puts its passages into the system message needs to change nothing."""
    assert found(("system", system), ("user", ASKED)) == texts


@pytest.mark.parametrize(
    ("user", "texts"),
    [
        (f"Context: {FIRST}\nQuestion: {ASKED}\nAnswer:", [FIRST]),
        (f"## Context\n{BOTH}\n\n## Question\n{ASKED}", [BOTH]),
        (f"Passages:\n{NUMBERED}\n\nQuestion: {ASKED}", [FIRST, SECOND]),
        (f"Document 1 (ACR):\n{FIRST}\n\nDocument 2:\n{SECOND}\n\nQuestion: {ASKED}", [FIRST, SECOND]),
        (f"Answer from the passages below.\n\n{NUMBERED}\n\nQuestion: {ASKED}", [FIRST, SECOND]),
        (f"Given these documents, answer.\n\nDocuments:\n{BOTH}\n\nQuestion: {ASKED}\nAnswer:", [BOTH]),
        (f"Based on the following context, answer.\n\n{BOTH}\n\nQuestion: {ASKED}", [BOTH]),
        (f"Given the following context:\n\n{BOTH}\n\nAnswer the question: {ASKED}", [BOTH]),
        (f"Context: {FIRST}\n\nQ: {ASKED}\nA:", [FIRST]),
        (f"Query: {ASKED}\nSources:\n{BOTH}", [BOTH]),
        (f"Evidence:\n{BOTH}\n\n{ASKED}", [BOTH]),
        (f"{ASKED}\n\nContext:\n{BOTH}", [BOTH]),
        (f"<evidence>\n{FIRST}\n</evidence>\n\n{ASKED}", [FIRST]),
    ],
)
def test_evidence_beside_the_question(user: str, texts: list[str]) -> None:
    """An application that writes passages and question into one message needs to change nothing."""
    assert found(("user", user)) == texts


def test_every_message_of_the_application_is_read() -> None:
    """Passages may come in a message of their own, before or after the question."""
    assert found(("system", f"Context:\n{FIRST}"), ("system", "Be brief."), ("user", ASKED)) == [FIRST]
    assert found(("system", "Be brief."), ("user", ASKED), ("system", f"Context:\n{FIRST}")) == [FIRST]
    assert found(("user", f"Context:\n{FIRST}"), ("user", ASKED)) == [FIRST]


def test_passages_of_an_earlier_turn_are_not_read_again() -> None:
    """What was sent with another question is no evidence for this one."""
    assert found(("user", f"Context:\n{FIRST}\n\nQuestion: a"), ("assistant", "b"), ("user", ASKED)) == []


def test_numbered_passages_keep_number_and_title() -> None:
    """A reviewer finds the passage that the application showed as number 1."""
    first, second = find_documents(
        converse(("user", f"Document 1 (ACR):\n{FIRST}\nDocument 2:\n{SECOND}\nQuestion: {ASKED}"))
    )
    assert (first.id, first.title, second.id, second.title) == ("1", "ACR", "2", None)


@pytest.mark.parametrize(
    "history",
    ["Chat History:\nHuman: how long?\nAssistant: 24 h", "## Conversation history\nHuman: x\nAI: 24 h"],
)
def test_earlier_answers_in_a_prompt_are_no_evidence(history: str) -> None:
    """A wrong answer of the model's never supports the next one."""
    for prompt in (
        f"Context:\n{FIRST}\n\n{history}\n\nQuestion: {ASKED}",
        f"{history}\n\nContext:\n{FIRST}\n\nQuestion: {ASKED}\nAnswer:",
    ):
        assert found(("user", prompt)) == [FIRST]
    assert found(("system", f"Context:\n{FIRST}\n\n{history}"), ("user", ASKED)) == [FIRST]
    assert found(("user", f"{history}\n\nQuestion: {ASKED}\nAnswer:")) == []


@pytest.mark.parametrize(
    "system",
    [
        "You are a radiology assistant. Use only the provided context, and say so if it holds no answer.",
        "Answer in this form:\nAnswer: your answer\nSources: their numbers\nEvidence:\na quote",
        "Reply as follows.\n\nEvidence:\n<a quote from the passages>",
        "Context: You are deployed in an emergency department.",
        "## Context\nYou are deployed in a hospital. Users are radiologists.\n\n## Rules\n1. Be brief.",
        "Follow these rules when you cite the provided sources:\n1. Be brief.\n2. Give page numbers.",
        "Use the provided context. Rules:\n\n1. Be brief.\n2. Cite.",
        "Cite passages as [1] or [2]. Use the following passages only if they are relevant.",
        "Context:\n\n\nIf the answer is not in the context, say so.",
        "Context:\nNo relevant documents found.",
        "<context>\nNone\n</context>",
    ],
)
def test_instructions_are_no_evidence(system: str) -> None:
    """A prompt whose passages are missing is seen to be without evidence."""
    assert read(("system", system), ("user", ASKED)).state is EvidenceState.NONE


@pytest.mark.parametrize(
    "user",
    [
        "Context: he takes metformin at an eGFR of 45. May he get contrast?",
        "Context:\nhe takes metformin at an eGFR of 45.\nMay he get contrast?",
        "Is this right? Sources: my colleague says that metformin is safe.",
        "Is this right?\nSources: my colleague says that metformin is safe.",
        "Background: he takes metformin.\n\nQuestion: may he get contrast?",
        "The context is a trauma patient.\n\nQuestion: may he get contrast?",
        "Which of the documents does he need?\n\n[1] consent\n[2] referral",
        "I read these guidelines: metformin is safe.\n\nIs it?",
    ],
)
def test_what_cannot_be_told_from_the_users_words_is_no_evidence(user: str) -> None:
    """A question that only looks like a prompt is not its own proof."""
    assert found(("user", user)) == []


@pytest.mark.parametrize(
    "user",
    [
        f"## Context\n{BOTH}\n\n## Question\n{ASKED}",
        f"Evidence:\n{BOTH}\n\n{ASKED}",
        f"<evidence>\n{FIRST}\n</evidence>\n\n{ASKED}",
        f"Context: {FIRST}\n\nQ: {ASKED}",
        f"Given the following context:\n\n{BOTH}\n\nAnswer the question: {ASKED}",
        f"Context:\n{BOTH}\n\nUser question: {ASKED}",
    ],
)
def test_the_question_is_read_without_the_marks(user: str) -> None:
    """Topics are looked for in the question alone."""
    conversation = converse(("user", user))
    assert read_query(conversation, read(("user", user))).text == ASKED


def test_a_tool_that_found_nothing_is_no_evidence() -> None:
    """A search without a result leaves the answer without evidence."""
    assert found(("user", ASKED), ("tool", "No results found.")) == []
    assert found(("user", ASKED), ("tool", "No evidence of harm was found in 300 patients.")) != []
