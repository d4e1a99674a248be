"""The Graph API's routes: version, token, node or edge, usage headers, batch."""

import base64
import json
import re
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import parse_qsl, urlsplit

from domain.platforms import Platform
from sandbox.accounts import SandboxAccount
from sandbox.meta_ads import errors, tokens
from sandbox.meta_ads.answering import Insights
from sandbox.meta_ads.asking import Condition
from sandbox.meta_ads.errors import GraphError, invalid, no_object
from sandbox.meta_ads.expansion import nonexisting, parse
from sandbox.meta_ads.nodes import EDGES, EMPTY_EDGES, Node
from sandbox.meta_ads.paging import LARGEST_EDGE_PAGE, bounds, paged
from sandbox.meta_ads.reading import Reader, kept
from sandbox.web import Answer, Request, json_answer
from sandbox.world import World

OLDEST, NEWEST = 22, 26
BATCH = 50
BUSINESS_USER = {"id": "100000000000002", "name": "Sandbox User", "business": {"id": "200000000000001", "name": "Sandbox Agency"}}
_VERSION = re.compile(r"^v(\d+)\.(\d+)$")
_REQUEST = ("version_sunset", "expired_token", "lost_account", "throttle", "server_error", "stall")


class MetaAds:
    """The Graph API, as far as advertising reports need it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._insights = Insights(world)
        self._reader = Reader(world, self._insights.within)

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
            return tokens.exchange(params, self.world.number())
        if parts == ["dialog", "oauth"]:
            return tokens.dialog(params, self.world.number())
        token = tokens.own(request, params)
        tokens.check(token, app=parts == ["debug_token"])
        if parts == ["debug_token"]:
            return tokens.debug(params, self.world.clock.now())
        if request.method == "POST" and not parts and "batch" in params:
            return self._batch(request, params)
        if not parts:
            raise GraphError(400, 2500, "Unsupported get request.", type="GraphMethodException")
        answer = self._me(request, "/".join(parts[1:]), params, token) if parts[0] == "me" else self._node(request, parts, params, endpoint, token)
        answer.headers["X-App-Usage"] = json.dumps({"call_count": 1, "total_cputime": 1, "total_time": 1})
        return answer

    def _account_of(self, parts: list[str]) -> str:
        head = parts[0] if parts else ""
        run = self._insights.run(head)
        return run.account.account_id if run else head.removeprefix("act_")

    def _fault(self, account_id: str, endpoint: str) -> None:
        fault = self.world.fault(Platform.META_ADS, account_id, endpoint, _REQUEST)
        if fault is not None and fault.kind == "stall":
            self.world.stall(fault.seconds)
        elif fault is not None:
            raise errors.from_fault(fault, account_id)

    def _node(self, request: Request, parts: list[str], params: dict[str, str], endpoint: str, token: str) -> Answer:
        """Answer a report run, an ad account, an object below one, or an edge of either."""
        head, edge = parts[0], "/".join(parts[1:])
        tokens.require_reading(token)
        run = self._insights.run(head)
        if run is not None:
            return _usage(run.account, self._insights.report(request, run, edge, params, endpoint))
        fields = parse(params.get("fields", "")) if edge != "insights" else []
        if head.startswith("act_"):
            account = self.world.account(Platform.META_ADS, head.removeprefix("act_"))
            if account is None:
                raise no_object(head)
            if not edge:
                return _usage(account, json_answer(200, self._reader.account(account, fields)))
            return _usage(account, self._edge(request, account, edge, params, endpoint, None, ()))
        found = self._reader.find(head)
        if found is None:
            raise no_object(head)
        account, kind, node, conditions = found
        if not edge:
            return _usage(account, json_answer(200, self._reader.node(account, kind, node, fields)))
        return _usage(account, self._edge(request, account, edge, params, endpoint, (kind, node), conditions))

    def _me(self, request: Request, edge: str, params: dict[str, str], token: str) -> Answer:
        fields = parse(params.get("fields", ""))
        if edge == "":
            user = {"id": "100000000000001", "name": "Sandbox User", "email": "user@example.com"}
            return json_answer(200, {k: v for k, v in user.items() if k in ({f.name for f in fields} or {"id", "name"}) | {"id"}})
        if edge == "permissions":
            return json_answer(200, {"data": tokens.permissions(token)})
        if edge == "adaccounts":
            tokens.require_reading(token)
            accounts = [a for a in self.world.accounts(Platform.META_ADS) if tokens.lists(token, a.account_id)]
            return self._listed(request, params, [self._reader.account(a, fields) for a in accounts], lambda node: node)
        if edge in ("business_users", "businesses"):
            return json_answer(200, {"data": [BUSINESS_USER if edge == "business_users" else BUSINESS_USER["business"]]})
        raise nonexisting(edge, "User")

    def _edge(
        self,
        request: Request,
        account: SandboxAccount,
        edge: str,
        params: dict[str, str],
        endpoint: str,
        owner: tuple[str, Node] | None,
        conditions: tuple[Condition, ...],
    ) -> Answer:
        """Answer an edge of an account, or of the object `owner` (its own edge and node) within it."""
        if edge == "insights" and (owner is None or owner[0] != "adcreatives"):
            level = "account" if owner is None else EDGES[owner[0]].insights
            return self._insights.edge(request, account, params, level, conditions, endpoint)
        if edge == "assigned_users":
            return json_answer(200, {"data": [{"id": BUSINESS_USER["id"], "name": BUSINESS_USER["name"], "tasks": ["DRAFT", "ANALYZE"]}]})
        if edge in EMPTY_EDGES:
            return json_answer(200, {"data": []})
        nodes = kept(self._reader.below(account, edge, owner), params)
        if self.world.fault(Platform.META_ADS, account.account_id, endpoint, ("too_large",)):
            raise errors.too_large()
        fields = parse(params.get("fields", ""))
        return self._listed(request, params, nodes, lambda node: self._reader.node(account, edge, node, fields))

    def _listed(self, request: Request, params: dict[str, str], nodes: list[Node], view: Callable[[Node], Node]) -> Answer:
        start, limit = bounds(params, LARGEST_EDGE_PAGE)
        return json_answer(200, paged(request, params, nodes, start, [view(n) for n in nodes[start : start + limit]]))

    def _batch(self, request: Request, params: dict[str, str]) -> Answer:
        """Answer several requests in one, each with its own status and headers; a part may have a token of its own."""
        parts = json.loads(params["batch"])
        if not isinstance(parts, list) or len(parts) > BATCH:
            raise GraphError(400, 100, f"(#100) Too many requests in batch message. Maximum batch size is {BATCH}", type="GraphBatchException")
        prefix = request.path.strip("/")
        answers = []
        for part in parts:
            url = urlsplit("/" + str(part["relative_url"]).lstrip("/"))
            path = url.path if _VERSION.match(url.path.split("/")[1]) or not prefix else f"/{prefix}{url.path}"
            query = {"access_token": tokens.own(request, params), **dict(parse_qsl(url.query, keep_blank_values=True))}
            headers = {**request.headers, "content-type": "application/x-www-form-urlencoded"}
            inner = Request(str(part.get("method", "GET")), path, query, headers, str(part.get("body", "")).encode(), request.host, request.scheme)
            answer = self(inner)
            named = [{"name": k, "value": v} for k, v in answer.headers.items()]
            answers.append({"code": answer.status, "headers": named, "body": answer.body.decode()})
        if params.get("include_headers") == "false":
            answers = [{k: v for k, v in answer.items() if k != "headers"} for answer in answers]
        return json_answer(200, answers)


def _usage(account: SandboxAccount, answer: Answer) -> Answer:
    """Add the usage headers that every answer about an account carries."""
    tier = {"ads_api_access_tier": "standard_access"}
    entry = {"type": "ads_insights", "call_count": 1, "total_cputime": 1, "total_time": 1, "estimated_time_to_regain_access": 0, **tier}
    answer.headers["X-Business-Use-Case-Usage"] = json.dumps({account.account_id: [entry]})
    answer.headers["X-Ad-Account-Usage"] = json.dumps({"acc_id_util_pct": 1.0, "reset_time_duration": 0, **tier})
    answer.headers["X-FB-Ads-Insights-Throttle"] = json.dumps({"app_id_util_pct": 1.0, "acc_id_util_pct": 1.0, **tier})
    return answer


def _shape(parts: list[str]) -> str:
    """Name the kind of a path: `act_X/insights` whatever the account."""
    shaped = ["act_X" if p.startswith("act_") else "ID" if p.isdigit() else p for p in parts[:3]]
    return "/".join(shaped) or "/"
