"""The routes of Yandex.Direct: token, login, service, connections, units; and the Reports service with its modes."""

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from hashlib import sha256
from typing import Any

from domain.platforms import Platform
from sandbox.accounts import SandboxAccount
from sandbox.faults import Fault
from sandbox.generator.source import GeneratorSource
from sandbox.tokens import Token, judge
from sandbox.web import Answer, Request, json_answer
from sandbox.world import World
from sandbox.yandex_direct import entities, live4
from sandbox.yandex_direct.calls import Item, checked, cost, page_of, read_call, selected
from sandbox.yandex_direct.changes import changes
from sandbox.yandex_direct.definition import Definition, read_definition
from sandbox.yandex_direct.dictionaries import dictionaries
from sandbox.yandex_direct.errors import DirectError
from sandbox.yandex_direct.names import LISTINGS
from sandbox.yandex_direct.queue import RETRY_IN, Desk, Waiting
from sandbox.yandex_direct.table import Shape, compute, print_table

_PATH = re.compile(r"^/json/v5(?:01)?/([a-z]+)/?$")
ONLINE_ROWS = 25_000
"""In mode auto a report of more rows goes through the queue; in mode online it is refused as too heavy."""
CONCURRENT = 5
UNITS = 160_000
"""Units of a login for a day of the clock; a call that costs more than what is left is refused."""
FAILED_CALL = 20
"""Units that a refused call costs."""
RUSSIAN_VAT = 0.20
KEPT_LISTS = 64
SERVICES = (*LISTINGS, "changes", "dictionaries", "reports")
_REQUEST = ("expired_token", "lost_account", "version_sunset", "throttle", "server_error", "stall", "too_large")


