"""The protocol buffers of google.analytics.data.v1beta and admin.v1beta, as tables: fields by number, and the words of the enums.

A field's kind: `s` text, `i` integer, `b` boolean, `d` double, `e:NAME` an enum, or a message's name; `*` before it means repeated.
"""

import struct
from collections.abc import Mapping
from typing import Any

from sandbox.google_ads.wire import double, fields, integer, message, text

Table = Mapping[int, tuple[str, str]]

ENUMS: Mapping[str, Mapping[int, str]] = {
    "MatchType": {1: "EXACT", 2: "BEGINS_WITH", 3: "ENDS_WITH", 4: "CONTAINS", 5: "FULL_REGEXP", 6: "PARTIAL_REGEXP"},
    "Operation": {1: "EQUAL", 2: "LESS_THAN", 3: "LESS_THAN_OR_EQUAL", 4: "GREATER_THAN", 5: "GREATER_THAN_OR_EQUAL"},
    "OrderType": {1: "ALPHANUMERIC", 2: "CASE_INSENSITIVE_ALPHANUMERIC", 3: "NUMERIC"},
    "Aggregation": {1: "TOTAL", 4: "COUNT", 5: "MINIMUM", 6: "MAXIMUM"},
    "MetricType": {1: "TYPE_INTEGER", 2: "TYPE_FLOAT", 4: "TYPE_SECONDS", 5: "TYPE_MILLISECONDS", 9: "TYPE_CURRENCY"},
    "Compatibility": {1: "COMPATIBLE", 2: "INCOMPATIBLE"},
    "PropertyType": {1: "PROPERTY_TYPE_ORDINARY"},
    "ServiceLevel": {1: "GOOGLE_ANALYTICS_STANDARD"},
}
MESSAGES: Mapping[str, Table] = {
    "RunReportRequest": {
        1: ("property", "s"),
        2: ("dimensions", "*Dimension"),
        3: ("metrics", "*Metric"),
        4: ("dateRanges", "*DateRange"),
        5: ("dimensionFilter", "FilterExpression"),
        6: ("metricFilter", "FilterExpression"),
        7: ("offset", "i"),
        8: ("limit", "i"),
        9: ("metricAggregations", "*e:Aggregation"),
        10: ("orderBys", "*OrderBy"),
        11: ("currencyCode", "s"),
        12: ("cohortSpec", "CohortSpec"),
        13: ("keepEmptyRows", "b"),
        14: ("returnPropertyQuota", "b"),
        15: ("comparisons", "*Comparison"),
    },
    "BatchRunReportsRequest": {1: ("property", "s"), 2: ("requests", "*RunReportRequest")},
    "GetMetadataRequest": {1: ("name", "s")},
    "CheckCompatibilityRequest": {
        1: ("property", "s"),
        2: ("dimensions", "*Dimension"),
        3: ("metrics", "*Metric"),
        4: ("dimensionFilter", "FilterExpression"),
        5: ("metricFilter", "FilterExpression"),
        6: ("compatibilityFilter", "e:Compatibility"),
    },
    "Dimension": {1: ("name", "s"), 2: ("dimensionExpression", "DimensionExpression")},
    "DimensionExpression": {4: ("lowerCase", "Case"), 5: ("upperCase", "Case"), 6: ("concatenate", "Concatenate")},
    "Case": {1: ("dimensionName", "s")},
    "Concatenate": {1: ("dimensionNames", "*s"), 2: ("delimiter", "s")},
    "Metric": {1: ("name", "s"), 2: ("expression", "s"), 3: ("invisible", "b")},
    "DateRange": {1: ("startDate", "s"), 2: ("endDate", "s"), 3: ("name", "s")},
    "FilterExpression": {1: ("andGroup", "FilterList"), 2: ("orGroup", "FilterList"), 3: ("notExpression", "FilterExpression"), 4: ("filter", "Filter")},
    "FilterList": {1: ("expressions", "*FilterExpression")},
    "Filter": {
        1: ("fieldName", "s"),
        3: ("stringFilter", "StringFilter"),
        4: ("inListFilter", "InListFilter"),
        5: ("numericFilter", "NumericFilter"),
        6: ("betweenFilter", "BetweenFilter"),
        8: ("emptyFilter", "Empty"),
    },
    "StringFilter": {1: ("matchType", "e:MatchType"), 2: ("value", "s"), 3: ("caseSensitive", "b")},
    "InListFilter": {1: ("values", "*s"), 2: ("caseSensitive", "b")},
    "NumericFilter": {1: ("operation", "e:Operation"), 2: ("value", "NumericValue")},
    "BetweenFilter": {1: ("fromValue", "NumericValue"), 2: ("toValue", "NumericValue")},
    "NumericValue": {1: ("int64Value", "i"), 2: ("doubleValue", "d")},
    "OrderBy": {1: ("metric", "MetricOrder"), 2: ("dimension", "DimensionOrder"), 4: ("desc", "b")},
    "MetricOrder": {1: ("metricName", "s")},
    "DimensionOrder": {1: ("dimensionName", "s"), 2: ("orderType", "e:OrderType")},
    "CohortSpec": {1: ("cohorts", "*Empty")},
    "Comparison": {1: ("name", "s")},
    "Empty": {},
    "DimensionHeader": {1: ("name", "s")},
    "MetricHeader": {1: ("name", "s"), 2: ("type", "e:MetricType")},
    "ResponseMetaData": {
        3: ("dataLossFromOtherRow", "b"),
        5: ("currencyCode", "s"),
        6: ("timeZone", "s"),
        8: ("subjectToThresholding", "b"),
        9: ("samplingMetadatas", "*SamplingMetadata"),
    },
    "SamplingMetadata": {1: ("samplesReadCount", "i"), 2: ("samplingSpaceSize", "i")},
    "PropertyQuota": {
        1: ("tokensPerDay", "QuotaStatus"),
        2: ("tokensPerHour", "QuotaStatus"),
        3: ("concurrentRequests", "QuotaStatus"),
        4: ("serverErrorsPerProjectPerHour", "QuotaStatus"),
        5: ("potentiallyThresholdedRequestsPerHour", "QuotaStatus"),
        6: ("tokensPerProjectPerHour", "QuotaStatus"),
    },
    "QuotaStatus": {1: ("consumed", "i"), 2: ("remaining", "i")},
    "Metadata": {3: ("name", "s"), 1: ("dimensions", "*DimensionMetadata"), 2: ("metrics", "*MetricMetadata")},
    "DimensionMetadata": {1: ("apiName", "s"), 2: ("uiName", "s"), 3: ("description", "s"), 4: ("deprecatedApiNames", "*s"), 7: ("category", "s")},
    "MetricMetadata": {
        1: ("apiName", "s"),
        2: ("uiName", "s"),
        3: ("description", "s"),
        4: ("deprecatedApiNames", "*s"),
        5: ("type", "e:MetricType"),
        10: ("category", "s"),
    },
    "CheckCompatibilityResponse": {1: ("dimensionCompatibilities", "*DimensionCompatibility"), 2: ("metricCompatibilities", "*MetricCompatibility")},
    "DimensionCompatibility": {1: ("dimensionMetadata", "DimensionMetadata"), 2: ("compatibility", "e:Compatibility")},
    "MetricCompatibility": {1: ("metricMetadata", "MetricMetadata"), 2: ("compatibility", "e:Compatibility")},
    "ListAccountSummariesRequest": {1: ("pageSize", "i"), 2: ("pageToken", "s")},
    "ListAccountSummariesResponse": {1: ("accountSummaries", "*AccountSummary"), 2: ("nextPageToken", "s")},
    "AccountSummary": {1: ("name", "s"), 2: ("account", "s"), 3: ("displayName", "s"), 4: ("propertySummaries", "*PropertySummary")},
    "PropertySummary": {1: ("property", "s"), 2: ("displayName", "s"), 3: ("propertyType", "e:PropertyType"), 4: ("parent", "s")},
    "GetPropertyRequest": {1: ("name", "s")},
    "Property": {
        1: ("name", "s"),
        2: ("parent", "s"),
        5: ("displayName", "s"),
        7: ("timeZone", "s"),
        8: ("currencyCode", "s"),
        10: ("serviceLevel", "e:ServiceLevel"),
        13: ("account", "s"),
        14: ("propertyType", "e:PropertyType"),
    },
}
_NUMBERS = {name: {word: number for number, word in words.items()} for name, words in ENUMS.items()}


