"""The Yandex.Direct connector: reports streamed as TSV and proved by their total, entities listed from the JSON API."""

import logging
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import httpx

from connectors.discovery import Discovery, summary
from connectors.patience import Patience
from connectors.rows import empty
from connectors.yandex_direct.goals import in_reports
from connectors.yandex_direct.reports import REPORTS, requested_fields, split_by_goals
from connectors.yandex_direct.service import Service
from connectors.yandex_direct.settings import YandexDirectCredentials, YandexDirectSettings
from connectors.yandex_direct.snapshots import CAMPAIGNS_IN_CALL, GOAL_CAMPAIGNS_IN_CALL, KEYS, batches, params, priority_goals, rows_of
from connectors.yandex_direct.tsv import Tsv
from domain.catalogue import Account, CheckResult, Page, Report
from domain.clock import Clock
from domain.errors import AuthorizationExpired, IncompleteAnswer, MrmError, PermissionDenied, RateLimited, ReportTooLarge, RequestRejected, SourceError
from domain.platforms import Platform
from domain.windows import DateWindow

TSV_TYPE, JSON_TYPE = "text/tab-separated-values", "application/json"
MOST_ROWS = 1_000_000
"""Rows that one report can hold; a fuller one has been cut off."""

CHANGES_IN_CALL = 3_000
"""The most campaigns that Changes.check takes."""

