"""Settings of a serving process.

Precedence, strongest first: command line, environment (`GATEKEEPER_…`), config file, defaults.
"""

from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from gatekeeper.errors import ConfigurationError

_INSTALLED = Path(__file__).parent / "shipped_policies"
POLICIES = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parent.parent / "policies"
"""The shipped policies: inside an installed package, or at the top of a checkout."""

BackendName = Literal["openai", "extractive", "scripted"]


class Settings(BaseSettings):
    """Everything that `gatekeeper serve` can be told; times in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(env_prefix="GATEKEEPER_", extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)

    backend: BackendName = "extractive"
    upstream: str | None = None
    upstream_api_key: SecretStr | None = None
    upstream_model: str | None = None
    fingerprint: str | None = None
    script: Path | None = None

    policy: Path = POLICIES / "default.yaml"
    calibration: tuple[Path, ...] = ()
    allow_uncalibrated: bool = False

    api_keys: Path | None = None
    audit_log: Path | None = None

    max_body_bytes: int = Field(default=4_000_000, ge=1_000)
    max_concurrency: int = Field(default=64, ge=1)
    max_queue: int = Field(default=128, ge=0)
    deadline_s: float = Field(default=300.0, gt=0)
    connect_timeout_s: float = Field(default=5.0, gt=0)
    upstream_retries: int = Field(default=2, ge=0, le=10)
    keep_alive_s: float = Field(default=2.0, gt=0)
    drain_s: float = Field(default=30.0, ge=0)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="before")
    @classmethod
    def _backend_follows_from_what_is_named(cls, data: dict[str, Any]) -> dict[str, Any]:
        if "backend" not in data:
            if data.get("upstream"):
                return {**data, "backend": "openai"}
            if data.get("script"):
                return {**data, "backend": "scripted"}
        return data

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.backend == "openai" and not self.upstream:
            raise ValueError("backend 'openai' needs an address; add --upstream http://HOST:PORT/v1")
        if self.backend == "scripted" and not self.script:
            raise ValueError("backend 'scripted' needs a file of answers; add --script FILE")
        if self.upstream and self.backend != "openai":
            raise ValueError(
                f"--upstream belongs to backend 'openai', not '{self.backend}'; drop one of them"
            )
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
        raise ConfigurationError(f"{where}: {message}" if where else message) from error
    except (ValueError, TypeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{config}: is no valid YAML mapping of settings") from error
