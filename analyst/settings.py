"""The language model's settings; reading them imports no client library."""

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ModelSettings(BaseSettings):
    """Where the language model answers, and how patient we are with it."""

    model_config = SettingsConfigDict(env_prefix="MRM_ANALYST_", extra="ignore", populate_by_name=True)
    api_key: SecretStr = Field(default=SecretStr(""), validation_alias=AliasChoices("OPENAI_API_KEY", "api_key"))
    base_url: str = Field(default="https://api.openai.com/v1", validation_alias=AliasChoices("OPENAI_BASE_URL", "base_url"))
    model: str = "gpt-4.1-mini"
    timeout: float = Field(default=60.0, gt=0)
    """Seconds that one request may stay silent."""
    budget: float = Field(default=150.0, gt=0)
    """Seconds for the whole wording of a report."""
    retries: int = Field(default=1, ge=0)
    """How often a request is repeated after 429, 5xx or a lost connection."""

    @classmethod
    def load(cls) -> "ModelSettings | None":
        """Read the settings from the environment; None without OPENAI_API_KEY, and then the template words reports."""
        settings = cls()
        return settings if settings.usable else None

    @property
    def usable(self) -> bool:
        """Say whether there is a key to ask with."""
        return bool(self.api_key.get_secret_value().strip())
