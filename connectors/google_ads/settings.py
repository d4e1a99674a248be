"""What a Google Ads integration may set, and its credentials."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from connectors.secrets import Token

SHIPPED_VERSIONS = ("v23", "v24", "v25", "v26")
"""The API versions that google-ads 34 ships; a version is sunset about a year after its release."""

RETIRED = {"v21": "on 2026-08-05"}
"""When Google switched a version off."""


class GoogleAdsSettings(BaseModel):
    """Settings of one integration. `endpoint` and `ca_bundle` lead to the sandbox or a proxy; empty means Google's own."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    endpoint: str = ""
    ca_bundle: Path | None = None
    login_customer_id: str = ""
    api_version: str = "v26"
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address, not a secret
    timeout_seconds: float = 60.0
    """The longest silence of the server within a call."""
    deadline_seconds: float = 3600.0
    """The longest whole call."""
    wait_budget_seconds: float = 120.0
    """How long quota pauses may add up within one call."""

    @field_validator("ca_bundle", mode="before")
    @classmethod
    def _no_bundle(cls, value: object) -> object:
        return value or None

    @field_validator("login_customer_id")
    @classmethod
    def _digits(cls, value: str) -> str:
        digits = value.replace("-", "")
        if digits and not digits.isdecimal():
            raise ValueError("must be the manager's ten digits")
        return digits

    @field_validator("api_version")
    @classmethod
    def _shipped(cls, value: str) -> str:
        if value not in SHIPPED_VERSIONS:
            gone = f"Google switched {value} off {RETIRED[value]}; " if value in RETIRED else ""
            raise ValueError(f"{gone}this release speaks {', '.join(SHIPPED_VERSIONS)}; remove the setting to use the newest")
        return value


class GoogleAdsCredentials(BaseModel):
    """A developer token with an access token, or with an OAuth client and its refresh token."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    developer_token: Token
    access_token: Token | None = None
    client_id: str = ""
    client_secret: Token | None = None
    refresh_token: Token | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "GoogleAdsCredentials":
        if not self.access_token and not (self.client_id and self.client_secret and self.refresh_token):
            raise ValueError("needs access_token, or client_id, client_secret and refresh_token")
        return self
