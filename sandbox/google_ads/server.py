"""The gRPC server: TLS on localhost, one handler for every API version, answers already encoded."""

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import grpc

from sandbox.faults import Fault
from sandbox.google_ads import metadata
from sandbox.google_ads.certificates import Certificates
from sandbox.google_ads.errors import GoogleAdsError
from sandbox.google_ads.rows import BATCH, batches, summary
from sandbox.google_ads.service import Call, GoogleAds
from sandbox.google_ads.wire import fields, integer, message, text

_METHOD = re.compile(r"^/google\.ads\.googleads\.(v\d+)\.services\.(\w+)/(\w+)$")
WORKERS = 16
SUMMARY, SUMMARY_ONLY = 3, 4
"""SummaryRowSetting: after the results, or alone."""
OMIT_RESULTS, SUMMARY_ROW, TOTAL_COUNT = 1, 2, 3
"""The fields of SearchSettings."""


class GrpcServer:
    """GoogleAdsService and CustomerService at localhost:port, and what other handlers add: one port serves all of Google."""

    def __init__(self, google: GoogleAds, certificates: Certificates, port: int = 0, others: Sequence[grpc.GenericRpcHandler] = ()) -> None:
        options = [("grpc.so_reuseport", 0), ("grpc.max_send_message_length", -1), ("grpc.max_metadata_size", 1 << 20)]
        self._server = grpc.server(ThreadPoolExecutor(WORKERS, thread_name_prefix="sandbox-grpc"), handlers=[_Handlers(google), *others], options=options)
        credentials = grpc.ssl_server_credentials([(certificates.key, certificates.chain)])
        self.port = self._bind(credentials, port)
        self._server.start()

    def _bind(self, credentials: Any, port: int) -> int:  # noqa: ANN401
        for candidate in [*(range(port, port + 50) if port else ()), 0]:
            try:
                bound: int = self._server.add_secure_port(f"127.0.0.1:{candidate}", credentials)
            except RuntimeError:
                continue
            if bound:
                return bound
        raise OSError("no port is free on 127.0.0.1")

    @property
    def endpoint(self) -> str:
        """Return host and port, as the client wants them."""
        return f"localhost:{self.port}"

    def close(self) -> None:
        """Stop at once."""
        self._server.stop(grace=0).wait(timeout=5)


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, google: GoogleAds) -> None:
        self._google = google

    def service(self, details: Any) -> Any:  # noqa: ANN401
        match = _METHOD.match(details.method)
        if match is None:
            return None
        version, service, method = match.groups()
        headers = {key: value for key, value in details.invocation_metadata if isinstance(value, str)}
        call = Call(version, method, headers)
        if (service, method) == ("GoogleAdsService", "SearchStream"):
            return grpc.unary_stream_rpc_method_handler(_Stream(self._google, call))
        if (service, method) == ("GoogleAdsService", "Search"):
            return grpc.unary_unary_rpc_method_handler(_unary(self._google, call, _search))
        if (service, method) == ("GoogleAdsFieldService", "SearchGoogleAdsFields"):
            return grpc.unary_unary_rpc_method_handler(_unary(self._google, call, _fields))
        if (service, method) == ("GoogleAdsFieldService", "GetGoogleAdsField"):
            return grpc.unary_unary_rpc_method_handler(_unary(self._google, call, _field))
        if (service, method) == ("CustomerService", "ListAccessibleCustomers"):
            return grpc.unary_unary_rpc_method_handler(_unary(self._google, call, _accessible))
        return None


