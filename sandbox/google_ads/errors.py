"""Google Ads errors, and how they travel: GoogleAdsFailure in trailing metadata (gRPC) or in error.details (REST)."""

from dataclasses import dataclass

import grpc

from sandbox.google_ads.wire import integer, message, text

CATEGORIES = {
    "request_error": 1,
    "query_error": 5,
    "authorization_error": 9,
    "internal_error": 10,
    "quota_error": 11,
    "authentication_error": 17,
    "date_error": 33,
    "header_error": 66,
}
CODES: dict[str, dict[str, int]] = {
    "request_error": {
        "INVALID_PAGE_TOKEN": 7,
        "EXPIRED_PAGE_TOKEN": 8,
        "INVALID_CUSTOMER_ID": 16,
        "DEVELOPER_TOKEN_PARAMETER_MISSING": 19,
        "UNSUPPORTED_VERSION": 38,
        "PAGE_SIZE_NOT_SUPPORTED": 40,
        "RESOURCE_NAME_MALFORMED": 4,
    },
    "query_error": {
        "QUERY_ERROR": 50,
        "BAD_ENUM_CONSTANT": 18,
        "BAD_LIMIT_VALUE": 15,
        "BAD_NUMBER": 5,
        "BAD_OPERATOR": 3,
        "BAD_PARAMETER_NAME": 61,
        "BAD_PARAMETER_VALUE": 62,
        "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE": 45,
        "BAD_SYMBOL": 2,
        "BAD_VALUE": 4,
        "EXPECTED_AND": 30,
        "EXPECTED_BY": 14,
        "EXPECTED_FILTERS_ON_DATE_RANGE": 55,
        "EXPECTED_FROM": 44,
        "EXPECTED_LIST": 41,
        "EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE": 16,
        "EXPECTED_SELECT": 13,
        "EXPECTED_SINGLE_VALUE": 42,
        "EXPECTED_VALUE_WITH_BETWEEN_OPERATOR": 29,
        "INVALID_DATE_FORMAT": 38,
        "INVALID_VALUE_WITH_BETWEEN_OPERATOR": 26,
        "INVALID_VALUE_WITH_DURING_OPERATOR": 22,
        "INVALID_VALUE_WITH_LIKE_OPERATOR": 56,
        "LIMIT_VALUE_TOO_LOW": 25,
        "MISALIGNED_DATE_FOR_FILTER": 64,
        "OPERATOR_FIELD_MISMATCH": 35,
        "PROHIBITED_EMPTY_LIST_IN_CONDITION": 28,
        "PROHIBITED_FIELD_COMBINATION_IN_SELECT_CLAUSE": 31,
        "PROHIBITED_FIELD_IN_ORDER_BY_CLAUSE": 40,
        "PROHIBITED_FIELD_IN_SELECT_CLAUSE": 23,
        "PROHIBITED_FIELD_IN_WHERE_CLAUSE": 24,
        "PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE": 49,
        "PROHIBITED_RESOURCE_TYPE_IN_FROM_CLAUSE": 43,
        "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE": 48,
        "PROHIBITED_RESOURCE_TYPE_IN_WHERE_CLAUSE": 58,
        "PROHIBITED_SEGMENT_IN_SELECT_OR_WHERE_CLAUSE": 51,
        "PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE": 53,
        "REQUESTED_METRICS_FOR_MANAGER": 59,
        "STRING_NOT_TERMINATED": 6,
        "UNEXPECTED_END_OF_QUERY": 9,
        "UNEXPECTED_FROM_CLAUSE": 47,
        "UNEXPECTED_INPUT": 11,
        "UNRECOGNIZED_FIELD": 32,
    },
    "authorization_error": {"USER_PERMISSION_DENIED": 2, "CUSTOMER_NOT_ENABLED": 24, "DEVELOPER_TOKEN_PROHIBITED": 4, "DEVELOPER_TOKEN_NOT_APPROVED": 10},
    "internal_error": {"INTERNAL_ERROR": 2, "TRANSIENT_ERROR": 4},
    "quota_error": {"RESOURCE_EXHAUSTED": 2, "RESOURCE_TEMPORARILY_EXHAUSTED": 4},
    "authentication_error": {
        "CUSTOMER_NOT_FOUND": 8,
        "NOT_ADS_USER": 14,
        "OAUTH_TOKEN_INVALID": 15,
        "OAUTH_TOKEN_EXPIRED": 16,
        "OAUTH_TOKEN_REVOKED": 18,
        "OAUTH_TOKEN_HEADER_INVALID": 19,
        "DEVELOPER_TOKEN_INVALID": 29,
    },
    "date_error": {"INVALID_STRING_DATE": 4},
    "header_error": {"INVALID_LOGIN_CUSTOMER_ID": 3},
}
"""The codes of the v26 enums that the sandbox answers with."""

