"""What a GA4 integration may set, and its credentials."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator, model_validator

from connectors.secrets import Token

DATA_HOST, ADMIN_HOST = "https://analyticsdata.googleapis.com", "https://analyticsadmin.googleapis.com"
LARGEST_PAGE = 250_000
"""The most rows that one runReport answers."""


class Ga4Settings(BaseModel):
    """Settings of one integration. `endpoint` leads both APIs to the sandbox or a proxy; empty means Google's own hosts."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    endpoint: str = ""
    ca_bundle: Path | None = None
    api_version: str = "v1beta"
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address, not a secret
    property_ids: str = ""
    """Ids by comma: read these properties alone, without asking the Admin API which there are."""
    page_rows: int = 10_000
    """Rows asked for in one page, 250,000 at most; a page of 10,000 takes about 100 MB while it is read."""
    window_days: int = 200
    """The longest window of one report: a shorter one is sampled less."""
    timeout_seconds: float = 120.0
    """The longest silence of the server within a call."""
    wait_budget_seconds: float = 120.0
    """How long quota pauses may add up within one call."""

    @field_validator("ca_bundle", mode="before")
    @classmethod
    def _no_bundle(cls, value: object) -> object:
        return value or None

    @field_validator("endpoint")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("page_rows")
    @classmethod
    def _bounded(cls, value: int) -> int:
        if not 1 <= value <= LARGEST_PAGE:
            raise ValueError(f"must be between 1 and {LARGEST_PAGE}")
        return value

    @field_validator("window_days")
    @classmethod
    def _positive(cls, value: int) -> int:
        if value < 1:
            raise ValueError("must be at least 1")
        return value

    @property
    def listed_properties(self) -> tuple[str, ...]:
        """Return the ids of `property_ids`, each once."""
        return tuple(dict.fromkeys(p.strip().removeprefix("properties/") for p in self.property_ids.split(",") if p.strip()))


class Ga4Credentials(BaseModel):
    """An access token, an OAuth client with its refresh token, or the JSON key of a service account; scope analytics.readonly."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    access_token: Token | None = None
    client_id: str = ""
    client_secret: Token | None = None
    refresh_token: Token | None = None
    service_account_json: SecretStr | None = None

    @field_validator("service_account_json")
    @classmethod
    def _a_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value().strip():
            return None
        try:
            key = json.loads(value.get_secret_value())
        except ValueError:
            raise ValueError("is not the JSON of a key file") from None
        if not isinstance(key, dict) or not {"client_email", "private_key"} <= set(key):
            raise ValueError("lacks client_email or private_key; download the key again")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> "Ga4Credentials":
        if not self.access_token and not self.service_account_json and not (self.client_id and self.client_secret and self.refresh_token):
            raise ValueError("needs access_token, service_account_json, or client_id, client_secret and refresh_token")
        return self

    @property
    def service_account(self) -> dict[str, Any] | None:
        """Return the key of the service account."""
        return json.loads(self.service_account_json.get_secret_value()) if self.service_account_json else None
