"""Settings → the backend that they name."""

from pathlib import Path

from gatekeeper.backends.base import Backend
from gatekeeper.backends.extractive import ExtractiveBackend
from gatekeeper.backends.openai_http import OpenAIBackend
from gatekeeper.backends.pool import Pool, Upstream, parse_upstream
from gatekeeper.backends.scripted import ScriptedBackend
from gatekeeper.backends.upstream import JUDGE_HEADER, UpstreamClient
from gatekeeper.errors import ConfigurationError
from gatekeeper.settings import Settings


def make_backend(settings: Settings) -> Backend:
    """Return the backend; raises ConfigurationError when its file or address cannot be used."""
    match settings.backend:
        case "openai":
            return _openai(settings)
        case "llama_cpp":
            return _llama_cpp(settings)
        case "litellm":
            return _litellm(settings)
        case "scripted":
            return ScriptedBackend(settings.script or Path())
    return ExtractiveBackend()


async def answering(backend: Backend) -> tuple[bool, ...]:
    """Return which of a backend's servers answer, in the order of the settings; a single one is asked."""
    if isinstance(backend, Pool):
        return backend.up()
    try:
        return (await backend.healthy(),)
    except Exception:
        # Whatever a server does to its check, it does not answer.
        return (False,)


def make_judge(settings: Settings) -> Backend | None:
    """Return the second model, which judges; None where the served model does."""
    if settings.judge_upstream is None:
        return None
    upstream = parse_upstream(settings.judge_upstream)
    key = settings.judge_api_key
    client = UpstreamClient(
        upstream.url,
        api_key=key.get_secret_value() if key else None,
        deadline_s=settings.deadline_s,
        connect_timeout_s=settings.connect_timeout_s,
        headers={JUDGE_HEADER: "1"},
    )
    return OpenAIBackend(client, model=settings.judge_model, fingerprint=upstream.fingerprint)


def _openai(settings: Settings) -> Backend:
    upstreams = [parse_upstream(text) for text in settings.upstream]
    if len(upstreams) == 1:
        return _server(settings, upstreams[0], settings.upstream_retries)
    # The next server takes the place of another try.
    return Pool((_server(settings, upstream, 0), upstream.weight) for upstream in upstreams)


def _server(settings: Settings, upstream: Upstream, retries: int) -> Backend:
    client = UpstreamClient(
        upstream.url,
        api_key=_api_key(settings),
        deadline_s=settings.deadline_s,
        connect_timeout_s=settings.connect_timeout_s,
        retries=retries,
    )
    fingerprint = upstream.fingerprint or settings.fingerprint
    return OpenAIBackend(client, model=settings.upstream_model, fingerprint=fingerprint)


def _llama_cpp(settings: Settings) -> Backend:
    try:
        from gatekeeper.backends.llama_cpp import LlamaCppBackend  # noqa: PLC0415 - an extra, slow to import
    except ImportError as error:
        raise ConfigurationError("--gguf needs an extra: pip install 'radsafe-gatekeeper[llama]'") from error
    return LlamaCppBackend(
        settings.gguf or Path(),
        gpu_layers=settings.n_gpu_layers,
        context=settings.n_ctx,
        threads=settings.n_threads,
        waiting=settings.max_queue,
    )


def _litellm(settings: Settings) -> Backend:
    from gatekeeper.backends.litellm_adapter import LiteLLMBackend  # noqa: PLC0415 - an extra

    return LiteLLMBackend(
        settings.litellm or "",
        api_base=settings.litellm_api_base,
        api_key=_api_key(settings),
        deadline_s=settings.deadline_s,
        fingerprint=settings.fingerprint,
    )


def _api_key(settings: Settings) -> str | None:
    key = settings.upstream_api_key
    return key.get_secret_value() if key else None
