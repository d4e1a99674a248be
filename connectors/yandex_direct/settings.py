"""What a Yandex.Direct integration may set, and its credentials."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator

from connectors.secrets import Token
from connectors.yandex_direct.goals import CONVERTED


class YandexDirectSettings(BaseModel):
    """Settings of one integration. `endpoint` leads to the sandbox or a proxy; empty means Yandex's own host."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    endpoint: str = "https://api.direct.yandex.com"
    ca_bundle: Path | None = None
    api_version: Literal["v5", "v501"] = "v5"
    entities_version: Literal["v5", "v501"] = "v501"
    """The version that campaigns, ad groups, ads and keywords are listed with: only v501 shows unified campaigns."""
    client_login: str = ""
    """One client's login; empty means every client that the token sees (an agency's clients)."""
    include_vat: Literal["YES", "NO"] = "YES"
    timezone: str = "Europe/Moscow"
    goals: str = ""
    """Metrica's goal ids, by comma, that conversions are split by; empty means the goals that the campaigns work for."""
    attribution_models: str = "LC"
    """Models of that split, by comma: LC, LSCCD, FCCD, AUTO; a retired one counts as the one that it became."""
    goal_window_days: int = 30
    """How many days back a routine pull reaches at least, since goals are attributed late."""
    use_operator_units: Literal["", "true", "false", "auto"] = ""
    """Whose units an agency spends: true means its own, false the client's; empty leaves it to Direct."""
    token_endpoint: str = "https://oauth.yandex.ru/token"  # noqa: S105 - an address, not a secret
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

    @field_validator("goals")
    @classmethod
    def _numbers(cls, value: str) -> str:
        goals = [part.strip() for part in value.split(",") if part.strip()]
        if not all(goal.isdecimal() for goal in goals):
            raise ValueError("must be goal ids separated by commas")
        return ",".join(goals)

    @field_validator("attribution_models")
    @classmethod
    def _models(cls, value: str) -> str:
        models = [CONVERTED.get(part.strip(), "") for part in value.split(",") if part.strip()]
        if not models or "" in models:
            raise ValueError(f"must be some of {', '.join(CONVERTED)}")
        return ",".join(dict.fromkeys(models))

    @field_validator("ca_bundle", mode="before")
    @classmethod
    def _no_bundle(cls, value: object) -> object:
        return value or None


class YandexDirectCredentials(BaseModel):
    """An OAuth token with the right direct:api; with the application's id, secret and a refresh token it renews itself."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    token: Token
    client_id: str = ""
    client_secret: Token | None = None
    refresh_token: Token | None = None
    expires_at: int = 0
    """When the token ends, in seconds since 1970; 0 when nobody knows."""
