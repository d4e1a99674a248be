"""The metrics of a query, over summed facts."""

import polars as pl

from sandbox.facts import MICRO

_MICROS = float(MICRO)

MEASURE_OF: dict[str, str] = {
    **dict.fromkeys(("metrics.impressions",), "impressions"),
    **dict.fromkeys(("metrics.clicks", "metrics.interactions", "metrics.ctr", "metrics.interaction_rate"), "clicks"),
    **dict.fromkeys(("metrics.cost_micros", "metrics.average_cpc", "metrics.average_cost", "metrics.average_cpm"), "spend"),
    **dict.fromkeys(("metrics.conversions", "metrics.all_conversions"), "conversions"),
    **dict.fromkeys(("metrics.cost_per_conversion", "metrics.conversions_from_interactions_rate"), "conversions"),
    **dict.fromkeys(("metrics.conversions_value", "metrics.all_conversions_value", "metrics.value_per_conversion"), "conversions_value"),
}
"""The measure whose zero makes a metric zero."""


def with_doubles(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the doubles nearest to conversions and their value: polars divides by a constant through its reciprocal, which misses them by a bit."""
    names = ("conversions", "conversions_value")
    return frame.with_columns(pl.Series(f"_{name}", frame[name].to_numpy() / _MICROS) for name in names)


def _ratio(above: str, below: str, factor: float = 1.0) -> pl.Expr:
    return pl.when(pl.col(below) == 0).then(0.0).otherwise(pl.col(above) / pl.col(below) * factor)


METRICS: dict[str, pl.Expr] = {
    "metrics.impressions": pl.col("impressions"),
    "metrics.clicks": pl.col("clicks"),
    "metrics.interactions": pl.col("clicks"),
    "metrics.cost_micros": pl.col("spend"),
    "metrics.conversions": pl.col("_conversions"),
    "metrics.conversions_value": pl.col("_conversions_value"),
    "metrics.all_conversions": pl.col("_conversions"),
    "metrics.all_conversions_value": pl.col("_conversions_value"),
    "metrics.ctr": _ratio("clicks", "impressions"),
    "metrics.interaction_rate": _ratio("clicks", "impressions"),
    "metrics.average_cpc": _ratio("spend", "clicks"),
    "metrics.average_cost": _ratio("spend", "clicks"),
    "metrics.average_cpm": _ratio("spend", "impressions", 1000.0),
    "metrics.cost_per_conversion": _ratio("spend", "conversions", _MICROS),
    "metrics.conversions_from_interactions_rate": _ratio("conversions", "clicks", 1 / _MICROS),
    "metrics.value_per_conversion": _ratio("conversions_value", "conversions"),
    "metrics.view_through_conversions": pl.lit(0, pl.Int64),
}
