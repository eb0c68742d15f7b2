"""Retrieval over a suite's corpus and the user's own folders: chunks, rankings, gold recall."""

from radsafe_bench.retrieval.chunks import CHUNK_TOKENS, OVERLAP_TOKENS, Chunk, SourceText, chunked
from radsafe_bench.retrieval.corpus import CorpusError, corpus_digest, read_folder, suite_texts
from radsafe_bench.retrieval.library import RETRIEVERS, Library, build_library

__all__ = [
    "CHUNK_TOKENS",
    "OVERLAP_TOKENS",
    "RETRIEVERS",
    "Chunk",
    "CorpusError",
    "Library",
    "SourceText",
    "build_library",
    "chunked",
    "corpus_digest",
    "read_folder",
    "suite_texts",
]
