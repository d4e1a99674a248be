"""Print a report as the JSON of the REST API, row text made column by column."""

import json
from typing import Any

import polars as pl

from sandbox.ga4.report import Report

_SPECIAL = '["\\\\\x00-\x1f]'


def report_json(report: Report) -> bytes:
    """Return the RunReportResponse; members that hold their default are absent, as protobuf's JSON leaves them out."""
    members = []
    if report.dimensions:
        members.append(f'"dimensionHeaders":{_dump([{"name": n} for n in report.dimensions])}')
    if report.metrics:
        members.append(f'"metricHeaders":{_dump([{"name": m.name, "type": m.type} for m in report.metrics])}')
    if report.page.height:
        members.append(f'"rows":[{_rows(report)}]')
    for name, (dimensions, metrics) in report.aggregates.items():
        members.append(f'"{name}":{_dump([_row(dimensions, metrics)])}')
    if report.row_count:
        members.append(f'"rowCount":{report.row_count}')
    members.append(f'"metadata":{_dump(report.metadata)}')
    if report.quota is not None:
        members.append(f'"propertyQuota":{_dump(report.quota)}')
    members.append(f'"kind":"{report.kind}"')
    return ("{" + ",".join(members) + "}").encode()


def _rows(report: Report) -> str:
    page = report.page.with_columns(_escaped(report.page[f"d{i}"]) for i in range(len(report.dimensions)))
    parts: list[pl.Expr] = [pl.lit("{")]
    for letter, name, count in (("d", "dimensionValues", len(report.dimensions)), ("m", "metricValues", len(report.metrics))):
        if count:
            head = f'{"," if letter == "m" and report.dimensions else ""}"{name}":[{{"value":"'
            parts.append(pl.lit(head))
            for i in range(count):
                parts += [pl.col(f"{letter}{i}"), pl.lit('"},{"value":"' if i + 1 < count else '"}]')]
    parts.append(pl.lit("}"))
    text: str = page.select(pl.concat_str(parts).str.join(",")).item()
    return text


def _escaped(column: pl.Series) -> pl.Series:
    if not column.str.contains(_SPECIAL).any():
        return column
    unique = column.unique()
    return column.replace_strict(unique, pl.Series([json.dumps(v, ensure_ascii=False)[1:-1] for v in unique], dtype=pl.String))


def _row(dimensions: list[str], metrics: list[str]) -> dict[str, Any]:
    return {**({"dimensionValues": [{"value": v} for v in dimensions]} if dimensions else {}), "metricValues": [{"value": v} for v in metrics]}


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
