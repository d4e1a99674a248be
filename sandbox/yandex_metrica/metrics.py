"""Metrics: sums over the grouped rows in millionths, or quotients of them, null where they are undefined."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from sandbox.accounts import SandboxAccount
from sandbox.facts import MICRO
from sandbox.yandex_metrica.errors import MetricaError, wrong

RATES = {"RUB": 1, "USD": 90, "EUR": 98, "GBP": 115, "BYN": 28, "KZT": 0.19, "TRY": 2.7, "UAH": 2.2, "UZS": 0.007, "YND": 1}
"""Roubles for one unit: what <currency> converts by. The counter's own currency is never converted."""
_GOAL = re.compile(
    r"^ym:s:goal(\d+|<goal_id>)(visits|users|reachesPerUser|reaches|conversionRate|userConversionRate|"
    r"(?:converted)?(<currency>|[A-Z]{3})?[Rr]evenue(?:PerVisit)?)$"
)
_ECOMMERCE = re.compile(r"^ym:s:ecommerce(<currency>|[A-Z]{3})?(?:Converted)?Revenue(PerVisit|PerPurchase)?$")
_COST = re.compile(r"^ym:ad:(<currency>|[A-Z]{3})?(?:Converted)?AdCost$")


@dataclass(frozen=True)
class Metric:
    """One metric: `value` is millionths (Int64), null where Metrica answers null; it aggregates the rows of a group."""

    name: str
    value: pl.Expr


def read_metric(name: str, account: SandboxAccount, goals: Mapping[int, str], parameters: Mapping[str, str]) -> Metric:
    """Return the metric of a name. Raises MetricaError for one that Metrica does not have, or for an unknown goal."""
    if found := _GOAL.match(name):
        return Metric(name, _goal(found, account, goals, parameters))
    if found := _ECOMMERCE.match(name):
        revenue = _convert(pl.col("conversions_value").sum(), account, found[1], parameters)
        below = {"PerVisit": _SESSIONS, "PerPurchase": _PURCHASES}.get(found[2] or "")
        return Metric(name, revenue if below is None else _quotient(revenue, below * MICRO))
    if found := _COST.match(name):
        return Metric(name, pl.col("spend").sum())
    value = _PLAIN.get(name)
    if value is None:
        raise MetricaError(400, "invalid_parameter", f"Wrong attribute: {name}, code: 4001", "metrics")
    return Metric(name, value)


def _goal(found: re.Match[str], account: SandboxAccount, goals: Mapping[int, str], parameters: Mapping[str, str]) -> pl.Expr:
    number = found[1] if found[1] != "<goal_id>" else parameters.get("goal_id", "")
    if not number.isdecimal() or int(number) not in goals:
        raise wrong("goal_id", number or "<goal_id>", "no such goal on this counter")
    reached = pl.col("goal_id") == goals[int(number)]
    reaches = pl.col("conversions").filter(reached).sum()
    kind = found[2]
    if kind.lower().endswith("revenue"):
        value = pl.col("conversions_value").filter(reached).sum()
        return pl.when((reaches != 0) | (value != 0)).then(_convert(value, account, found[3], parameters))
    if kind in ("conversionRate", "userConversionRate"):
        return _quotient(reaches * 100, _SESSIONS * MICRO)
    return pl.when(reaches != 0).then(MICRO) if kind == "reachesPerUser" else reaches


def _convert(value: pl.Expr, account: SandboxAccount, asked: str | None, parameters: Mapping[str, str]) -> pl.Expr:
    currency = parameters.get("currency", account.currency) if asked in (None, "<currency>") else asked
    if currency == account.currency:
        return value
    if currency not in RATES or account.currency not in RATES:
        raise wrong("currency", currency)
    return (value * (RATES[account.currency] / RATES[currency])).round().cast(pl.Int64)


def _quotient(above: pl.Expr, below: pl.Expr) -> pl.Expr:
    return pl.when(below != 0).then((above / below * MICRO).round().cast(pl.Int64, strict=False))


_SESSIONS = pl.col("sessions").sum()
_USERS = pl.col("users").sum()
_REACHES = pl.col("conversions").sum()
_PURCHASES = pl.col("conversions").filter(pl.col("conversions_value") != 0).sum() / MICRO
_VIEWS = _SESSIONS * 3 - _SESSIONS // 4
_counted: Callable[[pl.Expr], pl.Expr] = lambda value: (value * MICRO).cast(pl.Int64)  # noqa: E731
_PLAIN: dict[str, pl.Expr] = {
    "ym:s:visits": _counted(_SESSIONS),
    "ym:s:users": _counted(_USERS),
    "ym:s:newUsers": _counted(_USERS * 7 // 10),
    "ym:s:pageviews": _counted(_VIEWS),
    "ym:s:percentNewVisitors": _quotient(_USERS * 7 // 10 * 100, _USERS),
    "ym:s:bounceRate": _quotient(_SESSIONS * 22 // 100 * 100, _SESSIONS),
    "ym:s:pageDepth": _quotient(_VIEWS, _SESSIONS),
    "ym:s:avgVisitDurationSeconds": _quotient(_SESSIONS * 94 + _USERS * 11, _SESSIONS),
    "ym:s:sumGoalReachesAny": _REACHES,
    "ym:s:anyGoalConversionRate": _quotient(_REACHES * 100, _SESSIONS * MICRO),
    "ym:s:ecommercePurchases": _counted(_PURCHASES),
    "ym:s:productPurchasedQuantity": _counted(_PURCHASES),
    "ym:s:productPurchasedPrice": pl.col("conversions_value").sum(),
    "ym:pv:pageviews": _counted(_VIEWS),
    "ym:pv:users": _counted(_USERS),
    "ym:ad:clicks": pl.col("clicks").sum(),
    "ym:ad:visits": pl.col("clicks").sum() * 9 // 10 // MICRO * MICRO,
}


def printed(value: pl.Expr) -> pl.Expr:
    """Print millionths as Java prints a double: `12.0`, `0.5`, `1.2345678E7` from ten millions on; null as `null`."""
    size = value.abs()
    sign = pl.when(value < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    rest = (size % MICRO).cast(pl.String).str.zfill(6).str.strip_chars_end("0")
    short = pl.concat_str(sign, (size // MICRO).cast(pl.String), pl.lit("."), pl.when(rest == "").then(pl.lit("0")).otherwise(rest))
    digits = size.cast(pl.String)
    mantissa = digits.str.slice(1).str.strip_chars_end("0")
    large = pl.concat_str(
        *(sign, digits.str.slice(0, 1), pl.lit("."), pl.when(mantissa == "").then(pl.lit("0")).otherwise(mantissa)),
        *(pl.lit("E"), (digits.str.len_bytes().cast(pl.Int64) - 7).cast(pl.String)),
    )
    return pl.when(size >= 10_000_000 * MICRO).then(large).otherwise(short).fill_null("null")
