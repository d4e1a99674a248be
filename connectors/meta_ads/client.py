"""The Meta Ads connector: insights by asynchronous jobs, made smaller by dates, campaigns and fields where Meta asks for it."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace

from connectors.discovery import Discovery, summary
from connectors.meta_ads.entities import listing, objects
from connectors.meta_ads.graph import Answer, Graph
from connectors.meta_ads.insights import Insights
from connectors.meta_ads.jobs import Job, jobs
from connectors.meta_ads.parsing import Notes, table
from connectors.meta_ads.permissions import permissions
from connectors.meta_ads.reports import REPORTS, SHAPES
from connectors.meta_ads.settings import MetaAdsCredentials, MetaAdsSettings
from connectors.patience import Patience, carried
from connectors.rows import empty
from domain.catalogue import Account, CheckResult, Page, Report
from domain.clock import Clock
from domain.errors import MrmError, ReportTooLarge
from domain.platforms import Platform
from domain.windows import DateWindow

CONTENT_TYPE = "application/json"

_DISABLED = {2: "disabled", 101: "closed"}
_ACCOUNT_PAGE = 200

JOBS_AHEAD = 3
"""Jobs of one report that may run at the same time."""


class MetaAds:
    """Meta Marketing API insights. Rows leave here exactly as Meta sent them."""

    platform = str(Platform.META_ADS)
    reports: Mapping[str, Report] = {r.name: r for r in REPORTS}

    def __init__(self, credentials: MetaAdsCredentials, settings: MetaAdsSettings, clock: Clock, patience: Patience | None = None) -> None:
        self._settings, self._credentials = settings, credentials
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
        pages = listing(self._insights, ("me", "adaccounts"), {"fields": fields}, limit=_ACCOUNT_PAGE)
        for row in (row for answer in pages for row in answer.json["data"]):
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

        The last page carries the proof: every job completed and every cursor exhausted, and what of the answers the catalogue lacks.
        Raises RateLimited with Meta's own pause, AuthorizationExpired, or ReportTooLarge once splitting cannot help.
        """
        notes = Notes()
        held: Page | None = None
        pages = rows = 0
        for page in self._pages(account, report, window, notes):
            if held is not None:
                yield held
            held = page
            pages += 1
            rows += page.rows.num_rows
        held = held or Page(empty(report), b"[]", CONTENT_TYPE)
        jobs_too = "every job completed and " if SHAPES[report.name].level else ""
        yield replace(held, proof=f"{jobs_too}every cursor exhausted: {rows} rows in {pages} pages{notes}")

    def check(self) -> CheckResult:
        """Say in words what the credential can do. Does not raise for a refused token."""
        try:
            allowed = permissions(self._insights, self._credentials)
            if allowed.missing:
                words = f"Meta answers, but the token lacks the scope {', '.join(allowed.missing)}: connect again and grant it"
                return CheckResult(False, words, (), allowed.missing)
            found = self.discover()
        except MrmError as error:
            return CheckResult(False, str(error))
        message = summary(found, "Meta", "ad accounts", {"version": self._graph.version, **allowed.words})
        return CheckResult(bool(found.accounts), message, tuple(found.accounts), quota=self.quota())

    def quota(self) -> Mapping[str, str]:
        """Return the shares of the limits that the newest answer's headers named as used."""
        return self._graph.usage

    def close(self) -> None:
        """Close the session."""
        self._graph.close()

    def _pages(self, account: Account, report: Report, window: DateWindow, notes: Notes) -> Iterator[Page]:
        shape = SHAPES[report.name]
        if shape.level:
            yield from self._in_parts(account, report, jobs(account.account_id, report, window, self._settings, self._clock.today(account.timezone)), notes)
        elif shape.edge:
            for answer in objects(self._insights, account.account_id, report):
                yield _page(account, report, (answer,), notes)
        else:
            fields = ",".join(c.name for c in report.columns)
            yield _page(account, report, (self._insights.call("GET", (f"act_{account.account_id}",), {"fields": fields}, account.account_id),), notes)

    def _in_parts(self, account: Account, report: Report, parts: list[Job], notes: Notes) -> Iterator[Page]:
        """Read the jobs in turn; the next ones are started already, since a job may take long."""
        pool = ThreadPoolExecutor(2, thread_name_prefix="meta")
        try:
            started = {job: pool.submit(carried(self._insights.start), job) for job in parts[:JOBS_AHEAD]}
            for number, job in enumerate(parts):
                for answers in self._read(job, pool, started.pop(job)):
                    yield _page(account, report, answers, notes)
                for following in parts[number + 1 : number + 1 + JOBS_AHEAD]:
                    if following not in started:
                        started[following] = pool.submit(carried(self._insights.start), following)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _read(self, job: Job, pool: Executor, started: Future[str] | None = None) -> Iterator[tuple[Answer, ...]]:
        """Read one job; where Meta finds it too large, read smaller ones: by dates, then ids, then fields. Yields the answers of a page."""
        began = False
        try:
            for answer in self._insights.read(job, pool, started):
                began = True
                yield (answer,)
            return
        except ReportTooLarge:
            if began:
                raise
            smaller = job.smaller(lambda listing, kind: self._ids(listing, kind, pool))
            if not smaller and len(job.groups) < 2:
                raise
        if smaller:
            for part in smaller:
                yield from self._read(part, pool)
        else:
            yield tuple(answer for group in job.groups for answer in self._insights.read(group, pool))

    def _ids(self, job: Job, kind: str, pool: Executor) -> tuple[str, ...]:
        """List the objects that have insights on the job's day, archived and deleted ones included."""
        return tuple(sorted({str(row[f"{kind}_id"]) for answer in self._insights.read(job, pool) for row in answer.json["data"]}))


def _page(account: Account, report: Report, answers: tuple[Answer, ...], notes: Notes) -> Page:
    """Make a page of one answer, or of several that hold groups of fields of the same rows: these land as one list."""
    body = answers[0].body if len(answers) == 1 else b"[" + b",".join(a.body for a in answers) + b"]"
    return Page(table(report, account, [a.parts for a in answers], notes), body, CONTENT_TYPE)
