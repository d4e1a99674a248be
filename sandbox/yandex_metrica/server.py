"""The routes of Metrica: token, quotas, management, reports, logs."""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from domain.platforms import Platform
from sandbox.faults import Fault
from sandbox.tokens import Token, judge
from sandbox.web import Answer, Request, json_answer
from sandbox.world import World
from sandbox.yandex_metrica import counters, report
from sandbox.yandex_metrica.ask import read_ask
from sandbox.yandex_metrica.errors import TOO_COMPLICATED, MetricaError
from sandbox.yandex_metrica.limits import Limits
from sandbox.yandex_metrica.logs import FAULTS, Logs

_REQUEST = ("expired_token", "lost_account", "version_sunset", "throttle", "server_error", "stall")
_LOGS = re.compile(r"^/management/v1/counter/([^/]+)/(logrequests|logrequests/evaluate|logrequest/(\d+)(?:/(clean|cancel|part/(\d+)/download))?)$")
_COUNTER = re.compile(r"^/management/v1/counter/([^/]+)(?:/(goals|goal/(\d+)))?$")
_STAT = re.compile(r"^/stat/v1/data(\.csv|/bytime)?$")
_BREAKING = ("broken_stream", "truncated_body")
_KEPT = 4
"""Computed tables that are kept, so that pages of one report are cut from one table."""


