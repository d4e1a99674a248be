"""What a Meta Ads integration may set, and its credentials."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, field_validator

from connectors.meta_ads.reports import WINDOWS
from connectors.secrets import Token


class MetaAdsSettings(BaseModel):
    """Settings of one integration. `endpoint` leads to the sandbox or a proxy; empty means Meta's own host."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    endpoint: str = ""
    ca_bundle: Path | None = None
    api_version: str = ""
    """Such as v26.0; empty means the version that the installed client library was made for."""
    page_rows: int = 2500
    """Rows asked for in one page of insights."""
    window_days: int = 100
    """The longest window of one asynchronous job below account level."""
    use_unified_attribution_setting: bool = True
    """Count by each ad set's own attribution setting, as the cabinet does."""
    action_report_time: str = ""
    """When an action counts: impression, conversion or mixed; empty leaves it to Meta (mixed)."""
    action_attribution_windows: str = ",".join(WINDOWS)
    """The windows that ad_actions_daily asks for, by comma."""
    timeout_seconds: float = 60.0
    """The longest silence of the server within a call."""
    wait_budget_seconds: float = 120.0
    """How long quota pauses may add up within one call."""
    job_budget_seconds: float = 3600.0
    """How long one asynchronous job may take."""

    @property
    def windows(self) -> tuple[str, ...]:
        """List the attribution windows."""
        return tuple(self.action_attribution_windows.split(","))

    @property
    def attribution(self) -> tuple[tuple[str, str], ...]:
        """Write the attribution's parameters of an insights request."""
        unified = (("use_unified_attribution_setting", "true"),) if self.use_unified_attribution_setting else ()
        return (*unified, ("action_report_time", self.action_report_time)) if self.action_report_time else unified

    @field_validator("action_report_time")
    @classmethod
    def _time(cls, value: str) -> str:
        if value not in {"", "impression", "conversion", "mixed"}:
            raise ValueError("must be impression, conversion or mixed")
        return value

    @field_validator("action_attribution_windows")
    @classmethod
    def _windows(cls, value: str) -> str:
        given = [name.strip() for name in value.split(",") if name.strip()]
        if not given or not set(given) <= set(WINDOWS):
            raise ValueError(f"must be some of {', '.join(WINDOWS)}; Meta ended 7d_view and 28d_view on 2026-01-12")
        return ",".join(dict.fromkeys(given))

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
    """A user's or system user's access token with ads_read.

    The app's id and secret add the proof that Meta can require, and let a long-lived token be renewed before it ends.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    access_token: Token
    app_id: str = ""
    app_secret: Token | None = None
    expires_at: int = 0
    """When the access token ends, in seconds since 1970; 0 when it never does or nobody knows."""
