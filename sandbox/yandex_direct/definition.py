"""A report's definition: read, checked against the documented rules, and its window of dates."""

import json
import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from sandbox.yandex_direct.errors import DirectError
from sandbox.yandex_direct.fields import FIELDS, MODELS, OPERATORS, TYPES

_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")
MOST_ROWS = 1_000_000
QUERY_DAYS = 180
"""How far back search queries are kept."""
_KNOWN = {
    "SelectionCriteria",
    "Goals",
    "AttributionModels",
    "FieldNames",
    "Page",
    "OrderBy",
    "ReportName",
    "ReportType",
    "DateRangeType",
    "Format",
    "IncludeVAT",
    "IncludeDiscount",
}


@dataclass(frozen=True)
class Filter:
    """One filter; values are as sent, money in micros."""

    field: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Definition:
    """A checked report definition. `type` is the letter of the report type, the window inclusive."""

    name: str
    type: str
    fields: tuple[str, ...]
    since: date
    until: date
    filters: tuple[Filter, ...]
    goals: tuple[str, ...]
    models: tuple[str, ...]
    order: tuple[tuple[str, bool], ...]
    limit: int
    offset: int
    include_vat: bool
    fingerprint: str
    """Stands for all parameters but the name: the same name with another fingerprint is refused."""


def bad(detail: str, code: int = 8000) -> DirectError:
    """Return the error for a request that breaks the format."""
    return DirectError(code, detail)


def read_definition(body: bytes, today: date, headers: Mapping[str, str]) -> Definition:
    """Read and check a definition. Raises DirectError as the service does."""
    try:
        params = json.loads(body)["params"]
    except (ValueError, KeyError, TypeError):
        raise bad("The request body is not JSON with the structure params") from None
    if not isinstance(params, dict):
        raise bad("params must be a structure")
    for name in params:
        if name not in _KNOWN:
            raise bad(f"ReportDefinition contains the unknown parameter {name}")
    for name in ("SelectionCriteria", "FieldNames", "ReportName", "ReportType", "DateRangeType", "Format", "IncludeVAT"):
        if name not in params:
            raise bad(f"The required field {name} is missing in ReportDefinition")
    letter = TYPES.get(str(params["ReportType"]))
    if letter is None:
        raise bad(f"ReportType contains an incorrect enumeration value: {params['ReportType']}")
    if params["Format"] != "TSV":
        raise bad("Format contains an incorrect enumeration value; TSV is the only one")
    if params["IncludeVAT"] not in ("YES", "NO"):
        raise bad("IncludeVAT contains an incorrect enumeration value; YES or NO is expected")
    name = str(params["ReportName"])
    if not name.strip() or len(name) > 255:
        raise bad("ReportName must be from 1 to 255 characters long")
    criteria = params["SelectionCriteria"]
    if not isinstance(criteria, dict):
        raise bad("SelectionCriteria must be a structure")
    since, until = _window(str(params["DateRangeType"]), criteria, today, letter)
    page = params.get("Page") or {}
    goals = _goals(params)
    return Definition(
        name,
        letter,
        _shown(params["FieldNames"], letter, goals),
        since,
        until,
        _filters(criteria.get("Filter") or [], letter),
        goals,
        _models(params),
        _order(params.get("OrderBy") or [], letter),
        _whole(page, "Limit", MOST_ROWS, 1, MOST_ROWS),
        _whole(page, "Offset", 0, 0, 10**9),
        params["IncludeVAT"] == "YES",
        _fingerprint(params, headers),
    )


def _fingerprint(params: dict[str, Any], headers: Mapping[str, str]) -> str:
    shape = [headers.get(h, "") for h in ("returnmoneyinmicros", "skipreportheader", "skipcolumnheader", "skipreportsummary", "accept-language")]
    rest = {k: v for k, v in params.items() if k != "ReportName"}
    return sha256(json.dumps([rest, shape], sort_keys=True).encode()).hexdigest()


