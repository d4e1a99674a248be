"""The Logs API: one evaluate → create → download → clean cycle that always cleans.

Metrica names no owner of a log request, so ours are told by the exact fields that we ask for. Whatever a crash left behind is
found by them at the next start, and cancelled or cleaned: the store of logs holds 10 GB per counter.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from connectors.patience import NotInTime
from connectors.rows import empty
from connectors.yandex_metrica.errors import Missing
from connectors.yandex_metrica.reports import log_fields
from connectors.yandex_metrica.service import Service
from connectors.yandex_metrica.settings import YandexMetricaSettings
from connectors.yandex_metrica.tsv import Tsv
from domain.catalogue import Account, Page, Report
from domain.errors import IncompleteAnswer, RateLimited, ReportTooLarge, SourceError, TransientFailure
from domain.windows import DateWindow

TSV_TYPE = "text/tab-separated-values"
YEAR = 365
"""Days of one log request at most."""

WAITING = frozenset({"created", "awaiting_retry"})
PROCESSED = "processed"
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds between two looks at a request that waits in the queue."""

NO_ROOM_PAUSE = 3600.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Part:
    number: int
    size: int


class Logs:
    """Reads the logs of one credential."""

    def __init__(self, service: Service, settings: YandexMetricaSettings) -> None:
        self._service = service
        self._settings = settings
        self._open: set[str] = set()

    def pages(self, account: Account, report: Report, window: DateWindow) -> Iterator[Page]:
        """Yield a log's rows as they stream in; the last page says which requests they came from and how many rows and bytes they held."""
        said: list[str] = []
        held: Page | None = None
        self.clear(account, report)
        for part in window.chunks(YEAR):
            for page in self._cycle(account, report, part, said):
                if held is not None:
                    yield held
                held = page
        yield replace(held or Page(empty(report), b"", TSV_TYPE), proof="; ".join(said))

    def clear(self, account: Account, report: Report) -> None:
        """Cancel or clean the requests of ours that are left from a crash."""
        answer, _ = self._service.get(_path(account, "logrequests"), {}, account.account_id)
        mine = list(log_fields(report, self._settings.attribution).values())
        for request in answer.get("requests") or []:
            request_id, status = str(request.get("request_id")), str(request.get("status"))
            if request_id not in self._open and request.get("fields") == mine and status in {*WAITING, PROCESSED}:
                _log.warning("counter %s: log request %s is left from an earlier pull and is removed", account.account_id, request_id)
                with suppress(Missing):  # somebody else removed it meanwhile
                    self._remove(account, request_id, status)

    def held(self, account: Account) -> int:
        """Return the bytes that the counter's prepared logs take, ours and others'."""
        answer, _ = self._service.get(_path(account, "logrequests"), {}, account.account_id)
        return sum(int(r.get("size") or 0) for r in answer.get("requests") or [] if r.get("status") == PROCESSED)

    def _cycle(self, account: Account, report: Report, window: DateWindow, said: list[str]) -> Iterator[Page]:
        fields = log_fields(report, self._settings.attribution)
        asked = {"date1": str(window.since), "date2": str(window.until), "source": report.name, "fields": ",".join(fields.values())}
        self._evaluate(account, report, window, asked)
        request_id = self._create(account, report, {**asked, "attribution": _model(self._settings.attribution)})
        self._open.add(request_id)
        try:
            with _kept(account, report, request_id):
                parts = self._processed(account, report, request_id)
            rows = size = 0
            for part in parts:
                tsv = Tsv(report, account, fields, self._settings.attribution)
                with (
                    _kept(account, report, request_id),
                    self._service.download(_path(account, f"logrequest/{request_id}/part/{part.number}/download"), account.account_id) as chunks,
                ):
                    for table, body in tsv.pieces(chunks):
                        yield Page(table, body, TSV_TYPE)
                if self._settings.check_part_sizes and tsv.size < part.size:
                    raise _incomplete(account, report, f"part {part.number} holds {part.size} bytes, {tsv.size} arrived")
                rows, size = rows + tsv.rows, size + tsv.size
            said.append(f"log request {request_id}: {len(parts)} of {len(parts)} parts, {size} bytes, {rows} rows")
        finally:
            self._release(account, request_id)

    def _evaluate(self, account: Account, report: Report, window: DateWindow, asked: dict[str, str]) -> None:
        """Ask whether the log fits into the counter's store. Raises ReportTooLarge where fewer days would fit, RateLimited where none does."""
        answer, _ = self._service.get(_path(account, "logrequests/evaluate"), asked, account.account_id)
        found = answer.get("log_request_evaluation") or {}
        if found.get("possible"):
            return
        days = int(found.get("max_possible_day_quantity") or 0)
        where = {"platform": report.platform, "account_id": account.account_id}
        if days and window.days > 1:
            raise ReportTooLarge(f"the store of logs has room for {days} of {window.days} days", fix="Clean log requests that nobody needs", **where)
        raise RateLimited(
            "the counter's store of logs is full",
            retry_after=NO_ROOM_PAUSE,
            why="Metrica keeps 10 GB of prepared logs per counter, and other log requests fill it",
            fix="Clean log requests that nobody needs, then sync again",
            **where,
        )

    def _create(self, account: Account, report: Report, asked: dict[str, str]) -> str:
        """Create a request. Whenever a try fails, what it may have made is looked for and removed: its answer may have been lost on the way."""
        tried = False

        def once() -> str:
            nonlocal tried
            if tried:
                self.clear(account, report)
            tried = True
            answer, _ = self._service.once("POST", _path(account, "logrequests"), asked, account.account_id)
            return str(answer["log_request"]["request_id"])

        try:
            return self._service.patience.call(once)
        except SourceError:
            with suppress(SourceError):
                self.clear(account, report)
            raise

    def _processed(self, account: Account, report: Report, request_id: str) -> list[_Part]:
        """Wait until the request is processed and return its parts. Raises TransientFailure for every other end."""
        waited, pause = 0.0, FIRST_PAUSE
        while True:
            request = self._info(account, request_id)
            status = str(request.get("status"))
            if status == PROCESSED:
                parts = [_Part(int(p["part_number"]), int(p.get("size") or 0)) for p in request.get("parts") or []]
                if not parts and int(request.get("size") or 0):
                    raise _incomplete(account, report, f"log request {request_id} holds {request['size']} bytes in no part")
                return sorted(parts, key=lambda p: p.number)
            where = {"platform": report.platform, "account_id": account.account_id}
            if status not in WAITING:
                raise TransientFailure(f"log request {request_id} ended as {status}", why="Nothing of it was downloaded", fix="Sync again", **where)
            if waited + pause > self._service.patience.job_budget:
                raise NotInTime(f"log request {request_id} is not ready after {waited:.0f} s", why=f"Its status is {status}", fix="Sync again", **where)
            self._service.patience.pause(pause)
            waited, pause = waited + pause, min(pause * 2, LONGEST_PAUSE)

    def _release(self, account: Account, request_id: str) -> None:
        """Give the request's room back, however its pull ended. What cannot be removed now is found again at the next start."""
        try:
            status = str(self._info(account, request_id).get("status"))
            if status in {*WAITING, PROCESSED}:
                self._remove(account, request_id, status)
        except SourceError as error:
            _log.warning("counter %s: log request %s could not be removed, the next pull tries again: %s", account.account_id, request_id, error)
        finally:
            self._open.discard(request_id)

    def _remove(self, account: Account, request_id: str, status: str) -> None:
        """Clean a processed request, cancel a waiting one; one that was processed meanwhile is cleaned."""
        path = _path(account, f"logrequest/{request_id}")
        if status in WAITING:
            with suppress(SourceError):
                self._post(account, f"{path}/cancel")
                return
            if self._info(account, request_id).get("status") != PROCESSED:
                return
        self._post(account, f"{path}/clean")

    def _post(self, account: Account, path: str) -> None:
        self._service.patience.call(lambda: self._service.once("POST", path, {}, account.account_id))

    def _info(self, account: Account, request_id: str) -> dict[str, Any]:
        answer, _ = self._service.get(_path(account, f"logrequest/{request_id}"), {}, account.account_id)
        found = answer.get("log_request")
        return found if isinstance(found, dict) else {}


@contextmanager
def _kept(account: Account, report: Report, request_id: str) -> Iterator[None]:
    """Word a request that Metrica no longer knows: whether the counter is open was told when it was created."""
    try:
        yield
    except Missing as missing:
        raise TransientFailure(
            f"Metrica no longer knows log request {request_id}", platform=report.platform, account_id=account.account_id, why=missing.why, fix="Sync again"
        ) from missing


def _path(account: Account, what: str) -> str:
    return f"/management/v1/counter/{account.account_id}/{what}"


def _model(attribution: str) -> str:
    return attribution.upper()


def _incomplete(account: Account, report: Report, why: str) -> IncompleteAnswer:
    return IncompleteAnswer(
        f"{report.name} is incomplete", platform=report.platform, account_id=account.account_id, why=why, fix="Nothing of it was kept; sync again"
    )
