"""Analytics rows and visits of dataset files, by account."""

from datetime import date

import polars as pl

from sandbox.analytics import ANALYTICS_SCHEMA, DIMENSIONS, VISITS_SCHEMA, no_analytics, no_visits


class WebFacts:
    """What the analytics and visits files hold, each account's rows in order of time."""

    def __init__(self, analytics: pl.DataFrame | None, visits: pl.DataFrame | None) -> None:
        self._analytics = {} if analytics is None else _split(analytics)
        self._visits = {} if visits is None else _by_account(visits)

    def analytics(self, platform: str, account_id: str, observed: date, today: date) -> pl.DataFrame:
        """Return the rows dated up to `today`, of each date those of the newest `as_of` up to `observed`."""
        frame = self._analytics.get((platform, account_id))
        return no_analytics() if frame is None else newest(frame, observed, today)

    def visits(self, account_id: str, since: date, until: date) -> pl.DataFrame:
        """Return the visits that began between two dates, both inclusive."""
        frame = self._visits.get(account_id)
        return no_visits() if frame is None else frame.filter(pl.col("date_time").dt.date().is_between(since, until))

    def visited(self) -> list[str]:
        """List the accounts that have visits."""
        return list(self._visits)

    def dates(self, today: date) -> list[date]:
        """Return the first and last date of each account's rows, none after `today`."""
        columns = [f["date"] for f in self._analytics.values()] + [f["date_time"].dt.date() for f in self._visits.values()]
        seen = [c.filter(c <= today) for c in columns]
        return [day for c in seen for day in (*c.head(1).to_list(), *c.tail(1).to_list())]


def newest(frame: pl.DataFrame, observed: date, today: date) -> pl.DataFrame:
    """Return the rows dated up to `today`, of each date those of the newest `as_of` that `observed` has reached, without `as_of`."""
    seen = frame.filter((pl.col("date") <= today) & (pl.col("as_of").is_null() | (pl.col("as_of") <= observed)))
    if seen["as_of"].null_count() < seen.height:
        seen = seen.filter(pl.col("as_of").eq_missing(pl.col("as_of").max().over("date")))
    return seen.drop("as_of")


def _split(analytics: pl.DataFrame) -> dict[tuple[str, str], pl.DataFrame]:
    filled = analytics.with_columns(
        *(pl.lit("").alias(c) for c in DIMENSIONS if c not in analytics.columns),
        *([] if "as_of" in analytics.columns else [pl.lit(None, pl.Date()).alias("as_of")]),
    ).with_columns(pl.col(c).fill_null("") for c in DIMENSIONS)
    return {
        (str(platform), str(account_id)): part.sort("date", "as_of", maintain_order=True).select(*ANALYTICS_SCHEMA, "as_of")
        for (platform, account_id), part in filled.group_by("platform", "account_id", maintain_order=True)
    }


def _by_account(visits: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {
        str(account_id): part.sort("date_time", maintain_order=True).select(pl.col(c).cast(t) for c, t in VISITS_SCHEMA.items())
        for (account_id,), part in visits.group_by("account_id", maintain_order=True)
    }
