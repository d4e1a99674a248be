"""What a Meta Ads integration may set, and its credentials."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, field_validator

from connectors.secrets import Token


class MetaAdsSettings(BaseModel):
    """Settings of one integration. `endpoint` leads to the sandbox or a proxy; empty means Meta's own host."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    endpoint: str = ""
    ca_bundle: Path | None = None
    api_version: str = ""
    """Such as v26.0; empty means the version that the installed client library was made for."""
    page_rows: int = 1000
    """Rows asked for in one page of insights."""
    window_days: int = 100
    """The longest window of one asynchronous job below account level."""
    timeout_seconds: float = 60.0
    """The longest silence of the server within a call."""
    wait_budget_seconds: float = 120.0
    """How long quota pauses may add up within one call."""
    job_budget_seconds: float = 3600.0
    """How long one asynchronous job may take."""

    @field_validator("ca_bundle", mode="before")
    @classmethod
    def _no_bundle(cls, value: object) -> object:
        return value or None

    @field_validator("api_version")
    @classmethod
    def _form(cls, value: str) -> str:
        number = value.removeprefix("v").removesuffix(".0")
        if value and not number.isdecimal():
            raise ValueError("must look like v26.0")
        return f"v{number}.0" if value else ""


class MetaAdsCredentials(BaseModel):
    """A user's or system user's access token with ads_read; the app's secret adds the proof that Meta can require."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    access_token: Token
    app_id: str = ""
    app_secret: Token | None = None
