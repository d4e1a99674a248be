"""Projects on the wire."""

from datetime import date, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field


class NewProject(BaseModel):
    """What a new project is called, and whose it is."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=255)
    client_name: str | None = Field(default=None, max_length=255)
    description: str | None = Field(default=None, max_length=10_000)
    start_date: date | None = None
    end_date: date | None = None
    budget: Decimal | None = Field(default=None, ge=0, max_digits=15, decimal_places=2)
    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$")
    """ISO 4217; needed beside a budget."""


class Project(BaseModel):
    """A project; `budget` is a decimal string in `currency`."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    name: str
    client_name: str | None = None
    description: str | None = None
    status: str
    start_date: date | None = None
    end_date: date | None = None
    budget: Decimal | None = None
    currency: str | None = None
    created_at: datetime


class ProjectPage(BaseModel):
    """One page of projects; `next_cursor` asks for the next one, null on the last."""

    items: list[Project]
    next_cursor: str | None = None
