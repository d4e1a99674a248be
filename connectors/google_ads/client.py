"""The Google Ads connector: search_stream with raw protobuf rows, a timeout on every call, errors in our vocabulary."""

import threading
from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from typing import Any, TypeVar

import pyarrow as pa

from connectors.discovery import Discovery, summary
from connectors.google_ads.discovery import discover
from connectors.google_ads.errors import FAILURES, translate
from connectors.google_ads.reports import FIELDS, PATHS, REPORTS, column_name, query
from connectors.google_ads.settings import GoogleAdsCredentials, GoogleAdsSettings
from connectors.google_ads.transport import ChannelClient, Silence, oauth, renew
from connectors.patience import Patience
from connectors.rows import empty, typed
from domain.catalogue import Account, CheckResult, Page, Report
from domain.clock import Clock
from domain.errors import IncompleteAnswer, MrmError, SourceError
from domain.platforms import Platform
from domain.windows import DateWindow

T = TypeVar("T")

CONTENT_TYPE = "application/x-protobuf; delimited=true"


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
        a stream that breaks after its first batch raises TransientFailure, and nothing of it may be kept.
        """
        held: Page | None = None
        batches = rows = 0
        for message in self.search(account.account_id, query(report, window.since, window.until), account.parent_id):
            if held is not None:
                yield held
            self._require_whole(message, account, report)
            held = Page(_table(message.results, report, account), _delimited(message), CONTENT_TYPE)
            batches += 1
            rows += held.rows.num_rows
        proof = f"the stream ended with status OK: {rows} rows in {batches} batches"
        if not report.date_column and rows != 1:
            raise IncompleteAnswer(
                f"{report.name}: Google answered {rows} rows for one account", platform=self.platform, account_id=account.account_id, fix="Sync again"
            )
        held = held or Page(empty(report), b"", CONTENT_TYPE)
        yield Page(held.rows, held.body, held.content_type, proof)

    def search(self, customer_id: str, gaql: str, manager_id: str = "") -> Iterator[Any]:
        """Yield the SearchGoogleAdsStreamResponse messages of a query; only a stream that has not yet begun is tried again.

        `manager_id` is the root through which the customer is reached, where the settings name no login_customer_id.
        """
        through = (("login-customer-id", manager_id),) if manager_id and not self._settings.login_customer_id else ()

        def begin() -> tuple[Any, Any]:
            renew(self._oauth)
            with self._silence.bounded():
                service = self._service("GoogleAdsService")
                stream = service.search_stream(customer_id=customer_id, query=gaql, retry=None, timeout=self._settings.deadline_seconds, metadata=through)
                return stream, next(stream, None)

        stream, message = self._patience.call(lambda: self._translated(begin, customer_id))

        def following() -> Any:  # noqa: ANN401 - a protobuf message of any API version
            with self._silence.bounded(stream):
                return next(stream, None)

        while message is not None:
            yield message
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

    def _require_whole(self, message: Any, account: Account, report: Report) -> None:  # noqa: ANN401 - a protobuf message of any API version
        """Refuse a batch whose last fields are gone: every batch of Google's ends with the field mask."""
        if len(message.field_mask.paths) < len(PATHS[report.name]):
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

        return self._patience.call(lambda: self._translated(once, ""))

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


def _table(results: Any, report: Report, account: Account) -> pa.Table:  # noqa: ANN401 - a repeated protobuf field
    """Return the rows of one batch in the report's schema."""
    columns: dict[str, Any] = {}
    messages: dict[str, list[Any]] = {"": list(results)}
    for path in PATHS[report.name]:
        parent, _, last = path.rpartition(".")
        values: list[Any] = list(map(attrgetter(last), _messages(messages, parent)))
        names = _enum_names(results[0], path) if values else None
        if names is not None:
            values = [names.get(v) or str(v) for v in values]
        columns[column_name(report.name, path)] = pa.array(values, _arrow_type(path))
    return typed(report, account, columns, len(results), doubles=True)


def _messages(known: dict[str, list[Any]], path: str) -> list[Any]:
    """Return the submessage at a path of every row; each level is walked once for all its fields."""
    if path not in known:
        parent, _, last = path.rpartition(".")
        known[path] = list(map(attrgetter(last), _messages(known, parent)))
    return known[path]


def _arrow_type(path: str) -> pa.DataType:
    kind = FIELDS[path][0]
    if path.startswith("metrics.conversions"):
        return pa.float64()
    if path.endswith(".id"):
        return pa.int64()
    return pa.string() if kind == "date" else kind.arrow


def _enum_names(row: Any, path: str) -> dict[int, str] | None:  # noqa: ANN401 - a protobuf message of any API version
    """Return number → name for an enum field, None for any other."""
    message = row
    *parents, last = path.split(".")
    for parent in parents:
        message = getattr(message, parent)
    field = message.DESCRIPTOR.fields_by_name.get(last)
    if field is None or field.enum_type is None:
        return None
    return {number: value.name for number, value in field.enum_type.values_by_number.items()}


def _delimited(message: Any) -> bytes:  # noqa: ANN401 - a protobuf message of any API version
    """Serialize a message with its length before it (base-128 varint), as protobuf's delimited streams are."""
    body: bytes = message.SerializeToString()
    size, prefix = len(body), bytearray()
    while size > 0x7F:
        prefix.append(size & 0x7F | 0x80)
        size >>= 7
    prefix.append(size)
    return bytes(prefix) + body
