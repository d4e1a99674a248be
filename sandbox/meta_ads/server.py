"""The Graph API's routes: version, token, node or edge, paging, usage headers, batch."""

import base64
import json
import re
import threading
import time
from collections import OrderedDict
from hashlib import sha256
from urllib.parse import parse_qsl, urlencode, urlsplit

from domain.platforms import Platform
from sandbox.accounts import SandboxAccount
from sandbox.faults import Fault
from sandbox.meta_ads import errors
from sandbox.meta_ads.errors import GraphError, invalid, no_object
from sandbox.meta_ads.fields import ACCOUNT
from sandbox.meta_ads.insights import Answered, Ask, frame, listed, read_ask
from sandbox.meta_ads.nodes import EDGES, EMPTY_EDGES, Node, account_node, entity_nodes, find_entity, pick
from sandbox.meta_ads.runs import Run, Runs
from sandbox.tokens import Token, judge
from sandbox.web import Answer, Request, json_answer
from sandbox.world import World

OLDEST, NEWEST = 22, 26
PAGE = 25
LARGEST_PAGE = 5_000
SYNC_ROWS = 100_000
"""A synchronous insights request that comes to more rows is refused as too heavy."""
_VERSION = re.compile(r"^v(\d+)\.(\d+)$")
_REQUEST = ("version_sunset", "expired_token", "lost_account", "throttle", "server_error", "stall")
KEPT_FRAMES = 8


