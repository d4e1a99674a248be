"""The facts of web analytics: sessions by where they came from, and single visits."""

import polars as pl

DIMENSIONS = ("source", "medium", "campaign", "device", "country", "landing_page", "goal_id")
MEASURES = ("sessions", "users", "conversions", "conversions_value")
"""Integers all: conversions and conversions_value are millionths, so that every sum is exact. Measures add up over all rows of an account."""
ANALYTICS_SCHEMA: dict[str, pl.DataType] = {
    "date": pl.Date(),
    **{name: pl.String() for name in DIMENSIONS},
    **{name: pl.Int64() for name in MEASURES},
}
"""The columns of an analytics frame, sorted by date; a dimension that a row lacks is the empty string.

A row with a goal_id counts what that goal came to; the generator's goal rows carry no sessions of their own.
"""
VISITS_SCHEMA: dict[str, pl.DataType] = {
    "visit_id": pl.String(),
    "client_id": pl.String(),
    "date_time": pl.Datetime("us"),
    "source": pl.String(),
    "medium": pl.String(),
    "campaign": pl.String(),
    "goals": pl.String(),
    "revenue": pl.Int64(),
}
"""The columns of a visits frame, sorted by date_time (naive, the account's zone): goals are ids joined by commas, revenue is millionths."""


def no_analytics() -> pl.DataFrame:
    """Return an analytics frame without rows."""
    return pl.DataFrame(schema=ANALYTICS_SCHEMA)


def no_visits() -> pl.DataFrame:
    """Return a visits frame without rows."""
    return pl.DataFrame(schema=VISITS_SCHEMA)
