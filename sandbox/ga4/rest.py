"""The REST wire: /v1beta/properties/ID:runReport and its sisters, and the Admin API's account summaries."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.ga4 import admin
from sandbox.ga4.errors import AnalyticsError, invalid
from sandbox.ga4.printing import report_json
from sandbox.ga4.service import Analytics
from sandbox.web import Answer, Request, json_answer

_CALL = re.compile(r"^/(v1beta|v1alpha)/properties/([^/:]+):(\w+)$")
_METADATA = re.compile(r"^/(v1beta|v1alpha)/properties/([^/:]+)/metadata$")
_PROPERTY = re.compile(r"^/(v1beta|v1alpha)/properties/([^/:]+)$")
_SUMMARIES = re.compile(r"^/(v1beta|v1alpha)/accountSummaries$")
_SNAKE = re.compile(r"_([a-z0-9])")
_NOT_FOUND = b"<!DOCTYPE html>\n<html lang=en>\n<title>Error 404 (Not Found)!!1</title>\n<p><b>404.</b> <ins>That's an error.</ins>\n"
_DATA = "google.analytics.data.v1beta.BetaAnalyticsData"


class Rest:
    """Answer the JSON form of both services; a path that is none gets Google's page, not JSON."""

    def __init__(self, analytics: Analytics) -> None:
        self._analytics = analytics

    def __call__(self, request: Request) -> Answer:
        """Answer one request."""
        path = request.path.rstrip("/")
        try:
            if request.method == "POST" and (call := _CALL.match(path)):
                return self._call(request, call[2], call[3])
            if request.method == "GET":
                return self._get(request, path)
        except AnalyticsError as error:
            return json_answer(error.http, error.document(), error.headers())
        return _not_found()

    def _call(self, request: Request, property_id: str, method: str) -> Answer:
        calls: Mapping[str, Callable[[str, Mapping[str, Any]], bytes]] = {
            "runReport": lambda p, body: report_json(self._analytics.report(p, body)),
            "batchRunReports": self._batch,
            "checkCompatibility": lambda p, body: _json(self._analytics.compatibility(p, body)),
        }
        if method not in calls:
            return _not_found()
        self._authorize(request, f"{_DATA}.{method[:1].upper()}{method[1:]}")
        body = Answer(200, calls[method](property_id, _document(request)), {"Server": "ESF", "Vary": "Origin, X-Origin, Referer"})
        fault = self._analytics.breaking(property_id, method)
        if fault is not None and fault.kind == "truncated_body":
            body.body = body.body[: len(body.body) // 2]
        elif fault is not None:
            body.cut_after = len(body.body) // 2
        return body

    def _batch(self, property_id: str, body: Mapping[str, Any]) -> bytes:
        reports = b",".join(report_json(r) for r in self._analytics.batch(property_id, body))
        return b'{"reports":[' + reports + b'],"kind":"analyticsData#batchRunReports"}'

    def _get(self, request: Request, path: str) -> Answer:
        if found := _METADATA.match(path):
            self._authorize(request, f"{_DATA}.GetMetadata")
            return json_answer(200, self._analytics.metadata(found[2]))
        if _SUMMARIES.match(path):
            self._authorize(request, "google.analytics.admin.v1beta.AnalyticsAdminService.ListAccountSummaries")
            self._analytics.meet("", "listAccountSummaries")
            size = request.query.get("pageSize", "0")
            if not size.isdigit():
                raise invalid(f"Invalid value at 'page_size' (TYPE_INT32), \"{size}\"")
            return json_answer(200, admin.summaries(self._analytics.properties(), int(size), request.query.get("pageToken", "")))
        if found := _PROPERTY.match(path):
            self._authorize(request, "google.analytics.admin.v1beta.AnalyticsAdminService.GetProperty")
            account = self._analytics.property(found[2])
            return json_answer(200, admin.resource(account, self._analytics.properties()))
        return _not_found()

    def _authorize(self, request: Request, method: str) -> None:
        given = request.headers.get("authorization", "") or request.query.get("access_token", "")
        self._analytics.authorize(given, method)


def _document(request: Request) -> Mapping[str, Any]:
    """Read the JSON body; proto names are taken like JSON names."""
    try:
        loaded = json.loads(request.body or b"{}")
    except ValueError:
        raise invalid("Invalid JSON payload received. Unexpected token.") from None
    if not isinstance(loaded, dict):
        raise invalid('Invalid JSON payload received. Unknown name "": Root element must be a message.')
    return {k: v for k, v in _camel(loaded).items() if k != "property" or v}


def _camel(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {_SNAKE.sub(lambda m: m[1].upper(), str(k)): _camel(v) for k, v in value.items()}
    return [_camel(v) for v in value] if isinstance(value, list) else value


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _not_found() -> Answer:
    return Answer(404, _NOT_FOUND, content_type="text/html; charset=UTF-8")