class _Stream:
    """SearchStream: batches of 10,000 rows, the field mask and the request id in each."""

    def __init__(self, google: GoogleAds, call: Call) -> None:
        self._google = google
        self._call = call

    def __call__(self, body: bytes, context: Any) -> Iterator[bytes]:  # noqa: ANN401
        request_id = self._google.request_id()
        try:
            request = dict(fields(body))
            customer_id = _text(request.get(1))
            result = self._google.search(self._call, customer_id, _text(request.get(2)))
        except (GoogleAdsError, ValueError) as error:
            _abort(context, self._call, error, request_id)
        context.set_trailing_metadata((("request-id", request_id),))
        fault = self._google.stream_fault(self._call, customer_id)
        tail = message(2, b"".join(text(1, name) for name in result.mask)) + text(4, request_id)
        wish = request.get(3)
        if wish == SUMMARY_ONLY:
            yield message(3, summary(result)) + tail
            return
        size = BATCH if fault is None or fault.kind != "broken_stream" else max(1, min(fault.after_rows or BATCH, BATCH))
        sent = 0
        for batch in batches(result, size):
            sent += len(batch)
            yield _broken(b"".join(batch) + tail, fault)
            if fault is not None and fault.kind == "broken_stream" and sent >= fault.after_rows:
                break
        if fault is not None and fault.kind == "broken_stream":
            context.abort(grpc.StatusCode.UNAVAILABLE, "Connection reset by peer")
        if sent == 0 or wish == SUMMARY:
            yield (message(3, summary(result)) if wish == SUMMARY else b"") + tail


def _broken(body: bytes, fault: Fault | None) -> bytes:
    return body[: len(body) // 2] if fault is not None and fault.kind == "truncated_body" else body


def _unary(google: GoogleAds, call: Call, run: Callable[[GoogleAds, Call, dict[int, int | bytes], str], bytes]) -> Callable[[bytes, Any], bytes]:
    def answer(body: bytes, context: Any) -> bytes:  # noqa: ANN401
        request_id = google.request_id()
        try:
            answered = run(google, call, dict(fields(body)), request_id)
        except (GoogleAdsError, ValueError) as error:
            _abort(context, call, error, request_id)
        context.set_trailing_metadata((("request-id", request_id),))
        return answered

    return answer


def _search(google: GoogleAds, call: Call, request: dict[int, int | bytes], request_id: str) -> bytes:
    """Answer Search: SearchGoogleAdsResponse with results, next_page_token, total_results_count and field_mask."""
    customer_id, query = _text(request.get(1)), _text(request.get(2))
    page = google.page(call, customer_id, query, _text(request.get(3)), int(request.get(4, 0) or 0))
    if request.get(5):
        return b""
    wishes = request.get(10)
    settings = dict(fields(wishes)) if isinstance(wishes, bytes) else {}
    body = b"" if settings.get(OMIT_RESULTS) else b"".join(b"".join(batch) for batch in batches(page.result))
    if page.next_token and not settings.get(OMIT_RESULTS):
        body += text(2, page.next_token)
    if settings.get(TOTAL_COUNT):
        body += integer(3, page.total)
    if settings.get(SUMMARY_ROW) and not page.next_token:
        body += message(6, summary(page.result))
    return _broken(body + message(5, b"".join(text(1, name) for name in page.result.mask)), google.stream_fault(call, customer_id))


def _fields(google: GoogleAds, call: Call, request: dict[int, int | bytes], _request_id: str) -> bytes:
    select, found = google.fields(call, _text(request.get(1)))
    return metadata.page(found, select)


def _field(google: GoogleAds, call: Call, request: dict[int, int | bytes], _request_id: str) -> bytes:
    name = _text(request.get(1)).removeprefix("googleAdsFields/")
    found = google.field(call, name)
    if found is None:
        raise GoogleAdsError("request_error", "RESOURCE_NAME_MALFORMED", f"Resource name 'googleAdsFields/{name}' is unknown.")
    return metadata.encode(found)


def _accessible(google: GoogleAds, call: Call, _request: dict[int, int | bytes], _request_id: str) -> bytes:
    return b"".join(text(1, name) for name in google.accessible(call))


def _text(value: int | bytes | None) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _abort(context: Any, call: Call, error: Exception, request_id: str) -> NoReturn:  # noqa: ANN401
    if not isinstance(error, GoogleAdsError):
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Request is no message: {error}")
        raise error
    key = f"google.ads.googleads.{call.version}.errors.googleadsfailure-bin"
    context.set_trailing_metadata(((key, error.failure(request_id)), ("request-id", request_id)))
    context.abort(error.status, error.details)
    raise error
