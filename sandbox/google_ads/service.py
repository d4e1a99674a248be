"""What GoogleAdsService and CustomerService do with a call, whichever wire it came by."""

import base64
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from domain.platforms import Platform
from sandbox.faults import Fault
from sandbox.google_ads import metadata
from sandbox.google_ads.customers import Customer, CustomerTree
from sandbox.google_ads.engine import Result, run
from sandbox.google_ads.errors import GoogleAdsError
from sandbox.google_ads.fields import VERSIONS
from sandbox.google_ads.gaql import parse
from sandbox.google_ads.metadata import Described
from sandbox.google_ads.quotas import Quotas
from sandbox.tokens import Token, judge
from sandbox.world import World

PAGE = 10_000
PAGE_TOKEN_LIFE = 7200.0
KEPT_RESULTS = 8
NEWEST = VERSIONS[-1]
_FATAL = ("version_sunset", "expired_token", "lost_account", "throttle", "server_error", "stall", "too_large")
_SUNSET = "Version {version} is deprecated. Requests to this version will be blocked."
_DENIED = (
    "User doesn't have permission to access customer. Note: If you're accessing a client customer, the manager's customer id must be set in the "
    "'login-customer-id' header. See https://developers.google.com/google-ads/api/docs/concepts/call-structure#cid"
)
_NOT_ENABLED = "The customer account can't be accessed because it is not yet enabled or has been deactivated."


@dataclass(frozen=True)
class Call:
    """One call: version, method, headers in lower case."""

    version: str
    method: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Page:
    """A slice of a result, and the token of the next one."""

    result: Result
    total: int
    next_token: str


