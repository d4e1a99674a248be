"""Alerts on the wire; what channels they were told through stays inside."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict


class Alert(BaseModel):
    """Something that a rule found and that stands, or has recovered. Instants are the home's clock."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    rule_id: str
    rule: str = ""
    kind: str = ""
    subject: str
    status: str
    """`open`, `acknowledged` or `recovered`."""
    details: Mapping[str, Any]
    fired_at: datetime
    last_seen_at: datetime
    recovered_at: datetime | None = None
    snoozed_until: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None


class Alerts(BaseModel):
    """What stands, newest first, at most 200."""

    items: list[Alert]


class Snooze(BaseModel):
    """Until when an alert is to be silent."""

    until: AwareDatetime
