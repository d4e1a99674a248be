"""Log requests: evaluated, created, processed one after the other, downloaded part by part, cleaned or cancelled."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sandbox.accounts import SandboxAccount
from sandbox.faults import Fault
from sandbox.web import Answer, json_answer
from sandbox.world import World
from sandbox.yandex_metrica.counters import number
from sandbox.yandex_metrica.errors import MetricaError, missing, wrong
from sandbox.yandex_metrica.log_fields import between, check, print_log

QUOTA = 10 * 1024**3
"""Bytes of prepared logs that a counter may hold; what is not cleaned counts."""
LONGEST_FIELDS = 3_000
MOST_DAYS = 366
PART_ROWS = 250_000
KEPT_DAYS = 30
"""Prepared logs older than that are cleaned automatically."""
MODELS = (
    *("FIRST", "LAST", "LASTSIGN", "LAST_YANDEX_DIRECT_CLICK", "CROSS_DEVICE_LAST_SIGNIFICANT", "CROSS_DEVICE_FIRST"),
    *("CROSS_DEVICE_LAST_YANDEX_DIRECT_CLICK", "CROSS_DEVICE_LAST", "AUTOMATIC"),
)
WAITING = ("created", "awaiting_retry")
FAULTS = ("report_failed", "report_skipped", "report_slow", "report_gone")


@dataclass
class LogRequest:
    """One log request; its parts are made when its turn comes."""

    request_id: int
    account: SandboxAccount
    source: str
    since: date
    until: date
    fields: list[str]
    plain: list[str]
    attribution: str
    created: date
    status: str = "created"
    looks: int = 0
    fault: Fault | None = None
    parts: list[bytes] = field(default_factory=list)

    @property
    def gone(self) -> bool:
        """Tell whether a scripted fault has made the request be forgotten."""
        return self.fault is not None and self.fault.kind == "report_gone" and self.looks > 0

    @property
    def size(self) -> int:
        """Return the bytes that the request holds."""
        return sum(map(len, self.parts))

    def shape(self) -> dict[str, Any]:
        """Return the request as the API shows it."""
        shown: dict[str, Any] = {
            "request_id": self.request_id,
            "counter_id": number(self.account.account_id),
            "source": self.source,
            "date1": self.since.isoformat(),
            "date2": self.until.isoformat(),
            "fields": self.fields,
            "status": self.status,
            "size": self.size,
            "attribution": self.attribution,
        }
        if self.status == "processed":
            shown["parts"] = [{"part_number": n, "size": len(part)} for n, part in enumerate(self.parts)]
        return shown


class Logs:
    """The log requests of all counters. The queue of a counter moves by one step at every look at it: first in, first out."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.RLock()
        self._requests: dict[str, list[LogRequest]] = {}

    def evaluate(self, account: SandboxAccount, query: Mapping[str, str], fault: Fault | None) -> Answer:
        """Say whether a request would fit the quota; a `too_large` fault says no (its `code` is the days that would fit)."""
        asked = self._read(account, query)
        days = (asked.until - asked.since).days + 1
        if fault is not None:
            return json_answer(200, {"log_request_evaluation": {"possible": False, "max_possible_day_quantity": fault.code}})
        daily = max(1, self._world.visits(account, asked.since).height * 12 * len(asked.fields) // days)
        most = min(MOST_DAYS, max(0, QUOTA - self._held(account)) // daily)
        return json_answer(200, {"log_request_evaluation": {"possible": days <= most, "max_possible_day_quantity": most}})

    def create(self, account: SandboxAccount, query: Mapping[str, str], fault: Fault | None) -> Answer:
        """Put a request into the counter's queue. A fault decides how it will end."""
        asked = self._read(account, query)
        with self._lock:
            if self._held(account) >= QUOTA:
                raise MetricaError(400, "limit_exceeded", "Log storage quota is exceeded: clean log requests", "logrequests")
            asked.fault = fault
            self._requests.setdefault(account.account_id, []).append(asked)
        return json_answer(200, {"log_request": asked.shape()})

    def listed(self, account: SandboxAccount) -> Answer:
        """List the counter's requests, and move its queue."""
        with self._lock:
            self._move(account)
            return json_answer(200, {"requests": [r.shape() for r in self._requests.get(account.account_id, [])]})

    def info(self, account: SandboxAccount, request_id: str) -> Answer:
        """Return one request, and move the queue."""
        with self._lock:
            self._move(account)
            return json_answer(200, {"log_request": self._find(account, request_id).shape()})

    def download(self, account: SandboxAccount, request_id: str, part: str) -> tuple[bytes, int]:
        """Return a part's bytes and rows. Raises MetricaError before the request is processed, and for a part that is not there."""
        with self._lock:
            self._move(account)
            request = self._find(account, request_id)
            if request.status != "processed":
                raise MetricaError(400, "invalid_parameter", "Only log of requests in status 'processed' can be downloaded", "requestId")
            if not part.isdecimal() or int(part) >= len(request.parts):
                raise MetricaError(400, "invalid_parameter", "Incorrect part number", "partNumber")
            body = request.parts[int(part)]
        return body, body.count(b"\n") - 1

    def clean(self, account: SandboxAccount, request_id: str) -> Answer:
        """Give back the room that a processed request takes."""
        with self._lock:
            request = self._find(account, request_id)
            if request.status != "processed":
                raise MetricaError(400, "invalid_parameter", "Only log of requests in status 'processed' can be cleaned", "requestId")
            request.status, request.parts = "cleaned_by_user", []
            return json_answer(200, {"log_request": request.shape()})

    def cancel(self, account: SandboxAccount, request_id: str) -> Answer:
        """Take a request that is not processed yet out of the queue."""
        with self._lock:
            request = self._find(account, request_id)
            if request.status not in WAITING:
                raise MetricaError(400, "invalid_parameter", "Only log of requests in status 'created' can be canceled", "requestId")
            request.status = "canceled"
            return json_answer(200, {"log_request": request.shape()})

    def _read(self, account: SandboxAccount, query: Mapping[str, str]) -> LogRequest:
        for name in ("date1", "date2", "source", "fields"):
            if not query.get(name):
                raise missing(name)
        try:
            since, until = date.fromisoformat(query["date1"]), date.fromisoformat(query["date2"])
        except ValueError:
            raise wrong("date1", f"{query['date1']}..{query['date2']}") from None
        today = self._world.today(account)
        if since > until:
            raise wrong("date1", since, "date1 is later than date2")
        if until >= today:
            raise wrong("date2", until, "the current day is not available")
        if (until - since).days >= MOST_DAYS:
            raise wrong("date1", since, "no more than one year in a request")
        if len(query["fields"]) > LONGEST_FIELDS:
            raise wrong("fields", len(query["fields"]), f"no more than {LONGEST_FIELDS} characters")
        attribution = query.get("attribution", "LASTSIGN").upper()
        if attribution not in MODELS:
            raise wrong("attribution", attribution)
        fields = [part.strip() for part in query["fields"].split(",") if part.strip()]
        plain = check(query["source"], fields)
        return LogRequest(self._world.number() + 10_000_000, account, query["source"], since, until, fields, plain, attribution, today)

    def _find(self, account: SandboxAccount, request_id: str) -> LogRequest:
        for request in self._requests.get(account.account_id, []):
            if str(request.request_id) == request_id and not request.gone:
                return request
        raise MetricaError(404, "not_found", f"Object not found: log request {request_id}", "requestId")

    def _held(self, account: SandboxAccount) -> int:
        return sum(r.size for r in self._requests.get(account.account_id, []))

    def _move(self, account: SandboxAccount) -> None:
        """Clean what is too old, and process the first request that waits."""
        today = self._world.today(account)
        for request in self._requests.get(account.account_id, []):
            if request.status == "processed" and today - request.created > timedelta(days=KEPT_DAYS):
                request.status, request.parts = "cleaned_automatically_as_too_old", []
        for request in self._requests.get(account.account_id, []):
            if request.status in WAITING:
                self._process(request)
                return

    def _process(self, request: LogRequest) -> None:
        request.looks += 1
        kind = request.fault.kind if request.fault is not None else ""
        if kind == "report_slow" and request.fault is not None and request.looks <= max(1, request.fault.polls):
            request.status = "awaiting_retry"
        elif kind == "report_failed":
            request.status = "processing_failed"
        elif kind == "report_skipped":
            request.status = "canceled"
        else:
            request.parts, request.status = self._made(request), "processed"

    def _made(self, request: LogRequest) -> list[bytes]:
        visits = between(self._world.visits(request.account, request.since), request.since, request.until)
        log = print_log(request.source, request.fields, request.plain, visits, request.account)
        starts = range(0, max(log.height, 1), PART_ROWS)
        return [log.slice(start, PART_ROWS).write_csv(separator="\t", quote_style="never").encode() for start in starts]