class YandexMetrica:
    """The platform behind api-metrika.yandex.net and its other spelling."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._limits = Limits()
        self._logs = Logs(world)
        self._tables: OrderedDict[tuple[Any, ...], report.Table] = OrderedDict()
        self._lock = threading.Lock()
        world.limits.append(self._limits.forget)

    def __call__(self, request: Request) -> Answer:
        """Answer one request."""
        path = request.path.rstrip("/")
        group = "report" if path.startswith("/stat/") else "logs" if "/logrequest" in path else "management"
        self.world.count("yandex_metrica", f"{request.method} {_endpoint(path)}")
        try:
            user = self._user(request)
            with self._limits.request(user, group, self.world.clock.day):
                return self._serve(request, path, _parameters(request))
        except MetricaError as error:
            return error.answer()

    def _user(self, request: Request) -> str:
        token = request.headers.get("authorization", "")
        match judge(token):
            case Token.MISSING:
                raise MetricaError(401, "unauthorized", "Unauthorized")
            case Token.EXPIRED | Token.UNKNOWN:
                raise MetricaError(403, "invalid_token", "Invalid oauth_token")
        return token

    def _serve(self, request: Request, path: str, parameters: Mapping[str, str]) -> Answer:
        if _STAT.match(path):
            return self._stat(request, path, parameters)
        if found := _LOGS.match(path):
            return self._logrequest(request, found, parameters)
        if request.method != "GET":
            raise MetricaError(403, "access_denied", "Access is denied", "the sandbox does not change counters")
        plain: dict[str, Callable[[], object]] = {
            "/management/v1/counters": lambda: counters.counter_list(self.world, parameters),
            "/management/v1/clients": lambda: {"clients": counters.clients(self.world)},
            "/management/v1/accounts": lambda: {"accounts": [{"user_login": counters.LOGIN, "created_at": "2020-01-09T12:00:00+03:00"}]},
            "/management/v1/delegates": lambda: {"delegates": []},
            "/management/v1/labels": lambda: {"labels": []},
        }
        if path in plain:
            self._fault("", _endpoint(path))
            return json_answer(200, plain[path]())
        found = _COUNTER.match(path)
        if not found:
            raise MetricaError(404, "not_found", f"Object not found: {request.method} {path}")
        self._fault(found[1], _endpoint(path))
        account = counters.find(self.world, found[1])
        if found[2] is None:
            return json_answer(200, {"counter": counters.shape(self.world, account, parameters)})
        if found[3]:
            return json_answer(200, {"goal": counters.goal(self.world, account, found[3])})
        return json_answer(200, {"goals": counters.goal_list(self.world, account)})

    def _stat(self, request: Request, path: str, parameters: Mapping[str, str]) -> Answer:
        counter_id = (parameters.get("ids") or parameters.get("id", "")).split(",")[0]
        self._fault(counter_id, "data")
        if self.world.fault(Platform.YANDEX_METRICA, counter_id, "data", ("too_large",)):
            raise MetricaError(400, "query_error", TOO_COMPLICATED)
        ask = read_ask(self.world, parameters, rows=not path.endswith("bytime"))
        sampled = self.world.fault(Platform.YANDEX_METRICA, counter_id, "data", ("sampled",))
        if path.endswith("bytime"):
            return report.answer_bytime(self.world, ask, sampled)
        asked = tuple(sorted((k, v) for k, v in parameters.items() if k not in ("limit", "offset", "lang", "pretty")))
        key = (asked, self.world.clock.day, tuple(self.world.today(a) for a in ask.counters), sampled is not None)
        with self._lock:
            table = self._tables.get(key)
        if table is None:
            table = report.compute(self.world, ask, sampled)
            with self._lock:
                self._tables[key] = table
                while len(self._tables) > _KEPT:
                    self._tables.popitem(last=False)
        answer = report.answer_csv(ask, table) if path.endswith(".csv") else report.answer_table(self.world, ask, table)
        shown = table.rows.slice(ask.offset - 1, ask.limit).height
        return _broken(answer, self.world.fault(Platform.YANDEX_METRICA, counter_id, "data", _BREAKING), shown)

    def _logrequest(self, request: Request, found: re.Match[str], parameters: Mapping[str, str]) -> Answer:
        counter_id, what, request_id, action, part = found.groups()
        endpoint = _endpoint(request.path.rstrip("/"))
        self._fault(counter_id, endpoint)
        account = counters.find(self.world, counter_id)
        post = request.method == "POST"
        if what.endswith("evaluate"):
            return self._logs.evaluate(account, parameters, self._log_fault(counter_id, endpoint, "too_large"))
        if what == "logrequests":
            if not post:
                return self._logs.listed(account)
            return self._logs.create(account, parameters, self._log_fault(counter_id, endpoint, *FAULTS))
        if action is None:
            return self._logs.info(account, request_id)
        if action in ("clean", "cancel"):
            if not post:
                raise MetricaError(405, "invalid_parameter", f"Request method '{request.method}' not supported")
            return (self._logs.clean if action == "clean" else self._logs.cancel)(account, request_id)
        body, rows = self._logs.download(account, request_id, part)
        answer = Answer(200, body, {}, "text/tab-separated-values; charset=utf-8")
        return _broken(answer, self._log_fault(counter_id, endpoint, *_BREAKING), rows)

    def _log_fault(self, counter_id: str, endpoint: str, *kinds: str) -> Fault | None:
        return self.world.fault(Platform.YANDEX_METRICA, counter_id, endpoint, kinds)

    def _fault(self, counter_id: str, endpoint: str) -> None:
        fault = self.world.fault(Platform.YANDEX_METRICA, counter_id, endpoint, _REQUEST)
        if fault is None:
            return
        if fault.kind == "stall":
            self.world.stall(fault.seconds)
            return
        raise _as_error(fault, counter_id)


def _parameters(request: Request) -> dict[str, str]:
    """Join repeated keys by commas, as Metrica reads lists; a form's fields count too."""
    joined: dict[str, str] = {}
    pairs = parse_qsl(request.raw_query, keep_blank_values=True)
    if request.body and "urlencoded" in request.headers.get("content-type", ""):
        pairs += parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _endpoint(path: str) -> str:
    """Name an endpoint without its ids: `logrequest/part/download`."""
    tail = re.sub(r"^/(management/v1/counter/[^/]+/?|management/v1/|stat/v1/)", "", path)
    return re.sub(r"/\d+", "", tail) or "counter"


def _as_error(fault: Fault, counter_id: str) -> MetricaError:
    if fault.kind == "expired_token":
        return MetricaError(403, "invalid_token", "Invalid oauth_token")
    if fault.kind == "lost_account":
        return MetricaError(403, "access_denied", "Access is denied", f"counter {counter_id}")
    if fault.kind == "version_sunset":
        return MetricaError(410, "not_found", "This version of the API is no longer served")
    if fault.kind == "throttle":
        return MetricaError(fault.code or 429, "quota_requests_by_uid", "Quota exceeded: requests for a user", retry_after=fault.seconds)
    return MetricaError(503, "backend_error", "Service is temporarily unavailable")


def _broken(answer: Answer, fault: Fault | None, rows: int) -> Answer:
    if fault is None:
        return answer
    share = min(fault.after_rows / rows, 0.95) if rows and fault.after_rows else 0.5
    cut = int(len(answer.body) * share)
    if fault.kind == "truncated_body":
        answer.body = answer.body[:cut]
    else:
        answer.cut_after = cut
    return answer
