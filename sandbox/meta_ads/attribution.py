"""How many of a day's conversions fall into each attribution window: shares of ours, whole numbers, equal for equal facts.

The default setting is 7 days after a click or 1 day after a view, so that `value` = `7d_click` + `1d_view`.
"""

import polars as pl

from sandbox.facts import MICRO

_CENT = MICRO // 100


def counted(window: str, conversions: pl.Expr) -> pl.Expr:
    """Return the conversions within a window, in millionths; the other windows of Meta's list hold none."""
    whole = conversions // MICRO
    viewed = whole // 8 * MICRO
    clicked = conversions - viewed
    by_window = {
        "default": conversions,
        "1d_view": viewed,
        "1d_ev": whole // 12 * MICRO,
        "1d_click": clicked - clicked // MICRO // 5 * MICRO,
        "7d_click": clicked,
        "28d_click": clicked + whole // 20 * MICRO,
    }
    return by_window.get(window, pl.lit(0, pl.Int64()))


def valued(window: str, worth: pl.Expr, conversions: pl.Expr) -> pl.Expr:
    """Return the worth within a window, in millionths: the conversions' share of it, down to the cent."""
    if window == "default":
        return worth
    share = worth // _CENT * (counted(window, conversions) // 10_000) // (conversions // 10_000) * _CENT
    same = counted(window, conversions) == conversions
    return pl.when(conversions == 0).then(0).when(same).then(worth).otherwise(share)
