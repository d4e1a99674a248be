"""Settings of the store, read from the environment by composition roots."""

from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class StoreSettings(BaseSettings):
    """Where rows, files and keys live; without any of these the home holds everything."""

    model_config = SettingsConfigDict(env_prefix="MRM_STORE_", populate_by_name=True, extra="ignore")

    database_url: SecretStr | None = Field(default=None, validation_alias=AliasChoices("MRM_DATABASE_URL", "database_url"))
    """Any PostgreSQL ≥ 16, e.g. postgresql://user:password@host:5432/mrm; unset: the embedded server."""
    object_store_url: str | None = Field(default=None, validation_alias=AliasChoices("MRM_OBJECT_STORE_URL", "object_store_url"))
    """s3://bucket/prefix, gs://…, az://…, file:///directory or memory:///; unset: home/landing."""
    key: SecretStr | None = Field(default=None, validation_alias=AliasChoices("MRM_STORE_KEY", "key"))
    """Key-encryption keys as `kid:base64` of 32 bytes, newest first, comma separated; unset: home/keys/store.json."""
    outside: Path = Path("/var/lib/mrm")
    """Where the embedded server lives when we are root, since PostgreSQL refuses to run as root."""
    pool_size: int = 10
    """Connections that one process keeps; as many again in a burst."""
    statement_timeout_seconds: int = 60
    """Longest time one statement may take."""
