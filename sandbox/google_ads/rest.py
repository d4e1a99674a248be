"""The REST wire: POST /vN/customers/{id}/googleAds:searchStream and :search, GET /vN/customers:listAccessibleCustomers."""

import json
import re

from sandbox.google_ads.errors import HTTP, GoogleAdsError
from sandbox.google_ads.rows import BATCH, documents, mask
from sandbox.google_ads.service import Call, GoogleAds
from sandbox.web import Answer, Request, json_answer

_SEARCH = re.compile(r"^/(v\d+)/customers/([^/]+)/googleAds:(searchStream|search)$")
_LIST = re.compile(r"^/(v\d+)/customers:listAccessibleCustomers$")


class Rest:
    """Answer the REST form of the same services."""

    def __init__(self, google: GoogleAds) -> None:
        self._google = google

    def __call__(self, request: Request) -> Answer:
        """Route one request."""
        request_id = self._google.request_id()
        found = _SEARCH.match(request.path)
        listed = _LIST.match(request.path)
        version = (found or listed or [None, "v0"])[1] or "v0"
        try:
            if found and request.method == "POST":
                return self._search(Call(version, f"rest:{found[3]}", request.headers), found[2], request, request_id)
            if listed and request.method == "GET":
                names = self._google.accessible(Call(version, "rest:listAccessibleCustomers", request.headers))
                return json_answer(200, {"resourceNames": names})
        except GoogleAdsError as error:
            return json_answer(HTTP[error.status], error.document(version, request_id), {"request-id": request_id})
        except ValueError as error:
            return json_answer(400, {"error": {"code": 400, "message": f"Invalid JSON payload received. {error}", "status": "INVALID_ARGUMENT"}})
        return json_answer(404, {"error": {"code": 404, "message": "Requested entity was not found.", "status": "NOT_FOUND"}})

    def _search(self, call: Call, customer_id: str, request: Request, request_id: str) -> Answer:
        body = json.loads(request.body or b"{}")
        query = str(body.get("query", ""))
        headers = {"request-id": request_id}
        if call.method == "rest:search":
            page = self._google.page(call, customer_id, query, str(body.get("pageToken", "")), int(body.get("pageSize", 0)))
            answer: dict[str, object] = {"results": list(documents(page.result)), "fieldMask": mask(page.result.mask)}
            if page.next_token:
                answer["nextPageToken"] = page.next_token
            if body.get("searchSettings", {}).get("returnTotalResultsCount"):
                answer["totalResultsCount"] = str(page.total)
            return self._breaking(call, customer_id, json_answer(200, answer, headers))
        result = self._google.search(call, customer_id, query)
        rows = list(documents(result))
        tail: dict[str, object] = {"fieldMask": mask(result.mask), "requestId": request_id}
        parts = [{"results": rows[at : at + BATCH], **tail} for at in range(0, len(rows), BATCH)] or [tail]
        return self._breaking(call, customer_id, json_answer(200, parts, headers))

    def _breaking(self, call: Call, customer_id: str, answer: Answer) -> Answer:
        fault = self._google.stream_fault(call, customer_id)
        if fault is not None and fault.kind == "broken_stream":
            answer.cut_after = len(answer.body) // 2
        elif fault is not None:
            answer.body = answer.body[: len(answer.body) // 2]
        return answer
