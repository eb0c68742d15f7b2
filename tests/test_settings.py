"""Settings: command line before environment before file before defaults."""

from pathlib import Path

import pytest

from gatekeeper.errors import ConfigurationError
from gatekeeper.settings import ignored, load_settings


def test_precedence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each source overrides the weaker ones, setting by setting."""
    config = tmp_path / "gatekeeper.yaml"
    config.write_text("port: 1\nhost: 0.0.0.1\nmax_queue: 1\n")
    monkeypatch.setenv("GATEKEEPER_PORT", "2")
    monkeypatch.setenv("GATEKEEPER_HOST", "0.0.0.2")
    settings = load_settings(config, {"port": 3, "host": None})
    assert (settings.port, settings.host, settings.max_queue, settings.max_concurrency) == (
        3,
        "0.0.0.2",
        1,
        64,
    )


def test_the_backend_follows_from_what_is_named() -> None:
    """Naming a server or a script is enough; naming nothing is the embedded baseline."""
    assert load_settings(None, {}).backend == "extractive"
    assert load_settings(None, {"upstream": "http://127.0.0.1:1/v1"}).backend == "openai"
    assert load_settings(None, {"script": Path("x")}).backend == "scripted"


def test_the_backend_follows_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server named in the environment is used like one named on the command line."""
    monkeypatch.setenv("GATEKEEPER_UPSTREAM", "http://127.0.0.1:1/v1")
    assert load_settings(None, {}).backend == "openai"


def test_several_workers_do_not_each_load_a_model() -> None:
    """A model file in process is served by one worker; more would each load it, and are refused."""
    assert load_settings(None, {"gguf": Path("m.gguf")}).workers == 1
    with pytest.raises(ConfigurationError, match="would each load the model"):
        load_settings(None, {"gguf": Path("m.gguf"), "workers": 2})


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """The upstream key is in no printed form of the settings."""
    monkeypatch.setenv("GATEKEEPER_UPSTREAM_API_KEY", "sk-secret")
    assert "sk-secret" not in repr(load_settings(None, {}))


@pytest.mark.parametrize("text", ["prot: 1\n", "- 1\n", "port: [1\n", "port: high\n"])
def test_a_config_file_that_says_nothing_sensible_is_refused(tmp_path: Path, text: str) -> None:
    """A misspelt or malformed setting is an error, never ignored."""
    config = tmp_path / "gatekeeper.yaml"
    config.write_text(text)
    with pytest.raises(ConfigurationError):
        load_settings(config, {})


def test_a_misspelt_setting_is_told_with_its_neighbour(tmp_path: Path) -> None:
    """Whoever misspells a setting reads which one was meant."""
    config = tmp_path / "gatekeeper.yaml"
    config.write_text("prot: 1\n")
    with pytest.raises(ConfigurationError, match="prot: there is no such setting; did you mean port"):
        load_settings(config, {})


def test_a_misspelt_variable_is_told() -> None:
    """A variable that protects nothing because of its spelling does not go unseen; others are not ours."""
    told = list(ignored(["GATEKEEPER_APIKEYS", "GATEKEEPER_PORT", "gatekeeper_host", "HOME"]))
    assert told == ["GATEKEEPER_APIKEYS is ignored: there is no such setting; did you mean api_keys?"]


@pytest.mark.parametrize(
    ("host", "upstream"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080/v1"),
        ("127.0.0.1", "http://localhost:8080=3#Q8"),
        ("0.0.0.0", "http://[::1]:8080/v1"),
        ("10.0.0.5", "http://10.0.0.5:8080/v1"),
    ],
)
def test_a_gate_does_not_ask_itself(host: str, upstream: str) -> None:
    """The gate's own address as the model server's is refused, or one request would become thousands."""
    with pytest.raises(ConfigurationError, match=r"--upstream http.* is the gate's own address"):
        load_settings(None, {"host": host, "upstream": upstream})
    with pytest.raises(ConfigurationError, match=r"--judge-upstream http.* is the gate's own address"):
        load_settings(None, {"host": host, "judge_upstream": upstream})
    assert load_settings(None, {"host": host, "upstream": upstream, "port": 8090}).port == 8090


def test_a_model_server_elsewhere_may_have_the_same_port() -> None:
    """Only the gate's own address is refused, not its port on another machine or interface."""
    for host, upstream in (("127.0.0.1", "http://gpu1:8080/v1"), ("10.0.0.5", "http://127.0.0.1:8080/v1")):
        assert load_settings(None, {"host": host, "upstream": upstream}).upstream == (upstream,)
