"""The way down from campaigns to ads: which rows a level has, and what stands beside the rows so that they add up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from dashboards.filters import Filters
from dashboards.language import Language
from domain.questions import Filter

ADDITIVE = ("spend", "impressions", "clicks", "conversions", "conversions_value")


@dataclass(frozen=True)
class Level:
    """One level: the dimension of its ids, what is asked by, the columns shown, whether its rows open."""

    name: str
    by: tuple[str, ...]
    columns: tuple[str, ...]
    opens: bool


LEVELS = (
    Level("campaign", ("platform", "account", "campaign", "currency"), ("campaign", "platform", "account", "currency"), opens=True),
    Level("ad_group", ("campaign", "ad_group", "currency"), ("ad_group", "currency"), opens=True),
    Level("ad", ("ad", "currency"), ("ad", "currency"), opens=False),
)
_OPENED = ("platform", "account", "campaign", "ad_group")
"""Ids are unique within an account only, so the path names platform and account too."""


def depth(filters: Filters) -> int:
    """Count how many levels were opened: 0 for the campaigns, 2 for the ads."""
    return 0 if not filters.campaign else 1 if not filters.ad_group else 2


def path(filters: Filters) -> tuple[Filter, ...]:
    """Return the filters of what was opened, outermost first."""
    return tuple(Filter(dimension=name, values=(getattr(filters, name),)) for name in _OPENED if getattr(filters, name))


def opened(filters: Filters, row: Mapping[str, Any], level: Level) -> Filters:
    """Return the filters that open a row of a level."""
    values = {name: str(row[name]) for name in _OPENED if name in level.by}
    return replace(filters, **values)


def closed(filters: Filters, to: int = 0) -> Filters:
    """Return the filters back at a depth: 0 at the campaigns, 1 at a campaign's ad groups."""
    return replace(filters, ad_group="") if to else replace(filters, **dict.fromkeys(_OPENED, ""))


def named(language: Language, row: Mapping[str, Any], level: Level) -> dict[str, Any]:
    """Give a row the texts that its columns show; a row without an id is the residual, and says so."""
    residual = not row.get(level.name)
    texts = {name: str(row.get(f"{name}_name") or row.get(name) or "") for name in level.columns}
    if residual:
        texts[level.name] = language.say(f"residual.{level.name}")
    return {**row, **texts, "platform": language.platform(str(row.get("platform", ""))), "residual": residual}


def opens(rows: Sequence[Mapping[str, Any]], level: Level) -> bool:
    """Tell whether a level has a row to open; `rows` are named ones. What is known at the level above only has none."""
    return level.opens and not all(row["residual"] for row in rows)


def complete(rows: Sequence[Mapping[str, Any]], parents: Sequence[Mapping[str, Any]], level: Level) -> list[Mapping[str, Any]]:
    """Add, for each currency, what the rows miss of their parent as a residual row; nothing where they add up."""
    completed = list(rows)
    for parent in parents:
        mine = [row for row in rows if row["currency"] == parent["currency"]]
        missing = {name: number(parent.get(name)) - sum((number(row.get(name)) for row in mine), Decimal(0)) for name in ADDITIVE}
        if any(missing.values()):
            completed.append({level.name: "", "currency": parent["currency"], **{name: str(value) for name, value in missing.items()}})
    return completed


def number(value: object) -> Decimal:
    """Read a cell as a number; nothing counts as zero."""
    return Decimal(0) if value is None or value == "" else Decimal(str(value))
