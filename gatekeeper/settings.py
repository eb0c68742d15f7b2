"""Settings of a serving process.

Precedence, strongest first: command line, environment (`GATEKEEPER_…`), config file, defaults.
"""

import difflib
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import yaml
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from gatekeeper.errors import ConfigurationError

_INSTALLED = Path(__file__).parent / "shipped_policies"
POLICIES = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parent.parent / "policies"
"""The shipped policies: inside an installed package, or at the top of a checkout."""

BackendName = Literal["openai", "llama_cpp", "litellm", "extractive", "scripted"]

_NAMED_BY = {
    "openai": ("upstream", "an address; add --upstream http://HOST:PORT/v1"),
    "llama_cpp": ("gguf", "a model file; add --gguf FILE"),
    "litellm": ("litellm", "a model; add --litellm PROVIDER/MODEL"),
    "scripted": ("script", "a file of answers; add --script FILE"),
}
"""The setting that names each backend, and what to do where it is missing."""


_RESTS_ON = {
    "gguf": ("n_threads",),
    "litellm": ("litellm_api_base",),
    "judge_upstream": ("judge_model", "judge_api_key"),
    "audit_log": ("audit_head", "audit_rotate_daily", "audit_keep_days"),
    "review_db": (
        *("review_key", "review_key_file", "reviewer_keys", "review_webhook"),
        *("audit_sample_rate", "drift_reference", "review_keep_days"),
    ),
}
"""Settings that would do nothing without another one: whoever sets them believes to be protected."""


LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, not listened on
_ADDRESS: Final = re.compile(r"https?://(?P<host>\[[^\]]+\]|[^\[\]:/=#]+):(?P<port>\d{1,5})(?!\d)")

_OF_OTHER_COMMANDS = {"reviewer"}
"""Variables that are no settings of a server: `gatekeeper review --as`."""


