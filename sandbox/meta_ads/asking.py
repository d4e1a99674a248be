"""Read and check the parameters of an insights request, and refuse them in the Graph API's words."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sandbox.facts import MICRO
from sandbox.meta_ads.errors import GraphError, invalid
from sandbox.meta_ads.fields import ACTION_BREAKDOWNS, BREAKDOWNS, COMBINED, INSIGHTS, LEVELS, REPORT_TIMES, WINDOWS
from sandbox.meta_ads.presets import earliest, preset

_IDS = {"account": ("account_id",), "campaign": ("account_id", "campaign_id"), "adset": ("account_id", "campaign_id", "adset_id")}
_OBJECTS = {"campaign": "campaign", "adset": "ad_group", "ad": "ad"}
_REFERENCE = "https://developers.facebook.com/docs/marketing-api/reference/ads-insights/"
_BREAKDOWNS_PAGE = "https://developers.facebook.com/docs/marketing-api/insights/breakdowns/"
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_SORTED = frozenset(("impressions", "clicks", "spend", "reach"))


@dataclass(frozen=True)
class Condition:
    """A column of the facts, or `status`, and what it must be: in or not in the values, or a name with a part in it."""

    column: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Ask:
    """A checked insights request. `step` is a number of days, `monthly`, or None for each range in one row."""

    level: str
    fields: tuple[str, ...]
    ranges: tuple[tuple[date, date], ...]
    step: int | str | None
    breakdowns: tuple[str, ...]
    action_breakdowns: tuple[str, ...]
    windows: tuple[str, ...]
    conditions: tuple[Condition, ...]
    limits: tuple[tuple[str, str, int], ...]
    """Measures, the comparison (gt or lt), and the bound."""
    sort: tuple[tuple[str, bool], ...]
    """Measures, and whether the greatest comes first."""

    @property
    def since(self) -> date:
        """Return the first date asked for."""
        return min(since for since, _ in self.ranges)

    @property
    def until(self) -> date:
        """Return the last date asked for."""
        return max(until for _, until in self.ranges)


def read_ask(params: dict[str, str], default_level: str, today: date, conditions: Sequence[Condition] = ()) -> Ask:
    """Check the parameters. Raises GraphError as the Graph API does."""
    level = params.get("level") or default_level
    if level not in LEVELS:
        raise invalid(f"level must be one of the following values: {', '.join(LEVELS)}")
    fields = tuple(dict.fromkeys(f.strip() for f in listed(params.get("fields", "")) if f.strip()))
    for name in fields:
        if name not in INSIGHTS:
            raise invalid(f"{name} is not valid for fields param. please check {_REFERENCE} for all valid values")
    action_breakdowns = _among(params, "action_breakdowns", ACTION_BREAKDOWNS)
    windows = _among(params, "action_attribution_windows", WINDOWS)
    if (time := params.get("action_report_time", "")) and time not in REPORT_TIMES:
        raise invalid(f"action_report_time must be one of the following values: {', '.join(REPORT_TIMES)}")
    filters, limits = _filtering(params.get("filtering", ""))
    return Ask(
        level=level,
        fields=fields or _default_fields(level),
        ranges=_ranges(params, today),
        step=None if params.get("time_ranges") else _step(params),
        breakdowns=_breakdowns(params),
        action_breakdowns=action_breakdowns,
        windows=windows,
        conditions=(*conditions, *filters),
        limits=tuple(limits),
        sort=_sort(params),
    )


def _default_fields(level: str) -> tuple[str, ...]:
    return (*_IDS.get(level, ("account_id", "campaign_id", "adset_id", "ad_id")), "impressions", "spend")


def listed(text: str) -> list[str]:
    """Read a list that is JSON or comma-separated. Raises GraphError for broken JSON."""
    text = text.strip()
    if text.startswith("["):
        try:
            return [str(v) for v in json.loads(text)]
        except ValueError:
            raise invalid("param must be an array.") from None
    return [part.strip() for part in text.split(",") if part.strip()]


def _among(params: dict[str, str], name: str, known: frozenset[str]) -> tuple[str, ...]:
    given = tuple(listed(params.get(name, "")))
    for place, value in enumerate(given):
        if value not in known:
            raise invalid(f"{name}[{place}] must be one of the following values: {', '.join(sorted(known))}")
    return given


def _breakdowns(params: dict[str, str]) -> tuple[str, ...]:
    """Read the breakdowns: known ones, in a combination that Meta serves."""
    given = tuple(dict.fromkeys(listed(params.get("breakdowns", ""))))
    for name in given:
        if name not in BREAKDOWNS:
            raise invalid(f"{name} is not valid for breakdowns param. please check {_BREAKDOWNS_PAGE} for all valid values")
    together = len(given) < 2 or any(set(given) <= combination for combination in COMBINED)
    if not together or ("platform_position" in given and "publisher_platform" not in given):
        raise invalid(f"Current combination of data breakdown columns ({', '.join(sorted((*given, 'action_type')))}) is invalid")
    return given


def _ranges(params: dict[str, str], today: date) -> tuple[tuple[date, date], ...]:
    if params.get("time_ranges"):
        return tuple(_range(given, "time_ranges", today) for given in _loaded(params["time_ranges"], "time_ranges", list))
    if params.get("time_range"):
        return (_range(_loaded(params["time_range"], "time_range", dict), "time_range", today),)
    return (preset(params.get("date_preset") or "last_30d", today),)


def _range(given: Any, name: str, today: date) -> tuple[date, date]:  # noqa: ANN401
    try:
        since, until = str(given["since"]), str(given["until"])
        if not (_DATE.match(since) and _DATE.match(until)):
            raise ValueError(since)
        first, last = date.fromisoformat(since), date.fromisoformat(until)
    except (ValueError, KeyError, TypeError):
        raise invalid(f"param {name} must be an object with since and until as YYYY-MM-DD dates.") from None
    if first > last:
        raise invalid(f"The start date must be before or the same as the end date: {name}[since] > {name}[until]")
    if first < earliest(today):
        raise GraphError(400, 3018, "(#3018) The start date of the time range cannot be beyond 37 months from the current date")
    return first, last


def _loaded(text: str, name: str, kind: type) -> Any:  # noqa: ANN401
    try:
        loaded = json.loads(text)
    except ValueError:
        loaded = None
    if not isinstance(loaded, kind) or not loaded:
        raise invalid(f"param {name} must be an {'array' if kind is list else 'object with since and until as YYYY-MM-DD dates'}.")
    return loaded


def _step(params: dict[str, str]) -> int | str | None:
    text = params.get("time_increment", "all_days") or "all_days"
    if text in ("all_days", "monthly"):
        return None if text == "all_days" else text
    if text.isdigit() and 1 <= int(text) <= 90:
        return int(text)
    raise invalid("time_increment must be all_days, monthly, or a number of days from 1 to 90")


def _sort(params: dict[str, str]) -> tuple[tuple[str, bool], ...]:
    found = []
    for text in listed(params.get("sort", "")):
        name, _, direction = text.rpartition("_")
        if direction not in ("ascending", "descending") or name not in INSIGHTS:
            raise invalid(f"Sort key {text} must be a field followed by _ascending or _descending")
        if name in _SORTED:
            found.append(("impressions" if name == "reach" else name, direction == "descending"))
    return tuple(found)


def _filtering(text: str) -> tuple[list[Condition], list[tuple[str, str, int]]]:
    conditions: list[Condition] = []
    limits: list[tuple[str, str, int]] = []
    for one in filters(text):
        name, operator, values = one
        owner, _, own = name.rpartition(".")
        if own in ("impressions", "clicks", "spend") and owner in ("", "ad") and operator in ("GREATER_THAN", "LESS_THAN"):
            bound = _number(values) * (MICRO if own == "spend" else 1)
            limits.append((own, "gt" if operator == "GREATER_THAN" else "lt", int(bound)))
        elif owner in _OBJECTS and own in ("id", "name") and operator in ("IN", "NOT_IN", "EQUAL", "NOT_EQUAL", "CONTAIN", "NOT_CONTAIN"):
            conditions.append(Condition(f"{_OBJECTS[owner]}_{own}", operator, values))
        elif owner in _OBJECTS and own in ("effective_status", "status", "delivery_info") and operator in ("IN", "NOT_IN"):
            conditions.append(Condition(f"{owner}.status", operator, values))
        elif not (owner in (*_OBJECTS, "") and own in ("updated_time", "created_time", "objective", "action_type")):
            raise invalid(f"Filtering field '{name}' with operation '{operator.lower()}' is not supported")
    return conditions, limits


def _number(values: tuple[str, ...]) -> float:
    try:
        return float(values[0])
    except (ValueError, IndexError):
        raise invalid("param filtering must hold a number to compare with.") from None


def filters(text: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """Read `filtering`: fields, operators in capitals, and their values. Raises GraphError."""
    try:
        found = []
        for one in json.loads(text) if text else ():
            value = one["value"]
            found.append((str(one["field"]), str(one["operator"]).upper(), tuple(str(v) for v in (value if isinstance(value, list) else [value]))))
    except (ValueError, KeyError, TypeError):
        raise invalid("param filtering must be an array.") from None
    return found
