"""The Yandex.Direct connector: reports streamed as TSV and proved by their total, clients from the JSON API."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx

from connectors.discovery import Discovery, summary
from connectors.patience import Patience
from connectors.rows import empty, typed
from connectors.yandex_direct.reports import REPORTS, requested_fields
from connectors.yandex_direct.service import Service
from connectors.yandex_direct.settings import YandexDirectCredentials, YandexDirectSettings
from connectors.yandex_direct.tsv import Tsv
from domain.catalogue import Account, CheckResult, Page, Report
from domain.clock import Clock
from domain.errors import IncompleteAnswer, MrmError, PermissionDenied, ReportTooLarge, RequestRejected
from domain.platforms import Platform
from domain.windows import DateWindow

TSV_TYPE = "text/tab-separated-values"
MOST_ROWS = 1_000_000
"""Rows that one report can hold; a fuller one has been cut off."""

_CLIENT_FIELDS = ("Login", "ClientId", "ClientInfo", "Currency", "Archived")
_CLIENT_PAGE = 2000


class YandexDirect:
    """Yandex.Direct behind one token. Rows leave here exactly as Direct sent them, with the VAT flag of the request beside them."""

    platform = str(Platform.YANDEX_DIRECT)
    reports: Mapping[str, Report] = {r.name: r for r in REPORTS}

    def __init__(
        self,
        credentials: YandexDirectCredentials,
        settings: YandexDirectSettings,
        clock: Clock,
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        patience = patience or Patience(budget=settings.wait_budget_seconds, job_budget=settings.job_budget_seconds)
        self._service = Service(credentials, settings, patience, transport)

    def accounts(self) -> list[Account]:
        """List the clients that the token reads: an agency's clients, or the advertiser itself; archived ones are left out."""
        return self.discover().accounts

    def discover(self) -> Discovery:
        """List the clients and say in words which were left out and why."""
        found = Discovery()
        for row in self._clients():
            login = str(row["Login"])
            if str(row.get("Archived", "NO")) == "YES":
                found.left_out[login] = "it is archived"
                continue
            found.accounts.append(self._account(login, row))
        found.accounts.sort(key=lambda a: a.account_id)
        return found

    def pages(self, account: Account, report: Report, window: DateWindow) -> Iterator[Page]:
        """Yield the report's rows as they stream in; `window` is inclusive, in the account's time zone.

        The last page carries Direct's own `Total rows: N`, which equals the rows. A report that Direct finds too heavy
        (502), or that is cut off at a million rows, is read in two halves of the window.
        """
        if not report.date_column:
            yield self._snapshot(account, report)
            return
        held: Page | None = None
        totals: list[int] = []
        for page, total in self._windows(account, report, window):
            if held is not None:
                yield held
            held = page
            totals += [] if total is None else [total]
        held = held or Page(empty(report), b"", TSV_TYPE)
        parts = f" in {len(totals)} reports" if len(totals) > 1 else ""
        yield replace(held, proof=f"Total rows: {sum(totals)}{parts}")

    def check(self) -> CheckResult:
        """Say in words what the credential can do. Does not raise for a refused token."""
        try:
            found = self.discover()
            login = found.accounts[0].account_id if found.accounts else ""
            _, _, headers = self._service.method("clients", {"FieldNames": ["Login"]}, login)
        except MrmError as error:
            return CheckResult(False, str(error))
        quota = {"units": headers["Units"]} if "Units" in headers else {}
        message = summary(found, "Yandex.Direct", "clients", {"version": self._settings.api_version, **quota})
        return CheckResult(bool(found.accounts), message, tuple(found.accounts), (), quota)

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def _windows(self, account: Account, report: Report, window: DateWindow) -> Iterator[tuple[Page, int | None]]:
        """Read a window in one report, or in halves where Direct cannot; the total comes with each report's last page."""
        began = False
        try:
            for page, total in self._report(account, report, window):
                began = True
                yield page, total
            return
        except ReportTooLarge:
            if began or window.days == 1:
                raise
        halves = tuple(window.chunks((window.days + 1) // 2))
        for half in halves:
            yield from self._windows(account, report, half)

    def _report(self, account: Account, report: Report, window: DateWindow) -> Iterator[tuple[Page, int | None]]:
        tsv = Tsv(report, account, self._settings.include_vat)
        held: Page | None = None
        with self._service.report(self._definition(report, window), account.account_id) as chunks:
            for rows, body in tsv.pieces(chunks):
                if held is not None:
                    yield held, None
                held = Page(rows, body, TSV_TYPE)
        if tsv.rows >= MOST_ROWS:
            self._refuse_a_cut(account, report, window, tsv.rows)
        assert held is not None, "a report that ends well has a last piece"
        yield held, tsv.total

    def _refuse_a_cut(self, account: Account, report: Report, window: DateWindow, offset: int) -> None:
        """Ask for the row after the last possible one: a report that is full may have been cut off. Raises ReportTooLarge when it was."""
        beyond = Tsv(report, account, self._settings.include_vat)
        definition = {**self._definition(report, window), "Page": {"Limit": 1, "Offset": offset}}
        with self._service.report(definition, account.account_id) as chunks:
            rows = sum(table.num_rows for table, _ in beyond.pieces(chunks))
        if rows:
            raise ReportTooLarge(
                f"{report.name} {window} is cut off at {offset} rows",
                platform=self.platform,
                account_id=account.account_id,
                fix="Ask for a shorter window with --since and --until",
            )

    def _definition(self, report: Report, window: DateWindow) -> dict[str, Any]:
        """Define the report; its name is unique to this pull, because Direct answers a known name with the old file for five hours."""
        return {
            "SelectionCriteria": {"DateFrom": str(window.since), "DateTo": str(window.until)},
            "FieldNames": requested_fields(report),
            "ReportName": f"mrm {report.name} {window} {uuid.uuid4().hex}",
            "ReportType": report.source,
            "DateRangeType": "CUSTOM_DATE",
            "Format": "TSV",
            "IncludeVAT": self._settings.include_vat,
        }

    def _snapshot(self, account: Account, report: Report) -> Page:
        result, body, _ = self._service.method("clients", {"FieldNames": list(_CLIENT_FIELDS)}, account.account_id)
        rows = result.get("Clients") or []
        if len(rows) != 1:
            raise IncompleteAnswer(f"clients.get answered {len(rows)} clients", platform=self.platform, account_id=account.account_id, fix="Sync again")
        row = rows[0]
        columns: dict[str, list[object]] = {
            "Login": [account.account_id],
            "ClientInfo": [row.get("ClientInfo")],
            "Currency": [row.get("Currency")],
            "Timezone": [account.timezone],
            "Archived": [str(row.get("Archived", "NO")) == "YES"],
        }
        return Page(typed(report, account, columns, 1), body, "application/json", "one client for one login")

    def _clients(self) -> Iterator[dict[str, Any]]:
        """Yield the clients: the configured login's, else an agency's, else the advertiser itself."""
        fields = list(_CLIENT_FIELDS)
        if self._settings.client_login:
            yield from self._service.method("clients", {"FieldNames": fields}, self._settings.client_login)[0].get("Clients") or []
            return
        try:
            yield from self._agency_clients(fields)
        except (PermissionDenied, RequestRejected):
            yield from self._service.method("clients", {"FieldNames": fields})[0].get("Clients") or []

    def _agency_clients(self, fields: list[str]) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            params = {"SelectionCriteria": {}, "FieldNames": fields, "Page": {"Limit": _CLIENT_PAGE, "Offset": offset}}
            result, _, _ = self._service.method("agencyclients", params)
            yield from result.get("Clients") or []
            if not result.get("LimitedBy"):
                return
            offset = int(result["LimitedBy"])

    def _account(self, login: str, row: Mapping[str, Any]) -> Account:
        return Account(
            platform=self.platform,
            account_id=login,
            name=str(row.get("ClientInfo") or login),
            currency=str(row.get("Currency", "")),
            timezone=self._settings.timezone,
        )
