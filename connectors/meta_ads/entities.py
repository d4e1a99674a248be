"""Ad accounts and the objects below them, edge by edge, to the end of each cursor."""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.meta_ads.columns import WITHIN
from connectors.meta_ads.graph import Answer
from connectors.meta_ads.insights import Insights
from connectors.meta_ads.reports import SHAPES
from domain.catalogue import Report
from domain.errors import IncompleteAnswer, ReportTooLarge
from domain.platforms import Platform

PAGE = 500
_SMALLEST_PAGE = 10

_STATES = {
    "campaigns": ("ACTIVE", "PAUSED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES"),
    "adsets": ("ACTIVE", "PAUSED", "ARCHIVED", "CAMPAIGN_PAUSED", "IN_PROCESS", "WITH_ISSUES"),
    "ads": (
        *("ACTIVE", "PAUSED", "ARCHIVED", "CAMPAIGN_PAUSED", "ADSET_PAUSED", "IN_PROCESS", "WITH_ISSUES"),
        *("PENDING_REVIEW", "DISAPPROVED", "PREAPPROVED", "PENDING_BILLING_INFO"),
    ),
}
"""Without being asked, Meta leaves archived objects out."""


def objects(insights: Insights, account_id: str, report: Report) -> Iterator[Answer]:
    """Yield the pages of an edge of an account. Raises IncompleteAnswer for a cursor that does not move on."""
    edge = SHAPES[report.name].edge
    fields = [WITHIN[c.name][0] + f"{{{WITHIN[c.name][1]}}}" if c.name in WITHIN else c.name for c in report.columns]
    params: dict[str, Any] = {"fields": ",".join(fields)}
    if edge in _STATES:
        params["effective_status"] = list(_STATES[edge])
    yield from listing(insights, (f"act_{account_id}", edge), params, account_id)


def listing(insights: Insights, path: tuple[str, ...], params: Mapping[str, Any], account_id: str = "", limit: int = PAGE) -> Iterator[Answer]:
    """Yield the pages of an edge, following its cursor, in smaller pages where Meta finds one too large."""
    after, seen = "", set[str]()
    while True:
        try:
            answer = insights.call("GET", path, {**params, "limit": limit, **({"after": after} if after else {})}, account_id)
        except ReportTooLarge:
            if limit <= _SMALLEST_PAGE:
                raise
            limit = max(_SMALLEST_PAGE, limit // 4)
            continue
        if not answer.has_rows:
            raise _broken(account_id, "an answer without rows of data")
        yield answer
        paging = answer.paging
        if not paging.get("next"):
            return
        after = str((paging.get("cursors") or {}).get("after", ""))
        if not after or after in seen:
            raise _broken(account_id, "a cursor that does not move on")
        seen.add(after)


def _broken(account_id: str, what: str) -> IncompleteAnswer:
    return IncompleteAnswer(f"Meta sent {what}", platform=str(Platform.META_ADS), account_id=account_id, fix="Sync again")
