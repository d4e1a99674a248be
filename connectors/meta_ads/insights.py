"""Asynchronous insights: start a job, wait for one of its six states, read every page of its cursor."""

import itertools
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future
from typing import Any

from connectors.meta_ads.errors import Missing, NotReady, from_error
from connectors.meta_ads.graph import Answer, Graph
from connectors.meta_ads.jobs import Job
from connectors.patience import UNHINTED_PAUSE, NotInTime, Patience, carried
from domain.errors import IncompleteAnswer, RateLimited, ReportTooLarge, SourceError, TransientFailure
from domain.platforms import Platform

WAITING = frozenset({"Job Not Started", "Job Started", "Job Running"})
COMPLETED = "Job Completed"
ENDED_WITHOUT_DATA = frozenset({"Job Failed", "Job Skipped"})

TRIES = 2
"""How often a failed or skipped job is started again before its request is made smaller."""

_PAUSES = (0.0, 0.02, 0.03, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 5.0, 10.0)
"""Seconds before each look at a job; the last one repeats."""

_SMALLEST_PAGE = 25


class Insights:
    """Run jobs for one credential."""

    def __init__(self, graph: Graph, patience: Patience, page_rows: int) -> None:
        self._graph = graph
        self._patience = patience
        self._page_rows = page_rows

    def read(self, job: Job, ahead: Executor, started: Future[str] | None = None) -> Iterator[Answer]:
        """Yield the pages of a job, started again where it failed or is gone; `started` is a start under way, `ahead` fetches the next page.

        Raises ReportTooLarge before the first page when the request must be made smaller, with the job's own error as the cause.
        """
        for attempt in itertools.count(1):
            try:
                run_id = started.result() if started and attempt == 1 else self.start(job)
                self._wait(job, run_id)
                pages = self._pages(job, run_id, ahead)
                first = next(pages)
                break
            except JobGone:
                if attempt >= TRIES:
                    raise
            except _JobEnded as ended:
                if ended.cause is not None and not isinstance(ended.cause, ReportTooLarge | TransientFailure | RateLimited):
                    raise ended.cause from None
                if isinstance(ended.cause, RateLimited):  # smaller requests would only be more of them
                    self._wait_out(ended.cause, again=attempt < TRIES)
                    continue
                if attempt >= TRIES:
                    raise ReportTooLarge(
                        f"the job for {job.window} ends as {ended.state!r}",
                        platform=str(Platform.META_ADS),
                        account_id=job.account_id,
                        why=ended.why,
                        fix="Sync again; ask for a shorter window when it lasts",
                    ) from None
                if isinstance(ended.cause, ReportTooLarge):
                    raise ended.cause from None
        yield first
        yield from pages

    def call(self, method: str, path: tuple[str, ...], params: Mapping[str, Any], account_id: str) -> Answer:
        """Call the Graph API with this credential's patience."""
        return self._patience.call(lambda: self._graph.call(method, path, dict(params), account_id))

    def start(self, job: Job) -> str:
        """Start a job and return the id of its run."""
        answer = self.call("POST", (f"act_{job.account_id}", "insights"), job.params, job.account_id).json
        run_id = str(answer.get("report_run_id", ""))
        if not run_id:
            raise IncompleteAnswer("Meta started no job", platform=str(Platform.META_ADS), account_id=job.account_id, why=str(sorted(answer)), fix="Sync again")
        return run_id

    def _wait(self, job: Job, run_id: str) -> None:
        """Look at the job until it is completed; 100 % with `Job Running` is not."""
        waited = 0.0
        for look in itertools.count():
            pause = _PAUSES[min(look, len(_PAUSES) - 1)]
            if waited + pause > self._patience.job_budget:
                raise NotInTime(
                    f"the job for {job.window} is not done after {waited:.0f} s", platform=str(Platform.META_ADS), account_id=job.account_id, fix="Sync again"
                )
            if pause:
                self._patience.pause(pause)
                waited += pause
            state = self._ask(job, (run_id,), {}).json
            status = state.get("async_status")
            if status == COMPLETED:
                return
            if status in ENDED_WITHOUT_DATA:
                raise _JobEnded(str(status), state, job.account_id)
            if status not in WAITING:
                raise IncompleteAnswer(
                    f"the job for {job.window} is in an unknown state {status!r}", platform=str(Platform.META_ADS), account_id=job.account_id, fix="Sync again"
                )

    def _wait_out(self, limit: RateLimited, *, again: bool) -> None:
        """Wait before another start of a job that failed for a quota: such a failure names no pause. Raises it where that would be too long."""
        limit.retry_after = limit.retry_after or UNHINTED_PAUSE
        if not again or limit.retry_after > self._patience.budget:
            raise limit
        self._patience.pause(limit.retry_after)

    def _pages(self, job: Job, run_id: str, ahead: Executor) -> Iterator[Answer]:
        """Follow the cursor to its end; the next page is fetched while the last one is worked on."""
        coming: Future[Answer] | None = ahead.submit(carried(self._page), job, run_id, "")
        seen = set[str]()
        while coming is not None:
            answer = coming.result()
            paging = answer.paging
            if not answer.has_rows:
                raise self._broken(job, "an answer without rows of data")
            coming = None
            if paging.get("next"):
                after = str((paging.get("cursors") or {}).get("after", ""))
                if not after or after in seen:
                    raise self._broken(job, "a cursor that does not move on")
                seen.add(after)
                coming = ahead.submit(carried(self._page), job, run_id, after)
            yield answer

    def _page(self, job: Job, run_id: str, after: str) -> Answer:
        """Fetch the page after a cursor, asking for fewer rows where Meta finds it too large."""
        limit = self._page_rows
        while True:
            try:
                return self._read_when_ready(job, run_id, {"limit": limit, **({"after": after} if after else {})})
            except ReportTooLarge:
                if limit <= _SMALLEST_PAGE:
                    raise
                limit = max(_SMALLEST_PAGE, limit // 2)

    def _read_when_ready(self, job: Job, run_id: str, params: dict[str, Any]) -> Answer:
        try:
            return self._ask(job, (run_id, "insights"), params)
        except NotReady:
            try:
                self._wait(job, run_id)
            except _JobEnded as ended:
                raise ended.cause or self._broken(job, f"{ended.state!r} for a job that it had called completed") from None
            return self._ask(job, (run_id, "insights"), params)

    def _ask(self, job: Job, path: tuple[str, ...], params: Mapping[str, Any]) -> Answer:
        """Ask for something of a job's run. Whether the account is open is told by starting a job, not by a run that is missing."""
        try:
            return self.call("GET", path, params, job.account_id)
        except Missing as missing:
            raise JobGone(
                f"Meta no longer knows the job for {job.window}",
                platform=str(Platform.META_ADS),
                account_id=job.account_id,
                request_id=missing.request_id,
                why=missing.why,
                fix="Sync again: it is started anew",
            ) from missing

    def _broken(self, job: Job, what: str) -> IncompleteAnswer:
        return IncompleteAnswer(f"Meta sent {what}", platform=str(Platform.META_ADS), account_id=job.account_id, fix="Sync again")


class JobGone(TransientFailure):
    """A job whose run Meta no longer knows: it expired, or was lost."""


class _JobEnded(Exception):
    """A job that ended as `Job Failed` or `Job Skipped`; since v25 it carries Meta's error."""

    def __init__(self, state: str, detail: Mapping[str, Any], account_id: str) -> None:
        super().__init__(state)
        self.state = state
        error = {"code": detail.get("error_code"), "error_subcode": detail.get("error_subcode"), "message": detail.get("error_message")}
        self.cause: SourceError | None = from_error(error, 200, {}, account_id) if error["code"] else None
        self.why = self.cause.why if self.cause else "Meta gave no reason"
