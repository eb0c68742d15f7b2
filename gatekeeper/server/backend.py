"""Settings → the backend that they name."""

from pathlib import Path

from gatekeeper.backends.base import Backend
from gatekeeper.backends.extractive import ExtractiveBackend
from gatekeeper.backends.openai_http import OpenAIBackend
from gatekeeper.backends.scripted import ScriptedBackend
from gatekeeper.backends.upstream import UpstreamClient
from gatekeeper.settings import Settings


def make_backend(settings: Settings) -> Backend:
    """Return the backend; raises ConfigurationError when its file or address cannot be used."""
    if settings.backend == "openai":
        return _openai(settings)
    if settings.backend == "scripted":
        return ScriptedBackend(settings.script or Path())
    return ExtractiveBackend()


def _openai(settings: Settings) -> Backend:
    key = settings.upstream_api_key
    client = UpstreamClient(
        settings.upstream or "",
        api_key=key.get_secret_value() if key else None,
        deadline_s=settings.deadline_s,
        connect_timeout_s=settings.connect_timeout_s,
        retries=settings.upstream_retries,
    )
    return OpenAIBackend(client, model=settings.upstream_model, fingerprint=settings.fingerprint)
