"""What a Yandex.Direct integration may set, and its credentials."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator

from connectors.secrets import Token


class YandexDirectSettings(BaseModel):
    """Settings of one integration. `endpoint` leads to the sandbox or a proxy; empty means Yandex's own host."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    endpoint: str = "https://api.direct.yandex.com"
    ca_bundle: Path | None = None
    api_version: Literal["v5", "v501"] = "v5"
    client_login: str = ""
    """One client's login; empty means every client that the token sees (an agency's clients)."""
    include_vat: Literal["YES", "NO"] = "YES"
    timezone: str = "Europe/Moscow"
    processing_mode: Literal["auto", "online", "offline"] = "auto"
    timeout_seconds: float = 60.0
    """The longest silence of the server within a call."""
    wait_budget_seconds: float = 120.0
    """How long quota pauses may add up within one call."""
    job_budget_seconds: float = 3600.0
    """How long one offline report may take."""

    @field_validator("endpoint")
    @classmethod
    def _default_host(cls, value: str) -> str:
        return value.rstrip("/") or "https://api.direct.yandex.com"

    @field_validator("ca_bundle", mode="before")
    @classmethod
    def _no_bundle(cls, value: object) -> object:
        return value or None


class YandexDirectCredentials(BaseModel):
    """An OAuth token with the right direct:api."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    token: Token
