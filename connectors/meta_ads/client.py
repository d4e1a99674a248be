"""The Meta Ads connector: insights by asynchronous jobs, made smaller by dates, campaigns and fields where Meta asks for it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pyarrow as pa

from connectors.discovery import Discovery, summary
from connectors.meta_ads.graph import Answer, Graph
from connectors.meta_ads.insights import Insights, Job
from connectors.meta_ads.reports import REPORTS
from connectors.meta_ads.settings import MetaAdsCredentials, MetaAdsSettings
from connectors.patience import Patience
from connectors.rows import drift, empty, typed
from domain.catalogue import Account, CheckResult, Page, Report
from domain.clock import Clock
from domain.errors import IncompleteAnswer, MrmError, ReportTooLarge
from domain.platforms import Level, Platform
from domain.windows import DateWindow

CONTENT_TYPE = "application/json"

_JSON_COLUMNS = frozenset({"actions", "action_values"})
_FIELD_GROUPS = (("impressions", "clicks", "spend"), ("actions",), ("action_values",))
"""The last split: the metrics of one request, in groups that are read one after the other and joined by key."""
_DISABLED = {2: "disabled", 101: "closed"}
_ACCOUNT_PAGE = 200

JOBS_AHEAD = 3
"""Jobs of one report that may run at the same time."""

_print_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class MetaAds:
    """Meta Marketing API insights. Rows leave here exactly as Meta sent them."""

    platform = str(Platform.META_ADS)
    reports: Mapping[str, Report] = {r.name: r for r in REPORTS}

    def __init__(self, credentials: MetaAdsCredentials, settings: MetaAdsSettings, clock: Clock, patience: Patience | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._graph = Graph(credentials, settings)
        patience = patience or Patience(budget=settings.wait_budget_seconds, job_budget=settings.job_budget_seconds)
        self._insights = Insights(self._graph, patience, settings.page_rows)

    def accounts(self) -> list[Account]:
        """List the ad accounts that the token reads, each once; disabled and closed ones are left out."""
        return self.discover().accounts

    def discover(self) -> Discovery:
        """List the ad accounts and say in words which were left out and why."""
        found: dict[str, Account] = {}
        left_out: dict[str, str] = {}
        fields = ",".join(c.name for c in self.reports["accounts"].columns)
        for row in self._listing(("me", "adaccounts"), {"fields": fields, "limit": _ACCOUNT_PAGE}):
            account_id = str(row.get("account_id", "")).removeprefix("act_")
            status = row.get("account_status", 1)
            if status in _DISABLED:
                left_out[account_id] = f"it is {_DISABLED[status]}"
                continue
            found[account_id] = Account(
                platform=self.platform,
                account_id=account_id,
                name=str(row.get("name") or account_id),
                currency=str(row.get("currency", "")),
                timezone=str(row.get("timezone_name", "")),
            )
        return Discovery(sorted(found.values(), key=lambda a: a.account_id), left_out)

    def pages(self, account: Account, report: Report, window: DateWindow) -> Iterator[Page]:
        """Yield one page of raw rows at a time; `window.until` is inclusive, in the account's time zone.

        The last page carries the proof: every job completed and every cursor exhausted.
        Raises RateLimited with Meta's own pause, AuthorizationExpired, or ReportTooLarge once splitting cannot help.
        """
        if not report.date_column:
            yield self._snapshot(account, report)
            return
        held: Page | None = None
        pages = rows = 0
        days = window.days if report.level is Level.ACCOUNT else self._settings.window_days
        for page in self._in_parts(account, report, [Job.of(account.account_id, report, part) for part in window.chunks(days)]):
            if held is not None:
                yield held
            held = page
            pages += 1
            rows += page.rows.num_rows
        held = held or Page(empty(report), b"", CONTENT_TYPE)
        yield replace(held, proof=f"every job completed and every cursor exhausted: {rows} rows in {pages} pages")

    def check(self) -> CheckResult:
        """Say in words what the credential can do. Does not raise for a refused token."""
        try:
            granted = {row.get("permission") for row in self._listing(("me", "permissions"), {}) if row.get("status") == "granted"}
            found = self.discover()
        except MrmError as error:
            return CheckResult(False, str(error))
        missing = () if granted & {"ads_read", "ads_management"} else ("ads_read",)
        message = summary(found, "Meta", "ad accounts", {"version": self._graph.version})
        return CheckResult(bool(found.accounts) and not missing, message, tuple(found.accounts), missing)

    def close(self) -> None:
        """Close the session."""
        self._graph.close()

    def _in_parts(self, account: Account, report: Report, jobs: list[Job]) -> Iterator[Page]:
        """Read the jobs in turn; the next ones are started already, since a job may take long."""
        pool = ThreadPoolExecutor(2, thread_name_prefix="meta")
        try:
            started = {job: pool.submit(self._insights.start, job) for job in jobs[:JOBS_AHEAD]}
            for number, job in enumerate(jobs):
                yield from self._read(account, report, job, pool, started.pop(job))
                for following in jobs[number + 1 : number + 1 + JOBS_AHEAD]:
                    if following not in started:
                        started[following] = pool.submit(self._insights.start, following)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _read(self, account: Account, report: Report, job: Job, pool: Executor, started: Future[str] | None = None) -> Iterator[Page]:
        """Read one job; where Meta finds it too large, read smaller ones: by dates, then campaigns, then fields."""
        began = False
        try:
            for answer in self._insights.read(job, pool, started):
                began = True
                yield Page(_table(answer.json["data"], report, account), answer.body, CONTENT_TYPE)
            return
        except ReportTooLarge:
            if began:
                raise
            smaller = self._smaller(job, pool)
            if not smaller and not _divisible(job):
                raise
        if smaller:
            for part in smaller:
                yield from self._read(account, report, part, pool)
        else:
            yield self._by_fields(account, report, job, pool)

    def _smaller(self, job: Job, pool: Executor) -> tuple[Job, ...]:
        """Split a job by dates, or a single day by its campaigns; nothing when neither is possible."""
        if job.window.days > 1:
            return job.halves()
        if job.level is Level.ACCOUNT or len(job.campaign_ids) == 1:
            return ()
        ids = job.campaign_ids or self._campaigns(job, pool)
        if len(ids) < 2:
            return ()
        middle = len(ids) // 2
        return replace(job, campaign_ids=ids[:middle]), replace(job, campaign_ids=ids[middle:])

    def _campaigns(self, job: Job, pool: Executor) -> tuple[str, ...]:
        """List the campaigns that have insights on the job's day, archived and deleted ones included."""
        listing = replace(job, level=Level.CAMPAIGN, fields=("campaign_id",))
        return tuple(sorted({str(row["campaign_id"]) for answer in self._insights.read(listing, pool) for row in answer.json["data"]}))

    def _by_fields(self, account: Account, report: Report, job: Job, pool: Executor) -> Page:
        """Read the metrics in groups and join them by the report's key; a row may lack a group, as Meta leaves absent metrics out."""
        dimensions = tuple(f for f in job.fields if not any(f in group for group in _FIELD_GROUPS))
        rows: dict[tuple[str, ...], dict[str, Any]] = {}
        bodies: list[bytes] = []
        for group in _FIELD_GROUPS:
            for answer in self._insights.read(replace(job, fields=(*dimensions, *group)), pool):
                bodies.append(answer.body)
                for row in answer.json["data"]:
                    rows.setdefault(tuple(str(row.get(k)) for k in report.key), {}).update(row)
        return Page(_table(list(rows.values()), report, account), b"\n".join(bodies), CONTENT_TYPE)

    def _snapshot(self, account: Account, report: Report) -> Page:
        fields = ",".join(c.name for c in report.columns)
        answer = self._insights.call("GET", (f"act_{account.account_id}",), {"fields": fields}, account.account_id)
        return Page(_table([answer.json], report, account), answer.body, CONTENT_TYPE, "one answer for one account")

    def _listing(self, path: tuple[str, ...], params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the rows of an edge, following its cursor."""
        after, seen = "", set[str]()
        while True:
            answer: Answer = self._insights.call("GET", path, {**params, **({"after": after} if after else {})}, "")
            yield from answer.json.get("data") or []
            paging = answer.json.get("paging") or {}
            if not paging.get("next"):
                return
            after = str((paging.get("cursors") or {}).get("after", ""))
            if not after or after in seen:
                raise IncompleteAnswer("Meta sent a cursor that does not move on", platform=self.platform, fix="Sync again")
            seen.add(after)


def _divisible(job: Job) -> bool:
    """Tell whether the job still asks for more than one group of metrics."""
    return sum(any(f in group for f in job.fields) for group in _FIELD_GROUPS) > 1


def _table(rows: Iterable[Mapping[str, Any]], report: Report, account: Account) -> pa.Table:
    """Return one answer's rows in the report's schema; fields that we did not ask for stay in the bytes."""
    rows = list(rows)
    columns: dict[str, list[Any] | None] = {}
    for column in report.columns:
        values = [row.get(column.name) for row in rows]
        columns[column.name] = _texts(report, account, column.name, values) if column.name in _JSON_COLUMNS else values
    return typed(report, account, columns, len(rows))


def _texts(report: Report, account: Account, name: str, values: list[Any]) -> list[str | None]:
    """Keep lists of actions as JSON text, an absent one as NULL."""
    if any(not isinstance(v, list | None) for v in values):
        raise drift(report, account, name, "is no list of actions")
    return [None if v is None else _print_json(v) for v in values]
