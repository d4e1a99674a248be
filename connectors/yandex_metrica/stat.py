"""The Reporting API: pages of one report under an explicit order, proved by total_rows, numbers exact."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa

from connectors.rows import drift, typed
from connectors.yandex_metrica.errors import broken
from connectors.yandex_metrica.reports import ATTRIBUTED, GOAL, GOALS_AT_ONCE, VISITED, groupings
from connectors.yandex_metrica.service import Service
from connectors.yandex_metrica.settings import YandexMetricaSettings
from domain.catalogue import Account, Page, Report
from domain.errors import IncompleteAnswer
from domain.windows import DateWindow

PATH = "/stat/v1/data"
_IDS = frozenset({"TrafficSource", "SourceEngine", "deviceCategory"})
"""Groupings whose value is the id; of the others it is the name."""

_SIX = Decimal("0.000001")


@dataclass(frozen=True)
class _Question:
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
        for last, question in ((q is questions[-1], q) for q in questions):
            for page, counted, ended in self._question(account, report, window, question):
                if not (last and ended):
                    yield page
                    continue
                proof = f"total_rows {total + counted} in {len(questions)} requests"
                yield Page(page.rows, page.body, page.content_type, proof)
            total += counted

    def _question(self, account: Account, report: Report, window: DateWindow, question: _Question) -> Iterator[tuple[Page, int, bool]]:
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
        offset, total = 1, None
        while total is None or offset <= total:
            answer, body = self._service.get(PATH, {**asked, "offset": str(offset)}, account.account_id, exact=True)
            rows, counted = _read(answer, account, report)
            if total is not None and counted != total:
                raise _incomplete(account, report, f"total_rows moved from {total} to {counted} between two pages")
            total = counted
            offset += len(rows)
            if len(rows) < min(self._settings.page_rows, total - (offset - 1 - len(rows))):
                raise _incomplete(account, report, f"Metrica counts {total} rows, {offset - 1} arrived")
            table = self._table(account, report, question, names, rows, answer)
            yield Page(table, body, "application/json"), total, offset > total

    def _table(self, account: Account, report: Report, question: _Question, names: list[str], rows: list[dict[str, Any]], answer: dict[str, Any]) -> pa.Table:
        try:
            keys: list[list[Any]] = [_keys(name, [row["dimensions"][i] for row in rows]) for i, name in enumerate(names)]
            values = [[row["metrics"][i] for row in rows] for i in range(len(question.metrics))]
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise drift(report, account, "(rows)", f"do not have the documented shape: {error!r}") from error
        flags: dict[str, Any] = {
            "currency": account.currency,
            "attribution": self._settings.attribution,
            "sampled": bool(answer.get("sampled")),
            "sample_share": _decimal(answer.get("sample_share") or "1"),
            "contains_sensitive_data": bool(answer.get("contains_sensitive_data")),
        }
        if not question.goals:
            columns = dict(zip(names, keys, strict=True)) | {m: _numbers(v) for m, v in zip(VISITED, values, strict=True)}
            return typed(report, account, columns | {"goal_id": [""] * len(rows)} | _repeated(flags, len(rows)), len(rows))
        return pa.concat_tables([self._goal(account, report, goal, names, keys, values[2 * n : 2 * n + 2], flags) for n, goal in enumerate(question.goals)])

    def _goal(
        self, account: Account, report: Report, goal: str, names: list[str], keys: list[list[Any]], values: list[list[str | None]], flags: dict[str, Any]
    ) -> pa.Table:
        """Keep the rows in which a goal was reached or earned anything."""
        kept = [i for i, (reaches, revenue) in enumerate(zip(*values, strict=True)) if _something(reaches) or _something(revenue)]
        columns = {name: [column[i] for i in kept] for name, column in zip(names, keys, strict=True)}
        columns |= {name: _numbers([column[i] for i in kept]) for name, column in zip(GOAL, values, strict=True)}
        return typed(report, account, columns | {"goal_id": [goal] * len(kept)} | _repeated(flags, len(kept)), len(kept))


def _visited(account: Account) -> _Question:
    return _Question(tuple(f"ym:s:ecommerce{account.currency}ConvertedRevenue" if m == "ecommerceRevenue" else f"ym:s:{m}" for m in VISITED))


def _of_goals(account: Account, goals: Sequence[str]) -> Iterator[_Question]:
    for start in range(0, len(goals), GOALS_AT_ONCE):
        some = tuple(goals[start : start + GOALS_AT_ONCE])
        metrics = tuple(f"ym:s:goal{goal}{kind}" for goal in some for kind in ("reaches", f"converted{account.currency}Revenue"))
        yield _Question(metrics, some)


def _read(answer: dict[str, Any], account: Account, report: Report) -> tuple[list[dict[str, Any]], int]:
    rows, total = answer.get("data"), answer.get("total_rows")
    if not isinstance(rows, list) or not str(total).isdecimal():
        raise broken(f"{report.name}: the answer has no data or no total_rows", account.account_id)
    if answer.get("total_rows_rounded"):
        raise _incomplete(account, report, "total_rows is rounded, so completeness cannot be proved")
    return rows, int(str(total))


def _keys(name: str, values: list[dict[str, Any]]) -> list[Any]:
    if name in _IDS:
        return [value.get("id") or value["name"] for value in values]
    if name == "date":
        return [date.fromisoformat(value["name"]) for value in values]
    return [value["name"] for value in values]


def _numbers(values: list[str | None]) -> list[str | None]:
    """Leave numbers as texts; those with more than six decimals or an exponent are rounded to six by Decimal, never by a float."""
    return [v if v is None or (len(v) < 8 and "E" not in v) else str(_decimal(v)) for v in values]


def _decimal(text: str) -> Decimal:
    return Decimal(text).quantize(_SIX)


def _something(text: str | None) -> bool:
    return text is not None and Decimal(text) != 0


def _repeated(flags: dict[str, Any], count: int) -> dict[str, pa.Array]:
    return {name: pa.repeat(pa.scalar(value), count) for name, value in flags.items()}


def _incomplete(account: Account, report: Report, why: str) -> IncompleteAnswer:
    return IncompleteAnswer(
        f"{report.name} is incomplete", platform=report.platform, account_id=account.account_id, why=why, fix="Nothing of it was kept; sync again"
    )
