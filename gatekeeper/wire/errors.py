"""Errors in the shape that OpenAI clients read."""

from typing import Any

from gatekeeper.errors import GatekeeperError


def error_body(error: GatekeeperError) -> dict[str, Any]:
    """Return the JSON body of an error; messages of GatekeeperErrors carry no text of an exchange."""
    return {"error": {"message": error.message, "type": error.type, "param": error.param, "code": error.code}}
