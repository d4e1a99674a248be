"""Insights: read and check the parameters, add the facts up, and print rows as the Graph API does."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from domain.platforms import Level
from sandbox.accounts import SandboxAccount
from sandbox.facts import ENTITY_KEYS, MEASURES, MICRO, AccountFacts
from sandbox.meta_ads.errors import GraphError, invalid
from sandbox.meta_ads.fields import BREAKDOWNS, INSIGHTS, LEVELS, SERVED_BREAKDOWNS, WINDOWS
from sandbox.meta_ads.presets import earliest, preset
from sandbox.meta_ads.printing import piece

OUR_LEVEL = {"account": Level.ACCOUNT, "campaign": Level.CAMPAIGN, "adset": Level.AD_GROUP, "ad": Level.AD}
_IDS = {"account": ("account_id",), "campaign": ("account_id", "campaign_id"), "adset": ("account_id", "campaign_id", "adset_id")}
_FILTERS = {"campaign.id": "campaign_id", "adset.id": "ad_group_id", "ad.id": "ad_id"}
_REFERENCE = "https://developers.facebook.com/docs/marketing-api/reference/ads-insights/"
BLOCK = 5_000
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True)
class Ask:
    """A checked insights request. `step` is a number of days, `monthly`, or None for the whole window in one row."""

    level: str
    fields: tuple[str, ...]
    since: date
    until: date
    step: int | str | None
    breakdowns: tuple[str, ...]
    windows: tuple[str, ...]
    ids: tuple[tuple[str, tuple[str, ...]], ...]
    """Columns of the facts and the ids that they must have."""
    limits: tuple[tuple[str, str, int], ...]
    """Measures, the comparison (gt or lt), and the bound."""


def read_ask(params: dict[str, str], default_level: str, today: date, ids: Sequence[tuple[str, tuple[str, ...]]] = ()) -> Ask:
    """Check the parameters. Raises GraphError as the Graph API does."""
    level = params.get("level") or default_level
    if level not in LEVELS:
        raise invalid(f"level must be one of the following values: {', '.join(LEVELS)}")
    fields = tuple(dict.fromkeys(f.strip() for f in listed(params.get("fields", "")) if f.strip()))
    for name in fields:
        if name not in INSIGHTS:
            raise invalid(f"{name} is not valid for fields param. please check {_REFERENCE} for all valid values")
    breakdowns = tuple(listed(params.get("breakdowns", "")))
    for name in breakdowns:
        if name not in BREAKDOWNS:
            raise invalid(f"breakdowns[0] must be one of the following values: {', '.join(sorted(BREAKDOWNS))}")
    windows = tuple(listed(params.get("action_attribution_windows", "")))
    for name in windows:
        if name not in WINDOWS:
            raise invalid(f"action_attribution_windows[0] must be one of the following values: {', '.join(sorted(WINDOWS))}")
    since, until = _window(params, today)
    filters, limits = _filtering(params.get("filtering", ""))
    return Ask(level, fields or _default_fields(level), since, until, _step(params), breakdowns, windows, (*ids, *filters), tuple(limits))


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


def _window(params: dict[str, str], today: date) -> tuple[date, date]:
    if not params.get("time_range"):
        return preset(params.get("date_preset") or "last_30d", today)
    try:
        given = json.loads(params["time_range"])
        since, until = str(given["since"]), str(given["until"])
        if not (_DATE.match(since) and _DATE.match(until)):
            raise ValueError(since)
        first, last = date.fromisoformat(since), date.fromisoformat(until)
    except (ValueError, KeyError, TypeError):
        raise invalid("param time_range must be an object with since and until as YYYY-MM-DD dates.") from None
    if first > last:
        raise invalid("The start date must be before or the same as the end date: time_range[since] > time_range[until]", 1487534)
    if first < earliest(today):
        raise GraphError(400, 3018, "(#3018) The start date of the time range cannot be beyond 37 months from the current date")
    return first, last


def _step(params: dict[str, str]) -> int | str | None:
    text = params.get("time_increment", "all_days") or "all_days"
    if text in ("all_days", "monthly"):
        return None if text == "all_days" else text
    if text.isdigit() and 1 <= int(text) <= 90:
        return int(text)
    raise invalid("time_increment must be all_days, monthly, or a number of days from 1 to 90")


def _filtering(text: str) -> tuple[list[tuple[str, tuple[str, ...]]], list[tuple[str, str, int]]]:
    ids: list[tuple[str, tuple[str, ...]]] = []
    limits: list[tuple[str, str, int]] = []
    try:
        for one in json.loads(text) if text else ():
            name, operator, value = str(one["field"]), str(one["operator"]).upper(), one["value"]
            if name in _FILTERS and operator in ("IN", "EQUAL"):
                ids.append((_FILTERS[name], tuple(str(v) for v in (value if isinstance(value, list) else [value]))))
            elif name.removeprefix("ad.") in ("impressions", "clicks", "spend") and operator in ("GREATER_THAN", "LESS_THAN"):
                factor = MICRO if name.endswith("spend") else 1
                limits.append((name.removeprefix("ad."), "gt" if operator == "GREATER_THAN" else "lt", int(float(value) * factor)))
            elif not name.endswith(("status", "effective_status")):
                raise invalid(f"Filtering field '{name}' with operation '{operator.lower()}' is not supported")
    except (ValueError, KeyError, TypeError):
        raise invalid("param filtering must be an array.") from None
    return ids, limits


def frame(ask: Ask, facts: AccountFacts) -> pl.DataFrame:
    """Add the facts up as asked; rows without delivery and without conversions are absent."""
    level = OUR_LEVEL[ask.level]
    rows = facts.window(level, ask.since, min(ask.until, facts.today))
    for column, values in ask.ids:
        rows = rows.filter(pl.col(column).is_in(list(values)))
    served = [SERVED_BREAKDOWNS[b] for b in ask.breakdowns if b in SERVED_BREAKDOWNS]
    keys = [*ENTITY_KEYS[level], *dict.fromkeys(served), "_from"]
    summed = rows.with_columns(_bucket(ask).alias("_from")).group_by(keys, maintain_order=True).agg(pl.col(MEASURES).sum())
    summed = summed.filter(pl.any_horizontal(pl.col(m) != 0 for m in MEASURES))
    for measure, comparison, bound in ask.limits:
        summed = summed.filter(getattr(pl.col(measure), comparison)(bound))
    if level is not Level.ACCOUNT:
        names = facts.entities(level).drop("first_date", "last_date")
        summed = summed.join(names, on=list(ENTITY_KEYS[level]), how="left", maintain_order="left")
    return summed.with_columns(_bucket_end(ask).alias("_to"))


def _bucket(ask: Ask) -> pl.Expr:
    """Return the first date of the row that a date falls into."""
    if ask.step is None:
        return pl.lit(ask.since)
    if ask.step == "monthly":
        return pl.max_horizontal(pl.col("date").dt.truncate("1mo"), pl.lit(ask.since))
    step = int(ask.step)
    passed = (pl.col("date") - pl.lit(ask.since)).dt.total_days() // step * step
    return (pl.lit(ask.since) + pl.duration(days=passed)).cast(pl.Date)


def _bucket_end(ask: Ask) -> pl.Expr:
    if ask.step is None:
        return pl.lit(ask.until)
    if ask.step == "monthly":
        return pl.min_horizontal(pl.col("_from").dt.month_end(), pl.lit(ask.until))
    return pl.min_horizontal(pl.col("_from") + timedelta(days=int(ask.step) - 1), pl.lit(ask.until))


class Answered:
    """The rows of an answer, and the print of those asked for last: small pages of one block are printed together."""

    def __init__(self, ask: Ask, account: SandboxAccount, rows: pl.DataFrame) -> None:
        self._ask = ask
        self._account = account
        self._rows = rows
        self._printed: tuple[int, list[str]] = (-1, [])
        self.height = rows.height

    def page(self, start: int, limit: int) -> str:
        """Print rows from `start` on as a JSON array."""
        end, pieces = min(start + limit, self.height), []
        while start < end:
            block = start // BLOCK
            number, printed = self._printed
            if number != block:
                printed = _print(self._ask, self._account, self._rows.slice(block * BLOCK, BLOCK))
                self._printed = (block, printed)
            pieces += printed[start % BLOCK : end - block * BLOCK]
            start = (block + 1) * BLOCK
        return "[" + ",".join(pieces) + "]"


def _print(ask: Ask, account: SandboxAccount, rows: pl.DataFrame) -> list[str]:
    """Print each row as a JSON object: metric values are strings, a key without value is absent."""
    names = [n for n in dict.fromkeys((*ask.fields, "date_start", "date_stop", *ask.breakdowns)) if shown(n, ask)]
    printed = [p for name in names if (p := piece(name, ask, account, rows)) is not None]
    row = pl.concat_str(pl.lit("{"), pl.concat_str(printed).str.tail(-1), pl.lit("}"))
    return rows.select(row).to_series().to_list()


def shown(name: str, ask: Ask) -> bool:
    """Tell whether a field exists at the level asked: an ad's name has no place in a campaign's row."""
    finer = {"campaign_id": 1, "campaign_name": 1, "objective": 1, "buying_type": 1, "adset_id": 2, "adset_name": 2, "ad_id": 3, "ad_name": 3}
    return finer.get(name, 0) <= LEVELS.index(ask.level)