class GoogleAds:
    """The platform behind both wires."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tree = CustomerTree(world.accounts(Platform.GOOGLE_ADS))
        self._results: OrderedDict[tuple[object, ...], Result] = OrderedDict()
        self._lock = threading.Lock()
        self.quotas = Quotas()
        world.limits.append(self.quotas.forget)

    def answer_anew(self) -> None:
        """Take the accounts that the world has now, and forget what was answered before."""
        self._results.clear()
        self.tree = CustomerTree(self.world.accounts(Platform.GOOGLE_ADS))

    def request_id(self) -> str:
        """Return an id as the API gives one: 22 letters, digits, dashes and underscores."""
        digest = sha256(f"google_ads {self.world.number()}".encode()).digest()
        return base64.urlsafe_b64encode(digest)[:22].decode()

    def accessible(self, call: Call) -> list[str]:
        """List the resource names of the customers that the token opens directly."""
        self.world.count("google_ads", call.method)
        self._fault(call, "")
        self._check_headers(call)
        return [f"customers/{customer_id}" for customer_id in self.tree.accessible]

    def fields(self, call: Call, query: str) -> tuple[tuple[str, ...], list[Described]]:
        """Run a query of GoogleAdsFieldService. Raises GoogleAdsError."""
        self.world.count("google_ads", call.method)
        self._fault(call, "")
        self._check_headers(call)
        return metadata.search(query, call.version)

    def field(self, call: Call, name: str) -> Described | None:
        """Return one field of the API, None when there is none of that name. Raises GoogleAdsError."""
        self.world.count("google_ads", call.method)
        self._check_headers(call)
        return metadata.named(name, call.version)

    def search(self, call: Call, customer_id: str, query: str, *, further: bool = False) -> Result:
        """Run a query; `further` says that it is a later page of one that was counted. Raises GoogleAdsError."""
        self.world.count("google_ads", call.method)
        self._fault(call, customer_id)
        self._check_headers(call)
        if not further:
            self.quotas.take(call.headers.get("developer-token", ""), self.world.clock.now())
        customer = self._customer(call, customer_id)
        facts = None if customer.account is None else self.world.facts(customer.account)
        today = self.world.clock.today(customer.timezone) if facts is None else facts.today
        key = (customer_id, query, call.version, self.world.clock.day, today)
        with self._lock:
            known = self._results.get(key)
        if known is None:
            known = run(parse(query), customer, self.tree, facts, call.version, today)
            with self._lock:
                self._results[key] = known
                while len(self._results) > KEPT_RESULTS:
                    self._results.popitem(last=False)
        return known

    def page(self, call: Call, customer_id: str, query: str, token: str, page_size: int) -> Page:
        """Run a query and return one page of 10,000 rows. Raises GoogleAdsError, also for a foreign or old page token."""
        if page_size:
            raise GoogleAdsError(
                "request_error",
                "PAGE_SIZE_NOT_SUPPORTED",
                "Setting the page size is not supported. Search responses will have fixed page size of '10000' rows.",
            )
        mark = sha256(f"{customer_id} {query}".encode()).hexdigest()[:16]
        day = self.world.clock.day.isoformat()
        start = _read_token(token, mark, day) if token else 0
        result = self.search(call, customer_id, query, further=bool(token))
        following = start + PAGE
        next_token = _token(mark, following, day) if following < result.rows.height else ""
        return Page(replace(result, rows=result.rows.slice(start, PAGE)), result.total, next_token)

    def stream_fault(self, call: Call, customer_id: str) -> Fault | None:
        """Take the fault that breaks this answer while it streams, if one is due."""
        return self.world.fault(Platform.GOOGLE_ADS, customer_id, call.method, ("broken_stream", "truncated_body"))

    def _fault(self, call: Call, customer_id: str) -> None:
        fault = self.world.fault(Platform.GOOGLE_ADS, customer_id, call.method, _FATAL)
        if fault is None:
            return
        if fault.kind == "stall":
            self.world.stall(fault.seconds)
            return
        raise _as_error(fault, call)

    def _check_headers(self, call: Call) -> None:
        """Refuse what the API refuses before it looks at the query."""
        if call.version not in VERSIONS:
            raise GoogleAdsError("request_error", "UNSUPPORTED_VERSION", _SUNSET.format(version=call.version))
        match judge(call.headers.get("authorization", "")):
            case Token.MISSING:
                raise GoogleAdsError("authentication_error", "OAUTH_TOKEN_HEADER_INVALID", "OAuth token in the header is not valid.")
            case Token.EXPIRED:
                raise GoogleAdsError("authentication_error", "OAUTH_TOKEN_EXPIRED", "OAuth token has expired.")
            case Token.UNKNOWN:
                raise GoogleAdsError("authentication_error", "OAUTH_TOKEN_INVALID", "OAuth token is invalid.")
        developer = call.headers.get("developer-token", "")
        if not developer:
            raise GoogleAdsError("request_error", "DEVELOPER_TOKEN_PARAMETER_MISSING", "Developer token is not set.")
        if len(developer) != 22:
            raise GoogleAdsError("authentication_error", "DEVELOPER_TOKEN_INVALID", "The developer token is not valid.")
        login = call.headers.get("login-customer-id", "")
        if login and not (login.isdigit() and len(login) == 10):
            raise GoogleAdsError("header_error", "INVALID_LOGIN_CUSTOMER_ID", "The login customer ID could not be validated.")

    def _customer(self, call: Call, customer_id: str) -> Customer:
        if not customer_id.isdigit():
            raise GoogleAdsError("request_error", "INVALID_CUSTOMER_ID", f"Invalid customer ID '{customer_id}'.")
        customer = self.tree.find(customer_id)
        if customer is None or not self.tree.opens(call.headers.get("login-customer-id", ""), customer_id):
            raise GoogleAdsError("authorization_error", "USER_PERMISSION_DENIED", _DENIED)
        if customer.status != "ENABLED":
            raise GoogleAdsError("authorization_error", "CUSTOMER_NOT_ENABLED", _NOT_ENABLED)
        return customer


def _as_error(fault: Fault, call: Call) -> GoogleAdsError:
    if fault.kind == "version_sunset":
        return GoogleAdsError("request_error", "UNSUPPORTED_VERSION", _SUNSET.format(version=call.version))
    if fault.kind == "expired_token":
        return GoogleAdsError("authentication_error", "OAUTH_TOKEN_EXPIRED", "OAuth token has expired.")
    if fault.kind == "lost_account":
        return GoogleAdsError("authorization_error", "USER_PERMISSION_DENIED", _DENIED)
    if fault.kind == "server_error":
        return GoogleAdsError("internal_error", "INTERNAL_ERROR", "An internal error has occurred.")
    code = "RESOURCE_EXHAUSTED" if fault.kind == "throttle" else "RESOURCE_TEMPORARILY_EXHAUSTED"
    scope = "ACCOUNT" if fault.account_id else "DEVELOPER"
    words = f"Too many requests. Retry in {fault.seconds:g} seconds."
    return GoogleAdsError("quota_error", code, words, retry_delay=fault.seconds, rate_scope=scope)


def _token(mark: str, start: int, day: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([mark, start, round(time.time()), day]).encode()).decode()


def _read_token(token: str, mark: str, day: str) -> int:
    """Return where a page begins. A token is good for two hours, and for the day of the clock on which it was given."""
    try:
        owner, start, made, given = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError):
        raise GoogleAdsError("request_error", "INVALID_PAGE_TOKEN", "Page token is invalid.") from None
    if owner != mark:
        raise GoogleAdsError("request_error", "INVALID_PAGE_TOKEN", "Page token is invalid.")
    if given != day or time.time() - made > PAGE_TOKEN_LIFE:
        raise GoogleAdsError("request_error", "EXPIRED_PAGE_TOKEN", "Page token has expired.")
    return int(start)
