"""The facts of one account as its platform sees them at one moment, and the sums that reports ask of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl

from domain.platforms import Level

MICRO = 1_000_000
MEASURES = ("impressions", "clicks", "spend", "conversions", "conversions_value")
"""Integers all: spend, conversions and conversions_value are millionths, so that every sum is exact."""
DIMENSIONS = ("device", "country", "conversion_action", "keyword", "search_term")
ENTITY_KEYS = {
    Level.ACCOUNT: (),
    Level.CAMPAIGN: ("campaign_id",),
    Level.AD_GROUP: ("campaign_id", "ad_group_id"),
    Level.AD: ("campaign_id", "ad_group_id", "ad_id"),
}
SCHEMA: dict[str, pl.DataType] = {
    "date": pl.Date(),
    **{f"{level}_{part}": pl.String() for level in ("campaign", "ad_group", "ad") for part in ("id", "name")},
    **{name: pl.String() for name in DIMENSIONS},
    **{name: pl.Int64() for name in MEASURES},
}
"""The columns of a fact frame; an id that a row lacks is the empty string."""

CAMPAIGNS: dict[str, pl.DataType] = {"campaign_id": pl.String(), "status": pl.String(), "kind": pl.String(), "budget": pl.Int64()}
"""What is known of a campaign beside its facts."""


@dataclass(frozen=True)
class AccountFacts:
    """The rows that a platform shows of one account, none dated after `today` in the account's zone."""

    today: date
    rows: pl.DataFrame
    """Sorted by date; the columns of SCHEMA."""
    campaigns: pl.DataFrame
    """The columns of CAMPAIGNS: status is enabled or paused, kind the generator's kind of campaign (`search` for datasets), budget millionths a day."""
    finer: Callable[[pl.DataFrame, Sequence[str]], pl.DataFrame] | None = None
    """Fill DIMENSIONS of rows; None where the rows already have them."""

    def entities(self, level: Level) -> pl.DataFrame:
        """List what stands at a level: ids and names down to it, the newest name of each, first and last date."""
        return self._entities[level]

    @cached_property
    def _entities(self) -> dict[Level, pl.DataFrame]:
        return {level: self._list(level) for level in (Level.CAMPAIGN, Level.AD_GROUP, Level.AD)}

    def _list(self, level: Level) -> pl.DataFrame:
        keys = ENTITY_KEYS[level]
        own = keys[-1].removesuffix("_id")
        listed = (
            self.rows.filter(pl.col(keys[-1]) != "")
            .group_by(keys, maintain_order=True)
            .agg(
                pl.col(f"{own}_name").last(),
                pl.col("date").min().alias("first_date"),
                pl.col("date").max().alias("last_date"),
            )
        )
        if level is Level.CAMPAIGN:
            return listed.join(self.campaigns, on="campaign_id", how="left").with_columns(
                pl.col("status").fill_null("enabled"), pl.col("kind").fill_null("search"), pl.col("budget").fill_null(0)
            )
        above = self._list(Level.CAMPAIGN if level is Level.AD_GROUP else Level.AD_GROUP).drop("first_date", "last_date")
        return listed.join(above, on=list(keys[:-1]), how="left", maintain_order="left")

    def values(self, dimension: str) -> list[str]:
        """List what the account has of one of DIMENSIONS, without the empty value, in the order of first appearance."""
        known = self._values.get(dimension)
        if known is None:
            known = self._values[dimension] = self.window(Level.ACCOUNT, detail=(dimension,))[dimension].unique(maintain_order=True).to_list()
        return [value for value in known if value]

    @cached_property
    def _values(self) -> dict[str, list[str]]:
        return {}

    def window(self, level: Level, since: date | None = None, until: date | None = None, detail: Sequence[str] = ()) -> pl.DataFrame:
        """Return the single rows that exist at a level between two dates, both inclusive; those of DIMENSIONS in `detail` are filled."""
        rows = self.rows
        if since is not None:
            rows = rows.filter(pl.col("date") >= since)
        if until is not None:
            rows = rows.filter(pl.col("date") <= until)
        keys = ENTITY_KEYS[level]
        rows = rows.filter(pl.col(keys[-1]) != "") if keys else rows
        return self.finer(rows, detail) if detail and self.finer else rows

    def sums(self, level: Level, by: Sequence[str], since: date | None = None, until: date | None = None) -> pl.DataFrame:
        """Add the measures up by the level's ids and the columns of `by`, DIMENSIONS among them; the order of first appearance is kept."""
        keys = [*ENTITY_KEYS[level], *by]
        rows = self.window(level, since, until, [name for name in by if name in DIMENSIONS])
        if not keys:
            return rows.select(pl.col(MEASURES).sum())
        return rows.group_by(keys, maintain_order=True).agg(pl.col(MEASURES).sum())


def empty() -> pl.DataFrame:
    """Return a frame without rows."""
    return pl.DataFrame(schema=SCHEMA)
