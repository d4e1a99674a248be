"""What the Data API and the Admin API answer, whichever wire the question came on."""

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import grpc

from domain.platforms import Platform
from sandbox.accounts import SandboxAccount
from sandbox.faults import Fault
from sandbox.ga4 import metadata
from sandbox.ga4.ask import read_ask
from sandbox.ga4.errors import AnalyticsError, bad_token, from_fault, invalid, missing_token, no_permission, no_scope
from sandbox.ga4.quota import Quotas
from sandbox.ga4.report import Computed, Report, compute, page
from sandbox.tokens import Token, judge, jwt_claims
from sandbox.world import World

BATCH = 5
PLATFORM = Platform.GA4.value
KEPT_REPORTS = 8
_REQUEST = ("version_sunset", "expired_token", "lost_account", "throttle", "server_error", "stall")
_DATA = ("thresholded", "sampled", "other_row")
_BREAKING = ("broken_stream", "truncated_body")


class Analytics:
    """Google Analytics over one world: who may ask, what they may ask, and what it costs."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.quotas = Quotas()
        self._lock = threading.Lock()
        self._computed: OrderedDict[str, Computed] = OrderedDict()
        world.limits.append(self.quotas.forget)

    def authorize(self, authorization: str, method: str) -> None:
        """Let a good token pass, or a JWT that a service account signed for itself. Raises AnalyticsError."""
        token = authorization.strip().partition(" ")[2].strip() or authorization.strip()
        if token.startswith("sandbox-noscope"):
            raise no_scope()
        match judge(authorization):
            case Token.MISSING:
                raise missing_token(method)
            case Token.EXPIRED:
                raise bad_token(expired=True)
            case Token.UNKNOWN:
                claims = jwt_claims(token)
                if claims is None or float(claims.get("exp", 0)) <= time.time():
                    raise bad_token(expired=claims is not None)

    def report(self, property_id: str, body: Mapping[str, Any]) -> Report:
        """Answer runReport for a property."""
        account = self._open(property_id, "runReport")
        with self.quotas.request(property_id):
            return self._report(account, body)

    def batch(self, property_id: str, body: Mapping[str, Any]) -> list[Report]:
        """Answer batchRunReports: up to five reports of one property."""
        requests = list(body.get("requests") or ())
        if not requests:
            raise invalid("The batchRunReportsRequest must contain at least one runReportRequest.")
        if len(requests) > BATCH:
            raise invalid(f"Batch requests are limited to {BATCH} requests.\n  This batch request contains {len(requests)} requests.")
        account = self._open(property_id, "batchRunReports")
        with self.quotas.request(property_id):
            return [self._report(account, one) for one in requests]

    def metadata(self, property_id: str) -> dict[str, Any]:
        """Answer getMetadata; property 0 tells what all properties have in common."""
        account = None if property_id == "0" else self._open(property_id, "getMetadata")
        return metadata.document(property_id, frozenset() if account is None else self._events(account))

    def compatibility(self, property_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answer checkCompatibility."""
        account = self._open(property_id, "checkCompatibility")
        return metadata.compatibility(body, self._events(account))

    def breaking(self, property_id: str, method: str) -> Fault | None:
        """Take the fault that breaks the answer on its way, if one is due."""
        return self.world.fault(Platform.GA4, property_id, method, _BREAKING)

    def properties(self) -> list[SandboxAccount]:
        """List the properties."""
        return self.world.accounts(Platform.GA4)

    def property(self, property_id: str) -> SandboxAccount:
        """Return a property for the Admin API. Raises AnalyticsError for one that is not open."""
        return self._open(property_id, "getProperty")

    def meet(self, property_id: str, method: str) -> None:
        """Count a request and let the fault happen that is due for it."""
        self.world.count(PLATFORM, method)
        fault = self.world.fault(Platform.GA4, property_id, method, _REQUEST)
        if fault is None:
            return
        if fault.kind == "stall":
            self.world.stall(fault.seconds)
            return
        if fault.kind == "server_error":
            self.quotas.server_error(property_id)
        raise from_fault(fault)

    def _open(self, property_id: str, method: str) -> SandboxAccount:
        self.meet(property_id, method)
        account = self.world.account(Platform.GA4, property_id)
        if account is None and not property_id.isdigit():
            raise invalid(
                f"Invalid property ID: {property_id}. A numeric Property ID is required. To learn more about Property ID, see "
                "https://developers.google.com/analytics/devguides/reporting/data/v1/property-id."
            )
        if account is None:
            raise no_permission()
        return account

    def _report(self, account: SandboxAccount, body: Mapping[str, Any]) -> Report:
        own = body.get("property")
        if own and own != f"properties/{account.account_id}":
            raise invalid(f"The property {own} of a report is not the batch's own, properties/{account.account_id}.")
        if body.get("currencyCode") and body["currencyCode"] != account.currency:
            raise AnalyticsError(grpc.StatusCode.UNIMPLEMENTED, f"The sandbox has no exchange rates: ask for {account.currency}.")
        today = self.world.today(account)
        fault = self.world.fault(Platform.GA4, account.account_id, "runReport", _DATA)
        ask = read_ask(body, today, lambda: self._events(account))
        window = {k: v for k, v in body.items() if k not in ("offset", "limit", "returnPropertyQuota")}
        key = json.dumps([account.account_id, self.world.clock.day.isoformat(), today.isoformat(), window], sort_keys=True, default=str)
        with self._lock:
            done = self._computed.get(key)
        if done is None or fault is not None:
            done = compute(ask, self.world.analytics(account), account, fault)
            if fault is None:
                self._keep(key, done)
        answered = page(Computed(ask, done.groups, done.metadata, done.ordered), self.world.number())
        quota = self.quotas.charge(account.account_id, answered.page.height, thresholded=bool(done.metadata.get("subjectToThresholding")))
        return Report(**{**answered.__dict__, "quota": quota if ask.wants_quota else None})

    def _keep(self, key: str, done: Computed) -> None:
        with self._lock:
            self._computed[key] = done
            while len(self._computed) > KEPT_REPORTS:
                self._computed.popitem(last=False)

    def _events(self, account: SandboxAccount) -> frozenset[str]:
        """Return the property's key events: the goals of its facts, and purchase."""
        return frozenset(g for g in self.world.analytics(account)["goal_id"].unique() if g) | {"purchase"}
