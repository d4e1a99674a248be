"""The REST wire: POST /vN/customers/{id}/googleAds:searchStream and :search, GET /vN/customers:listAccessibleCustomers."""

import json
import re
from typing import Any

from sandbox.google_ads.engine import Result
from sandbox.google_ads.errors import HTTP, GoogleAdsError
from sandbox.google_ads.metadata import document
from sandbox.google_ads.rows import BATCH, documents, mask
from sandbox.google_ads.service import Call, GoogleAds
from sandbox.web import Answer, Request, json_answer

_SEARCH = re.compile(r"^/(v\d+)/customers/([^/]+)/googleAds:(searchStream|search)$")
_FIELDS = re.compile(r"^/(v\d+)/googleAdsFields(?:/([a-z0-9_.]+)|(:search))$")
_LIST = re.compile(r"^/(v\d+)/customers:listAccessibleCustomers$")


class Rest:
    """Answer the REST form of the same services."""

    def __init__(self, google: GoogleAds) -> None:
        self._google = google

    def __call__(self, request: Request) -> Answer:
        """Route one request."""
        request_id = self._google.request_id()
        found = _SEARCH.match(request.path)
        listed, described = _LIST.match(request.path), _FIELDS.match(request.path)
        version = (found or listed or described or [None, "v0"])[1] or "v0"
        try:
            if found and request.method == "POST":
                return self._search(Call(version, f"rest:{found[3]}", request.headers), found[2], request, request_id)
            if listed and request.method == "GET":
                names = self._google.accessible(Call(version, "rest:listAccessibleCustomers", request.headers))
                return json_answer(200, {"resourceNames": names})
            if described and (answer := self._fields(Call(version, "rest:googleAdsFields", request.headers), described[2], request)):
                return answer
        except GoogleAdsError as error:
            return json_answer(HTTP[error.status], error.document(version, request_id), {"request-id": request_id})
        except ValueError as error:
            return json_answer(400, {"error": {"code": 400, "message": f"Invalid JSON payload received. {error}", "status": "INVALID_ARGUMENT"}})
        return json_answer(404, {"error": {"code": 404, "message": "Requested entity was not found.", "status": "NOT_FOUND"}})

    def _fields(self, call: Call, name: str | None, request: Request) -> Answer | None:
        """Answer GoogleAdsFieldService: one field, or a search; None for a field that the API has not."""
        if name:
            one = self._google.field(call, name)
            return json_answer(200, document(one)) if one else None
        select, found = self._google.fields(call, str(json.loads(request.body or b"{}").get("query", "")))
        return json_answer(200, {"results": [document(one, select) for one in found], "totalResultsCount": str(len(found))})

    def _search(self, call: Call, customer_id: str, request: Request, request_id: str) -> Answer:
        body = json.loads(request.body or b"{}")
        query = str(body.get("query", ""))
        headers = {"request-id": request_id}
        if call.method == "rest:search":
            return self._breaking(call, customer_id, json_answer(200, self._page(call, customer_id, query, body), headers))
        result = self._google.search(call, customer_id, query)
        rows = list(documents(result))
        tail: dict[str, object] = {"fieldMask": mask(result.mask), "requestId": request_id}
        wish = body.get("summaryRowSetting")
        parts = [{"results": rows[at : at + BATCH], **tail} for at in range(0, len(rows) if wish != "SUMMARY_ROW_ONLY" else 0, BATCH)]
        if not parts or wish in ("SUMMARY_ROW_ONLY", "SUMMARY_ROW_WITH_RESULTS"):
            parts.append({**_summary(result, wish), **tail})
        return self._breaking(call, customer_id, json_answer(200, parts, headers))

    def _page(self, call: Call, customer_id: str, query: str, body: dict[str, Any]) -> dict[str, object]:
        page = self._google.page(call, customer_id, query, str(body.get("pageToken", "")), int(body.get("pageSize", 0)))
        if body.get("validateOnly"):
            return {}
        wishes = body.get("searchSettings", {})
        answer: dict[str, object] = {"fieldMask": mask(page.result.mask)}
        if not wishes.get("omitResults"):
            answer["results"] = list(documents(page.result))
        if page.next_token and not wishes.get("omitResults"):
            answer["nextPageToken"] = page.next_token
        if wishes.get("returnTotalResultsCount"):
            answer["totalResultsCount"] = str(page.total)
        if wishes.get("returnSummaryRow") and not page.next_token:
            answer |= _summary(page.result, "yes")
        return answer

    def _breaking(self, call: Call, customer_id: str, answer: Answer) -> Answer:
        fault = self._google.stream_fault(call, customer_id)
        if fault is not None and fault.kind == "broken_stream":
            answer.cut_after = len(answer.body) // 2
        elif fault is not None:
            answer.body = answer.body[: len(answer.body) // 2]
        return answer


def _summary(result: Result, wish: object) -> dict[str, object]:
    if not wish or result.summary is None:
        return {}
    names = tuple(result.summary.columns)
    return {"summaryRow": next(documents(Result(result.summary, names, names)))}
