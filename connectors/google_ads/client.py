"""The Google Ads connector: search_stream with raw protobuf rows, a timeout on every call, errors in our vocabulary."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import pyarrow as pa
from google.protobuf.message import DecodeError

from connectors.discovery import Discovery, summary
from connectors.google_ads.batches import Batch
from connectors.google_ads.discovery import discover
from connectors.google_ads.errors import FAILURES, translate
from connectors.google_ads.fields import OPTIONAL
from connectors.google_ads.reports import PATHS, REPORTS, query
from connectors.google_ads.rows import table
from connectors.google_ads.settings import GoogleAdsCredentials, GoogleAdsSettings
from connectors.google_ads.transport import ChannelClient, Silence, oauth, renew
from connectors.patience import Patience
from connectors.rows import drift, empty
from domain.catalogue import Account, CheckResult, Page, Report
from domain.clock import Clock
from domain.errors import AuthorizationExpired, IncompleteAnswer, MrmError, RequestRejected, SourceError
from domain.platforms import Platform
from domain.windows import DateWindow

T = TypeVar("T")

CONTENT_TYPE = "application/x-protobuf; delimited=true"
_END = object()
SETTLING_DAYS = 7
"""Clicks and cost change for some days whatever the conversion windows are."""
_WINDOWS = (
    "SELECT conversion_action.id, conversion_action.click_through_lookback_window_days, conversion_action.view_through_lookback_window_days "
    "FROM conversion_action WHERE conversion_action.status = 'ENABLED'"
)
_UNRECOGNIZED = re.compile(r"UNRECOGNIZED_FIELD.*'([a-z0-9_.]+)'")


class GoogleAds:
    """Google Ads behind one credential. Rows leave here exactly as Google sent them: micros, enum names, the account's days."""

    platform = str(Platform.GOOGLE_ADS)
    reports: Mapping[str, Report] = {r.name: r for r in REPORTS}

    def __init__(self, credentials: GoogleAdsCredentials, settings: GoogleAdsSettings, clock: Clock, patience: Patience | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._patience = patience or Patience(budget=settings.wait_budget_seconds)
        self._oauth = oauth(credentials, settings)
        self._client = ChannelClient(self._oauth, credentials, settings)
        self._silence = Silence(settings.timeout_seconds)
        self._services: dict[str, Any] = {}
        self._dropped: set[str] = set()
        self._lookbacks: dict[str, int] = {}
        self._lock = threading.Lock()

    def accounts(self) -> list[Account]:
        """List the accounts that carry metrics, each once; managers and disabled ones are left out."""
        return self.discover().accounts

    def discover(self) -> Discovery:
        """List the accounts and say in words which were left out and why."""
        return discover(self._accessible, self.search, self._settings.login_customer_id)

    def pages(self, account: Account, report: Report, window: DateWindow) -> Iterator[Page]:
        """Yield a page per batch of the stream; `window` is inclusive, in the account's time zone.

        The last page carries the proof: the stream ended with gRPC status OK. Raises a SourceError that names the account;
        a stream that breaks after its first batch raises TransientFailure, and nothing of it may be kept. An optional field that this
        version of the API no longer knows is left out with a note, and its column is NULL.
        """
        while True:
            begun = False
            try:
                for page in self._pages(account, report, window):
                    begun = True
                    yield page
                return
            except RequestRejected as error:
                path = None if begun else _unrecognized(str(error), report)
                if path is None or path in self._dropped:
                    raise
                self._dropped.add(path)

    def lookback_days(self, account: Account, report: Report) -> int:
        """Return one day more than the widest conversion window of the account's enabled actions; 30 where it has none.

        The window's last day is over on the day after it, and clicks and cost are settled long before.
        """
        if account.account_id not in self._lookbacks:
            windows = [0]
            for message in self.search(account.account_id, _WINDOWS, account.parent_id):
                for row in message.results:
                    action = row.conversion_action
                    windows += (action.click_through_lookback_window_days, action.view_through_lookback_window_days)
            self._lookbacks[account.account_id] = max(windows) + 1 if max(windows) else report.lookback_days
        return max(self._lookbacks[account.account_id], SETTLING_DAYS)

    def least_lookback_days(self, report: Report) -> int:
        """Return what no account's conversion windows can shorten."""
        return min(SETTLING_DAYS, report.lookback_days)

    def _pages(self, account: Account, report: Report, window: DateWindow) -> Iterator[Page]:
        held: Page | None = None
        batches = rows = 0
        asked = [path for path in PATHS[report.name] if path not in self._dropped]
        for batch in self.search(account.account_id, query(report, window.since, window.until, self._dropped), account.parent_id):
            if held is not None:
                yield held
            self._require_whole(batch, account, report, len(asked))
            held = Page(self._rows(batch, account, report), batch.delimited(), CONTENT_TYPE)
            batches += 1
            rows += held.rows.num_rows
        proof = f"the stream ended with status OK: {rows} rows in {batches} batches"
        if report.name == "accounts" and rows != 1:
            raise IncompleteAnswer(
                f"{report.name}: Google answered {rows} rows for one account", platform=self.platform, account_id=account.account_id, fix="Sync again"
            )
        held = held or Page(empty(report), b"", CONTENT_TYPE)
        notes = tuple(f"{report.name}: Google no longer knows {path}, its column is NULL" for path in PATHS[report.name] if path in self._dropped)
        yield Page(held.rows, held.body, held.content_type, proof, notes)

    def search(self, customer_id: str, gaql: str, manager_id: str = "") -> Iterator[Batch]:
        """Yield the messages of a query as they came; only a stream that has not yet begun is tried again.

        `manager_id` is the root through which the customer is reached, where the settings name no login_customer_id.
        """
        through = (("login-customer-id", manager_id),) if manager_id and not self._settings.login_customer_id else ()

        def begin() -> tuple[Any, Any]:
            renew(self._oauth)
            with self._silence.bounded():
                service = self._service("GoogleAdsService")
                stream = service.search_stream(customer_id=customer_id, query=gaql, retry=None, timeout=self._settings.deadline_seconds, metadata=through)
                return stream, next(stream, _END)

        stream, message = self._patience.call(lambda: self._authorized(begin, customer_id))

        def following() -> Any:  # noqa: ANN401 - a protobuf message of any API version
            with self._silence.bounded(stream):
                return next(stream, _END)

        while message is not _END:
            if message is None:
                raise IncompleteAnswer("the client library lost a message", platform=self.platform, account_id=customer_id, fix="Nothing was kept; sync again")
            yield message
            message = None
            message = self._translated(following, customer_id)

    def check(self) -> CheckResult:
        """Say in words what the credential can do. Does not raise for a refused token."""
        try:
            found = self.discover()
        except MrmError as error:
            return CheckResult(False, str(error))
        message = summary(found, "Google Ads", "accounts", {"version": self._settings.api_version})
        return CheckResult(bool(found.accounts), message, tuple(found.accounts))

    def close(self) -> None:
        """Close the channels."""
        for service in self._services.values():
            service.transport.close()
        self._services.clear()

    def _rows(self, batch: Batch, account: Account, report: Report) -> pa.Table:
        try:
            return table(batch, report, account)
        except (ValueError, DecodeError) as error:
            raise drift(report, account, "results", f"does not read as a message of {self._settings.api_version}: {error}") from error

    def _require_whole(self, batch: Batch, account: Account, report: Report, asked: int) -> None:
        """Refuse a batch whose last fields are gone: every batch of Google's ends with the field mask."""
        if len(batch.mask) < asked:
            raise IncompleteAnswer(
                f"{report.name}: a batch came without its field mask",
                platform=self.platform,
                account_id=account.account_id,
                fix="Nothing of it was kept; sync again",
            )

    def _accessible(self) -> list[str]:
        """List the ids of the customers that the credential reaches directly."""

        def once() -> list[str]:
            renew(self._oauth)
            service = self._service("CustomerService")
            answer = service.list_accessible_customers(retry=None, timeout=self._settings.timeout_seconds)
            return [name.rpartition("/")[2] for name in answer.resource_names]

        return self._patience.call(lambda: self._authorized(once, ""))

    def _authorized(self, call: Callable[[], T], account_id: str) -> T:
        """Call; an access token that Google refuses before its time is renewed once, where there is a refresh token."""
        token = self._oauth.token
        try:
            return self._translated(call, account_id)
        except AuthorizationExpired:
            if not (self._oauth.refresh_token and token and self._oauth.token == token):
                raise
        self._oauth.token = None
        return self._translated(call, account_id)

    def _translated(self, call: Callable[[], T], account_id: str) -> T:
        try:
            return call()
        except FAILURES as error:
            raise translate(error, account_id, self._settings.api_version) from None
        except SourceError as error:
            error.account_id = error.account_id or account_id
            raise

    def _service(self, name: str) -> Any:  # noqa: ANN401 - the library's generated service clients share no type
        with self._lock:
            if name not in self._services:
                self._services[name] = self._client.get_service(name, interceptors=[self._silence])
            return self._services[name]


def _unrecognized(words: str, report: Report) -> str | None:
    """Return the field that Google no longer knows, when the report can do without it."""
    found = _UNRECOGNIZED.search(words)
    return found[1] if found and found[1] in OPTIONAL and found[1] in PATHS[report.name] else None
