"""One vectorised check per kind of column: which rows break it, and why."""

from collections.abc import Callable, Iterator
from zoneinfo import available_timezones

import polars as pl

from sandbox.dataset.columns import CURRENCIES, Format, Kind

DATE = r"^\d{4}-\d{2}-\d{2}$"
MOMENT = r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}$"
AMOUNT = r"^\d+(\.\d{1,6}0*)?$"
COUNT = r"^\d{1,15}$"

Complaint = tuple[pl.Expr, str]
"""A mask of bad rows, and what is wrong with them."""


def complaints(column: str, kind: Kind, layout: Format) -> Iterator[Complaint]:
    """Yield what can be wrong with a text column, the plainest reason first."""
    value = pl.col(column)
    if kind not in (Kind.NAME, Kind.AS_OF):
        yield value == "", "is empty"
    if kind is not Kind.NAME:
        yield value != value.str.strip_chars(), "has spaces around it"
    yield value.str.contains("[\r\n\t\x00]" if kind is not Kind.NAME else "\x00"), "holds a tab, a line break or a null character"
    if kind in _CHECKS:
        yield from _CHECKS[kind](value, layout)


def _platform(value: pl.Expr, layout: Format) -> Iterator[Complaint]:
    known = [p.value for p in layout.platforms]
    yield ~value.is_in(known), f"is not one of {', '.join(known)}"


def _currency(value: pl.Expr, _: Format) -> Iterator[Complaint]:
    yield ~value.is_in(list(CURRENCIES)), "is not an ISO 4217 currency code"


def _timezone(value: pl.Expr, _: Format) -> Iterator[Complaint]:
    yield ~value.is_in(list(available_timezones())), "is not an IANA time zone"


def _date(value: pl.Expr, _: Format) -> Iterator[Complaint]:
    yield ~value.str.contains(DATE) | value.str.to_date("%Y-%m-%d", strict=False).is_null(), "is not a date (YYYY-MM-DD)"


def _as_of(value: pl.Expr, layout: Format) -> Iterator[Complaint]:
    for bad, why in _date(value, layout):
        yield (value != "") & bad, why


def _moment(value: pl.Expr, _: Format) -> Iterator[Complaint]:
    parsed = value.str.replace("T", " ").str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False)
    yield ~value.str.contains(MOMENT) | parsed.is_null(), "is not a moment (YYYY-MM-DD HH:MM:SS)"


def _count(value: pl.Expr, _: Format) -> Iterator[Complaint]:
    yield value.str.contains(r"^-\d"), "is negative"
    yield ~value.str.contains(COUNT), "is not a whole number"


def _amount(value: pl.Expr, _: Format) -> Iterator[Complaint]:
    yield value.str.contains(r"^-[\d.]"), "is negative"
    yield value.str.contains(r"^\d+\.\d{6,}$") & ~value.str.contains(AMOUNT), "has more than 6 decimal places"
    yield ~value.str.contains(AMOUNT), "is not a plain decimal number such as 12.34"
    yield value.str.extract(r"^0*(\d*)").str.len_bytes() > 12, "is too large (12 digits before the point at most)"


_CHECKS: dict[Kind, Callable[[pl.Expr, Format], Iterator[Complaint]]] = {
    Kind.PLATFORM: _platform,
    Kind.CURRENCY: _currency,
    Kind.TIMEZONE: _timezone,
    Kind.DATE: _date,
    Kind.AS_OF: _as_of,
    Kind.MOMENT: _moment,
    Kind.COUNT: _count,
    Kind.AMOUNT: _amount,
}


def typed(column: str, kind: Kind) -> pl.Expr:
    """Return the expression that turns a checked text column into its type; amounts become millionths in Int64."""
    value = pl.col(column)
    if kind in (Kind.DATE, Kind.AS_OF):
        return value.str.to_date("%Y-%m-%d", strict=False)
    if kind is Kind.MOMENT:
        return value.str.replace("T", " ").str.to_datetime("%Y-%m-%d %H:%M:%S")
    if kind is Kind.COUNT:
        return value.cast(pl.Int64)
    if kind is Kind.AMOUNT:
        whole = value.str.extract(r"^(\d+)").cast(pl.Int64)
        decimals = value.str.extract(r"\.(\d{1,6})").fill_null("").str.pad_end(6, "0").cast(pl.Int64)
        return (whole * 1_000_000 + decimals).alias(column)
    return value