_STATUS = {
    "authentication_error": grpc.StatusCode.UNAUTHENTICATED,
    "authorization_error": grpc.StatusCode.PERMISSION_DENIED,
    "quota_error": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "internal_error": grpc.StatusCode.INTERNAL,
}
_DETAILS = {
    grpc.StatusCode.INVALID_ARGUMENT: "Request contains an invalid argument.",
    grpc.StatusCode.PERMISSION_DENIED: "The caller does not have permission",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "Resource has been exhausted (e.g. check quota).",
    grpc.StatusCode.INTERNAL: "Internal error encountered.",
    grpc.StatusCode.UNAUTHENTICATED: (
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. "
        "See https://developers.google.com/identity/sign-in/web/devconsole-project."
    ),
    grpc.StatusCode.UNAVAILABLE: "The service is currently unavailable.",
}
HTTP = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNAVAILABLE: 503,
}


@dataclass
class GoogleAdsError(Exception):
    """One error of the API: its category, its code, the words. `retry_delay` in seconds goes with quota errors."""

    category: str
    code: str
    message: str
    retry_delay: float = 0
    rate_scope: str = "DEVELOPER"
    field_path: str = ""
    rate_name: str = "Requests per developer token per minute"

    def __post_init__(self) -> None:
        super().__init__(self.message)

    @property
    def status(self) -> grpc.StatusCode:
        """Return the gRPC status that the category maps to."""
        return _STATUS.get(self.category, grpc.StatusCode.INVALID_ARGUMENT)

    @property
    def details(self) -> str:
        """Return the status's own sentence."""
        return _DETAILS[self.status]

    def failure(self, request_id: str) -> bytes:
        """Encode google.ads.googleads.vN.errors.GoogleAdsFailure."""
        code = integer(CATEGORIES[self.category], CODES[self.category][self.code])
        error = message(1, code) + text(2, self.message)
        if self.category == "quota_error":
            whole = int(self.retry_delay)
            delay = integer(1, whole) + integer(2, round((self.retry_delay - whole) * 1e9))
            scope = {"ACCOUNT": 2, "DEVELOPER": 3}[self.rate_scope]
            quota = integer(1, scope) + text(2, self.rate_name) + message(3, delay)
            error += message(5, message(4, quota))
        return message(1, error) + text(2, request_id)

    def document(self, version: str, request_id: str) -> dict[str, object]:
        """Return the REST error document."""
        error: dict[str, object] = {"errorCode": {_camel(self.category): self.code}, "message": self.message}
        if self.category == "quota_error":
            error["details"] = {
                "quotaErrorDetails": {
                    "rateScope": self.rate_scope,
                    "rateName": self.rate_name,
                    "retryDelay": f"{self.retry_delay:g}s",
                }
            }
        kind = f"type.googleapis.com/google.ads.googleads.{version}.errors.GoogleAdsFailure"
        return {
            "error": {
                "code": HTTP[self.status],
                "message": self.details,
                "status": self.status.name,
                "details": [{"@type": kind, "errors": [error], "requestId": request_id}],
            }
        }


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def query_error(code: str, words: str) -> GoogleAdsError:
    """Return an error of the query itself."""
    return GoogleAdsError("query_error", code, words)
