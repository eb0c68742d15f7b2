"""Shaping what the model is asked: a policy's instruction, and evidence written into the prompt. Pure."""

from dataclasses import replace
from typing import Any

from gatekeeper.exchange import Case, Document, JsonObject, Surface
from gatekeeper.policy import Policy

_EXPLICIT = "evidence_field"
"""The extractor whose documents stand beside the prompt; all others were found inside it."""


def shape(case: Case, policy: Policy) -> Case:
    """Return the case with what the policy adds to every prompt; unchanged where it adds nothing."""
    injected = _documents_beside(case) if policy.evidence.inject else ()
    if not injected and policy.prompt.instruction is None:
        return case
    return _with_preamble(case, _evidence_text(injected), policy.prompt.instruction or "")


def bind_to_evidence(case: Case, instruction: str) -> Case:
    """Return the case with the evidence in the prompt, where it is not there yet, and an instruction."""
    return _with_preamble(case, _evidence_text(_documents_beside(case)), instruction)


def _documents_beside(case: Case) -> tuple[Document, ...]:
    return tuple(document for document in case.evidence.documents if document.extractor == _EXPLICIT)


def _evidence_text(documents: tuple[Document, ...]) -> str:
    """Evidence first and always in one order, so that a server's prefix cache serves it again."""
    blocks = (
        f"[{document.title or document.id}]\n{document.text}" if document.title else document.text
        for document in documents
    )
    return "Evidence:\n" + "\n\n".join(blocks) if documents else ""


def _with_preamble(case: Case, evidence: str, instruction: str) -> Case:
    preamble = "\n\n".join(text for text in (evidence, instruction) if text)
    body = _PREAMBLES[case.conversation.surface](case.conversation.body, preamble)
    return replace(case, conversation=replace(case.conversation, body=body))


def _chat(body: JsonObject, preamble: str) -> dict[str, Any]:
    """Put text before the first system message: many chat templates allow only one, and first."""
    messages = list(body["messages"])
    if messages and messages[0].get("role") in {"system", "developer"}:
        first = dict(messages[0])
        content = first.get("content")
        first["content"] = (
            [{"type": "text", "text": preamble}, *content]
            if isinstance(content, list)
            else f"{preamble}\n\n{content or ''}".rstrip()
        )
        messages[0] = first
    else:
        messages.insert(0, {"role": "system", "content": preamble})
    return {**body, "messages": messages}


def _completions(body: JsonObject, preamble: str) -> dict[str, Any]:
    prompt = body.get("prompt", "")
    if isinstance(prompt, list):
        return {**body, "prompt": [f"{preamble}\n\n{text}" for text in prompt]}
    return {**body, "prompt": f"{preamble}\n\n{prompt}"}


def _responses(body: JsonObject, preamble: str) -> dict[str, Any]:
    given = body.get("instructions") or ""
    return {**body, "instructions": f"{preamble}\n\n{given}".rstrip()}


_PREAMBLES = {Surface.CHAT: _chat, Surface.COMPLETIONS: _completions, Surface.RESPONSES: _responses}