def _shown(names: Any, letter: str, goals: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ANN401
    if not isinstance(names, list) or not names:
        raise bad("FieldNames must be an array with at least one element")
    for name in names:
        field = FIELDS.get(str(name))
        if field is None or field.role == "filter":
            raise bad(f"FieldNames contains an incorrect enumeration value: {name}")
        if letter not in field.types:
            raise bad(f"The field {name} cannot be used in this report type", 4000)
    if len(set(names)) < len(names):
        raise bad("FieldNames contains a field twice", 4000)
    periods = [n for n in names if FIELDS[n].role == "time"]
    if len(periods) > 1:
        raise bad(f"The fields {', '.join(periods)} cannot be used together", 4000)
    if letter == "R" and "CampaignId" not in names:
        raise bad("The field CampaignId is required in this report type", 4000)
    for one, other in (("Criteria", "Criterion"), ("CriteriaId", "CriterionId"), ("CriteriaType", "CriterionType"), ("ClickType", "Impressions")):
        if one in names and other in names:
            raise bad(f"The fields {one} and {other} cannot be used together", 4000)
    return tuple(names)


def _goals(params: dict[str, Any]) -> tuple[str, ...]:
    goals = params.get("Goals") or []
    if not isinstance(goals, list) or len(goals) > 10:
        raise bad("Goals must be an array of at most 10 elements")
    return tuple(str(g) for g in goals)


def _models(params: dict[str, Any]) -> tuple[str, ...]:
    models = params.get("AttributionModels") or ["LC"]
    for name in models:
        if name not in MODELS:
            raise bad(f"AttributionModels contains an incorrect enumeration value: {name}")
    return tuple(dict.fromkeys(MODELS[name] for name in models))


def _filters(given: Any, letter: str) -> tuple[Filter, ...]:  # noqa: ANN401
    filters: list[Filter] = []
    for one in given:
        field = FIELDS.get(str(one.get("Field")))
        if field is None:
            raise bad(f"Filter.Field contains an incorrect enumeration value: {one.get('Field')}")
        if not field.filterable or letter not in field.types:
            raise bad(f"The field {field.name} cannot be used in a filter of this report type", 4000)
        if one.get("Operator") not in OPERATORS:
            raise bad(f"Filter.Operator contains an incorrect enumeration value: {one.get('Operator')}")
        values = one.get("Values")
        if not isinstance(values, list) or not values or len(values) > 10_000:
            raise bad("Filter.Values must be an array of 1 to 10 000 elements")
        if any(f.field == field.name for f in filters):
            raise bad(f"The field {field.name} stands in several filters", 4000)
        filters.append(Filter(field.name, one["Operator"], tuple(str(v) for v in values)))
    return tuple(filters)


def _order(given: Any, letter: str) -> tuple[tuple[str, bool], ...]:  # noqa: ANN401
    order = []
    for one in given:
        field = FIELDS.get(str(one.get("Field")))
        if field is None:
            raise bad(f"OrderBy.Field contains an incorrect enumeration value: {one.get('Field')}")
        if not field.sortable or letter not in field.types:
            raise bad(f"The field {field.name} cannot be used for sorting in this report type", 4000)
        direction = one.get("SortOrder", "ASCENDING")
        if direction not in ("ASCENDING", "DESCENDING"):
            raise bad(f"OrderBy.SortOrder contains an incorrect enumeration value: {direction}")
        order.append((field.name, direction == "DESCENDING"))
    return tuple(order)


def _whole(page: Any, name: str, default: int, least: int, most: int) -> int:  # noqa: ANN401
    value = page.get(name, default) if isinstance(page, dict) else None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise bad(f"Page.{name} must be a whole number from {least} to {most}")
    return value


def _window(kind: str, criteria: dict[str, Any], today: date, letter: str) -> tuple[date, date]:
    if kind != "CUSTOM_DATE":
        if "DateFrom" in criteria or "DateTo" in criteria:
            raise bad("DateFrom and DateTo go only with DateRangeType CUSTOM_DATE", 4000)
        first, last = _range(kind, today)
        return max(first, oldest(today, letter)), last
    dates = []
    for name in ("DateFrom", "DateTo"):
        text = str(criteria.get(name, ""))
        if not text:
            raise bad(f"{name} is required with DateRangeType CUSTOM_DATE", 4000)
        try:
            if not _DATE.match(text):
                raise ValueError(text)
            dates.append(date.fromisoformat(text))
        except ValueError:
            raise bad(f"{name} must be a date as YYYY-MM-DD") from None
    if dates[0] > dates[1]:
        raise bad("DateFrom is later than DateTo", 4000)
    first = oldest(today, letter)
    if dates[0] < first:
        raise bad(f"DateFrom cannot be earlier than {first}", 4000)
    return dates[0], dates[1]


def oldest(today: date, letter: str = "") -> date:
    """Return the first date of the statistics: three years back, to the month's start; of search queries 180 days back."""
    if letter == "S":
        return today - timedelta(days=QUERY_DAYS)
    return date(today.year - 3, today.month, 1)


def _range(kind: str, today: date) -> tuple[date, date]:
    day = timedelta(days=1)
    parts = kind.split("_")
    if parts[0] == "LAST" and parts[-1] == "DAYS" and parts[1] in ("3", "5", "7", "14", "30", "90", "365"):
        return today - int(parts[1]) * day, today - day
    monday, sunday = today - today.weekday() * day, today - (today.weekday() + 1) % 7 * day
    first = today.replace(day=1)
    last_month = (first - day).replace(day=1)
    known = {
        "TODAY": (today, today),
        "YESTERDAY": (today - day, today - day),
        "THIS_WEEK_MON_TODAY": (monday, today),
        "THIS_WEEK_SUN_TODAY": (sunday, today),
        "LAST_WEEK": (monday - 7 * day, monday - day),
        "LAST_BUSINESS_WEEK": (monday - 7 * day, monday - 3 * day),
        "LAST_WEEK_SUN_SAT": (sunday - 7 * day, sunday - day),
        "THIS_MONTH": (first, today),
        "LAST_MONTH": (last_month, last_month.replace(day=monthrange(last_month.year, last_month.month)[1])),
        "ALL_TIME": (oldest(today), today),
        "AUTO": (today - 3 * day, today),
    }
    if kind not in known:
        raise bad(f"DateRangeType contains an incorrect enumeration value: {kind}")
    return known[kind]
