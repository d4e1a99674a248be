"""The Data API's refusals: a google.rpc.Status, as JSON over REST and as status and details over gRPC."""

from dataclasses import dataclass, field

import grpc

from sandbox.faults import Fault

_DOCS = "https://developers.google.com/analytics/devguides/reporting/data/v1"
_LOGIN = (
    "Expected OAuth 2 access token, login cookie or other valid authentication credential. "
    "See https://developers.google.com/identity/sign-in/web/devconsole-project."
)
_HTTP = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
}
BUCKETS = {
    1: "Exhausted property tokens for a property per day. These quota tokens will return in under 24 hours.",
    2: "Exhausted property tokens for a property per hour. These quota tokens will return in under an hour.",
    3: "Exhausted concurrent requests quota. Please send fewer requests concurrently.",
    4: "Exhausted potentially thresholded requests quota. This quota will refresh in under an hour.",
    5: "Exhausted server errors quota. This quota will refresh in under an hour.",
    0: "Exhausted property tokens for a project per hour. These quota tokens will return in under an hour.",
}
"""What a used-up quota says, by the `code` of a throttle fault."""


@dataclass
class AnalyticsError(Exception):
    """One refusal. `retry_delay` in seconds travels as google.rpc.RetryInfo where the order names one."""

    status: grpc.StatusCode
    message: str
    reason: str = ""
    retry_delay: float = 0
    metadata: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(self.message)

    @property
    def http(self) -> int:
        """Return the HTTP status."""
        return _HTTP[self.status]

    def document(self) -> dict[str, object]:
        """Return the REST error document."""
        error: dict[str, object] = {"code": self.http, "message": self.message, "status": self.status.name}
        details: list[dict[str, object]] = []
        if self.reason:
            details.append({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": self.reason, "domain": "googleapis.com", "metadata": self.metadata})
        if self.retry_delay:
            details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{self.retry_delay:g}s"})
        return {"error": {**error, "details": details} if details else error}

    def headers(self) -> dict[str, str]:
        """Return the HTTP headers that go with the status."""
        if self.status is grpc.StatusCode.UNAUTHENTICATED:
            wrong = ', error="invalid_token"' if self.reason != "CREDENTIALS_MISSING" else ""
            return {"WWW-Authenticate": f'Bearer realm="https://accounts.google.com/"{wrong}'}
        return {"Retry-After": f"{self.retry_delay:g}"} if self.retry_delay else {}


def invalid(words: str) -> AnalyticsError:
    """Refuse a request for what it says."""
    return AnalyticsError(grpc.StatusCode.INVALID_ARGUMENT, words)


def unknown_field(kind: str, name: str, nearest: str = "") -> AnalyticsError:
    """Refuse a dimension or metric that the property does not have; two spaces follow the word metric, as GA4 prints it."""
    hint = f"Did you mean {nearest}? " if nearest else ""
    gap = " " if kind == "dimension" else "  "
    return invalid(f"{hint}Field {name} is not a valid {kind}.{gap}For a list of valid dimensions and metrics, see {_DOCS}/api-schema ")


def incompatible(name: str) -> AnalyticsError:
    """Refuse fields that do not go together."""
    return invalid(
        f"Please remove {name} to make the request compatible. The request's dimensions & metrics are incompatible. "
        "To learn more, see https://ga-dev-tools.web.app/ga4/dimensions-metrics-explorer/"
    )


def missing_token(method: str) -> AnalyticsError:
    """Refuse a request without a token."""
    metadata = {"method": method, "service": "analyticsdata.googleapis.com"}
    return AnalyticsError(
        grpc.StatusCode.UNAUTHENTICATED, f"Request is missing required authentication credential. {_LOGIN}", "CREDENTIALS_MISSING", metadata=metadata
    )


def bad_token(*, expired: bool) -> AnalyticsError:
    """Refuse a token that has expired or is none."""
    return AnalyticsError(
        grpc.StatusCode.UNAUTHENTICATED, f"Request had invalid authentication credentials. {_LOGIN}", "ACCESS_TOKEN_EXPIRED" if expired else ""
    )


def no_scope() -> AnalyticsError:
    """Refuse a token that was given without analytics.readonly."""
    return AnalyticsError(grpc.StatusCode.PERMISSION_DENIED, "Request had insufficient authentication scopes.", "ACCESS_TOKEN_SCOPE_INSUFFICIENT")


def no_permission() -> AnalyticsError:
    """Refuse a property that is not open to the token, or does not exist."""
    return AnalyticsError(
        grpc.StatusCode.PERMISSION_DENIED,
        f"User does not have sufficient permissions for this property. To learn more about Property ID, see {_DOCS}/property-id.",
    )


def exhausted(code: int = 0, retry_delay: float = 0) -> AnalyticsError:
    """Refuse for a used-up quota; `code` picks the bucket."""
    return AnalyticsError(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{BUCKETS.get(code, BUCKETS[0])} To learn more, see {_DOCS}/quotas", retry_delay=retry_delay)


def from_fault(fault: Fault) -> AnalyticsError:
    """Word a scripted fault."""
    match fault.kind:
        case "throttle":
            return exhausted(fault.code, fault.seconds)
        case "expired_token":
            return bad_token(expired=True)
        case "lost_account":
            return no_permission()
        case "version_sunset":
            return AnalyticsError(grpc.StatusCode.NOT_FOUND, "Method not found.")
        case _:
            return AnalyticsError(grpc.StatusCode.INTERNAL, "Internal error encountered.")
