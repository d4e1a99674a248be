"""GoogleAdsFieldService: what the fields of the API are, read from the package's own descriptors."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sandbox.google_ads.errors import query_error
from sandbox.google_ads.fields import ATTRIBUTED, FIELDS, row_descriptor
from sandbox.google_ads.gaql import Condition, parse_fields_query
from sandbox.google_ads.wire import integer, message, text

DATA_TYPES = {"BOOLEAN": 2, "DATE": 3, "DOUBLE": 4, "ENUM": 5, "INT32": 7, "INT64": 8, "MESSAGE": 9, "RESOURCE_NAME": 10, "STRING": 11}
CATEGORIES = {"RESOURCE": 2, "ATTRIBUTE": 3, "SEGMENT": 5, "METRIC": 6}
ATTRIBUTES = ("name", "category", "data_type", "selectable", "filterable", "sortable", "enum_values", "is_repeated", "type_url")
_KINDS = {1: "DOUBLE", 2: "DOUBLE", 3: "INT64", 5: "INT32", 8: "BOOLEAN", 9: "STRING", 11: "MESSAGE", 14: "ENUM"}
_DATES = ("segments.date", "segments.week", "segments.month", "segments.quarter")
_DEPTH = 4


@dataclass(frozen=True)
class Described:
    """One field as GoogleAdsFieldService tells it."""

    name: str
    category: str
    data_type: str
    enum_values: tuple[str, ...]
    is_repeated: bool
    type_url: str

    def value(self, attribute: str) -> object:
        """Return an attribute by the name that a query gives it."""
        if attribute in ("selectable", "sortable"):
            return self.data_type != "MESSAGE" and self.category != "RESOURCE" and not (attribute == "sortable" and self.is_repeated)
        if attribute == "filterable":
            return self.category != "RESOURCE" and self.data_type != "MESSAGE"
        return getattr(self, attribute)


def search(query: str, version: str) -> tuple[tuple[str, ...], list[Described]]:
    """Answer a query such as `SELECT name, data_type WHERE name LIKE 'campaign.%'`. Raises GoogleAdsError as the API does."""
    select, where, order, limit = parse_fields_query(query)
    for name in (*select, *(c.field for c in where), *(name for name, _ in order)):
        if name not in (*ATTRIBUTES, "selectable_with", "attribute_resources", "metrics", "segments"):
            raise query_error("UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{name}'.")
    found = [one for one in _described(version) if all(_meets(one, c) for c in where)]
    for name, descending in reversed(order):
        found.sort(key=lambda one: str(one.value(name)), reverse=descending)
    return select, found[:limit]


def named(name: str, version: str) -> Described | None:
    """Return one field, None when the API has none of that name."""
    return next((one for one in _described(version) if one.name == name), None)


def encode(one: Described, select: Sequence[str] = ATTRIBUTES) -> bytes:
    """Write a google.ads.googleads.vN.resources.GoogleAdsField with the selected attributes."""
    body = text(1, f"googleAdsFields/{one.name}")
    for attribute, number in (("name", 21), ("type_url", 30)):
        if attribute in select and getattr(one, attribute):
            body += text(number, getattr(one, attribute))
    for attribute, number in (("selectable", 22), ("filterable", 23), ("sortable", 24), ("is_repeated", 31)):
        if attribute in select:
            body += integer(number, bool(one.value(attribute)))
    if "category" in select:
        body += integer(3, CATEGORIES[one.category])
    if "data_type" in select:
        body += integer(12, DATA_TYPES[one.data_type])
    if "enum_values" in select:
        body += b"".join(text(29, value) for value in one.enum_values)
    return body


def page(found: Sequence[Described], select: Sequence[str]) -> bytes:
    """Write a SearchGoogleAdsFieldsResponse that holds everything."""
    return b"".join(message(1, encode(one, select)) for one in found) + integer(3, len(found))


def document(one: Described, select: Sequence[str] = ATTRIBUTES) -> dict[str, Any]:
    """Return a field as REST prints it."""
    keys = {"data_type": "dataType", "enum_values": "enumValues", "is_repeated": "isRepeated", "type_url": "typeUrl"}
    shown: dict[str, Any] = {"resourceName": f"googleAdsFields/{one.name}"}
    for attribute in select:
        value = one.value(attribute) if attribute in ATTRIBUTES else None
        if value not in (None, "", ()):
            shown[keys.get(attribute, attribute)] = list(value) if isinstance(value, tuple) else value
    return shown


@lru_cache(maxsize=4)
def _described(version: str) -> tuple[Described, ...]:
    """List resources, their attributes, the metrics and the segments."""
    found: list[Described] = []
    for field in row_descriptor(version).fields:
        kind = {"metrics": "METRIC", "segments": "SEGMENT"}.get(field.name, "ATTRIBUTE")
        if kind == "ATTRIBUTE":
            found.append(Described(field.name, "RESOURCE", "MESSAGE", (), False, _url(field)))
        found += _below(field, field.name, kind, _DEPTH)
    return tuple(found)


def _below(parent: Any, path: str, category: str, depth: int) -> Iterator[Described]:  # noqa: ANN401
    for field in parent.message_type.fields:
        name = f"{path}.{field.name.rstrip('_')}"
        kind = _KINDS.get(field.type, "STRING")
        if name in _DATES:
            kind = "DATE"
        elif field.name == "resource_name" or (name in FIELDS and kind == "STRING" and field.name in ATTRIBUTED):
            kind = "RESOURCE_NAME"
        values = tuple(v.name for v in field.enum_type.values) if field.enum_type is not None else ()
        yield Described(name, category, kind, values, field.is_repeated, _url(field) if kind in ("MESSAGE", "ENUM") else "")
        if field.message_type is not None and depth > 1 and not field.is_repeated:
            yield from _below(field, name, category, depth - 1)


def _url(field: Any) -> str:  # noqa: ANN401
    return str((field.message_type or field.enum_type).full_name)


def _meets(one: Described, condition: Condition) -> bool:
    value = one.value(condition.field) if condition.field in ATTRIBUTES else None
    held = str(value).lower() if isinstance(value, bool) else value
    given = [v.lower() if isinstance(value, bool) else v for v in condition.values]
    match condition.operator:
        case "=" | "IN":
            return held in given
        case "!=" | "NOT IN":
            return held not in given
        case "LIKE" | "NOT LIKE":
            pattern = "(?is)" + "".join(".*" if p == "%" else re.escape(p) for p in re.split("(%)", given[0]))
            return bool(re.fullmatch(pattern, str(held))) == (condition.operator == "LIKE")
        case "CONTAINS ANY":
            return isinstance(held, tuple) and bool(set(held) & set(given))
    raise query_error("OPERATOR_FIELD_MISMATCH", f"Error in WHERE clause: operator '{condition.operator}' cannot be used with field '{condition.field}'.")
