"""Settings of the API, read once in the composition root."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ApiSettings(BaseSettings):
    """What an installation may change; each field is the environment variable MRM_API_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="MRM_API_", extra="ignore")

    host: str = "127.0.0.1"
    """The address to listen on; loopback unless a proxy with TLS stands in front."""
    signing_key: SecretStr | None = None
    """An Ed25519 private key (PEM) that signs access tokens; by default one is made in the home's `keys`."""
    access_minutes: int = Field(default=15, ge=1, le=60)
    """How long an access token is good."""
    login_attempts_per_minute: int = Field(default=5, ge=1)
    """Logins that one address, or one e-mail, may try in a minute; the next one gets 429."""
    requests_per_minute: int = Field(default=1200, ge=1)
    """Requests that one logged-in person may send in a minute."""
    max_body_bytes: int = Field(default=1_000_000, ge=1)
    """The largest request body; a larger one gets 413."""
    max_days: int = Field(default=1100, ge=1)
    """The widest window of dates that a metrics request may span."""
    answer_cache_bytes: int = Field(default=64_000_000, ge=0)
    """How many bytes of answers to numbers are kept in memory, each good for one data version."""
    graceful_seconds: int = Field(default=8, ge=1)
    """How long running requests may take to end at shutdown."""
    metrics_token: SecretStr | None = None
    """The bearer token that /metrics asks for; without one only clients on this machine may read it."""
    trusted_proxies: str = "127.0.0.1"
    """Addresses whose X-Forwarded-For is believed, separated by commas."""
