"""The language model's settings."""

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ModelSettings(BaseSettings):
    """Where the language model answers, and how patient we are with it."""

    model_config = SettingsConfigDict(env_prefix="MRM_ANALYST_", extra="ignore")
    api_key: SecretStr = Field(default=SecretStr(""), validation_alias=AliasChoices("OPENAI_API_KEY", "api_key"))
    base_url: str = Field(default="https://api.openai.com/v1", validation_alias=AliasChoices("OPENAI_BASE_URL", "base_url"))
    model: str = "gpt-4.1-mini"
    timeout: float = 60.0
    """Seconds for one request."""
    budget: float = 120.0
    """Seconds for the whole wording."""
    retries: int = 1
