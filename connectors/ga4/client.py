"""The GA4 connector: runReport page by page in a fixed order, held against rowCount, split where GA4 would sample."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt

from connectors.discovery import Discovery, summary
from connectors.ga4.answers import Answer, property_row, read_answer, short
from connectors.ga4.errors import SCOPE
from connectors.ga4.reports import QUERIES, REPORTS, Query
from connectors.ga4.service import Service, parse
from connectors.ga4.settings import Ga4Credentials, Ga4Settings
from connectors.patience import Patience
from domain.catalogue import Account, CheckResult, Page, Report
from domain.clock import Clock
from domain.errors import MrmError, PermissionDenied, RateLimited, SourceError, TransientFailure
from domain.platforms import Platform
from domain.windows import DateWindow

CONTENT_TYPE = "application/json"
ATTEMPTS = 3
"""Server errors burn a quota of ten an hour: fewer tries than elsewhere."""


class Ga4:
    """Google Analytics 4 reports. Rows leave here as the Data API names and prints them, its doubts about them beside each."""

    platform = str(Platform.GA4)
    reports: Mapping[str, Report] = {r.name: r for r in REPORTS}

    def __init__(
        self,
        credentials: Ga4Credentials,
        settings: Ga4Settings,
        clock: Clock,
        patience: Patience | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._service = Service(credentials, settings, clock, patience or Patience(attempts=ATTEMPTS, budget=settings.wait_budget_seconds), transport)
        self._refused: dict[str, SourceError] = {}
        self._quota: dict[str, int] = {}

    def accounts(self) -> list[Account]:
        """List the properties that the login reads, each once."""
        return self.discover().accounts

    def discover(self) -> Discovery:
        """List the properties with their currency and time zone.

        One whose resource is refused, out of quota or out of order stays in the list, and its pull fails with that: the others go on.
        """
        listed = self._settings.listed_properties
        names = {i: i for i in listed} if listed else {_id(s["property"]): str(s.get("displayName") or "") for s in self._service.summaries()}
        found = Discovery()
        self._refused.clear()
        for property_id in sorted(names):
            try:
                found.accounts.append(self._account(property_id, names[property_id], described=not listed))
            except (PermissionDenied, RateLimited, TransientFailure) as error:
                self._refused[property_id] = error
                found.accounts.append(Account(self.platform, property_id, names[property_id] or property_id, "", "UTC", status="refused"))
        return found

    def pages(self, account: Account, report: Report, window: DateWindow) -> Iterator[Page]:
        """Yield one page of raw rows at a time; `window.until` is inclusive, in the property's time zone.

        The last page carries the proof: every key once, and as many rows as each report's rowCount promised.
        Raises RateLimited with the pause that GA4's words come to, AuthorizationExpired, PermissionDenied.
        """
        if account.account_id in self._refused:
            raise self._refused[account.account_id]
        if not report.date_column:
            yield self._snapshot(account, report)
            return
        held: Page | None = None
        rows = 0
        for part in window.chunks(self._settings.window_days):
            for page in self._unsampled(account, report, part):
                if held is not None:
                    yield held
                held = page
                rows += page.rows.num_rows
        assert held is not None, "a window has at least one part, and a part at least one page"
        yield replace(held, proof=f"rowCount reached and every key once: {rows} rows")

    def check(self) -> CheckResult:
        """Say in words what the login can do, and what one small report says of its quota. Does not raise for a refused token."""
        try:
            found = self.discover()
            if found.accounts and not self._refused:
                self._probe(found.accounts[0].account_id)
        except PermissionDenied as error:
            missing = (SCOPE,) if "scope" in error.what else ()
            return CheckResult(False, str(error), missing_scopes=missing)
        except MrmError as error:
            return CheckResult(False, str(error))
        open_ = [a for a in found.accounts if a.account_id not in self._refused]
        words = summary(Discovery(open_), "GA4", "properties", {"version": self._settings.api_version})
        scopeless = any("scope" in e.what for e in self._refused.values())
        message = "; ".join([words, *(str(e) for e in self._refused.values())])
        return CheckResult(bool(open_) and not self._refused, message, tuple(open_), (SCOPE,) if scopeless else (), self.quota())

    def quota(self) -> dict[str, str]:
        """Return what the newest report said is left of its property's quotas."""
        return {name: f"{left} left" for name, left in self._quota.items()}

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def _account(self, property_id: str, name: str, *, described: bool) -> Account:
        """Describe a property by the Admin API, or where that is not to be asked by what an empty report says of it."""
        if described:
            resource, _ = self._service.property(property_id)
            currency, zone = resource.get("currencyCode"), resource.get("timeZone")
            name = str(resource.get("displayName") or name or property_id)
        else:
            said = self._probe(property_id)
            currency, zone = said.get("currencyCode"), said.get("timeZone")
        return Account(self.platform, property_id, name or property_id, str(currency or ""), str(zone or ""))

    def _probe(self, property_id: str) -> Mapping[str, Any]:
        """Ask for yesterday's sessions and return the metadata of the answer."""
        body = {
            "dateRanges": [{"startDate": "yesterday", "endDate": "yesterday"}],
            "metrics": [{"name": "sessions"}],
            "limit": "1",
            "returnPropertyQuota": True,
        }
        answer, _ = self._service.report(property_id, body, lambda content: parse(content, property_id))
        self._quota = {name: int(status.get("remaining") or 0) for name, status in (answer.get("propertyQuota") or {}).items()}
        return answer.get("metadata") or {}

    def _unsampled(self, account: Account, report: Report, window: DateWindow) -> Iterator[Page]:
        """Read a window; one that GA4 answers from a sample is read in halves, down to single days, which keep their flag."""
        first, body = self._ask(account, report, window, 0)
        if first.sampled and window.days > 1:
            for half in window.chunks((window.days + 1) // 2):
                yield from self._unsampled(account, report, half)
            return
        yield from self._paged(account, report, window, first, body)

    def _paged(self, account: Account, report: Report, window: DateWindow, first: Answer, body: bytes) -> Iterator[Page]:
        answer, promised, rows = first, first.row_count, 0
        keys: list[npt.NDArray[np.int64]] = []
        while True:
            rows += answer.rows.num_rows
            keys.append(answer.keys)
            yield Page(answer.rows, body, CONTENT_TYPE)
            if rows >= promised or not answer.rows.num_rows:
                break
            answer, body = self._ask(account, report, window, rows)
            if answer.row_count != promised:
                raise short(rows + answer.rows.num_rows, answer.row_count, report, account)
        distinct = np.unique(np.concatenate(keys)).size
        if rows != promised or distinct != rows:
            raise short(min(rows, distinct), promised, report, account)

    def _ask(self, account: Account, report: Report, window: DateWindow, offset: int) -> tuple[Answer, bytes]:
        """Read one page, and remember the quota that it tells of."""
        query = QUERIES[report.name]
        asked = _request(query, window, offset, self._settings.page_rows)
        answer, body = self._service.report(account.account_id, asked, lambda content: read_answer(content, query, report, account))
        self._quota = answer.quota or self._quota
        return answer, body

    def _snapshot(self, account: Account, report: Report) -> Page:
        if self._settings.listed_properties:
            said = self._probe(account.account_id)
            resource: Mapping[str, Any] = {"displayName": account.name, **said}
            body = b""
        else:
            resource, body = self._service.property(account.account_id)
        return Page(property_row(report, account, resource), body, CONTENT_TYPE, "one answer for one property")


def _request(query: Query, window: DateWindow, offset: int, limit: int) -> dict[str, Any]:
    """Return the body of runReport, ordered by every dimension: pages of an unordered report may overlap."""
    body: dict[str, Any] = {
        "dateRanges": [{"startDate": window.since.isoformat(), "endDate": window.until.isoformat()}],
        "dimensions": [{"name": n} for n in query.dimensions],
        "metrics": [{"name": n} for n in query.metrics],
        "orderBys": [{"dimension": {"dimensionName": n, "orderType": "ALPHANUMERIC"}} for n in query.dimensions],
        "limit": str(limit),
        "offset": str(offset),
        "keepEmptyRows": False,
        "returnPropertyQuota": True,
    }
    if query.key_events_only:
        body["dimensionFilter"] = {"filter": {"fieldName": "isKeyEvent", "stringFilter": {"matchType": "EXACT", "value": "true"}}}
    return body


def _id(resource: object) -> str:
    return str(resource).removeprefix("properties/")
