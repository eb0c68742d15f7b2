"""llama.cpp's own calls, as few as are needed: a model file, and a context that decodes its tokens.

Neither class is safe to use from two threads at once. llama.cpp's log is silenced, because its lines may
quote what a request asked for; while a file is loaded its first error is kept.
"""

import ctypes
import os
from pathlib import Path
from typing import Any, Final, NamedTuple

import llama_cpp.llama_cpp as native
import numpy as np
import numpy.typing as npt

from gatekeeper.errors import ConfigurationError, UpstreamError

Tokens = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]
"""Raw scores of every token of the vocabulary, before any sampling."""

BATCH: Final = 512
"""Tokens per decode: between two of them a call can be cancelled."""

OUTPUTS: Final = 64
"""Rows of scores per decode; each takes four bytes per token of the vocabulary."""

SEQUENCES: Final = 9
"""The one that generates, and eight copies of it that are scored side by side."""

_ERROR: Final = 4
_LONGEST_PIECE: Final = 256
_errors: list[str] = []


def _listen(level: int, text: bytes, _: object) -> None:
    if level == _ERROR:
        _errors.append(text.decode(errors="replace").strip())


def _ignore(level: int, text: bytes, _: object) -> None:
    """Say nothing."""


_LISTEN: Final = native.llama_log_callback(_listen)
_IGNORE: Final = native.llama_log_callback(_ignore)


class Spelling(NamedTuple):
    """A token's text as it is shown, and the bytes that it adds to an answer: none for a control token."""

    text: str
    data: list[int]


class Model:
    """The weights and vocabulary of a GGUF file. Raises ConfigurationError for one that cannot be used."""

    def __init__(self, path: Path, gpu_layers: int) -> None:
        _errors.clear()
        native.llama_log_set(_LISTEN, None)
        native.llama_backend_init()
        params = native.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        self.handle = native.llama_model_load_from_file(os.fsencode(path), params)
        native.llama_log_set(_IGNORE, None)
        if not self.handle:
            reason = _errors[0] if _errors else "no reason given"
            raise ConfigurationError(f"{path}: llama.cpp cannot load it ({reason})")
        self.vocabulary = native.llama_model_get_vocab(self.handle)
        self.size: int = native.llama_vocab_n_tokens(self.vocabulary)
        self.longest_context: int = native.llama_model_n_ctx_train(self.handle)
        self._pieces: dict[int, bytes] = {}
        self._spellings: dict[int, Spelling] = {}

    def close(self) -> None:
        """Free the weights."""
        if self.handle:
            native.llama_model_free(self.handle)
            self.handle = None

    @property
    def description(self) -> str:
        """Architecture, size and quantisation in llama.cpp's words."""
        buffer = ctypes.create_string_buffer(256)
        native.llama_model_desc(self.handle, buffer, len(buffer))
        return buffer.value.decode(errors="replace")

    @property
    def quantisation(self) -> str:
        """What most of the weights are stored as, such as `Q4_K-Medium`."""
        name: bytes | None = native.llama_ftype_name(native.llama_model_ftype(self.handle))
        return (name or b"unknown").decode().replace(" ", "")

    @property
    def chat_template(self) -> str:
        """The Jinja template that the file carries; empty where it has none."""
        template: bytes | None = native.llama_model_chat_template(self.handle, None)
        return (template or b"").decode(errors="replace")

    def begin_text(self) -> str:
        """Return the text of the token that begins a sequence; empty where there is none."""
        return self._text(native.llama_vocab_bos(self.vocabulary))

    def end_text(self) -> str:
        """Return the text of the token that ends a sequence."""
        return self._text(native.llama_vocab_eos(self.vocabulary))

    def control_texts(self) -> list[str]:
        """Return the spelling of every token that steers the model instead of being text."""
        controls = (t for t in range(self.size) if native.llama_vocab_is_control(self.vocabulary, t))
        return [text for text in map(self._text, controls) if text]

    def tokenise(self, text: str) -> Tokens:
        """Return the tokens of a whole prompt: spelled control tokens are read as such."""
        data = text.encode()
        tokens = np.empty(len(data) + 2, dtype=np.int32)
        room = tokens.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
        count = native.llama_tokenize(self.vocabulary, data, len(data), room, len(tokens), False, True)
        begin = native.llama_vocab_bos(self.vocabulary)
        if native.llama_vocab_get_add_bos(self.vocabulary) and (count == 0 or tokens[0] != begin):
            return np.concatenate(([begin], tokens[:count]), dtype=np.int32)
        return tokens[:count]

    def ends(self, token: int) -> bool:
        """Whether a token ends the answer."""
        return bool(native.llama_vocab_is_eog(self.vocabulary, token))

    def piece(self, token: int) -> bytes:
        """Return the bytes that a token adds to an answer, often no whole character; none for a control."""
        known = self._pieces.get(token)
        if known is None:
            known = self._pieces[token] = self._piece(token, spell_controls=False)
        return known

    def spelling(self, token: int) -> Spelling:
        """Return a token as it is shown beside its probability.

        Bytes that are no whole character are escaped, so that different tokens never look the same.
        """
        known = self._spellings.get(token)
        if known is None:
            piece = self.piece(token)
            shown = (piece or self._piece(token, spell_controls=True)).decode(errors="backslashreplace")
            known = self._spellings[token] = Spelling(shown, list(piece))
        return known

    def _text(self, token: int) -> str:
        text: bytes = native.llama_vocab_get_text(self.vocabulary, token) if token >= 0 else b""
        return text.decode(errors="replace")

    def _piece(self, token: int, *, spell_controls: bool) -> bytes:
        buffer = ctypes.create_string_buffer(_LONGEST_PIECE)
        length = native.llama_token_to_piece(self.vocabulary, token, buffer, len(buffer), 0, spell_controls)
        if length < 0:
            buffer = ctypes.create_string_buffer(-length)
            length = native.llama_token_to_piece(self.vocabulary, token, buffer, -length, 0, spell_controls)
        return buffer.raw[:length]


