"""What a Yandex Metrica integration may set, and its credentials."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connectors.secrets import Token

HOST = "https://api-metrika.yandex.net"
Attribution = Literal[
    "lastsign",
    "last",
    "first",
    "last_yandex_direct_click",
    "cross_device_first",
    "cross_device_last",
    "cross_device_last_significant",
    "cross_device_last_yandex_direct_click",
    "automatic",
]


class YandexMetricaSettings(BaseModel):
    """Settings of one integration. `endpoint` leads to the sandbox or a proxy; empty means Yandex's own host."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    endpoint: str = HOST
    ca_bundle: Path | None = None
    counter_ids: str = ""
    """Only these counters, by comma; empty means every counter that the token sees."""
    goals: str = ""
    """Only these goals count as conversions (ids, by comma); empty means every active goal of the counter."""
    attribution: Attribution = "lastsign"
    currency: str = ""
    """ISO 4217 currency of the revenue; empty means each counter's own."""
    visits: bool = True
    """Whether visits are pulled through the Logs API."""
    hits: bool = False
    """Whether hits (page views and events) are pulled through the Logs API: many rows."""
    page_rows: int = Field(default=10_000, ge=1, le=100_000)
    """Rows asked for in one page of a report."""
    check_part_sizes: bool = True
    """Whether a downloaded part of a log that is shorter than the size that Metrica told is refused."""
    timeout_seconds: float = 120.0
    """The longest silence of the server within a call."""
    wait_budget_seconds: float = 120.0
    """How long quota pauses may add up within one call."""
    job_budget_seconds: float = 3600.0
    """How long one log request may wait in Metrica's queue."""

    @field_validator("endpoint")
    @classmethod
    def _default_host(cls, value: str) -> str:
        return value.rstrip("/") or HOST

    @field_validator("ca_bundle", mode="before")
    @classmethod
    def _no_bundle(cls, value: object) -> object:
        return value or None

    @field_validator("goals", "counter_ids")
    @classmethod
    def _numbers(cls, value: str) -> str:
        if any(not part.strip().isdecimal() for part in value.split(",") if part.strip()):
            raise ValueError("must be ids separated by commas")
        return value

    @field_validator("currency")
    @classmethod
    def _code(cls, value: str) -> str:
        if value and not (len(value) == 3 and value.isascii() and value.isalpha()):
            raise ValueError("must be an ISO 4217 code such as RUB")
        return value.upper()


class YandexMetricaCredentials(BaseModel):
    """An OAuth token with the right metrika:read."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    token: Token


def listed(text: str) -> list[str]:
    """Split a setting that holds several values by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]
