"""Several upstreams, from the settings to the client."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gatekeeper.backends.openai_http import OpenAIBackend
from gatekeeper.backends.pool import Pool
from gatekeeper.errors import ConfigurationError
from gatekeeper.server.backend import make_backend
from gatekeeper.settings import Settings, load_settings
from tests.fake_upstream import FakeUpstream, golden, hang_up
from tests.serving import Serve


@pytest.fixture
def servers() -> Iterator[tuple[FakeUpstream, FakeUpstream]]:
    """Yield two servers that answer."""
    with ExitStack() as stack:
        both = stack.enter_context(FakeUpstream()), stack.enter_context(FakeUpstream())
        for server in both:
            server.play(golden("openai"))
        yield both


def test_a_client_does_not_notice_a_server_that_dies(
    serve: Serve, servers: tuple[FakeUpstream, FakeUpstream]
) -> None:
    """While one of two servers hangs up, every request is answered and judged."""
    proxy = serve(upstream=tuple(server.url for server in servers))
    servers[0].play(hang_up())
    client = proxy.client()
    for _ in range(5):
        completion = client.chat.completions.create(
            model="any",
            messages=[{"role": "user", "content": "Metformin?"}],
            extra_body={"evidence": ["Hold metformin."]},
        )
        assert (completion.choices[0].message.content or "").startswith("Hold metformin.")


def test_one_address_or_several(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One address is one server, several a pool, from the environment, a file or the command line alike."""
    one, two = "http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1=3#Q8"
    config = tmp_path / "gatekeeper.yaml"
    config.write_text(f"upstream: ['{one}', '{two}']\n")
    assert load_settings(config, {}).upstream == (one, two)
    config.write_text(f"upstream: {one}\n")
    assert load_settings(config, {}).upstream == (one,)
    monkeypatch.setenv("GATEKEEPER_UPSTREAM", f"{one} {two}")
    assert load_settings(None, {}).upstream == (one, two)
    assert isinstance(make_backend(load_settings(None, {})), Pool)
    assert isinstance(make_backend(load_settings(None, {"upstream": (one,)})), OpenAIBackend)


def test_a_misspelt_one_stops_the_start() -> None:
    """An upstream that cannot be read is named before anything is served."""
    with pytest.raises(ConfigurationError, match="http://a=often"):
        make_backend(Settings(upstream=("http://a=often",)))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"backend": "llama_cpp"}, "--gguf"),
        ({"backend": "litellm"}, "--litellm"),
        ({"gguf": Path("x.gguf"), "upstream": ("http://a",)}, "drop one"),
    ],
)
def test_backends_are_named_by_their_setting(given: dict[str, object], named: str) -> None:
    """A backend without its setting, or two at once, is an error that says what to add or drop."""
    with pytest.raises(ConfigurationError, match=named):
        load_settings(None, given)
