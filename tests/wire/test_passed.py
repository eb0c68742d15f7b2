"""What passes without a judgement holds no text: lists of models, and embeddings."""

from typing import Any

import pytest

from gatekeeper.errors import UpstreamGarbled
from gatekeeper.wire.passed import embeddings_body, models_body

TEXT = "Give 500 mg now."


def test_models_keep_names_and_numbers() -> None:
    """A client learns the models' names and sizes, and nothing that a server writes beside them."""
    listed = {"id": "org/model:Q8", "object": "model", "created": 1, "owned_by": "x", "max_model_len": 4096}
    odd = {"description": TEXT, "permission": [{"note": TEXT}], TEXT: 1}

    found = models_body({"object": "list", "data": [listed | odd, {"id": TEXT}], "note": TEXT})

    assert found == {"object": "list", "data": [listed, {}]}


@pytest.mark.parametrize("vector", [[0.25, -1, 0], [[0.5], [1.5]], "AACAPgAAAL8=", []])
def test_embeddings_pass(vector: object) -> None:
    """Vectors come through unchanged, as numbers or in base64."""
    body = {
        "object": "list",
        "model": "m",
        "data": [{"object": "embedding", "index": 0, "embedding": vector}],
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }

    assert embeddings_body(body) == body
    assert embeddings_body(body | {"note": TEXT}) == body


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": TEXT},
        {"data": [TEXT]},
        {"data": [{"index": 0, "embedding": TEXT}]},
        {"data": [{"index": 0, "embedding": [TEXT]}]},
        {"data": [{"index": 0, "embedding": [0.5, [TEXT]]}]},
        {"data": [{"index": TEXT, "embedding": [0.5]}]},
        {"choices": [{"message": {"content": TEXT}}]},
    ],
)
def test_what_is_no_vector_does_not_pass(body: dict[str, Any]) -> None:
    """An answer in the place of a vector is refused, as nobody has judged it."""
    with pytest.raises(UpstreamGarbled):
        embeddings_body(body)
