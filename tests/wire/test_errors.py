"""Errors have the shape that OpenAI clients read."""

from gatekeeper.errors import InvalidRequest, UpstreamTimeout
from gatekeeper.wire.errors import error_body


def test_errors_name_field_and_code() -> None:
    """A client's own handling of OpenAI errors works unchanged."""
    assert error_body(InvalidRequest("Send messages.", param="messages")) == {
        "error": {
            "message": "Send messages.",
            "type": "invalid_request_error",
            "param": "messages",
            "code": None,
        }
    }
    assert error_body(UpstreamTimeout("Too late.")) == {
        "error": {"message": "Too late.", "type": "upstream_error", "param": None, "code": "upstream_timeout"}
    }
