"""A JSON call: read, checked against the service's structure, answered page by page."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.yandex_direct.errors import DirectError
from sandbox.yandex_direct.names import EMPTY_WITHOUT_KEY, LISTINGS, Listing

MOST = 10_000
Params = Mapping[str, Any]
Item = dict[str, Any]


def read_call(body: bytes) -> tuple[str, Params]:
    """Read method and params. Raises DirectError for a body that is no such JSON."""
    try:
        call = json.loads(body)
        method, params = call["method"], call.get("params", {})
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DirectError(8000, "The request body is not JSON with method and params") from None
    if not isinstance(method, str) or not isinstance(params, dict):
        raise DirectError(8000, "method must be a string and params a structure")
    return method, params


def checked(service: str, params: Params) -> Params:
    """Check a get's params, and return its selection criteria. Raises DirectError as the service does."""
    listing = LISTINGS[service]
    _fields(params.get("FieldNames"), listing.fields, "FieldNames")
    for name in params:
        if name not in ("FieldNames", "SelectionCriteria", "Page") and name.removesuffix("FieldNames") not in listing.nested:
            raise DirectError(8000, f"params contains the unknown field {name}")
    for name, known in listing.nested.items():
        if f"{name}FieldNames" in params:
            _fields(params[f"{name}FieldNames"], known, f"{name}FieldNames")
    criteria = params.get("SelectionCriteria")
    if criteria is None and listing.required:
        raise DirectError(8000, "The required field SelectionCriteria is missing")
    return _criteria(criteria or {}, listing)


def _fields(wanted: Any, known: frozenset[str], where: str) -> None:  # noqa: ANN401
    if not isinstance(wanted, list) or not wanted:
        raise DirectError(8000, f"The required field {where} is missing")
    for name in wanted:
        if name not in known:
            raise DirectError(8000, f"The {where} element contains an incorrect enumeration value: {name}")


def _criteria(criteria: Any, listing: Listing) -> Params:  # noqa: ANN401
    if not isinstance(criteria, dict):
        raise DirectError(8000, "SelectionCriteria must be a structure")
    for name, values in criteria.items():
        if name not in listing.criteria:
            raise DirectError(8000, f"SelectionCriteria contains the unknown field {name}")
        most = listing.criteria[name][1]
        if isinstance(values, list) and len(values) > most:
            raise DirectError(4001, f"SelectionCriteria.{name} contains more than {most} elements")
    if listing.needs and not any(criteria.get(name) for name in listing.needs):
        raise DirectError(4001, f"SelectionCriteria must contain at least one of {', '.join(listing.needs)}")
    kept: Params = criteria
    return kept


def selected(service: str, items: Sequence[Item], criteria: Params) -> list[Item]:
    """Keep the items that meet every criterion."""
    for name, wanted in criteria.items():
        place = LISTINGS[service].criteria[name][0]
        texts = {str(w).lower() for w in (wanted if isinstance(wanted, list) else [wanted])}
        items = [i for i in items if str(i[place]).lower() in texts]
    return list(items)


def page_of(service: str, params: Params, items: Sequence[Item]) -> dict[str, Any]:
    """Answer the asked fields of one page, and LimitedBy where there is more."""
    page = params.get("Page") or {}
    limit, offset = page.get("Limit", MOST), page.get("Offset", 0)
    if not isinstance(limit, int) or not 1 <= limit <= MOST:
        raise DirectError(4001, f"Page.Limit must be from 1 to {MOST}")
    if not isinstance(offset, int) or offset < 0:
        raise DirectError(4001, "Page.Offset must not be negative")
    listing = LISTINGS[service]
    part = [_shown(item, params, listing) for item in items[offset : offset + limit]]
    result: dict[str, Any] = {listing.key: part} if part or service not in EMPTY_WITHOUT_KEY else {}
    if offset + limit < len(items):
        result["LimitedBy"] = offset + limit
    return result


def _shown(item: Item, params: Params, listing: Listing) -> Item:
    shown = {name: item.get(name) for name in params["FieldNames"]}
    for name in listing.nested:
        wanted = params.get(f"{name}FieldNames")
        if wanted and name in item:
            shown[name] = {field: item[name].get(field) for field in wanted}
    return shown


def cost(service: str, found: int) -> int:
    """Return how many units a get costs that finds so many objects."""
    call, each = LISTINGS[service].cost
    return call + math.ceil(each * found)