class MetaAds:
    """The Graph API, as far as advertising reports need it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._runs = Runs()
        self._frames: OrderedDict[str, Answered] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Answer:
        """Answer one request."""
        trace = "A" + base64.urlsafe_b64encode(sha256(f"meta_ads {self.world.number()}".encode()).digest())[:22].decode()
        try:
            answer = self._route(request)
        except GraphError as error:
            answer = error.answer(trace)
        except ValueError as error:
            answer = invalid(f"Invalid parameter: {error}").answer(trace)
        version = _VERSION.match(request.path.strip("/").split("/")[0])
        answer.headers = {"facebook-api-version": version.group(0) if version else f"v{NEWEST}.0", "x-fb-trace-id": trace, **answer.headers}
        return answer

    def _route(self, request: Request) -> Answer:
        parts = [p for p in request.path.split("/") if p]
        version = _VERSION.match(parts[0]) if parts else None
        parts = parts[1:] if version else parts
        params = request.form()
        endpoint = f"{request.method} {_shape(parts)}"
        self.world.count("meta_ads", endpoint)
        account_id = self._account_of(parts)
        self._fault(account_id, endpoint)
        if version and int(version[1]) < OLDEST:
            raise errors.deprecated()
        if version and int(version[1]) > NEWEST:
            raise GraphError(400, 2500, f"Unknown path components: /{parts[0] if parts else ''}")
        if parts == ["oauth", "access_token"]:
            return json_answer(200, {"access_token": "sandbox-long-lived", "token_type": "bearer", "expires_in": 5_184_000})
        self._check_token(request, params)
        if request.method == "POST" and not parts and "batch" in params:
            return self._batch(request, params)
        if not parts:
            raise GraphError(400, 2500, "Unsupported get request.", type="GraphMethodException")
        return self._node(request, parts, params, endpoint, account_id)

    def _account_of(self, parts: list[str]) -> str:
        head = parts[0] if parts else ""
        run = self._runs.find(head)
        return run.account.account_id if run else head.removeprefix("act_")

    def _fault(self, account_id: str, endpoint: str) -> None:
        fault = self.world.fault(Platform.META_ADS, account_id, endpoint, _REQUEST)
        if fault is not None and fault.kind == "stall":
            self.world.stall(fault.seconds)
        elif fault is not None:
            raise errors.from_fault(fault, account_id)

    def _check_token(self, request: Request, params: dict[str, str]) -> None:
        match judge(params.get("access_token") or request.headers.get("authorization", "")):
            case Token.MISSING:
                raise GraphError(400, 104, "An access token is required to request this resource.")
            case Token.EXPIRED:
                raise errors.expired()
            case Token.UNKNOWN:
                headers = {"WWW-Authenticate": 'OAuth "Facebook Platform" "invalid_token" "Invalid OAuth access token"'}
                raise GraphError(400, 190, "Invalid OAuth access token - Cannot parse access token", headers=headers)

    def _node(self, request: Request, parts: list[str], params: dict[str, str], endpoint: str, account_id: str) -> Answer:
        head, edge = parts[0], "/".join(parts[1:])
        if head == "me":
            return self._me(request, edge, params)
        run = self._runs.find(head)
        if run is not None:
            return self._report(request, run, edge, params, endpoint)
        if head.startswith("act_"):
            account = self.world.account(Platform.META_ADS, account_id)
            if account is None:
                raise no_object(head)
            if not edge:
                node = account_node(account, self.world.facts(account))
                return self._usage(account, json_answer(200, pick(node, listed(params.get("fields", "")), ACCOUNT, "AdAccount", ("account_id",))))
            return self._edge(request, account, edge, params, "account", (), endpoint)
        accounts = {a: self.world.facts(a) for a in self.world.accounts(Platform.META_ADS)}
        found = find_entity(head, accounts)
        if found is None:
            raise no_object(head)
        account, kind, own = found
        if not edge:
            node = next(n for n in entity_nodes(EDGES[kind], account, accounts[account]) if n["id"] == head)
            return self._usage(account, json_answer(200, pick(node, listed(params.get("fields", "")), EDGES[kind].fields, EDGES[kind].type, ("id",))))
        return self._edge(request, account, edge, params, EDGES[kind].insights, (own,), endpoint)

    def _me(self, request: Request, edge: str, params: dict[str, str]) -> Answer:
        wanted = listed(params.get("fields", ""))
        if edge == "":
            return json_answer(200, {"id": "100000000000001", "name": "Sandbox User"})
        if edge == "permissions":
            return json_answer(200, {"data": [{"permission": p, "status": "granted"} for p in ("ads_read", "business_management", "read_insights")]})
        if edge == "adaccounts":
            accounts = self.world.accounts(Platform.META_ADS)
            nodes = [pick(account_node(a, self.world.facts(a)), wanted, ACCOUNT, "AdAccount", ("account_id",)) for a in accounts]
            return self._paged(request, params, nodes)
        raise invalid(f"Tried accessing nonexisting field ({edge}) on node type (User)")

    def _edge(
        self,
        request: Request,
        account: SandboxAccount,
        edge: str,
        params: dict[str, str],
        level: str,
        ids: tuple[tuple[str, tuple[str, ...]], ...],
        endpoint: str,
    ) -> Answer:
        facts = self.world.facts(account)
        if edge == "insights":
            ask = read_ask(params, level, facts.today, ids)
            if request.method == "POST":
                return self._start(account, ask, endpoint)
            too_large = self.world.fault(Platform.META_ADS, account.account_id, endpoint, ("too_large",))
            rows = self._frame(account, ask)
            if too_large or rows.height > SYNC_ROWS:
                raise errors.too_large()
            return self._insights_page(request, account, rows, params, endpoint)
        if edge in EDGES:
            kind = EDGES[edge]
            nodes = entity_nodes(kind, account, facts)
            for column, values in ids:
                name = {"ad_group_id": "adset_id"}.get(column, column)
                nodes = [n for n in nodes if n.get(name, n["id"]) in values]
            nodes = _by_status(nodes, params)
            wanted = listed(params.get("fields", ""))
            return self._usage(account, self._paged(request, params, [pick(n, wanted, kind.fields, kind.type, ("id",)) for n in nodes]))
        if edge in EMPTY_EDGES:
            return self._usage(account, json_answer(200, {"data": []}))
        raise invalid(f"Tried accessing nonexisting field ({edge}) on node type (AdAccount)")

    def _frame(self, account: SandboxAccount, ask: Ask) -> Answered:
        """Add the facts up, or take the sums that an earlier page made."""
        key = repr((account.account_id, ask, self.world.clock.day, self.world.today(account)))
        with self._lock:
            known = self._frames.get(key)
        if known is None:
            known = Answered(ask, account, frame(ask, self.world.facts(account)))
            with self._lock:
                self._frames[key] = known
                while len(self._frames) > KEPT_FRAMES:
                    self._frames.popitem(last=False)
        return known

    def _start(self, account: SandboxAccount, ask: Ask, endpoint: str) -> Answer:
        fault = self.world.fault(Platform.META_ADS, account.account_id, endpoint, ("report_failed", "report_skipped", "report_slow"))
        run_id = str(120_990_000_000_000_000 + self.world.number())
        self._runs.add(Run(run_id, account, ask, self._frame(account, ask), int(time.time()), fault))
        return self._usage(account, json_answer(200, {"report_run_id": run_id}))

    def _report(self, request: Request, run: Run, edge: str, params: dict[str, str], endpoint: str) -> Answer:
        if edge == "insights":
            if run.status[0] != "Job Completed":
                raise GraphError(
                    400,
                    2601,
                    "Error accessing adreport job.",
                    1815107,
                    is_transient=True,
                    title="Loading Async Ads Report Failed",
                    user_message="Sorry, the report cannot be loaded successfully. Please check if your job status is completed instead of failed or "
                    "running before fetching the data.",
                )
            rows = self._frame(run.account, run.ask) if run.rows is None else run.rows
            return self._insights_page(request, run.account, rows, params, endpoint)
        if edge:
            raise invalid(f"Tried accessing nonexisting field ({edge}) on node type (AdReportRun)")
        run.poll(int(time.time()))
        status, percent = run.status
        node: Node = {
            "id": run.id,
            "account_id": run.account.account_id,
            "time_ref": run.started,
            "time_completed": run.finished,
            "async_status": status,
            "async_percent_completion": percent,
            "date_start": run.ask.since.isoformat(),
            "date_stop": run.ask.until.isoformat(),
        }
        if status == "Job Failed":
            node |= {
                "error_code": 2,
                "error_subcode": 1487742,
                "error_message": "The report run failed. Please try again.",
                "error_user_title": "Report failed",
            }
        wanted = [f for f in listed(params.get("fields", "")) if f]
        return self._usage(run.account, json_answer(200, {k: v for k, v in node.items() if not wanted or k in wanted or k == "id"}))

    def _insights_page(self, request: Request, account: SandboxAccount, rows: Answered, params: dict[str, str], endpoint: str) -> Answer:
        start, limit = _bounds(params)
        fault = self.world.fault(Platform.META_ADS, account.account_id, endpoint, ("broken_stream", "truncated_body"))
        data = rows.page(start, limit)
        shown = min(limit, max(rows.height - start, 0))
        paging = _paging(request, params, start, shown, rows.height)
        body = f'{{"data":{data}' + (f',"paging":{json.dumps(paging)}' if paging else "") + "}"
        return self._usage(account, _broken(Answer(200, body.encode()), fault, shown))

    def _paged(self, request: Request, params: dict[str, str], nodes: list[Node]) -> Answer:
        start, limit = _bounds(params)
        page = nodes[start : start + limit]
        answer: dict[str, object] = {"data": page}
        if paging := _paging(request, params, start, len(page), len(nodes)):
            answer["paging"] = paging
        return json_answer(200, answer)

    def _usage(self, account: SandboxAccount, answer: Answer) -> Answer:
        """Add the usage headers that every answer about an account carries."""
        tier = {"ads_api_access_tier": "standard_access"}
        entry = {"type": "ads_insights", "call_count": 1, "total_cputime": 1, "total_time": 1, "estimated_time_to_regain_access": 0, **tier}
        answer.headers["X-Business-Use-Case-Usage"] = json.dumps({account.account_id: [entry]})
        answer.headers["X-Ad-Account-Usage"] = json.dumps({"acc_id_util_pct": 1.0, "reset_time_duration": 0, **tier})
        answer.headers["X-FB-Ads-Insights-Throttle"] = json.dumps({"app_id_util_pct": 1.0, "acc_id_util_pct": 1.0, **tier})
        return answer

    def _batch(self, request: Request, params: dict[str, str]) -> Answer:
        """Answer several requests in one; each part carries its own status and headers."""
        answers = []
        for part in json.loads(params["batch"]):
            url = urlsplit("/" + str(part["relative_url"]).lstrip("/"))
            query = {"access_token": params.get("access_token", ""), **dict(parse_qsl(url.query, keep_blank_values=True))}
            headers = {**request.headers, "content-type": "application/x-www-form-urlencoded"}
            inner = Request(str(part.get("method", "GET")), url.path, query, headers, str(part.get("body", "")).encode(), request.host, request.scheme)
            answer = self(inner)
            named = [{"name": k, "value": v} for k, v in answer.headers.items()]
            answers.append({"code": answer.status, "headers": named, "body": answer.body.decode()})
        return json_answer(200, answers)


def _shape(parts: list[str]) -> str:
    """Name the kind of a path: `act_X/insights` whatever the account."""
    shaped = ["act_X" if p.startswith("act_") else "ID" if p.isdigit() else p for p in parts[:3]]
    return "/".join(shaped) or "/"


def _bounds(params: dict[str, str]) -> tuple[int, int]:
    limit = params.get("limit") or str(PAGE)
    if not limit.isdigit() or int(limit) < 1:
        raise invalid("param limit must be a positive integer.")
    after = params.get("after") or ""
    try:
        start = int(base64.urlsafe_b64decode(after.encode()).decode()) if after else 0
    except ValueError:
        raise invalid("Invalid cursor: the after parameter is no cursor of this edge.") from None
    return start, min(int(limit), LARGEST_PAGE)


def _paging(request: Request, params: dict[str, str], start: int, shown: int, total: int) -> dict[str, object]:
    if not shown:
        return {}
    paging: dict[str, object] = {"cursors": {"before": _cursor(start), "after": _cursor(start + shown)}}
    if start + shown < total:
        following = {**params, "limit": params.get("limit") or str(PAGE), "after": _cursor(start + shown)}
        paging["next"] = f"{request.scheme}://{request.host}{request.path}?{urlencode(following)}"
    return paging


def _cursor(at: int) -> str:
    return base64.urlsafe_b64encode(str(at).encode()).decode()


def _by_status(nodes: list[Node], params: dict[str, str]) -> list[Node]:
    wanted = listed(params.get("effective_status", ""))
    return [n for n in nodes if n["effective_status"] in wanted] if wanted else nodes


def _broken(answer: Answer, fault: Fault | None, rows: int) -> Answer:
    if fault is None:
        return answer
    if fault.kind == "truncated_body":
        answer.body = answer.body[: len(answer.body) // 2]
    else:
        share = min(fault.after_rows / rows, 0.95) if rows and fault.after_rows else 0.5
        answer.cut_after = int(len(answer.body) * share)
    return answer
