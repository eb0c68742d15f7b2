"""The reader's network: the BERT encoder of Devlin et al. (2019) with three outputs, in PyTorch.

Parameter names are those of published BERT weights, so that MiniLM's are taken over as they are.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from gatekeeper.checks.nli.encoding import TOKEN_TYPES
from radsafe_bench.nli.sources import LABELS

VOCABULARY, SIZE, INNER, LAYERS, HEADS, POSITIONS = 30522, 384, 1536, 6, 12, 512
EPSILON = 1e-12


class Embeddings(nn.Module):
    """Words, positions and segments → states (batch, length, size)."""

    def __init__(self) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(VOCABULARY, SIZE)
        self.position_embeddings = nn.Embedding(POSITIONS, SIZE)
        self.token_type_embeddings = nn.Embedding(TOKEN_TYPES, SIZE)
        self.LayerNorm = nn.LayerNorm(SIZE, eps=EPSILON)

    def forward(self, ids: Tensor, segments: Tensor) -> Tensor:
        """Return the states of token ids."""
        places = torch.arange(ids.shape[1], device=ids.device)
        words = self.word_embeddings(ids) + self.position_embeddings(places)
        states: Tensor = self.LayerNorm(words + self.token_type_embeddings(segments))
        return states


class Layer(nn.Module):
    """Attention and feed-forward, each added to its input and normalised."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.attention = nn.ModuleDict(
            {
                "self": nn.ModuleDict({part: nn.Linear(SIZE, SIZE) for part in ("query", "key", "value")}),
                "output": nn.ModuleDict(
                    {"dense": nn.Linear(SIZE, SIZE), "LayerNorm": nn.LayerNorm(SIZE, eps=EPSILON)}
                ),
            }
        )
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(SIZE, INNER)})
        self.output = nn.ModuleDict(
            {"dense": nn.Linear(INNER, SIZE), "LayerNorm": nn.LayerNorm(SIZE, eps=EPSILON)}
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, bias: Tensor) -> Tensor:
        """Return the states after this layer; `bias` is added to attention scores."""
        attended = self.dropout(self.attention["output"]["dense"](self._attend(states, bias)))
        states = self.attention["output"]["LayerNorm"](states + attended)
        inner = functional.gelu(self.intermediate["dense"](states))
        result: Tensor = self.output["LayerNorm"](states + self.dropout(self.output["dense"](inner)))
        return result

    def _attend(self, states: Tensor, bias: Tensor) -> Tensor:
        batch, length, _ = states.shape
        query, key, value = (
            self.attention["self"][part](states).view(batch, length, HEADS, SIZE // HEADS).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(-1, -2) / (SIZE // HEADS) ** 0.5 + bias
        mixed = self.dropout(scores.softmax(dim=-1)) @ value
        return mixed.transpose(1, 2).reshape(batch, length, SIZE)


class Reader(nn.Module):
    """Token ids of (evidence, claim) pairs → logits of `LABELS`, read from the first token."""

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.embeddings = Embeddings()
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(Layer(dropout) for _ in range(LAYERS))})
        self.pooler = nn.ModuleDict({"dense": nn.Linear(SIZE, SIZE)})
        self.classifier = nn.Linear(SIZE, len(LABELS))
        self.dropout = nn.Dropout(dropout)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """Return logits, (pairs, labels)."""
        bias = (1.0 - attention_mask.to(torch.float32))[:, None, None, :] * -1e4
        states = self.dropout(self.embeddings(input_ids, token_type_ids))
        for layer in self.encoder["layer"]:
            states = layer(states, bias)
        pooled = torch.tanh(self.pooler["dense"](states[:, 0]))
        logits: Tensor = self.classifier(self.dropout(pooled))
        return logits