SCOPE = "direct:api"
_CLIENT_FIELDS = ("Login", "ClientId", "ClientInfo", "Currency", "Archived", "Type", "VatRate")
_CLIENT_PAGE = 2000
_log = logging.getLogger(__name__)


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
        self._campaigns: dict[str, list[tuple[list[Mapping[str, Any]], bytes]]] = {}
        self._borders: dict[tuple[str, date], date | None] = {}

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

        The last page carries the proof: Direct's own `Total rows: N`, which equals the rows, or the end of a list without
        LimitedBy. A report that Direct finds too heavy (502), or that is cut off at a million rows, is read in two halves of the window.
        """
        if not report.date_column:
            yield from _with_proof(self._snapshot(account, report), report, "the list ends without LimitedBy")
            return
        portions: list[list[str]] = list(in_reports(self._goals(account))) if split_by_goals(report) else [[]]
        if not portions:
            yield Page(empty(report), b"", TSV_TYPE, "the campaigns work for no goal, so there is nothing to split")
            return
        held: Page | None = None
        totals: list[int] = []
        for goals in portions:
            for page, total in self._windows(account, report, window, goals):
                if held is not None:
                    yield held
                held = page
                totals += [] if total is None else [total]
        held = held or Page(empty(report), b"", TSV_TYPE)
        parts = f" in {len(totals)} reports" if len(totals) > 1 else ""
        yield replace(held, proof=f"Total rows: {sum(totals)}{parts}")

    def lookback_days(self, account: Account, report: Report) -> int:
        """Reach back to the first date whose statistics Direct itself calls changed, and never less than the goal window.

        Changes.check knows of corrections (click fraud) but not of goals attributed later. Where it does not answer, the window alone counts.
        """
        today = self._clock.today(account.timezone)
        if (account.account_id, today) not in self._borders:
            self._borders[account.account_id, today] = self._border(account, today)
        border = self._borders[account.account_id, today]
        changed = (today - border).days + 1 if border else 0
        return max(self._settings.goal_window_days, changed)

    def least_lookback_days(self, report: Report) -> int:
        """Return the goal window, or what of it the report looks back."""
        return min(self._settings.goal_window_days, report.lookback_days)

    def check(self) -> CheckResult:
        """Say in words what the credential can do, and how many units are left. Does not raise for a refused token."""
        try:
            found = self.discover()
            login = found.accounts[0].account_id if found.accounts else ""
            self._service.method("clients", {"FieldNames": ["Login"]}, login)
        except MrmError as error:
            return CheckResult(False, str(error), missing_scopes=(SCOPE,) if isinstance(error, PermissionDenied) else ())
        quota = self.quota()
        message = summary(found, "Yandex.Direct", "clients", {"version": self._settings.api_version, **quota})
        return CheckResult(bool(found.accounts), message, tuple(found.accounts), (), quota)

    def quota(self) -> dict[str, str]:
        """Return the units that each login has left, as the newest answers said."""
        return {f"units of {login}": str(units) for login, units in sorted(self._service.units.items())}

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def _windows(self, account: Account, report: Report, window: DateWindow, goals: Sequence[str]) -> Iterator[tuple[Page, int | None]]:
        """Read a window in one report, or in halves where Direct cannot; the total comes with each report's last page."""
        began = False
        try:
            for page, total in self._report(account, report, window, goals):
                began = True
                yield page, total
            return
        except ReportTooLarge:
            if began or window.days == 1:
                raise
        for half in window.chunks((window.days + 1) // 2):
            yield from self._windows(account, report, half, goals)

    def _report(self, account: Account, report: Report, window: DateWindow, goals: Sequence[str]) -> Iterator[tuple[Page, int | None]]:
        tsv = Tsv(report, account, self._settings.include_vat, goals)
        held: Page | None = None
        definition = self._definition(report, window, goals)
        with self._service.report(definition, account.account_id) as chunks:
            for rows, body in tsv.pieces(chunks):
                if held is not None:
                    yield held, None
                held = Page(rows, body, TSV_TYPE)
        if tsv.rows >= MOST_ROWS:
            self._refuse_a_cut(account, report, window, goals, tsv.rows)
        assert held is not None, "a report that ends well has a last piece"
        yield replace(held, notes=tsv.notes), tsv.total

    def _refuse_a_cut(self, account: Account, report: Report, window: DateWindow, goals: Sequence[str], offset: int) -> None:
        """Ask for the row after the last possible one: a report that is full may have been cut off. Raises ReportTooLarge when it was."""
        beyond = Tsv(report, account, self._settings.include_vat, goals)
        definition = {**self._definition(report, window, goals), "Page": {"Limit": 1, "Offset": offset}}
        with self._service.report(definition, account.account_id) as chunks:
            for _ in beyond.pieces(chunks):
                pass
        if beyond.rows:
            raise ReportTooLarge(
                f"{report.name} {window} is cut off at {offset} rows",
                platform=self.platform,
                account_id=account.account_id,
                fix="Ask for a shorter window with --since and --until",
            )

    def _definition(self, report: Report, window: DateWindow, goals: Sequence[str]) -> dict[str, Any]:
        """Define the report; its name is unique to this pull, because Direct answers a known name with the old file for five hours.

        The name also keeps the VAT flag, so that the landed bytes say all that the rows do.
        """
        split = {"Goals": list(goals), "AttributionModels": self._settings.attribution_models.split(",")} if goals else {}
        return {
            "SelectionCriteria": {"DateFrom": str(window.since), "DateTo": str(window.until)},
            **split,
            "FieldNames": requested_fields(report),
            "ReportName": f"mrm {report.name} {window} VAT {self._settings.include_vat} {uuid.uuid4().hex}",
            "ReportType": report.source,
            "DateRangeType": "CUSTOM_DATE",
            "Format": "TSV",
            "IncludeVAT": self._settings.include_vat,
        }

    def _snapshot(self, account: Account, report: Report) -> Iterator[Page]:
        for body in self._bodies(account, report):
            yield Page(rows_of(report, account, body), body, JSON_TYPE)

    def _bodies(self, account: Account, report: Report) -> Iterator[bytes]:
        """Yield the exact answers that list the report's entities."""
        if report.name == "accounts":
            yield self._one_client(account)
        elif report.name == "campaigns":
            yield from (body for _, body in self._campaign_pages(account))
        elif report.name == "goals":
            for some in batches(self._campaign_ids(account), GOAL_CAMPAIGNS_IN_CALL):
                yield self._service.goals(some, account.account_id)
        else:
            service = report.source.removesuffix(".get")
            for some in batches(self._campaign_ids(account), CAMPAIGNS_IN_CALL):
                yield from (body for _, body in self._listed(account, service, some))

    def _one_client(self, account: Account) -> bytes:
        result, body, _ = self._service.method("clients", {"FieldNames": list(_CLIENT_FIELDS)}, account.account_id)
        rows = result.get("Clients") or []
        if len(rows) != 1:
            raise IncompleteAnswer(f"clients.get answered {len(rows)} clients", platform=self.platform, account_id=account.account_id, fix="Sync again")
        return body

    def _listed(self, account: Account, service: str, campaigns: Sequence[str] | None) -> Iterator[tuple[list[Mapping[str, Any]], bytes]]:
        """Yield the pages of a service with their exact bytes, until an answer carries no LimitedBy."""
        offset = 0
        while True:
            asked = params(service, self._settings.entities_version, campaigns, offset)
            result, body, _ = self._service.method(service, asked, account.account_id)
            yield result.get(KEYS[service]) or [], body
            if not result.get("LimitedBy"):
                return
            offset = self._further(result, offset, account.account_id)

    def _further(self, result: Mapping[str, Any], offset: int, login: str) -> int:
        """Return where the next page begins. Raises IncompleteAnswer where that is no further on: the pages would never end."""
        found = int(result["LimitedBy"])
        if found <= offset:
            raise IncompleteAnswer(
                f"Direct sent a LimitedBy that does not move on: {found} after {offset}", platform=self.platform, account_id=login, fix="Sync again"
            )
        return found

    def _campaign_pages(self, account: Account) -> list[tuple[list[Mapping[str, Any]], bytes]]:
        """Return the account's campaigns, listed once for as long as this connector lives."""
        if account.account_id not in self._campaigns:
            self._campaigns[account.account_id] = list(self._listed(account, "campaigns", None))
        return self._campaigns[account.account_id]

    def _campaign_ids(self, account: Account) -> list[str]:
        return [str(item["Id"]) for items, _ in self._campaign_pages(account) for item in items]

    def _goals(self, account: Account) -> list[str]:
        """Return the goals that conversions are split by: those of the settings, else those that the campaigns work for."""
        if self._settings.goals:
            return self._settings.goals.split(",")
        return sorted({goal for items, _ in self._campaign_pages(account) for item in items for goal in priority_goals(item)})

    def _border(self, account: Account, today: date) -> date | None:
        """Return the first date whose statistics changed within the goal window, by Direct's own word; None where it has none."""
        since = today - timedelta(days=self._settings.goal_window_days)
        found: list[date] = []
        try:
            for some in batches([c for c in self._campaign_ids(account) if c.isdecimal()], CHANGES_IN_CALL):
                asked = {"CampaignIds": [int(c) for c in some], "FieldNames": ["CampaignsStat"], "Timestamp": f"{since}T00:00:00Z"}
                result, _, _ = self._service.method("changes", asked, account.account_id, "check")
                changed = (result.get("Modified") or {}).get("CampaignsStat") or []
                found += [date.fromisoformat(str(campaign["BorderDate"])[:10]) for campaign in changed]
        except (AuthorizationExpired, PermissionDenied, RateLimited):
            raise
        except (SourceError, ValueError, KeyError) as error:
            _log.warning("%s: Changes.check gives no BorderDate, %s days are pulled again: %s", account.account_id, self._settings.goal_window_days, error)
            return None
        return min(found, default=None)

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
            asked = {"SelectionCriteria": {}, "FieldNames": fields, "Page": {"Limit": _CLIENT_PAGE, "Offset": offset}}
            result, _, _ = self._service.method("agencyclients", asked)
            yield from result.get("Clients") or []
            if not result.get("LimitedBy"):
                return
            offset = self._further(result, offset, "")

    def _account(self, login: str, row: Mapping[str, Any]) -> Account:
        return Account(
            platform=self.platform,
            account_id=login,
            name=str(row.get("ClientInfo") or login),
            currency=str(row.get("Currency", "")),
            timezone=self._settings.timezone,
        )


def _with_proof(pages: Iterator[Page], report: Report, proof: str) -> Iterator[Page]:
    """Yield the pages, the last one with the proof and the number of rows that it stands for."""
    held = Page(empty(report), b"", JSON_TYPE)
    rows, first = 0, True
    for page in pages:
        if not first:
            yield held
        held, first = page, False
        rows += page.rows.num_rows
    yield replace(held, proof=f"{rows} rows, {proof}")
