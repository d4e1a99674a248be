"""Cursors of the Graph API: `limit`, `after` and `before`, the `next` address, and the summary of an edge."""

import base64
from urllib.parse import urlencode

from sandbox.meta_ads.errors import invalid
from sandbox.meta_ads.nodes import Node
from sandbox.web import Request

PAGE = 25
LARGEST_PAGE = 5_000
LARGEST_EDGE_PAGE = 500


def bounds(params: dict[str, str], largest: int = LARGEST_PAGE) -> tuple[int, int]:
    """Return the first row of a page and how many at most. Raises GraphError for a bad limit or a foreign cursor."""
    limit = params.get("limit") or str(PAGE)
    if not limit.isdigit() or int(limit) < 1:
        raise invalid("param limit must be a positive integer.")
    size = min(int(limit), largest)
    if params.get("before") and not params.get("after"):
        return max(_place(params["before"]) - size, 0), size
    return _place(params.get("after") or ""), size


def _place(text: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(text.encode()).decode()) if text else 0
    except ValueError:
        raise invalid("Invalid cursor: the after parameter is no cursor of this edge.") from None


def paging(request: Request, params: dict[str, str], start: int, shown: int, total: int) -> dict[str, object]:
    """Return the page's cursors and the addresses of its neighbours; the token travels in them, as Meta's does."""
    if not shown:
        return {}
    found: dict[str, object] = {"cursors": {"before": cursor(start), "after": cursor(start + shown)}}
    own = {k: v for k, v in params.items() if k not in ("after", "before")} | {"limit": params.get("limit") or str(PAGE)}
    base = f"{request.scheme}://{request.host}{request.path}"
    if start + shown < total:
        found["next"] = f"{base}?{urlencode({**own, 'after': cursor(start + shown)})}"
    if start:
        found["previous"] = f"{base}?{urlencode({**own, 'before': cursor(start)})}"
    return found


def cursor(at: int) -> str:
    """Return the cursor of a place between rows."""
    return base64.urlsafe_b64encode(str(at).encode()).decode()


def paged(request: Request, params: dict[str, str], nodes: list[Node], start: int, page: list[Node]) -> dict[str, object]:
    """Return a page of an edge; `summary` adds how many nodes it has."""
    answer: dict[str, object] = {"data": page}
    if found := paging(request, params, start, len(page), len(nodes)):
        answer["paging"] = found
    if params.get("summary", "") not in ("", "false", "0"):
        answer["summary"] = {"total_count": len(nodes)}
    return answer
