"""What a query may not do: unknown fields, forbidden combinations, missing filters; each with the API's own error code."""

from sandbox.google_ads.customers import Customer
from sandbox.google_ads.errors import query_error
from sandbox.google_ads.fields import ACTION_METRICS, ACTION_SEGMENTS, ATTRIBUTED, CORE_DATES, FIELDS, WITH_METRICS, known_field, known_resource
from sandbox.google_ads.filters import literal
from sandbox.google_ads.gaql import Query

_EQUAL = ("=", "!=", "IN", "NOT IN", "IS NULL", "IS NOT NULL")
_ORDERED = ("=", "!=", ">", ">=", "<", "<=", "IN", "NOT IN", "BETWEEN", "IS NULL", "IS NOT NULL")
_OPERATORS = {
    "s": (*_EQUAL, "LIKE", "NOT LIKE", "CONTAINS ANY", "CONTAINS ALL", "CONTAINS NONE", "REGEXP_MATCH", "NOT REGEXP_MATCH"),
    "i": _ORDERED,
    "d": _ORDERED,
    "b": ("=", "!=", "IS NULL", "IS NOT NULL"),
    "date": ("=", ">", ">=", "<", "<=", "IN", "BETWEEN", "DURING"),
}


def check(query: Query, customer: Customer, version: str) -> None:
    """Raise GoogleAdsError for the first rule that the query breaks."""
    if not known_resource(query.resource, version):
        raise query_error("BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", f"Error in FROM clause: unrecognized resource '{query.resource}'.")
    for clause, names in (
        ("SELECT", query.select),
        ("WHERE", tuple(c.field for c in query.where)),
        ("ORDER BY", tuple(name for name, _ in query.order)),
    ):
        for name in names:
            if not known_field(name, version):
                raise query_error("UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{name}'.")
            _check_place(query, clause, name)
    _check_conditions(query)
    _check_segments(query)
    if customer.manager and any(n.startswith("metrics.") for n in query.select):
        raise query_error(
            "REQUESTED_METRICS_FOR_MANAGER",
            "Metrics cannot be requested for a manager account. To retrieve metrics, issue separate requests against each client account under the manager "
            "account.",
        )


def _check_place(query: Query, clause: str, name: str) -> None:
    resource = name.partition(".")[0]
    if resource in ("metrics", "segments"):
        if query.resource in ATTRIBUTED and query.resource not in WITH_METRICS:
            kind = "METRIC" if resource == "metrics" else "SEGMENT"
            raise query_error(
                f"PROHIBITED_{kind}_IN_SELECT_OR_WHERE_CLAUSE",
                f"The following {resource} cannot be used with the resource '{query.resource}' of the FROM clause: '{name}'.",
            )
        return
    if query.resource in ATTRIBUTED and resource not in ATTRIBUTED[query.resource]:
        place = "SELECT" if clause == "SELECT" else "WHERE"
        raise query_error(
            f"PROHIBITED_RESOURCE_TYPE_IN_{place}_CLAUSE",
            f"The resource '{resource}' in {clause} clause cannot be used with the resource '{query.resource}' in FROM clause.",
        )


def _check_conditions(query: Query) -> None:
    for one in query.where:
        field = FIELDS.get(one.field)
        if field is None:
            continue
        if one.operator not in _OPERATORS.get(field.type, _EQUAL):
            raise query_error("OPERATOR_FIELD_MISMATCH", f"Error in WHERE clause: operator '{one.operator}' cannot be used with field '{one.field}'.")
        if one.operator not in ("DURING", "LIKE", "NOT LIKE", "REGEXP_MATCH", "NOT REGEXP_MATCH"):
            values = [literal(one.field, v) for v in one.values]
            if one.operator == "BETWEEN" and values[0] > values[1]:  # type: ignore[operator]
                raise query_error(
                    "INVALID_VALUE_WITH_BETWEEN_OPERATOR", f"Error in WHERE clause: the bounds of BETWEEN on '{one.field}' are the wrong way round."
                )


def _check_segments(query: Query) -> None:
    filtered = {c.field for c in query.where}
    for name in sorted(filtered):
        if name.startswith("segments.") and name not in CORE_DATES and name not in query.select:
            raise query_error("EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE", f"The following field must be present in SELECT clause: '{name}'.")
    for name, _ in query.order:
        if name not in query.select and name.partition(".")[0] != query.resource:
            raise query_error("EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE", f"The following field must be present in SELECT clause: '{name}'.")
    if any(s in CORE_DATES for s in query.select) and not _finite(query):
        raise query_error(
            "EXPECTED_FILTERS_ON_DATE_RANGE", "Expected filters on date range: queries that select a date segment need a finite date range in WHERE."
        )
    if any(s in ACTION_SEGMENTS for s in query.select):
        for name in [*query.select, *filtered]:
            if name.startswith("metrics.") and name.partition(".")[2] not in ACTION_METRICS:
                raise query_error(
                    "PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
                    f"Cannot select or filter on the following segments: 'conversion_action' (incompatible with metric '{name}').",
                )


def _finite(query: Query) -> bool:
    low = high = False
    for one in query.where:
        if one.field in CORE_DATES:
            low |= one.operator in ("=", "IN", "BETWEEN", "DURING", ">", ">=")
            high |= one.operator in ("=", "IN", "BETWEEN", "DURING", "<", "<=")
    return low and high
