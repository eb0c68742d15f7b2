"""`/v1/responses`: requests, bodies of servers, and what a client gets, as one body or as events."""

from gatekeeper.wire.responses.reading import parse_response, response_body
from gatekeeper.wire.responses.rendering import render_response, response_events
from gatekeeper.wire.responses.requests import parse_responses

__all__ = ["parse_response", "parse_responses", "render_response", "response_body", "response_events"]
