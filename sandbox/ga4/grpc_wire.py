"""The gRPC wire: BetaAnalyticsData and the Admin API's read calls, encoded by hand, in one message each."""

import re
from collections.abc import Callable
from typing import Any, NoReturn

import grpc

from sandbox.ga4 import admin
from sandbox.ga4.errors import AnalyticsError
from sandbox.ga4.messages import decode, encode
from sandbox.ga4.report import Report
from sandbox.ga4.service import Analytics
from sandbox.google_ads.wire import integer, message, text

_METHOD = re.compile(r"^/google\.analytics\.(data|admin)\.(v1beta|v1alpha)\.(\w+)/(\w+)$")
_PROPERTY = re.compile(r"properties/([^/]+)")


class Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Handlers for the methods that are served; another answers UNIMPLEMENTED."""

    def __init__(self, analytics: Analytics) -> None:
        self._analytics = analytics
        self._calls: dict[str, Callable[[bytes], bytes]] = {
            "RunReport": self._run,
            "BatchRunReports": self._batch,
            "GetMetadata": self._metadata,
            "CheckCompatibility": self._compatibility,
            "ListAccountSummaries": self._summaries,
            "GetProperty": self._property,
        }

    def service(self, details: Any) -> Any:  # noqa: ANN401
        """Return the handler of a call."""
        match = _METHOD.match(details.method)
        if match is None or match[4] not in self._calls:
            return None
        headers = {key: value for key, value in details.invocation_metadata if isinstance(value, str)}
        run = self._calls[match[4]]

        def answer(body: bytes, context: Any) -> bytes:  # noqa: ANN401
            try:
                self._analytics.authorize(headers.get("authorization", ""), details.method.strip("/").replace("/", "."))
                answered = run(body)
                fault = self._analytics.breaking(_property_of(body), match[4])
            except (AnalyticsError, ValueError) as error:
                _abort(context, error)
            if fault is not None and fault.kind == "broken_stream":
                context.abort(grpc.StatusCode.UNAVAILABLE, "Connection reset by peer")
            return answered if fault is None else answered[: len(answered) // 2]

        return grpc.unary_unary_rpc_method_handler(answer)

    def _run(self, body: bytes) -> bytes:
        asked = decode("RunReportRequest", body)
        return report_bytes(self._analytics.report(_id(asked.get("property", "")), asked))

    def _batch(self, body: bytes) -> bytes:
        asked = decode("BatchRunReportsRequest", body)
        reports = self._analytics.batch(_id(asked.get("property", "")), asked)
        return b"".join(message(1, report_bytes(r)) for r in reports) + text(2, "analyticsData#batchRunReports")

    def _metadata(self, body: bytes) -> bytes:
        return encode("Metadata", self._analytics.metadata(_id(decode("GetMetadataRequest", body).get("name", ""))))

    def _compatibility(self, body: bytes) -> bytes:
        asked = decode("CheckCompatibilityRequest", body)
        return encode("CheckCompatibilityResponse", self._analytics.compatibility(_id(asked.get("property", "")), asked))

    def _summaries(self, body: bytes) -> bytes:
        asked = decode("ListAccountSummariesRequest", body)
        self._analytics.meet("", "listAccountSummaries")
        listed = admin.summaries(self._analytics.properties(), int(asked.get("pageSize", 0)), str(asked.get("pageToken", "")))
        return encode("ListAccountSummariesResponse", listed)

    def _property(self, body: bytes) -> bytes:
        account = self._analytics.property(_id(decode("GetPropertyRequest", body).get("name", "")))
        return encode("Property", admin.resource(account, self._analytics.properties()))


def report_bytes(report: Report) -> bytes:
    """Encode a RunReportResponse; each distinct value is encoded once."""
    out = [message(1, encode("DimensionHeader", {"name": n})) for n in report.dimensions]
    out += [message(2, encode("MetricHeader", {"name": m.name, "type": m.type})) for m in report.metrics]
    columns = [_values(report, f"d{i}", 1, 1) for i in range(len(report.dimensions))]
    columns += [_values(report, f"m{i}", 2, 4) for i in range(len(report.metrics))]
    out += [message(3, b"".join(row)) for row in zip(*columns, strict=True)]
    for name, number in (("totals", 4), ("maximums", 5), ("minimums", 6)):
        if name in report.aggregates:
            dimensions, metrics = report.aggregates[name]
            row = b"".join(message(1, text(1, v)) for v in dimensions) + b"".join(message(2, text(4, v)) for v in metrics)
            out.append(message(number, row))
    if report.row_count:
        out.append(integer(7, report.row_count))
    out.append(message(8, encode("ResponseMetaData", report.metadata)))
    if report.quota is not None:
        out.append(message(9, encode("PropertyQuota", report.quota)))
    return b"".join(out) + text(10, report.kind)


def _values(report: Report, column: str, number: int, inner: int) -> list[bytes]:
    """Encode a column as DimensionValue (1) or MetricValue (4) in its Row field."""
    values = report.page[column].to_list()
    known = {value: message(number, text(inner, value)) for value in set(values)}
    return [known[value] for value in values]


def _id(resource: str) -> str:
    found = _PROPERTY.search(resource)
    return found[1] if found else resource


def _property_of(body: bytes) -> str:
    return _id(str(decode("GetMetadataRequest", body).get("name", "")))


def _abort(context: Any, error: Exception) -> NoReturn:  # noqa: ANN401
    if isinstance(error, AnalyticsError):
        if error.retry_delay:
            context.set_trailing_metadata((("retry-after", f"{error.retry_delay:g}"),))
        context.abort(error.status, error.message)
    context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Request is no message: {error}")
    raise error
