"""Claims beside evidence, read by a small model: natural language inference in ONNX."""

from gatekeeper.checks.nli.check import Nli
from gatekeeper.checks.nli.reader import EMBEDDED, Reader, load_reader, model_digest

__all__ = ["EMBEDDED", "Nli", "Reader", "load_reader", "model_digest"]