class Settings(BaseSettings):
    """Everything that `gatekeeper serve` can be told; times in seconds, sizes in bytes.

    `max_concurrency`, `max_queue` and `auxiliary_concurrency` hold for each worker, so all of them together
    may take `workers` times as many.
    """

    model_config = SettingsConfigDict(env_prefix="GATEKEEPER_", extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=64)

    backend: BackendName = "extractive"
    upstream: Annotated[tuple[str, ...], NoDecode] = ()
    upstream_api_key: SecretStr | None = None
    upstream_model: str | None = None
    fingerprint: str | None = None
    gguf: Path | None = None
    n_gpu_layers: int = Field(default=-1, ge=-1)
    n_ctx: int = Field(default=8192, ge=256)
    n_threads: int | None = Field(default=None, ge=1)
    litellm: str | None = None
    litellm_api_base: str | None = None
    script: Path | None = None

    judge_upstream: str | None = None
    judge_model: str | None = None
    judge_api_key: SecretStr | None = None
    auxiliary_concurrency: int = Field(default=8, ge=1, le=256)
    auxiliary_body: dict[str, Any] = Field(default_factory=dict)

    policy: Path = POLICIES / "default.yaml"
    calibration: tuple[Path, ...] = ()
    allow_uncalibrated: bool = False

    api_keys: Path | None = None
    audit_log: Path | None = None
    audit_head: Path | None = None
    audit_rotate_bytes: int = Field(default=256_000_000, ge=10_000)
    audit_rotate_daily: bool = False
    audit_keep_days: int | None = Field(default=None, ge=1)

    review_db: SecretStr | None = None
    review_key: SecretStr | None = None
    review_key_file: Path | None = None
    reviewer_keys: Path | None = None
    review_keep_days: int | None = Field(default=None, ge=1)
    review_ttl_s: float = Field(default=72 * 3600.0, gt=0)
    review_timeout_s: float = Field(default=5.0, gt=0)
    review_refresh_s: float = Field(default=5.0, gt=0)
    review_webhook: str | None = Field(default=None, pattern=r"^https?://")
    audit_sample_rate: float = Field(default=0.0, ge=0, le=1)
    risk_window_s: float = Field(default=7 * 24 * 3600.0, ge=3600)
    risk_delta: float = Field(default=0.05, gt=0, lt=1)
    drift_reference: Path | None = None

    require_certificate: bool = False
    trusted_keys: Path | None = None
    certificate: tuple[Path, ...] = ()
    break_glass_by: str | None = None
    break_glass_reason: str | None = None
    break_glass_until: datetime | None = None

    max_body_bytes: int = Field(default=4_000_000, ge=1_000)
    max_concurrency: int = Field(default=64, ge=1)
    max_queue: int = Field(default=128, ge=0)
    deadline_s: float = Field(default=300.0, gt=0)
    connect_timeout_s: float = Field(default=5.0, gt=0)
    upstream_retries: int = Field(default=2, ge=0, le=10)
    keep_alive_s: float = Field(default=2.0, gt=0)
    drain_s: float = Field(default=30.0, ge=0)
    worker_hang_s: float = Field(default=60.0, ge=0)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="before")
    @classmethod
    def _backend_follows_from_what_is_named(cls, data: dict[str, Any]) -> dict[str, Any]:
        named = [backend for backend, (setting, _) in _NAMED_BY.items() if data.get(setting)]
        return {"backend": named[0], **data} if named else data

    @field_validator("upstream", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        """Read addresses that the environment or a file gives as one text, separated by spaces."""
        return tuple(value.split()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _agree(self) -> Self:
        for backend, (setting, hint) in _NAMED_BY.items():
            named = bool(getattr(self, setting))
            if backend == self.backend and not named:
                raise ValueError(f"backend '{backend}' needs {hint}")
            if backend != self.backend and named:
                raise ValueError(
                    f"--{setting} belongs to backend '{backend}', not '{self.backend}'; drop one of them"
                )
        return self

    @model_validator(mode="after")
    def _workers_can_share(self) -> Self:
        if self.workers > 1 and self.backend == "llama_cpp":
            raise ValueError(
                f"{self.workers} workers would each load the model of --gguf; serve it with one worker, or "
                "with a server of its own (llama-server) that --upstream names"
            )
        return self

    @model_validator(mode="after")
    def _asks_somebody_else(self) -> Self:
        """Refuse the gate's own address: each request would come back as another, without end."""
        own = {self.host, *(LOOPBACK if self.host in LOOPBACK | _EVERYWHERE else ())}
        for setting, url in (
            *(("upstream", url) for url in self.upstream),
            ("judge_upstream", self.judge_upstream),
        ):
            found = _ADDRESS.match(url or "")
            if found and found["host"].strip("[]") in own and int(found["port"]) == self.port:
                raise ValueError(
                    f"--{setting.replace('_', '-')} {found[0]} is the gate's own address; give it "
                    "the model server's, and where both want one port, give the gate another with --port"
                )
        return self

    @model_validator(mode="after")
    def _nothing_is_asked_in_vain(self) -> Self:
        for needed, settings in _RESTS_ON.items():
            asked = [setting for setting in settings if getattr(self, setting)]
            if asked and getattr(self, needed) is None:
                raise ValueError(f"{asked[0]} does nothing without {needed}; give it, or drop {asked[0]}")
        return self


def load_settings(config: Path | None, given: dict[str, Any]) -> Settings:
    """Merge command line, environment and config file; raise ConfigurationError naming the setting."""
    if config is not None and not config.is_file():
        raise ConfigurationError(f"{config}: no such config file")

    class _FromFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            file = YamlConfigSettingsSource(settings_cls, yaml_file=config) if config else None
            return (init_settings, env_settings, *([file] if file else []))

    try:
        return _FromFile(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = f"there is no such setting{_nearest(where)}"
        raise ConfigurationError(f"{where}: {message}" if where else message) from error
    except (ValueError, TypeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{config}: is no valid YAML mapping of settings") from error


def ignored(environment: Iterable[str]) -> Iterator[str]:
    """Yield why each variable that looks like a setting is none: whoever misspelt it believes it is set."""
    for name in environment:
        setting = name.lower().removeprefix("gatekeeper_")
        ours = name.upper().startswith("GATEKEEPER_") and setting not in _OF_OTHER_COMMANDS
        if ours and setting not in Settings.model_fields:
            yield f"{name} is ignored: there is no such setting{_nearest(setting)}"


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, Settings.model_fields, n=1)
    return f"; did you mean {near[0]}?" if near else ""