def word(kind: str, value: object, default: str = "") -> str:
    """Return the word of an enum's value, which JSON may hold as the word or as its number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return ENUMS[kind].get(value, default)
    return str(value) if value else default


def decode(kind: str, body: bytes) -> dict[str, Any]:
    """Read a message into what its JSON would say; a field that the table lacks is passed over. Raises ValueError for bytes that are none."""
    found: dict[str, Any] = {}
    for number, raw in fields(body):
        if number not in MESSAGES[kind]:
            continue
        name, form = MESSAGES[kind][number]
        if form.startswith("*"):
            packed = isinstance(raw, bytes) and form.startswith("*e:")
            values = [ENUMS[form[3:]].get(n, "") for n in raw] if packed else [_value(form[1:], raw)]  # type: ignore[union-attr]
            found.setdefault(name, []).extend(values)
        else:
            found[name] = _value(form, raw)
    return found


def _value(form: str, raw: int | bytes) -> Any:  # noqa: ANN401
    if isinstance(raw, int):
        if form.startswith("e:"):
            return ENUMS[form[2:]].get(raw, "")
        return bool(raw) if form == "b" else raw - (1 << 64) if raw >= 1 << 63 else raw
    if form == "s":
        return raw.decode("utf-8")
    return struct.unpack("<d", raw)[0] if form == "d" else decode(form, raw)


def encode(kind: str, value: Mapping[str, Any]) -> bytes:
    """Write a message from what its JSON says; names that the table lacks are left out."""
    out = []
    for number, (name, form) in MESSAGES[kind].items():
        if name in value:
            for one in value[name] if form.startswith("*") else (value[name],):
                out.append(_field(number, form.lstrip("*"), one))
    return b"".join(out)


def _field(number: int, form: str, value: Any) -> bytes:  # noqa: ANN401
    if form == "s":
        return text(number, value)
    if form in ("i", "b"):
        return integer(number, int(value))
    if form == "d":
        return double(number, value)
    if form.startswith("e:"):
        return integer(number, _NUMBERS[form[2:]][value])
    return message(number, encode(form, value))
