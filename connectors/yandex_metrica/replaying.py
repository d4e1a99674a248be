"""Rows again from landed bodies, without the network, by the code that reads a live answer."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from connectors.rows import drift
from connectors.yandex_metrica.reports import LOG_ATTRIBUTED, VISITED, groupings, log_fields
from connectors.yandex_metrica.snapshots import counter_row, goal_rows
from connectors.yandex_metrica.stat import Question, rows_of
from connectors.yandex_metrica.table import read_table
from connectors.yandex_metrica.tsv import Tsv
from domain.catalogue import Account, Report

_REACHES = re.compile(r"ym:s:goal(\d+)reaches")
_MODELLED = re.compile(r"ym:s:([a-z]\w*?)TrafficSource")


def replay(report: Report, account: Account, bodies: Iterable[bytes], attribution: str = "lastsign") -> Iterator[pa.Table]:
    """Yield the rows of each landed body in the report's schema, in the order of the bodies.

    Goals and attribution model are read from the question that Metrica repeats in its answer, or from a log's heading; `attribution`
    is the setting of the pull, for reports none of whose fields names it. Raises
    IncompleteAnswer for a body that is no answer of Metrica, or whose shape the catalogue no longer fits.
    """
    if report.name in ("visits", "hits"):
        yield from _log(report, account, (body for body in bodies if body), attribution)
        return
    for body in bodies:
        try:
            yield _read(report, account, body, attribution)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise drift(report, account, "data", f"does not read as an answer of Metrica: {error!r}") from error


def _read(report: Report, account: Account, body: bytes, attribution: str) -> pa.Table:
    if report.name == "accounts":
        return counter_row(report, account, json.loads(body)["counter"])
    if report.name == "goals":
        return goal_rows(report, account, json.loads(body, parse_float=str)["goals"])
    asked: dict[str, Any] = json.loads(body)["query"]
    metrics: Sequence[str] = asked["metrics"]
    goals = tuple(found[1] for found in map(_REACHES.fullmatch, metrics) if found)
    question = Question(tuple(metrics), goals)
    page = read_table(body, len(groupings(report)), len(metrics) if goals else len(VISITED))
    return rows_of(account, report, _model(asked["dimensions"], _MODELLED) or attribution, question, page)


def _model(fields: Iterable[str], pattern: re.Pattern[str]) -> str:
    """Read the attribution model from the fields' names; empty where none names it."""
    return next((found[1] for found in map(pattern.fullmatch, fields) if found), "")


def _log(report: Report, account: Account, bodies: Iterator[bytes], attribution: str) -> Iterator[pa.Table]:
    """Yield the rows of every part; a part begins with its heading."""
    tsv: Tsv | None = None
    for body in bodies:
        heading = body.partition(b"\n")[0].decode(errors="replace").rstrip("\r").split("\t")
        if heading[0].startswith("ym:"):
            tsv = _part(report, account, heading, attribution)
        if tsv is None:
            raise drift(report, account, "heading", "is missing: the landed part does not begin with its fields")
        for rows, _ in tsv.pieces([body]):
            yield rows


def _part(report: Report, account: Account, heading: Sequence[str], attribution: str) -> Tsv:
    names = "|".join(sorted(LOG_ATTRIBUTED))
    model = _model(heading, re.compile(rf"ym:s:(\w+?)(?:{names})", re.IGNORECASE)) or attribution
    return Tsv(report, account, log_fields(report, model), model)
