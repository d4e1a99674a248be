"""Conditions of WHERE as polars expressions, and the window of dates that they leave."""

import re
from collections.abc import Iterable
from datetime import date, timedelta

import polars as pl

from sandbox.google_ads.errors import query_error
from sandbox.google_ads.fields import CORE_DATES, ENUMS, FIELDS
from sandbox.google_ads.gaql import Condition

_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_COMPARED = {"=": "eq", "!=": "ne", ">": "gt", ">=": "ge", "<": "lt", "<=": "le"}


def literal(field: str, text: str) -> object:
    """Turn a literal into the field's type. Raises GoogleAdsError for one that does not fit."""
    kind = FIELDS[field].type if field in FIELDS else "s"
    if kind == "date":
        return parse_date(text).isoformat()
    if kind in ("i", "d"):
        try:
            return int(text) if kind == "i" else float(text)
        except ValueError:
            raise query_error("BAD_NUMBER", f"Error in WHERE clause: '{text}' is not a number, as field {field} needs.") from None
    if kind == "b":
        if text.lower() not in ("true", "false"):
            raise query_error("BAD_VALUE", f"Error in WHERE clause: '{text}' is not TRUE or FALSE, as field {field} needs.")
        return text.lower() == "true"
    if kind in ENUMS and text not in ENUMS[kind] and text not in ("UNSPECIFIED", "UNKNOWN"):
        raise query_error("BAD_ENUM_CONSTANT", f"Error in WHERE clause: invalid enum value '{text}' for field {field}.")
    return text


def parse_date(text: str) -> date:
    """Parse YYYY-MM-DD. Raises GoogleAdsError for anything else."""
    try:
        if _DATE.match(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise query_error("INVALID_DATE_FORMAT", f"Error in WHERE clause: invalid date '{text}', expected YYYY-MM-DD.")


def condition(one: Condition, today: date) -> pl.Expr:
    """Return the mask of rows that a condition keeps."""
    column = pl.col(one.field)
    if one.operator == "IS NULL":
        return column.is_null()
    if one.operator == "IS NOT NULL":
        return column.is_not_null()
    if one.operator == "DURING":
        since, until = during(one.values[0], today)
        return column.is_between(pl.lit(since.isoformat()), pl.lit(until.isoformat()))
    if one.operator.endswith(("LIKE", "REGEXP_MATCH")):
        return _matching(one)
    values = [literal(one.field, v) for v in one.values]
    if one.operator in _COMPARED:
        compared: pl.Expr = getattr(column, _COMPARED[one.operator])(values[0])
        return compared
    if one.operator == "BETWEEN":
        return column.is_between(pl.lit(values[0]), pl.lit(values[1]))
    return column.is_in(values) if one.operator == "IN" else ~column.is_in(values)


def _matching(one: Condition) -> pl.Expr:
    pattern = _like(one.values[0]) if one.operator.endswith("LIKE") else f"^(?:{one.values[0]})$"
    mask = pl.col(one.field).str.contains(pattern)
    return ~mask if one.operator.startswith("NOT") else mask


def _like(text: str) -> str:
    """Turn a LIKE pattern into a regular expression: % stands for anything, [%] for itself; letters match in either case."""
    parts = re.split(r"(\[.\]|%)", text)
    return "(?is)^" + "".join(".*" if p == "%" else re.escape(p[1:-1] if len(p) == 3 and p[0] == "[" else p) for p in parts) + "$"


def date_window(conditions: Iterable[Condition], today: date) -> tuple[date | None, date | None]:
    """Return the inclusive window that the conditions on date segments leave; None where they leave it open."""
    since: date | None = None
    until: date | None = None
    for one in conditions:
        if one.field in CORE_DATES:
            low, high = _bounds(one, today)
            since = low if since is None else max(since, low) if low else since
            until = high if until is None else min(until, high) if high else until
    return since, until


def _bounds(one: Condition, today: date) -> tuple[date | None, date | None]:
    """Return the window of one condition on segments.date, week, month, quarter or year."""
    if one.operator == "DURING":
        return during(one.values[0], today)
    starts = [_start(one.field, v) for v in one.values]
    day = timedelta(days=1)
    if one.operator == "BETWEEN":
        return starts[0], _end(one.field, starts[1])
    if one.operator in ("=", "IN"):
        return min(starts), _end(one.field, max(starts))
    if one.operator == ">=":
        return starts[0], None
    if one.operator == ">":
        return _end(one.field, starts[0]) + day, None
    if one.operator == "<=":
        return None, _end(one.field, starts[0])
    if one.operator == "<":
        return None, starts[0] - day
    raise query_error("BAD_OPERATOR", f"Error in WHERE clause: operator {one.operator} cannot be used with {one.field}.")


def _start(field: str, text: str) -> date:
    if field == "segments.year":
        if not text.isdigit():
            raise query_error("BAD_NUMBER", f"Error in WHERE clause: '{text}' is not a year.")
        return date(int(text), 1, 1)
    day = parse_date(text)
    aligned = {
        "segments.week": day.weekday() == 0,
        "segments.month": day.day == 1,
        "segments.quarter": day.day == 1 and day.month % 3 == 1,
    }.get(field, True)
    if not aligned:
        raise query_error("MISALIGNED_DATE_FOR_FILTER", f"Error in WHERE clause: '{text}' is not the first day of a {field.partition('.')[2]}.")
    return day


def _end(field: str, start: date) -> date:
    if field == "segments.week":
        return start + timedelta(days=6)
    months = {"segments.month": 1, "segments.quarter": 3, "segments.year": 12}.get(field)
    if months is None:
        return start
    whole = start.month - 1 + months
    return date(start.year + whole // 12, whole % 12 + 1, 1) - timedelta(days=1)


def during(name: str, today: date) -> tuple[date, date]:
    """Return the inclusive window of a DURING literal, seen from the account's today."""
    day = timedelta(days=1)
    name = name.upper()
    if name == "TODAY":
        return today, today
    if name == "YESTERDAY":
        return today - day, today - day
    if name.startswith("LAST_") and name.endswith("_DAYS"):
        return today - int(name.split("_")[1]) * day, today - day
    monday, sunday = today - today.weekday() * day, today - (today.weekday() + 1) % 7 * day
    first = today.replace(day=1)
    return {
        "LAST_BUSINESS_WEEK": (monday - 7 * day, monday - 3 * day),
        "LAST_WEEK_MON_SUN": (monday - 7 * day, monday - day),
        "LAST_WEEK_SUN_SAT": (sunday - 7 * day, sunday - day),
        "THIS_WEEK_MON_TODAY": (monday, today),
        "THIS_WEEK_SUN_TODAY": (sunday, today),
        "THIS_MONTH": (first, today),
        "LAST_MONTH": ((first - day).replace(day=1), first - day),
    }[name]