class Context:
    """The attention cache of a model: `size` tokens, shared by SEQUENCES sequences."""

    def __init__(self, model: Model, size: int, threads: int | None = None) -> None:
        params = native.llama_context_default_params()
        params.n_ctx = size
        params.n_batch = params.n_ubatch = BATCH
        params.n_outputs_max = params.n_outputs_max_per_seq = OUTPUTS
        params.n_seq_max = SEQUENCES
        params.kv_unified = True
        cores = os.cpu_count() or 1
        params.n_threads = threads or max(1, cores // 2)
        params.n_threads_batch = threads or cores
        self.handle = native.llama_init_from_model(model.handle, params)
        if not self.handle:
            raise ConfigurationError(f"No room for a context of {size} tokens; choose a smaller --n-ctx.")
        self.size: int = native.llama_n_ctx(self.handle)
        self._memory = native.llama_get_memory(self.handle)
        self._row = ctypes.c_float * model.size
        self._batch = _Batch()

    def close(self) -> None:
        """Free the cache."""
        if self.handle:
            native.llama_free(self.handle)
            self.handle = None

    def decode(self, tokens: Tokens, position: int) -> None:
        """Append tokens to the first sequence; the scores after the last of them can be read then."""
        count = len(tokens)
        self._batch.fill(
            tokens, np.arange(position, position + count, dtype=np.int32), np.zeros(count, np.int32)
        )
        self._batch.outputs[:count] = 0
        self._batch.outputs[count - 1] = 1
        self._decode(count)

    def decode_copies(self, tokens: Tokens, positions: Tokens, sequences: Tokens) -> None:
        """Append at most OUTPUTS tokens to some sequences; the scores after each can be read then."""
        self._batch.fill(tokens, positions, sequences)
        self._batch.outputs[: len(tokens)] = 1
        self._decode(len(tokens))

    def scores(self, row: int = -1) -> Scores:
        """Return a view of the scores after a token of the last decode, valid until the next one."""
        address = native.llama_get_logits_ith(self.handle, row)
        if not address:
            raise UpstreamError("llama.cpp gave no scores.")
        view: Any = self._row.from_address(ctypes.addressof(address.contents))
        return np.frombuffer(view, dtype=np.float32)

    def copy(self, sequence: int) -> None:
        """Make a sequence begin with everything that the first one holds; costs no memory."""
        native.llama_memory_seq_cp(self._memory, 0, sequence, -1, -1)

    def forget(self, sequence: int, start: int = 0) -> bool:
        """Drop a sequence's tokens from a position on; False where this kind of model cannot."""
        return bool(native.llama_memory_seq_rm(self._memory, sequence, start, -1))

    def clear(self) -> None:
        """Drop everything."""
        native.llama_memory_clear(self._memory, False)

    def _decode(self, count: int) -> None:
        self._batch.handle.n_tokens = count
        code = native.llama_decode(self.handle, self._batch.handle)
        if code:
            raise UpstreamError(f"llama.cpp could not decode (code {code}).")


class _Batch:
    """Room for one decode, filled as arrays: token by token from Python it would cost more than decoding."""

    def __init__(self) -> None:
        self.tokens = np.zeros(BATCH, np.int32)
        self.positions = np.zeros(BATCH, np.int32)
        self.sequences = np.zeros(BATCH, np.int32)
        self.outputs = np.zeros(BATCH, np.int8)
        self._ones = np.ones(BATCH, np.int32)
        # llama.cpp wants a list of sequences per token: a pointer to the one that it belongs to.
        base, width = self.sequences.ctypes.data, self.sequences.itemsize
        self._pointers = np.arange(base, base + BATCH * width, width, dtype=np.uintp)
        self.handle = native.llama_batch(
            token=_pointer(self.tokens, ctypes.c_int32),
            pos=_pointer(self.positions, ctypes.c_int32),
            n_seq_id=_pointer(self._ones, ctypes.c_int32),
            seq_id=_pointer(self._pointers, ctypes.POINTER(ctypes.c_int32)),
            logits=_pointer(self.outputs, ctypes.c_int8),
        )

    def fill(self, tokens: Tokens, positions: Tokens, sequences: Tokens) -> None:
        count = len(tokens)
        self.tokens[:count] = tokens
        self.positions[:count] = positions
        self.sequences[:count] = sequences


def _pointer(array: npt.NDArray[Any], kind: Any) -> Any:
    return ctypes.cast(array.ctypes.data, ctypes.POINTER(kind))


def gpu_supported() -> bool:
    """Whether this build of llama.cpp can put layers on a GPU."""
    return bool(native.llama_supports_gpu_offload())
