"""Compute and print answers of stat/v1/data: the table, its CSV, and values by time."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import polars as pl

from sandbox.faults import Fault
from sandbox.web import Answer, json_answer
from sandbox.world import World
from sandbox.yandex_metrica.ask import Ask, sessions
from sandbox.yandex_metrica.counters import number, quoted
from sandbox.yandex_metrica.dimensions import PERIODS
from sandbox.yandex_metrica.errors import wrong
from sandbox.yandex_metrica.metrics import printed

DATA_LAG = 0
FEWEST_USERS = 10
"""Below so many visitors rows of sensitive groupings are hidden."""
TOP_KEYS, MOST_KEYS = 7, 30
JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Table:
    """Groups in their order: columns d0.. (keys) and m0.. (millionths); `totals` is one row over everything."""

    rows: pl.DataFrame
    totals: pl.DataFrame
    hidden: bool
    share: float
    visits: int


def compute(world: World, ask: Ask, fault: Fault | None = None) -> Table:
    """Group, filter, hide and sort. A `sampled` fault halves the sample, whatever accuracy was asked."""
    share = 0.5 if fault is not None else ask.share
    frame = sessions(world, ask)
    keys = [d.key.alias(f"d{i}") for i, d in enumerate(ask.dimensions)]
    values = [m.value.alias(f"m{i}") for i, m in enumerate(ask.metrics)]
    extra = [pl.col("users").sum().alias("_users")] if "users" in frame.columns else [pl.lit(FEWEST_USERS).alias("_users")]
    if ask.filters.groups is not None:
        extra.append(ask.filters.groups.alias("_keep"))
    grouped = frame.group_by(keys, maintain_order=True).agg(*values, *extra) if keys else frame.select(*values, *extra)
    if ask.filters.groups is not None:
        grouped = grouped.filter("_keep")
    if keys and not ask.undefined:
        grouped = grouped.filter(pl.col("d0").is_not_null())
    shown = grouped.filter(pl.col("_users") >= FEWEST_USERS) if any(d.sensitive for d in ask.dimensions) else grouped
    names = [f"d{i}" for i in range(len(keys))] + [f"m{i}" for i in range(len(values))]
    order = [names[place] for place, _ in ask.sort]
    shown = shown.sort(order, descending=[down for _, down in ask.sort], nulls_last=True, maintain_order=True)
    visits = int(frame["sessions"].sum()) if "sessions" in frame.columns else frame.height
    totals = frame.select(values)
    return Table(_sampled(shown, share), _sampled(totals, share), shown.height < grouped.height, share, visits)


def _sampled(frame: pl.DataFrame, share: float) -> pl.DataFrame:
    """Make numbers look like those of a sample: multiples of one visit's weight."""
    if share >= 1 or not frame.height:
        return frame
    step = round(1_000_000 / share)
    return frame.with_columns(pl.col(c) // step * step for c in frame.columns if c.startswith("m"))


def answer_table(world: World, ask: Ask, table: Table) -> Answer:
    """Print one page as JSON."""
    page = table.rows.slice(ask.offset - 1, ask.limit)
    parts: list[pl.Expr] = [pl.lit('{"dimensions":[')]
    for place, dimension in enumerate(ask.dimensions):
        known = dimension.printed(page[f"d{place}"], ask.lang)
        text = pl.col(f"d{place}").replace_strict(known, default='{"name":null}', return_dtype=pl.String) if known else pl.lit('{"name":null}')
        parts += [pl.lit("," if place else ""), text]
    parts.append(pl.lit('],"metrics":['))
    for place in range(len(ask.metrics)):
        parts += [pl.lit("," if place else ""), printed(pl.col(f"m{place}"))]
    parts.append(pl.lit("]}"))
    rows = page.select(pl.concat_str(parts).alias("row"))["row"]
    values = [f"m{i}" for i in range(len(ask.metrics))]
    head = f'{{"query":{quoted(_query(ask))},"data":['
    lists = {
        "totals": _numbers(table.totals, values),
        "min": _numbers(table.rows.select(pl.col(values).min()), values),
        "max": _numbers(table.rows.select(pl.col(values).max()), values),
    }
    tail = "".join(f',"{name}":{text}' for name, text in lists.items())
    body = f"{head}{','.join(rows)}],{quoted(_shape(ask, table))[1:-1]}{tail}}}"
    return Answer(200, body.encode(), {}, JSON)


def _numbers(frame: pl.DataFrame, values: list[str]) -> str:
    return f"[{','.join(frame.select(printed(pl.col(v)).alias(v)).item() for v in values)}]"


def _shape(ask: Ask, table: Table) -> dict[str, Any]:
    return {
        "total_rows": table.rows.height,
        "total_rows_rounded": False,
        "sampled": table.share < 1,
        "contains_sensitive_data": table.hidden,
        "sample_share": table.share,
        "sample_size": int(table.visits * table.share),
        "sample_space": table.visits,
        "data_lag": DATA_LAG,
    }


def _query(ask: Ask) -> dict[str, Any]:
    names = [d.name for d in ask.dimensions] + [m.name for m in ask.metrics]
    asked = ask.parameters
    return {
        "ids": [number(a.account_id) for a in ask.counters],
        "dimensions": [d.name for d in ask.dimensions],
        "metrics": [m.name for m in ask.metrics],
        "sort": [f"{'-' if down else ''}{names[place]}" for place, down in ask.sort],
        "date1": ask.since.isoformat(),
        "date2": ask.until.isoformat(),
        **({"filters": asked["filters"]} if asked.get("filters") else {}),
        **({"goal_id": asked["goal_id"]} if asked.get("goal_id") else {}),
        "limit": ask.limit,
        "offset": ask.offset,
        "group": asked.get("group", "Week"),
        "auto_group_size": "1",
        "attr_name": "",
        "quantile": "50",
        "offline_window": "21",
        "attribution": asked.get("attribution", "LastSign"),
        "currency": asked.get("currency", ask.counters[0].currency),
        "adfox_event_id": "0",
    }


def answer_csv(ask: Ask, table: Table) -> Answer:
    """Print the whole page as CSV: names, a line of totals, rows."""
    page = table.rows.slice(ask.offset - 1, ask.limit)
    columns: list[pl.Series] = []
    for place, dimension in enumerate(ask.dimensions):
        shown = {value: str(dimension.show(value, ask.lang)["name"]) for value in page[f"d{place}"].unique().to_list() if value is not None}
        key = page[f"d{place}"]
        columns.append((key.replace_strict(shown, default="", return_dtype=pl.String) if shown else key.cast(pl.String)).alias(dimension.name))
    for place, metric in enumerate(ask.metrics):
        columns.append(page.select(printed(pl.col(f"m{place}")).alias(metric.name)).to_series())
    head = [*(d.name for d in ask.dimensions), *(m.name for m in ask.metrics)]
    totals = ["Totals and averages"] * len(ask.dimensions) + [table.totals.select(printed(pl.col(f"m{i}")).alias("x")).item() for i in range(len(ask.metrics))]
    first = pl.DataFrame([totals], schema=dict.fromkeys(head, pl.String()), orient="row")
    body = pl.concat([first, pl.DataFrame(columns)]).write_csv(quote_style="always") if columns else ""
    return Answer(200, b"\xef\xbb\xbf" + body.encode(), {"Content-Disposition": "attachment; filename=data.csv"}, "text/csv; charset=utf-8")


def answer_bytime(world: World, ask: Ask, fault: Fault | None) -> Answer:
    """Print values by day, week, month, quarter or year for the leading keys."""
    group = ask.parameters.get("group", "week").lower()
    if group not in (*PERIODS, "all"):
        raise wrong("group", group)
    top = ask.parameters.get("top_keys", str(TOP_KEYS))
    if not top.isdecimal() or int(top) > MOST_KEYS:
        raise wrong("top_keys", top, f"no more than {MOST_KEYS}")
    table = compute(world, ask, fault)
    intervals = _intervals(ask.since, ask.until, group)
    keys, values = [f"d{i}" for i in range(len(ask.dimensions))], [f"m{i}" for i in range(len(ask.metrics))]
    parts = [compute(world, _between(ask, *interval), fault) for interval in intervals]
    leading = table.rows.head(int(top)) if keys else table.rows
    data = []
    for row in leading.iter_rows(named=True):
        found = [_row(part.rows, keys, row) for part in parts]
        data.append(
            {
                "dimensions": [d.show(row[k], ask.lang) if row[k] is not None else {"name": None} for d, k in zip(ask.dimensions, keys, strict=True)],
                "metrics": [[None if f is None or f[v] is None else f[v] / 1_000_000 for f in found] for v in values],
            }
        )
    totals = [[part.totals[v].item() for part in parts] for v in values]
    body = {
        "query": _query(ask) | {"group": group.capitalize()},
        "data": data,
        **_shape(ask, table),
        "time_intervals": [[since.isoformat(), until.isoformat()] for since, until in intervals],
        "totals": [[None if v is None else v / 1_000_000 for v in row] for row in totals],
    }
    return json_answer(200, body)


def _row(rows: pl.DataFrame, keys: list[str], wanted: dict[str, Any]) -> dict[str, Any] | None:
    found = rows.filter(pl.all_horizontal(pl.col(k).eq_missing(pl.lit(wanted[k])) for k in keys)) if keys else rows
    return found.row(0, named=True) if found.height else None


def _between(ask: Ask, since: date, until: date) -> Ask:
    return replace(ask, since=since, until=until, undefined=True)


def _intervals(since: date, until: date, group: str) -> list[tuple[date, date]]:
    if group == "all":
        return [(since, until)]
    days = pl.Series("day", [since + timedelta(days=n) for n in range((until - since).days + 1)], dtype=pl.Date)
    frame = pl.DataFrame({"day": days, "start": days.dt.truncate(PERIODS[group])})
    joined = frame.group_by("start", maintain_order=True).agg(pl.col("day").min().alias("since"), pl.col("day").max().alias("until"))
    return list(joined.select("since", "until").iter_rows())