class YandexDirect:
    """The platform behind /json/v5 and /json/v501."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._desks: dict[str, Desk] = {}
        self._units: dict[tuple[str, date], int] = {}
        self._busy: dict[str, int] = {}
        self._listed: dict[tuple[str, str, date, date], list[Item]] = {}
        self._lock = threading.Lock()
        self._vat = RUSSIAN_VAT if isinstance(world.source, GeneratorSource) else 0.0
        world.limits.append(self.forget_limits)

    def forget_limits(self) -> None:
        """Give back all units, and forget queues, kept reports and counted requests."""
        with self._lock:
            self._desks.clear()
            self._units.clear()

    def __call__(self, request: Request) -> Answer:
        """Answer one request."""
        request_id = str(int.from_bytes(sha256(f"yandex_direct {self.world.number()}".encode()).digest()[:8], "big") >> 1)
        found = _PATH.match(request.path)
        service = found[1] if found else ""
        self.world.count("yandex_direct", f"{request.method} {service or request.path}")
        try:
            if request.path.rstrip("/") in live4.PATHS:
                answer = live4.answer(self.world, request, UNITS, UNITS)
            elif not found or request.method != "POST":
                raise DirectError(55, f"{request.method} {request.path}", status=404)
            else:
                answer = self._serve(request, service)
        except DirectError as error:
            answer = error.answer(request_id, report=service == "reports")
        answer.headers = {"RequestId": request_id, **answer.headers}
        return answer

    def _serve(self, request: Request, service: str) -> Answer:
        login = request.headers.get("client-login", "").lower()
        accounts = self.world.accounts(Platform.YANDEX_DIRECT)
        self._fault(accounts[0].account_id if not login and len(accounts) == 1 else login, service)
        match judge(request.headers.get("authorization", "")):
            case Token.MISSING:
                raise DirectError(53, "OAuth token is missing")
            case Token.EXPIRED:
                raise DirectError(53, "OAuth token has expired")
            case Token.UNKNOWN:
                raise DirectError(53, "Invalid OAuth token")
        if service not in SERVICES:
            raise DirectError(55, f"The service {service} is not served by the sandbox")
        if service == "agencyclients":
            return self._json(request, None, service)
        account = self._account(login)
        with self._connection(account):
            return self._report(request, account) if service == "reports" else self._json(request, account, service)

    def _fault(self, login: str, service: str) -> None:
        fault = self.world.fault(Platform.YANDEX_DIRECT, login, service, _REQUEST)
        if fault is None:
            return
        if fault.kind == "stall":
            self.world.stall(fault.seconds)
            return
        raise _as_error(fault)

    def _account(self, login: str) -> SandboxAccount:
        accounts = self.world.accounts(Platform.YANDEX_DIRECT)
        if not login:
            if len(accounts) == 1:
                return accounts[0]
            raise DirectError(54, "The token belongs to an agency: name the advertiser in the header Client-Login")
        for account in accounts:
            if account.account_id.lower() == login:
                return account
        raise DirectError(8800, f"The login {login} is not found among the agency's clients")

    @contextmanager
    def _connection(self, account: SandboxAccount) -> Iterator[None]:
        """Hold one of the advertiser's five connections. Raises DirectError for the sixth."""
        with self._lock:
            if self._busy.get(account.account_id, 0) >= CONCURRENT:
                raise DirectError(506, f"No more than {CONCURRENT} simultaneous requests are allowed")
            self._busy[account.account_id] = self._busy.get(account.account_id, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._busy[account.account_id] -= 1

    def _json(self, request: Request, account: SandboxAccount | None, service: str) -> Answer:
        """Answer a JSON service for an advertiser, or an agency's list of them, and take the units for it."""
        login = account.account_id if account else "agency"
        try:
            result, spent = self._result(request, account, service)
        except DirectError:
            self._spend(login, FAILED_CALL)
            raise
        used = self._spend(login, spent)
        answer = json_answer(200, {"result": result}, {"Units": f"{spent}/{UNITS - used}/{UNITS}", "Units-Used-Login": login})
        return _breaking(answer, self.world.fault(Platform.YANDEX_DIRECT, login, service, ("broken_stream", "truncated_body")), 0)

    def _result(self, request: Request, account: SandboxAccount | None, service: str) -> tuple[dict[str, Any], int]:
        """Return the result and its price. Raises DirectError, for a price beyond the day's units too."""
        method, params = read_call(request.body)
        if service == "changes" and account is not None:
            return self._priced(account.account_id, changes(method, account, self.world.facts(account), params, self.world), 10)
        if method != "get":
            raise DirectError(55, f"{service}.{method}")
        if service == "dictionaries":
            return self._priced(account.account_id if account else "agency", dictionaries(params), 1)
        criteria = checked(service, params)
        found = selected(service, self._items(account, service), criteria)
        return self._priced(account.account_id if account else "agency", page_of(service, params, found), cost(service, len(found)))

    def _items(self, account: SandboxAccount | None, service: str) -> Sequence[Item]:
        if account is None:
            return [entities.client(a) for a in self.world.accounts(Platform.YANDEX_DIRECT)]
        facts = self.world.facts(account)
        key = (account.account_id, service, self.world.clock.day, facts.today)
        if key not in self._listed:
            if len(self._listed) >= KEPT_LISTS:
                self._listed.clear()
            self._listed[key] = entities.LISTS[service](account, facts)
        return self._listed[key]

    def _priced(self, login: str, result: dict[str, Any], price: int) -> tuple[dict[str, Any], int]:
        if self._spend(login, 0) + price > UNITS:
            raise DirectError(152, f"Not enough units: the request costs {price}")
        return result, price

    def _spend(self, login: str, units: int) -> int:
        """Take units, and return how many are used up on the clock's day."""
        key = (login, self.world.clock.day)
        with self._lock:
            self._units[key] = min(self._units.get(key, 0) + units, UNITS)
            return self._units[key]

    def _report(self, request: Request, account: SandboxAccount) -> Answer:
        with self._lock:
            desk = self._desks.setdefault(account.account_id, Desk())
        desk.allow()
        return self._made(request, account, desk)

    def _made(self, request: Request, account: SandboxAccount, desk: Desk) -> Answer:
        mode = request.headers.get("processingmode", "auto") or "auto"
        if mode not in ("auto", "online", "offline"):
            raise DirectError(8000, f"The header processingMode has an incorrect value: {mode}")
        definition = read_definition(request.body, self.world.today(account), request.headers)
        now = self.world.clock.now()
        known = None if mode == "online" else desk.find(definition.name, definition.fingerprint, now)
        if known is None:
            made = self._make(request, account, definition)
            large = made.rows > ONLINE_ROWS or made.fault is not None
            if mode == "online" and large:
                raise DirectError(1002, "The report is too heavy for the online mode", status=502)
            if mode == "online" or (mode == "auto" and not large):
                if mode == "auto":
                    desk.keep(definition.name, made)
                return self._file(account, desk, made)
            known = desk.order(definition.name, lambda: made)
        return self._progress(account, desk, definition, known)

    def _make(self, request: Request, account: SandboxAccount, definition: Definition) -> Waiting:
        table = compute(definition, account, self.world.facts(account), self._vat if account.currency == "RUB" else 0.0)
        body = print_table(table, definition, _shape(request))
        fault = self.world.fault(Platform.YANDEX_DIRECT, account.account_id, "reports", ("report_failed", "report_slow", "report_skipped", "report_gone"))
        return Waiting(definition.fingerprint, body, table.height, self.world.clock.now(), fault)

    def _progress(self, account: SandboxAccount, desk: Desk, definition: Definition, report: Waiting) -> Answer:
        report.asked += 1
        if report.fault is not None and report.fault.kind == "report_gone" and report.asked > max(1, report.fault.polls):
            report.asked, report.fault = 1, None  # the same request begins it anew
        if report.ready and report.fault is not None and report.fault.kind in ("report_failed", "report_skipped"):
            desk.forget(definition.name)
            raise DirectError(1002, "The report could not be generated", status=502)
        if report.ready:
            return self._file(account, desk, report)
        headers = {"retryIn": str(RETRY_IN), "reportsInQueue": str(desk.queued())}
        return Answer(201 if report.asked == 1 else 202, b"", headers, "text/tab-separated-values; charset=utf-8")

    def _file(self, account: SandboxAccount, desk: Desk, report: Waiting) -> Answer:
        headers = {"reportsInQueue": str(desk.queued())}
        answer = Answer(200, report.body, headers, "text/tab-separated-values; charset=utf-8")
        return _breaking(answer, self.world.fault(Platform.YANDEX_DIRECT, account.account_id, "reports", ("broken_stream", "truncated_body")), report.rows)


def _shape(request: Request) -> Shape:
    def yes(name: str, default: str) -> bool:
        return request.headers.get(name, default).lower() == "true"

    return Shape(
        micros=yes("returnmoneyinmicros", "true"),
        report_header=not yes("skipreportheader", "false"),
        column_header=not yes("skipcolumnheader", "false"),
        summary=not yes("skipreportsummary", "false"),
    )


def _as_error(fault: Fault) -> DirectError:
    if fault.kind == "expired_token":
        return DirectError(53, "OAuth token has expired")
    if fault.kind == "lost_account":
        return DirectError(54, "The login does not belong to a client of the agency", status=403)
    if fault.kind == "version_sunset":
        return DirectError(3500, "This version of the API is no longer served")
    if fault.kind == "throttle":
        return DirectError(fault.code or 56, "Too many requests", retry_in=round(fault.seconds) if fault.seconds else None)
    if fault.kind == "too_large":
        return DirectError(1002, "Request processing timed out on the server", status=502)
    return DirectError(1000, "Server temporarily unavailable", status=500)


def _breaking(answer: Answer, fault: Fault | None, rows: int) -> Answer:
    if fault is None:
        return answer
    share = min(fault.after_rows / rows, 0.95) if rows and fault.after_rows else 0.5
    cut = int(len(answer.body) * share)
    if fault.kind == "truncated_body":
        answer.body = answer.body[:cut]
    else:
        answer.cut_after = cut
    return answer
