"""A GGUF file decoded in this process, with token probabilities at little cost."""

from gatekeeper.backends.llama_cpp.backend import LlamaCppBackend

__all__ = ["LlamaCppBackend"]
