"""Read and check the parameters of stat/v1/data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from sandbox.accounts import SandboxAccount
from sandbox.world import World
from sandbox.yandex_metrica import counters, facts
from sandbox.yandex_metrica.dimensions import Dimension, read_dimension
from sandbox.yandex_metrica.errors import MetricaError, missing, wrong
from sandbox.yandex_metrica.filters import Filters, read_filters
from sandbox.yandex_metrica.metrics import Metric, read_metric

MOST_METRICS, MOST_DIMENSIONS, MOST_ROWS = 20, 10, 100_000
ACCURACY = {"low": 0.1, "medium": 0.5, "high": 1.0, "full": 1.0}
_VISITED = "ym:s:visits,ym:s:users,ym:s:bounceRate,ym:s:pageDepth,ym:s:avgVisitDurationSeconds"
PRESETS = {
    "traffic": (f"{_VISITED},ym:s:pageviews", "ym:s:datePeriod<group>"),
    "sources_summary": (_VISITED, "ym:s:<attribution>TrafficSource,ym:s:<attribution>SourceEngine"),
    "tags_u_t_m": (_VISITED, "ym:s:<attribution>UTMSource,ym:s:<attribution>UTMMedium,ym:s:<attribution>UTMCampaign"),
    "geo_country": (_VISITED, "ym:s:regionCountry"),
    "tech_devices": (_VISITED, "ym:s:deviceCategory"),
    "content_entrance": (_VISITED, "ym:s:startURL"),
}
_AGO = re.compile(r"^(\d{1,4})daysAgo$", re.IGNORECASE)


@dataclass(frozen=True)
class Ask:
    """One checked question."""

    counters: list[SandboxAccount]
    dimensions: list[Dimension]
    metrics: list[Metric]
    since: date
    until: date
    sort: list[tuple[int, bool]]
    """Places in dimensions + metrics, and whether descending."""
    filters: Filters
    limit: int
    offset: int
    share: float
    undefined: bool
    lang: str
    logins: list[str]
    parameters: Mapping[str, str]


def read_ask(world: World, parameters: Mapping[str, str], *, rows: bool = True) -> Ask:
    """Check a question. `rows` says that it has pages. Raises MetricaError in Metrica's own words."""
    asked = _with_preset(parameters)
    ids = _listed(asked.get("ids") or asked.get("id", ""))
    if not ids:
        raise missing("ids")
    accounts = [counters.find(world, counter_id) for counter_id in dict.fromkeys(ids)]
    metric_names, dimension_names = _listed(asked.get("metrics", "")), _listed(asked.get("dimensions", ""))
    _check_names(metric_names, dimension_names)
    account = accounts[0]
    goals = {number: text for a in accounts for number, text in counters.goal_ids(world.analytics(a)).items()}
    since, until = (_day(asked.get(name) or default, name, world.today(account)) for name, default in (("date1", "6daysAgo"), ("date2", "today")))
    if since > until:
        raise wrong("date1", since, "date1 is later than date2")
    metrics = [read_metric(name, account, goals, asked) for name in metric_names]
    dimensions = [read_dimension(name, account, asked) for name in dimension_names]

    def find(name: str) -> Dimension | Metric:
        try:
            return read_dimension(name, account, asked)
        except MetricaError:
            return read_metric(name, account, goals, asked)

    limit = _whole(asked, "limit", 100, 0, MOST_ROWS) if rows else MOST_ROWS
    return Ask(
        accounts,
        dimensions,
        metrics,
        since,
        until,
        _sort(asked.get("sort", ""), dimension_names, metric_names),
        read_filters(asked.get("filters", ""), find),
        limit,
        _whole(asked, "offset", 1, 1, 2**31) if rows else 1,
        _accuracy(asked.get("accuracy", "high")),
        asked.get("include_undefined", "").lower() in ("true", "1"),
        "ru" if asked.get("lang", "en").lower().startswith("ru") else "en",
        _logins(world, asked, metric_names),
        asked,
    )


def sessions(world: World, ask: Ask) -> pl.DataFrame:
    """Return the rows that the question is about, its dates and row filters applied."""
    prefix = ask.metrics[0].name[:6]
    frame = facts.expenses(world, ask.logins) if prefix == "ym:ad:" else pl.concat([facts.sessions(world, a) for a in ask.counters])
    frame = frame.filter(pl.col("date").is_between(ask.since, ask.until))
    return frame if ask.filters.rows is None else frame.filter(ask.filters.rows)


def _with_preset(parameters: Mapping[str, str]) -> dict[str, str]:
    asked = dict(parameters)
    if preset := asked.get("preset"):
        if preset not in PRESETS:
            raise wrong("preset", preset)
        for name, value in zip(("metrics", "dimensions"), PRESETS[preset], strict=True):
            asked[name] = asked.get(name) or value
    return asked


def _check_names(metrics: list[str], dimensions: list[str]) -> None:
    if not metrics:
        raise missing("metrics")
    if len(metrics) > MOST_METRICS:
        raise wrong("metrics", len(metrics), f"no more than {MOST_METRICS} metrics")
    if len(dimensions) > MOST_DIMENSIONS:
        raise wrong("dimensions", len(dimensions), f"no more than {MOST_DIMENSIONS} dimensions")
    prefixes = {name[: name.rindex(":") + 1] for name in (*metrics, *dimensions) if ":" in name}
    if len(prefixes) > 1:
        raise MetricaError(400, "invalid_parameter", f"Attributes of different namespaces in one request: {', '.join(sorted(prefixes))}, code: 4009", "metrics")


def _logins(world: World, asked: Mapping[str, str], metrics: list[str]) -> list[str]:
    logins = _listed(asked.get("direct_client_logins", ""))
    if metrics[0].startswith("ym:ad:") and not logins:
        raise missing("direct_client_logins")
    known = {client["chief_login"] for client in counters.clients(world)}
    for login in logins:
        if login not in known:
            raise MetricaError(403, "access_denied", "Access is denied", f"direct client {login}")
    return logins


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _day(text: str, name: str, today: date) -> date:
    if text in ("today", "yesterday"):
        return today - timedelta(days=int(text == "yesterday"))
    if found := _AGO.match(text):
        return today - timedelta(days=int(found[1]))
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise wrong(name, text) from None


def _whole(asked: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = asked.get(name, "") or str(default)
    if not text.isdecimal() or not least <= int(text) <= most:
        raise wrong(name, text, f"from {least} to {most}")
    return int(text)


def _accuracy(text: str) -> float:
    share = ACCURACY.get(text.lower())
    if share is None:
        try:
            share = float(text)
        except ValueError:
            raise wrong("accuracy", text) from None
    if not 0 < share <= 1:
        raise wrong("accuracy", text)
    return share


def _sort(text: str, dimensions: list[str], metrics: list[str]) -> list[tuple[int, bool]]:
    names = [*dimensions, *metrics]
    order: list[tuple[int, bool]] = []
    for part in _listed(text) or [f"-{metrics[0]}"]:
        name = part.removeprefix("-")
        if name not in names:
            raise wrong("sort", part, "neither a metric nor a dimension of the request")
        order.append((names.index(name), part.startswith("-")))
    return order
