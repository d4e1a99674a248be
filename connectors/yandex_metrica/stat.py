"""The Reporting API: pages of one report under an explicit order, proved by total_rows, numbers exact."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.rows import drift, typed
from connectors.yandex_metrica.errors import broken
from connectors.yandex_metrica.reports import ATTRIBUTED, GOAL, GOALS_AT_ONCE, VISITED, groupings
from connectors.yandex_metrica.service import Service
from connectors.yandex_metrica.settings import YandexMetricaSettings
from connectors.yandex_metrica.table import Table, exact, read_table
from domain.catalogue import Account, Page, Report
from domain.errors import IncompleteAnswer
from domain.windows import DateWindow

PATH = "/stat/v1/data"
_IDS = frozenset({"TrafficSource", "SourceEngine", "deviceCategory"})
"""Groupings whose value is the id; of the others it is the name."""


@dataclass(frozen=True)
class Question:
    """One request: its metrics, and the goals that they count (none for visits)."""

    metrics: tuple[str, ...]
    goals: tuple[str, ...] = ()


class Stat:
    """Reads the daily reports of one credential."""

    def __init__(self, service: Service, settings: YandexMetricaSettings) -> None:
        self._service = service
        self._settings = settings

    def pages(self, account: Account, report: Report, window: DateWindow, goals: Sequence[str]) -> Iterator[Page]:
        """Yield the pages of every request; the last one says how many rows Metrica counted in all."""
        questions = [_visited(account), *_of_goals(account, goals if "goal_id" in report.key else ())]
        total = 0
        for question in questions:
            for page, counted, ended in self._question(account, report, window, question):
                proof = ""
                if ended:
                    total += counted
                    proof = f"total_rows {total} in {len(questions)} requests" if question is questions[-1] else ""
                yield Page(page.rows, page.body, page.content_type, proof)

    def _question(self, account: Account, report: Report, window: DateWindow, question: Question) -> Iterator[tuple[Page, int, bool]]:
        """Yield page by page until total_rows are there. Raises IncompleteAnswer when that number moves or rows are missing."""
        names = groupings(report)
        dimensions = [f"ym:s:{self._settings.attribution if n in ATTRIBUTED else ''}{n}" for n in names]
        asked = {
            "ids": account.account_id,
            "metrics": ",".join(question.metrics),
            "dimensions": ",".join(dimensions),
            "date1": str(window.since),
            "date2": str(window.until),
            "sort": ",".join(dimensions),
            "limit": str(self._settings.page_rows),
            "accuracy": "full",
            "include_undefined": "true",
            "lang": "en",
        }
        arrived, total = 0, None
        while total is None or arrived < total:
            body = self._service.text(PATH, {**asked, "offset": str(arrived + 1)}, account.account_id)
            try:
                page = read_table(body, len(names), len(question.metrics))
            except ValueError as error:
                raise broken(f"{report.name}: {error}", account.account_id) from None
            counted = _counted(page, account, report)
            if total is not None and counted != total:
                raise _incomplete(account, report, f"total_rows moved from {total} to {counted} between two pages")
            if page.count != min(self._settings.page_rows, counted - arrived):
                raise _incomplete(account, report, f"Metrica counts {counted} rows, {arrived + page.count} arrived")
            arrived, total = arrived + page.count, counted
            try:
                rows = rows_of(account, report, self._settings.attribution, question, page)
            except (ValueError, ArithmeticError) as error:
                raise drift(report, account, "(see why)", f"does not read: {str(error)[:300]}") from error
            yield Page(rows, body, "application/json"), total, arrived >= total


def rows_of(account: Account, report: Report, attribution: str, question: Question, page: Table) -> pa.Table:
    """Return one page's rows in the report's schema: of visits, or of the goals that the question counts, each below the other."""
    names = groupings(report)
    keys = {name: pc.coalesce(ids, labels) if name in _IDS else labels for name, ids, labels in zip(names, page.ids, page.names, strict=True)}
    keys["date"] = keys["date"].cast(pa.date32())
    flags: dict[str, Any] = {
        "currency": account.currency,
        "attribution": attribution,
        "sampled": bool(page.envelope.get("sampled")),
        "sample_share": Decimal(str(page.envelope.get("sample_share") or 1)).quantize(Decimal("0.000001")),
        "contains_sensitive_data": bool(page.envelope.get("contains_sensitive_data")),
    }
    if not question.goals:
        columns = keys | {name: exact(values) for name, values in zip(VISITED, page.metrics, strict=True)}
        return _typed(account, report, columns, flags, "", page.count)
    return pa.concat_tables(_goal(account, report, goal, keys, page.metrics[2 * n : 2 * n + 2], flags) for n, goal in enumerate(question.goals))


def _goal(account: Account, report: Report, goal: str, keys: dict[str, pa.Array], texts: list[pa.Array], flags: dict[str, Any]) -> pa.Table:
    """Keep the rows in which a goal was reached or earned anything."""
    values = [exact(column) for column in texts]
    something = pc.or_(*(pc.fill_null(pc.not_equal(v, pa.scalar(Decimal(0), v.type)), False) for v in values))
    columns = {name: column.filter(something) for name, column in (keys | dict(zip(GOAL, values, strict=True))).items()}
    return _typed(account, report, columns, flags, goal, int(pc.sum(something).as_py() or 0))


def _typed(account: Account, report: Report, columns: dict[str, pa.Array], flags: dict[str, Any], goal: str, count: int) -> pa.Table:
    repeated = {name: pa.repeat(pa.scalar(value), count) for name, value in {**flags, "goal_id": goal}.items()}
    return typed(report, account, columns | repeated, count)


def _visited(account: Account) -> Question:
    return Question(tuple(f"ym:s:ecommerce{account.currency}ConvertedRevenue" if m == "ecommerceRevenue" else f"ym:s:{m}" for m in VISITED))


def _of_goals(account: Account, goals: Sequence[str]) -> Iterator[Question]:
    for start in range(0, len(goals), GOALS_AT_ONCE):
        some = tuple(goals[start : start + GOALS_AT_ONCE])
        metrics = tuple(f"ym:s:goal{goal}{kind}" for goal in some for kind in ("reaches", f"converted{account.currency}Revenue"))
        yield Question(metrics, some)


def _counted(page: Table, account: Account, report: Report) -> int:
    total = str(page.envelope.get("total_rows"))
    if not total.isdecimal():
        raise broken(f"{report.name}: the answer has no total_rows", account.account_id)
    if page.envelope.get("total_rows_rounded"):
        raise _incomplete(account, report, "total_rows is rounded, so completeness cannot be proved")
    return int(total)


def _incomplete(account: Account, report: Report, why: str) -> IncompleteAnswer:
    return IncompleteAnswer(
        f"{report.name} is incomplete", platform=report.platform, account_id=account.account_id, why=why, fix="Nothing of it was kept; sync again"
    )
