"""How many of a row's conversions fall into each attribution window: shares of ours, whole numbers, equal for equal rows.

The default setting is 7 days after a click or 1 day after a view, so that `value` = `7d_click` + `1d_view`.
"""

import polars as pl

from sandbox.facts import MICRO

_CENT = MICRO // 100
_CHANCE = pl.col("impressions") % 97
"""Which rows of few conversions have one that was only seen."""


def counted(window: str, conversions: pl.Expr) -> pl.Expr:
    """Return the conversions within a window, in millionths; the other windows of Meta's list hold none."""
    whole = conversions // MICRO
    viewed = (whole * 12 + _CHANCE) // 100 * MICRO
    clicked = conversions - viewed
    by_window = {
        "default": conversions,
        "1d_view": viewed,
        "1d_ev": (whole * 7 + _CHANCE) // 100 * MICRO,
        "1d_click": clicked - (clicked // MICRO * 20 + _CHANCE) // 100 * MICRO,
        "7d_click": clicked,
        "28d_click": clicked + (whole * 5 + _CHANCE) // 100 * MICRO,
    }
    return by_window.get(window, pl.lit(0, pl.Int64()))


def valued(window: str, worth: pl.Expr, conversions: pl.Expr) -> pl.Expr:
    """Return the worth within a window, in millionths: the conversions' share of it, down to the cent."""
    if window == "default":
        return worth
    share = worth // _CENT * (counted(window, conversions) // 10_000) // (conversions // 10_000) * _CENT
    same = counted(window, conversions) == conversions
    return pl.when(conversions == 0).then(0).when(same).then(worth).otherwise(share)
